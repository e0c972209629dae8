"""A filter that no index serves, over very many records: nobody waits for ever, and nothing false
is shown."""

from collections.abc import Callable

import pytest

from models import Customer
from rules.scope import Actor
from services import bulk_edits, lists
from services.bulk_edits import Wanted
from services.configuration import forget
from tests.factories import NOW, make_customer
from tests.views.browser import Browser
from views.list_screen import ListScreen

SLOW = {
    "$expr": {
        "$function": {"body": "function() { sleep(400); return true }", "args": [], "lang": "js"}
    }
}
SAID = "mất quá nhiều thời gian"


@pytest.fixture(autouse=True)
def _slow(monkeypatch: pytest.MonkeyPatch, desk: Browser) -> None:
    """Looking at one customer takes longer than anybody is made to wait."""
    make_customer(name="Chưa Tìm Tới")
    forget()
    usual = ListScreen.criteria
    monkeypatch.setattr(lists, "WAIT_MS", 100)
    monkeypatch.setattr(
        ListScreen, "criteria", lambda *args, **more: lists.merge([usual(*args, **more), SLOW])
    )


@pytest.mark.parametrize(
    "query",
    ["", "group=relationship", "group=relationship&mode=kanban", "group=created&mode=calendar"],
)
def test_the_list_says_that_it_was_not_searched_to_the_end(desk: Browser, query: str) -> None:
    page = desk.get(f"/customers/?where=name.contains(T)&{query}")
    assert page.status_code == 200
    assert SAID in page.text
    assert "Không có khách hàng nào khớp" not in page.text
    assert 'class="filter-bar"' in page.text


def test_counts_stay_away(desk: Browser) -> None:
    assert desk.get("/customers/count").status_code == 204


def test_a_file_is_left_to_a_job(manager: Actor, browser_of: Callable[[Actor], Browser]) -> None:
    answer = browser_of(manager).get("/customers/export/csv")
    assert answer.status_code == 303
    assert "/jobs/" in answer.headers["Location"]


def test_a_bulk_change_is_left_to_a_job(administrator: Actor) -> None:
    wanted = Wanted("customers", "relationship", "set", "hot", SLOW)
    outcome = bulk_edits.start(wanted, says="t", by=administrator, at=NOW)
    assert outcome.run_id is not None
    assert (Customer.collection().find_one() or {})["relationship"] == "new"
