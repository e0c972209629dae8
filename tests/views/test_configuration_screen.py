"""[Cấu hình]: download, compare, apply, go back; broken items are in nobody's way."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest

from models import ConfigurationItem, Site
from rules.config_shapes import SECTIONS
from rules.scope import Actor
from services import configuration, configuration_changes, configuration_parts
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

PAGE = "/settings/configuration/"
FIELD = {"type": "text", "label_vi": "Hạng <script>alert(1)</script>", "label_en": "Rank"}


@pytest.fixture
def office(
    morning: None, shipped: None, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> Browser:
    change = Change("fields", "customers.rank", FIELD)
    configuration_changes.apply([change], says="x", by=administrator, at=NOW)
    return browser_of(administrator)


def text_of(browser: Browser) -> str:
    return browser.get(f"{PAGE}download").get_data(as_text=True)


def compare(browser: Browser, text: str) -> Any:
    return browser.send(f"{PAGE}compare", {"file": (io.BytesIO(text.encode()), "site.yaml")})


def form_of(page: str) -> dict[str, str]:
    found = re.search(r'name="revision" value="(\d+)"', page)
    assert found
    return {"revision": found.group(1)}


def test_the_file_is_downloaded_and_changes_nothing_when_taken_in(office: Browser) -> None:
    answer = office.get(f"{PAGE}download")
    assert "attachment" in answer.headers["Content-Disposition"]
    page = compare(office, answer.get_data(as_text=True))
    assert page.status_code == 200
    assert "Không có gì khác" in page.get_data(as_text=True)


def test_differences_are_shown_before_they_are_applied(office: Browser) -> None:
    text = text_of(office).replace("label_en: Rank", "label_en: Tier")
    page = compare(office, text).get_data(as_text=True)
    assert "từ “Rank” thành “Tier”" in page
    assert "<script>alert" not in page
    assert configuration.snapshot().kinds["customers"].fields["rank"].label_en == "Rank"
    done = office.send(f"{PAGE}apply", form_of(page) | {"text": text, "name": "site.yaml"})
    assert done.status_code == 303
    assert configuration.snapshot().kinds["customers"].fields["rank"].label_en == "Tier"


def test_any_two_revisions_stand_side_by_side(office: Browser, administrator: Actor) -> None:
    first = configuration.snapshot().revision
    rows = r"<td[^>]*>([^<]*)</td>"
    for label in ("Tier", "Level"):
        change = Change("fields", "customers.rank", FIELD | {"label_en": label})
        configuration_changes.apply([change], says="x", by=administrator, at=NOW)
    change = Change("layouts", "orders", {"summary": ["code"]})
    last = configuration_changes.apply([change], says="x", by=administrator, at=NOW)
    assert last == first + 3
    for address in (f"?from={first}&to={last - 1}", f"?from={last - 1}&to={first}"):
        page = office.get(f"{PAGE}between{address}").get_data(as_text=True)
        assert [one[1:] for one in cells(re.findall(rows, page))] == [["“Rank”", "“Level”"]]
        assert "<script>alert" not in page
    page = office.get(f"{PAGE}between").get_data(as_text=True)  # the last two
    assert "Bố cục" in page
    assert "“Level”" not in page
    page = office.get(f"{PAGE}between?from={first - 1}&to={first}").get_data(as_text=True)
    assert "“Rank”" in page  # it was not there before the first change
    same = office.get(f"{PAGE}between?from={last}&to={last}").get_data(as_text=True)
    assert "Không có gì khác" in same
    unknown = office.get(f"{PAGE}between?from={last}&to=999")
    assert unknown.status_code == 422
    assert "Không có bản 999" in unknown.get_data(as_text=True)


def cells(found: list[str]) -> list[list[str]]:
    return [found[start : start + 3] for start in range(0, len(found), 3)]


def test_differences_of_a_stale_page_are_shown_anew(office: Browser, administrator: Actor) -> None:
    text = text_of(office).replace("label_en: Rank", "label_en: Tier")
    page = compare(office, text).get_data(as_text=True)
    change = Change("layouts", "orders", {"summary": ["code"]})
    configuration_changes.apply([change], says="x", by=administrator, at=NOW)
    again = office.send(f"{PAGE}apply", form_of(page) | {"text": text})
    assert again.status_code == 409
    shown = again.get_data(as_text=True)
    assert form_of(shown) != form_of(page)
    assert "Tier" in shown
    assert configuration.snapshot().kinds["customers"].fields["rank"].label_en == "Rank"


def test_a_double_click_applies_once(office: Browser) -> None:
    text = text_of(office).replace("label_en: Rank", "label_en: Tier")
    form = form_of(compare(office, text).get_data(as_text=True)) | {"text": text}
    assert office.send(f"{PAGE}apply", form).status_code == 303
    revision = configuration.snapshot().revision
    assert office.send(f"{PAGE}apply", form).status_code == 409
    assert configuration.snapshot().revision == revision


def test_what_cannot_be_taken_is_said_and_what_was_typed_stays(office: Browser) -> None:
    text = text_of(office).replace("label_en: Rank", "labell: Rank <b>")
    shown = form_of(compare(office, text).get_data(as_text=True))
    for answer in (
        compare(office, text),
        office.send(f"{PAGE}compare", {"text": text}),
        office.send(f"{PAGE}apply", {"text": text} | shown),
    ):
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422
        assert "labell: Rank &lt;b&gt;" in page
        assert "Dòng" in page
    for wrong in ("", "x", text[:200]):
        assert office.send(f"{PAGE}compare", {"text": wrong}).status_code == 422


def test_it_goes_back_to_a_revision(office: Browser) -> None:
    first = configuration.snapshot().revision
    text = text_of(office).replace("label_en: Rank", "label_en: Tier")
    form = form_of(compare(office, text).get_data(as_text=True)) | {"text": text}
    office.send(f"{PAGE}apply", form)
    assert "Rank" in office.get(f"{PAGE}revisions/{first}").get_data(as_text=True)
    page = office.get(f"{PAGE}revisions/{first}").get_data(as_text=True)
    assert "từ “Tier” thành “Rank”" in page
    answer = office.send(f"{PAGE}revisions/{first}", form_of(page))
    assert answer.status_code == 303
    assert configuration.snapshot().kinds["customers"].fields["rank"].label_en == "Rank"
    assert office.get(f"{PAGE}revisions/999").status_code == 422


def test_others_may_not_open_it(
    office: Browser, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    other = browser_of(manager)
    for address in ("", "download", "revisions/1"):
        assert other.get(f"{PAGE}{address}").status_code == 403
    for address in ("compare", "apply", "revisions/1"):
        assert other.send(f"{PAGE}{address}", {"text": "x"}).status_code == 403


BROKEN: list[Any] = [
    {},
    {"label_vi": None, "values": 7, "fields": 7, "kinds": 7, "sections": 7, "tabs": 7},
    {"label_vi": ["x"], "values": [7, {}], "sections": [7, {"entries": 7}], "tabs": [7, {}]},
    {"sections": [{"entries": [7, {}, {"endpoint": 7}]}], "tabs": [{"sections": [7]}]},
    {"tabs": [{"sections": [{"fields": 7}]}], "columns": [7, {}], "filters": 7, "page_size": "x"},
    {"columns": 7, "row_colours": [7, {"where": "and("}], "actions": 7, "sort": 7, "members": 7},
    {"type": "computed", "label_vi": "X", "expression": "rank + "},
    {"type": "choice", "label_vi": "X", "pick_list": "nowhere", "position": "x"},
    {"type": "text", "label_vi": "X", "visible_when": "and(", "pattern": "(", "minimum": "x"},
    {"summary": ["nothing", 7], "abilities": 7, "other_kinds": 7, "is_retired": "x"},
    "text",
    7,
    None,
]
KEYS = {
    "fields": ["customers.rank", "customers.name", "nowhere.x", "customers.$", "."],
    "pick_lists": ["relationship", "new"],
    "kinds": ["warranty", "customers", "Bad Key"],
    "layouts": ["customers", "customers@care_agent", "orders"],
    "lists": ["customers", "customers@care_agent", "orders_due"],
    "menus": ["all", "care_agent", "administrator"],
    "roles": ["care_agent", "helper"],
    "teams": ["north"],
    "nowhere": ["x"],
}


@pytest.mark.parametrize("sections", [[one for one in KEYS if one != "roles"], ["roles"]])
def test_broken_items_never_break_a_page(
    morning: None,
    shipped: None,
    agent: Actor,
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
    sections: list[str],
) -> None:
    customer = make_customer(carers=[agent.staff_id], seen_by=[agent.staff_id])
    desk, office = browser_of(agent), browser_of(administrator)
    pages = ("/", "/customers/", f"/customers/{customer}", "/orders/due/")
    broken: dict[str, int] = {}
    for content in BROKEN:
        put_everywhere(sections, content)
        for page in pages:
            status = desk.get(page).status_code
            # A role that cannot be read grants nothing, and says so in words.
            if status != 200 and not ("roles" in sections and status in (403, 404)):
                broken[f"agent {page} {content}"] = status
        for page in ("/", "/customers/", PAGE, "/settings/fields/"):
            status = office.get(page).status_code
            if status not in (200, 302, 303):
                broken[f"administrator {page} {content}"] = status
    assert not broken


def put_everywhere(sections: list[str], content: Any) -> None:
    for section in sections:
        for key in KEYS[section]:
            ConfigurationItem.collection().replace_one(
                {"section": section, "key": key},
                {"section": section, "key": key, "content": content, "version": 1},
                upsert=True,
            )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})


def test_administrators_read_what_is_broken(office: Browser) -> None:
    for section, content in (
        ("fields", {"type": "computed", "label_vi": "Hỏng", "expression": "1 +"}),
        ("pick_lists", {"label_vi": "Hỏng"}),
        ("layouts", {"summary": 7}),
        ("roles", {"label_vi": "Hỏng", "abilities": ["fly"]}),
    ):
        key = "customers.broken" if section == "fields" else "broken"
        ConfigurationItem.collection().insert_one(
            {"section": section, "key": key, "content": content, "version": 1}
        )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})
    page = office.get(PAGE).get_data(as_text=True)
    for word in ("Trường Khách hàng › Hỏng", "Bố cục broken", "Vai trò Hỏng"):
        assert word in page


def test_every_section_has_a_name_and_a_place(shipped: None) -> None:
    assert set(configuration_parts.contents()) == set(SECTIONS)


def test_what_stays_when_going_back_is_said_before_and_then_done(
    office: Browser, administrator: Actor
) -> None:
    first = configuration.snapshot().revision
    memo = {"type": "text", "label_vi": "Ghi nhớ"}
    change = Change("fields", "customers.memo", memo)
    configuration_changes.apply([change], says="x", by=administrator, at=NOW)
    make_customer(custom={"memo": "quý"})
    page = office.get(f"{PAGE}revisions/{first}").get_data(as_text=True)
    assert "Trường Khách hàng › Ghi nhớ</b>: ở lại, ngưng dùng, vì 1 bản ghi có giá trị" in page
    assert office.send(f"{PAGE}revisions/{first}", form_of(page)).status_code == 303
    assert configuration.snapshot().kinds["customers"].fields["memo"].is_retired
