"""A list as a file: what is seen, typed values, no formulas, no hidden field, long ones by a job."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from bson import Decimal128
from python_calamine import CalamineWorkbook

from jobs import registry
from models import AuditEntry, Customer, JobRun
from rules.scope import Actor
from services import configuration_changes, list_export_runs
from services.configuration_changes import Change
from services.progress import NoProgress
from tests.factories import NOW, make_area, make_customer
from tests.views.conftest import Browser


@pytest.fixture
def office(morning: None, shipped: None, manager: Actor, browser_of: Callable[..., Any]) -> Any:
    return browser_of(manager)


def csv_rows(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_a_file_has_the_rows_columns_and_order_that_are_seen(office: Browser) -> None:
    make_customer(
        code="K2", name="Bình", search="binh", phones=["0912 345 678"], area_id=make_area("Huế")
    )
    make_customer(code="K1", name="An", search="an", relationship="hot")
    make_customer(code="K3", name="Chi", search="chi")
    office.send("/customers/columns", {"columns": ["name", "relationship", "code"]})
    rows = csv_rows(office.get("/customers/export/csv?sort=-name&relationship=all"))
    assert rows[0] == ["Tên", "Điện thoại", "Khu vực", "Mối quan hệ", "Mã khách hàng"]
    assert [row[0] for row in rows[1:]] == ["Chi", "Bình", "An"]
    assert rows[2] == ["Bình", "0912 345 678", "Huế", "Mới", "K2"]
    rows = csv_rows(office.get("/customers/export/csv?relationship=hot"))
    assert [row[0] for row in rows[1:]] == ["An"]


def test_a_field_with_a_column_of_its_own_stands_there_in_the_file(office: Browser) -> None:
    make_customer(code="K1", name="An", phones=["0912 345 678"], area_id=make_area("Huế"))
    names = {
        "area": "Khu vực",
        "code": "Mã khách hàng",
        "name": "Tên",
        "phones": "Điện thoại",
        "relationship": "Mối quan hệ",
    }
    for shown, filed in (
        (["name", "relationship", "area"], ["name", "phones", "relationship", "area"]),
        (["area", "name", "code"], ["area", "name", "phones", "code"]),
        (["code", "phones", "name"], ["code", "phones", "name", "area"]),
    ):
        office.send("/customers/columns", {"columns": shown})
        rows = csv_rows(office.get("/customers/export/csv"))
        assert rows[0] == [names[key] for key in filed], shown


def test_numbers_of_a_csv_are_plain_digits(office: Browser, administrator: Actor) -> None:
    field = {"type": "money", "label_vi": "Công nợ"}
    configuration_changes.apply(
        [Change("fields", "customers.debt", field)], says="t", by=administrator, at=NOW
    )
    for number in ("7.89E+5", "1E-7", "-12.50"):
        make_customer(custom={"debt": Decimal128(number)})
    make_customer(custom={"debt": 1e16})
    office.send("/customers/columns", {"columns": ["debt"]})
    rows = csv_rows(office.get("/customers/export/csv"))
    assert sorted(row[0] for row in rows[1:]) == [
        "-12.50",
        "0.0000001",
        "10000000000000000",
        "789000",
    ]


def test_groups_boards_and_calendars_give_the_same_file(office: Browser) -> None:
    make_customer(name="Nóng", relationship="hot")
    make_customer(name="Chốt", relationship="won")
    for way in ("group=relationship", "group=relationship&mode=kanban", "group=due&mode=calendar"):
        page = office.get(f"/customers/?relationship=hot&{way}").text
        address = re.search(r'href="(/customers/export/csv[^"]*)"', page)
        assert address, way
        rows = csv_rows(office.get(unescape(address.group(1))))
        assert [row[1] for row in rows[1:]] == ["Nóng"], way


def test_a_spreadsheet_has_numbers_dates_and_texts(office: Browser, administrator: Actor) -> None:
    field = {"type": "integer", "label_vi": "Hạng"}
    configuration_changes.apply(
        [Change("fields", "customers.rank", field)], says="t", by=administrator, at=NOW
    )
    make_customer(name="=1+1", custom={"rank": -5}, created_at=NOW)
    office.send("/customers/columns", {"columns": ["name", "rank", "created"]})
    answer = office.get("/customers/export/xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[1][0] == "=1+1"
    assert rows[1][3:] == [-5, datetime(2026, 11, 21, 10, 0)]  # noqa: DTZ001 - local time


def test_no_cell_of_a_csv_runs_as_a_formula(office: Browser) -> None:
    make_customer(name="=HYPERLINK(1)", phones=["+84 912 345 678"])
    rows = csv_rows(office.get("/customers/export/csv"))
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_taking_data_out_is_in_the_change_log(office: Browser, manager: Actor) -> None:
    make_customer()
    office.get("/customers/export/csv")
    entry = AuditEntry.collection().find_one({"action": "export"})
    assert entry
    assert entry["staff_id"] == manager.staff_id
    assert {"field": "rows", "old": None, "new": 1} in entry["changes"]


def test_who_may_not_export_is_refused_and_has_no_button(
    morning: None, shipped: None, agent: Actor, browser_of: Callable[..., Any]
) -> None:
    make_customer()
    desk = browser_of(agent)
    assert desk.get("/customers/export/csv").status_code == 403
    assert "/customers/export/" not in desk.get("/customers/").text
    assert desk.get("/customers/export/exe").status_code == 404


def test_a_long_list_is_written_by_a_job_for_who_asked_alone(
    office: Browser,
    manager: Actor,
    administrator: Actor,
    browser_of: Callable[..., Any],
    valkey: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("views.list_files.ROWS_AT_ONCE", 2)
    for number in range(5):
        make_customer(name=f"Khách {number}")
    answer = office.get("/customers/export/csv")
    assert answer.status_code == 303
    run = JobRun.objects.get(name="export_list")
    assert str(run.pk) in answer.location
    for _ in range(2):  # a second try after a kill leaves one file
        registry.JOBS["export_list"](NoProgress(), **run.arguments)
    key = run.arguments["file_key"]
    assert len(csv_rows(office.get(f"/exports/{key}"))) == 6
    assert browser_of(administrator).get(f"/exports/{key}").status_code == 404
    assert Customer._get_db()["exports.files"].count_documents({}) == 1


def test_a_job_leaves_out_what_its_person_may_not_read(
    db: Any, shipped: None, manager: Actor, agent: Actor
) -> None:
    wanted = list_export_runs.Wanted(
        "customers",
        {},
        list_export_runs.Sort("search"),
        ["name", "password"],
        ["Tên", "Mật khẩu"],
        "csv",
        "vi",
        "x",
    )
    assert list(list_export_runs.sheet(wanted, manager, NOW).headings) == ["Tên"]
    with pytest.raises(list_export_runs.NotAllowed):
        list_export_runs.sheet(wanted, agent, NOW)
