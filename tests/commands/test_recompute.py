"""`carebook recompute care` says what changed, and the second time that nothing did."""

from typing import Any

import pytest
from click.testing import CliRunner, Result

from commands import cli
from config import Settings
from models import Customer, JobRun, Order
from services import job_queue
from tests.factories import make_customer, make_order, make_product


@pytest.fixture
def call(db: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the command line on the test database, which has one order of product A."""
    monkeypatch.setattr("commands.Settings", lambda: settings)
    monkeypatch.setattr(settings, "locale", "en")
    make_product("A", interval=5)
    make_order(make_customer(), {"A": 1})

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments)

    return run


@pytest.mark.parametrize("products", [(), ("--products", "A", "--products", "A")])
def test_it_says_what_changed_and_then_that_nothing_does(call: Any, products: Any) -> None:
    first = call("recompute", "care", *products)
    assert first.exit_code == 0
    assert "1 of 1 orders got another care date." in first.stdout
    assert "1 of 1 customers got another next date." in first.stdout
    second = call("recompute", "care", *products)
    assert second.stdout == "Nothing to change: 1 orders and 1 customers are right.\n"


def test_a_code_that_stands_nowhere_is_refused(call: Any) -> None:
    result = call("recompute", "care", "--products", "a", "--products", "A")
    assert result.exit_code == 1
    assert "has the code a." in result.stderr
    assert Order.collection().find_one()["care"]["state"] == "none"


def test_in_the_background_it_waits_for_a_worker(call: Any, valkey: Any) -> None:
    result = call("recompute", "care", "--background", "--products", "A")
    run = JobRun.objects.get()
    assert str(run.id) in result.stdout
    assert (run.name, run.arguments) == ("recompute_care", {"product_codes": ["A"]})
    assert job_queue.waiting_ids() == {run.id}


def test_it_speaks_the_language_of_the_site(
    call: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, valkey: Any
) -> None:
    monkeypatch.setattr(settings, "locale", "vi")
    assert "1 trên 1 đơn hàng" in call("recompute", "care").stdout
    assert "chờ" in call("recompute", "relationships", "--background").stdout


def test_help_shows_an_example(call: Any) -> None:
    assert "carebook recompute care --products" in call("recompute", "care", "--help").stdout


def test_relationships_say_what_changed_and_then_that_nothing_does(call: Any) -> None:
    first = call("recompute", "relationships")
    assert first.stdout == "1 of 1 customers got another relationship.\n"
    assert Customer.collection().find_one()["relationship"] == "won"
    second = call("recompute", "relationships")
    assert second.stdout == "0 of 1 customers got another relationship.\n"


def test_relationships_in_the_background_wait_for_a_worker(call: Any, valkey: Any) -> None:
    call("recompute", "relationships", "--background")
    assert JobRun.objects.get().name == "recompute_relationships"
