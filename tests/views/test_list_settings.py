"""[Thiết lập] > [Danh sách]: what administrators set for a list, and what the list makes of it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from markupsafe import escape

from models import AuditEntry, ConfigurationItem, Staff
from rules.list_settings import ACTIONS
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped")
ADDRESS = "/settings/screens/customers"
BAD = '<script>alert(1)</script>"'
FILTERS = ["q", "area", "relationship"]


@pytest.fixture
def admin(administrator: Actor, browser_of: Callable[[Actor], Browser]) -> Browser:
    return browser_of(administrator)


@pytest.fixture
def configure(administrator: Actor) -> Callable[..., None]:
    def apply(*changes: Change) -> None:
        configuration_changes.apply(changes, says="t", by=administrator, at=NOW)

    return apply


def save(admin: Browser, address: str = ADDRESS, **typed: Any) -> Any:
    columns = typed.pop("columns", ["code", "name"])
    form = {
        "do": "save",
        "version": "0",
        "column_order": columns,
        "columns": columns,
        "sort": "name",
        "page_size": "50",
        "filters": FILTERS,
        "action_order": list(ACTIONS),
        "actions": list(ACTIONS),
    }
    return admin.send(address, form | typed)


def stored(key: str = "customers") -> Any:
    found = ConfigurationItem.collection().find_one({"section": "lists", "key": key})
    return found and found["content"]


def headings(page: str) -> list[str]:
    return re.findall(r'data-column="(\w+)"', page)


@pytest.mark.parametrize("address", ["/settings/screens/", ADDRESS, f"{ADDRESS}/check"])
def test_only_who_may_configure_opens_the_screens(
    admin: Browser, desk: Browser, address: str
) -> None:
    assert desk.get(address).status_code == 403
    assert admin.get(address).status_code == 200
    assert save(desk).status_code == 403
    assert stored() is None


def test_every_list_over_a_kind_is_there_run_time_kinds_included(
    admin: Browser, configure: Callable[..., None]
) -> None:
    kind = {"label_vi": BAD, "label_en": BAD}
    configure(Change("kinds", "ticket", kind), Change("lists", "orders_due@care_agent", {}))
    page = admin.get("/settings/screens/").text
    for key in ("customers", "orders_due", "customers_due", "products", "history"):
        assert f'href="/settings/screens/{key}"' in page
    assert 'href="/settings/screens/records_ticket"' in page
    assert "<script>alert" not in page
    form = admin.get("/settings/screens/records_ticket")
    assert form.status_code == 200
    assert "<script>alert" not in form.text


def test_columns_order_widths_sort_and_length_are_what_people_start_with(
    admin: Browser, desk: Browser
) -> None:
    make_customer()
    columns = ["relationship", "name"]
    answer = save(admin, columns=columns, **{"width.name": "300"}, sort="-created", page_size="20")
    assert answer.status_code == 303, answer.text
    assert stored() == {
        "columns": [{"key": "relationship"}, {"key": "name", "width": 300}],
        "sort": "-created",
        "page_size": 20,
    }
    page = desk.get("/customers/").text
    assert headings(page) == columns
    assert '<col width="300">' in page
    assert 'aria-sort="descending"' not in page  # of a column that is not shown
    form = admin.get(ADDRESS).text
    assert 'value="300"' in form
    assert '<option value="20" selected>' in form


def test_what_equals_the_list_without_settings_is_not_kept(admin: Browser) -> None:
    page = admin.get(ADDRESS).text
    columns = re.findall(r'name="columns" value="(\w+)" checked', page)
    actions = re.findall(r'name="actions" value="(\w+)" checked', page)
    assert save(admin, columns=columns, actions=actions).status_code == 303
    assert stored() is None


def test_a_role_has_settings_of_its_own_and_goes_back_to_those_for_everybody(
    admin: Browser, desk: Browser
) -> None:
    make_customer()
    save(admin, columns=["name"])
    role = f"{ADDRESS}?role=care_agent"
    assert re.findall(r'name="columns" value="(\w+)" checked', admin.get(role).text) == ["name"]
    save(admin, role, columns=["code"])
    assert headings(desk.get("/customers/").text) == ["code"]
    answer = admin.send(role, {"do": "reset", "version": "1"})
    assert answer.status_code == 303
    assert headings(desk.get("/customers/").text) == ["name"]


def test_filters_colours_and_actions_are_kept_in_order(admin: Browser, desk: Browser) -> None:
    customer = make_customer(relationship="hot")
    colours = {
        "where": ["", "relationship.in(hot)", "relationship.in(new)"],
        "place": ["7", "3", "0"],
        "colour.3": "orange",
        "colour.0": "url(evil)",
    }
    actions = ["why", "open"]
    answer = save(
        admin,
        filters=["q", "unknown"],
        action_order=["why", "unknown", "open"],
        actions=actions,
        **colours,
    )
    assert answer.status_code == 303, answer.text
    found = stored()
    assert found["row_colours"] == [
        {"where": "relationship.in(hot)", "colour": "orange"},
        {"where": "relationship.in(new)", "colour": "gray"},
    ]
    assert found["filters"] == ["q"]
    assert found["actions"] == actions
    page = desk.get("/customers/").text
    assert f'id="row-{customer}" data-row="{customer}" class="row-orange"' in page


def test_fields_of_choices_become_quick_filters(
    admin: Browser, desk: Browser, configure: Callable[..., None]
) -> None:
    label = "100% <b>quý</b>"
    configure(
        Change("fields", "customers.vip", {"type": "yes_no", "label_vi": label}),
        Change("fields", "customers.note2", {"type": "text", "label_vi": "Ghi chú hai"}),
    )
    make_customer(name="Quý Một", custom={"vip": True})
    make_customer(name="Thường Hai", source="zalo")
    form = admin.get(ADDRESS).text
    assert 'value="f.source"' in form
    assert 'value="f.note2"' not in form
    assert 'value="f.relationship"' not in form
    assert "f.vip" not in desk.get("/customers/").text
    assert save(admin, filters=[*FILTERS, "f.vip", "f.source"]).status_code == 303
    assert set(stored()["filters"]) == {*FILTERS, "f.vip", "f.source"}
    page = desk.get("/customers/?f.vip=yes").text
    assert "Quý Một" in page
    assert "Thường Hai" not in page
    assert f"{escape(label)}: Có" in page
    assert "Thường Hai" in desk.get("/customers/?f.vip=no&f.source=zalo").text
    assert "Thường Hai" not in desk.get("/customers/?f.source=facebook").text
    assert 'class="alert alert-warning list-problem"' in desk.get("/customers/?f.vip=maybe").text


def test_a_quick_filter_over_a_hidden_field_is_not_there(
    admin: Browser,
    configure: Callable[..., None],
    browser_of: Callable[[Actor], Browser],
    agent: Actor,
) -> None:
    save(admin, filters=[*FILTERS, "f.source"])
    kind = {"actions": ["see"], "reach": "all", "fields": {"source": "hidden"}}
    configure(Change("roles", "operator", {"label_vi": "Tổng đài", "kinds": {"customers": kind}}))
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["operator"]}})
    make_customer(name="Của Zalo", source="zalo")
    desk = browser_of(agent)
    assert "f.source" not in desk.get("/customers/").text
    assert "Của Zalo" in desk.get("/customers/?f.source=facebook").text


@pytest.mark.parametrize(
    ("wrong", "kept"),
    [
        ({"where": ["nothing.is(1)"], "place": ["0"]}, 'value="nothing.is(1)"'),
        ({"where": [BAD], "place": ["0"]}, "&lt;script&gt;"),
        ({"width.name": "wide"}, 'value="wide"'),
        ({"width.name": "9999999"}, 'value="9999999"'),
        ({"columns": []}, 'name="version"'),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    admin: Browser, wrong: dict[str, Any], kept: str
) -> None:
    answer = save(admin, **wrong)
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert kept in answer.text
    assert "<script>alert" not in answer.text
    assert stored() is None


def test_a_colour_for_a_role_names_only_what_the_role_sees(
    admin: Browser, configure: Callable[..., None]
) -> None:
    kind = {"actions": ["see"], "reach": "all", "fields": {"note": "hidden"}}
    role = {"label_vi": "Chăm sóc", "kinds": {"customers": kind}}
    configure(Change("roles", "care_agent", role))
    colour = {"where": ["note.contains(x)"], "place": ["0"], "colour.0": "red"}
    assert save(admin, f"{ADDRESS}?role=care_agent", **colour).status_code == 422
    assert save(admin, **colour).status_code == 303
    page = admin.get(f"{ADDRESS}?role=care_agent").text
    assert 'name="columns" value="note"' not in page


def test_a_stale_form_keeps_what_was_typed_and_may_then_be_saved(admin: Browser) -> None:
    assert save(admin, columns=["name"]).status_code == 303
    answer = save(admin, columns=["code"], version="0")
    assert answer.status_code == 409
    assert stored() == {"columns": [{"key": "name"}]}
    assert re.findall(r'name="columns" value="(\w+)" checked', answer.text) == ["code"]
    version = re.search(r'name="version" value="(\d+)"', answer.text)
    assert version
    assert save(admin, columns=["code"], version=version.group(1)).status_code == 303
    assert stored() == {"columns": [{"key": "code"}]}


def test_a_stale_reset_removes_nothing(admin: Browser) -> None:
    save(admin, columns=["name"])
    assert admin.send(ADDRESS, {"do": "reset", "version": "0"}).status_code == 409
    assert stored()


def test_buttons_move_rows_without_scripts(admin: Browser) -> None:
    answer = save(admin, columns=["code", "name"], do="up:column:name")
    assert answer.status_code == 200
    order = re.findall(r'name="column_order" value="(\w+)"', answer.text)
    assert order[:2] == ["name", "code"]
    assert stored() is None


def test_each_change_is_in_the_change_log(admin: Browser, administrator: Actor) -> None:
    save(admin, columns=["name"])
    found = AuditEntry.collection().find_one({"record_label": "lists: customers"})
    assert found
    assert found["staff_id"] == administrator.staff_id


def test_a_label_with_markup_is_text_everywhere(
    admin: Browser, desk: Browser, configure: Callable[..., None]
) -> None:
    configure(Change("fields", "customers.bad", {"type": "text", "label_vi": BAD}))
    colour = {"where": ["bad.is(x)"], "place": ["0"], "colour.0": "red"}
    assert save(admin, columns=["bad", "name"], **colour).status_code == 303
    make_customer(custom={"bad": "x"})
    for page in (admin.get(ADDRESS), desk.get("/customers/"), desk.get("/customers/menu/row")):
        assert "<script>alert" not in page.text
    check = admin.get(f"{ADDRESS}/check?where=bad.is(x)")
    assert "&lt;script&gt;" in check.text


@pytest.mark.parametrize(
    "broken", [{"columns": 7, "actions": 8, "filters": 9, "row_colours": [1]}, {"sort": ["a"]}]
)
def test_broken_content_is_shown_as_a_list_without_settings(
    admin: Browser, configure: Callable[..., None], broken: Any
) -> None:
    configure(Change("lists", "customers", broken))
    assert admin.get(ADDRESS).status_code == 200


@pytest.mark.parametrize("address", ["nothing", "customers?role=nobody", "records_none"])
def test_what_is_not_there_is_not_found(admin: Browser, address: str) -> None:
    assert admin.get(f"/settings/screens/{address}").status_code == 404


def preview(admin: Browser, role: str = "", **typed: Any) -> str:
    columns = typed.pop("columns", ["code", "name"])
    form = {"column_order": columns, "columns": columns, "filters": FILTERS, **typed}
    answer = admin.send(f"{ADDRESS}/preview?role={role}", form)
    assert answer.status_code == 200
    return re.sub(r"<[^>]+>|\s+", " ", answer.text)


def drawn(admin: Browser, **typed: Any) -> list[str]:
    columns = typed.pop("columns")
    form = {"column_order": columns, "columns": columns, "filters": FILTERS, **typed}
    page = admin.send(f"{ADDRESS}/preview", form).text
    return [one.strip() for one in re.findall(r'<th scope="col"[^>]*>([^<]*)', page)]


def test_settings_that_are_not_saved_are_shown_on_the_first_rows(admin: Browser) -> None:
    for number in range(9):
        make_customer(code=f"KH-{number}", name=f"Khách {number}")
    form = {"sort": "-name", "page_size": "20", "filters": ["q"]}
    shown = preview(admin, columns=["name", "code"], **form)
    assert drawn(admin, columns=["name", "code"]) == ["Khách hàng", "Mã khách hàng"]
    assert re.findall(r"KH-\d", shown) == ["KH-8", "KH-7", "KH-6", "KH-5", "KH-4", "KH-3"]
    assert "20 dòng mỗi trang" in shown
    assert ConfigurationItem.collection().count_documents({"section": "lists"}) == 0
    assert AuditEntry.collection().count_documents({"kind": "lists"}) == 0


def test_widths_and_colours_of_a_preview_are_those_typed(admin: Browser) -> None:
    make_customer(name="Lan", note="gấp")
    form = {
        "column_order": ["name"],
        "columns": ["name"],
        "width.name": "321",
        "where": ["note.filled()"],
        "place": ["0"],
        "colour.0": "red",
    }
    page = admin.send(f"{ADDRESS}/preview", form).text
    assert '<col width="321">' in page
    assert 'class="row-red"' in page
    assert "row-legend" in page


def test_what_is_wrong_with_the_settings_is_said_in_the_preview(admin: Browser) -> None:
    assert "Chọn ít nhất một cột" in preview(admin, columns=[])
    make_customer(name="Lan")
    bad = preview(admin, where=["nothing.is(1)"], place=["0"], **{"colour.0": "red"})
    assert "màu dòng" in bad.lower()
    assert "Lan" in bad


def test_a_preview_for_a_role_shows_no_more_than_the_role_sees(
    admin: Browser, configure: Callable[..., None]
) -> None:
    role = {
        "label_vi": "Thực tập",
        "kinds": {
            "customers": {
                "actions": ["see"],
                "reach": "own",
                "fields": {"note": "hidden", "phones": "masked"},
            }
        },
    }
    configure(Change("roles", "trainee", role))
    make_customer(name="Lan", phones=["0912345678"], note="bí mật")
    own = preview(admin, columns=["name", "phones", "note"])
    assert "bí mật" in own
    assert "0912" in own
    columns = ["name", "phones", "note"]
    for seen in (
        preview(admin, "trainee", columns=columns),
        preview(admin, columns=columns, seen_as="trainee"),
    ):
        assert "Lan" in seen  # with the records that the administrator sees
        assert "bí mật" not in seen
        assert "0912345678" not in seen.replace(" ", "")


def test_the_page_itself_shows_what_is_stored_and_a_button_works_without_scripts(
    admin: Browser,
) -> None:
    make_customer(name="Lan", code="KH-1")
    assert "KH-1" in admin.get(ADDRESS).text
    form = {"do": "preview", "version": "0", "column_order": ["name"], "columns": ["name"]}
    assert "KH-1" not in re.sub(r"<form.*", "", admin.send(ADDRESS, form).text, flags=re.DOTALL)


def test_only_who_configures_asks_for_a_preview(
    agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    assert browser_of(agent).send(f"{ADDRESS}/preview", {}).status_code == 403
