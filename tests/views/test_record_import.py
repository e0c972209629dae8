"""Records of the site's own kinds from a file: seen as a difference first, then applied (B.14)."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import python_calamine
import xlsxwriter
from bson import ObjectId
from werkzeug.test import TestResponse

from jobs import registry
from models import AuditEntry, JobRun, Record, RecordImport, RecordImportRow, Site, Staff
from rules.scope import SYSTEM, Actor
from services import configuration_changes, record_imports, trash
from services.configuration_changes import Change
from services.customers import search_fields
from services.progress import NoProgress
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser

HERE = "/e/ticket/import"
COLOURS = {
    "label_vi": "Màu",
    "values": [
        {"key": "red", "label_vi": "Đỏ", "label_en": "Red"},
        {"key": "blue", "label_vi": "Xanh dương", "label_en": "Blue"},
    ],
}
FIELDS = {
    "serial": {"type": "text", "label_vi": "Số máy", "label_en": "Serial number"},
    "cost": {"type": "money", "label_vi": "Chi phí", "label_en": "Cost"},
    "colour": {"type": "choice", "label_vi": "Màu", "label_en": "Colour", "pick_list": "colour"},
    "sold": {"type": "date", "label_vi": "Ngày bán", "label_en": "Sold on"},
}


def configure(*changes: Change) -> None:
    configuration_changes.apply(list(changes), says="t", by=SYSTEM, at=NOW)


@pytest.fixture
def ticket(shipped: None) -> None:
    configure(
        Change("pick_lists", "colour", COLOURS),
        Change("kinds", "ticket", {"label_vi": "Phiếu", "label_en": "Tickets"}),
        *(Change("fields", f"ticket.{key}", one) for key, one in FIELDS.items()),
    )


@pytest.fixture
def office(
    morning: None, ticket: None, administrator: Actor, browser_of: Callable[..., Any]
) -> Browser:
    made = browser_of(administrator)
    assert isinstance(made, Browser)
    return made


def send(office: Browser, content: str | bytes, name: str = "phieu.csv") -> TestResponse:
    raw = content.encode() if isinstance(content, str) else content
    form = {"file": (io.BytesIO(raw), name)}
    return office.send(HERE, form, content_type="multipart/form-data")


def look(office: Browser, content: str | bytes, name: str = "phieu.csv") -> dict[str, Any]:
    """The import that was read, nothing applied."""
    answer = send(office, content, name)
    assert answer.status_code == 303, answer.text
    made = RecordImport.collection().find_one({"_id": ObjectId(answer.location.rsplit("/", 1)[1])})
    assert made
    return made


def counts(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found["counts"][way] for way in ("new", "changed", "same", "wrong"))


def apply(office: Browser, found: dict[str, Any]) -> None:
    assert office.send(f"{HERE}/{found['_id']}/apply").status_code == 303
    registry.JOBS["import_records"](NoProgress(), import_id=str(found["_id"]))


def records() -> list[dict[str, Any]]:
    return list(Record.collection().find().sort("title", 1))


def why(office: Browser, found: dict[str, Any]) -> list[list[str]]:
    text = office.get(f"{HERE}/{found['_id']}/wrong").data.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


FILE = """Tiêu đề;So may;CHI PHÍ;Colour;sold;Lạ
Máy một;SN-1;1.250.000;Đỏ;28/11/2026;x
Máy hai;SN-2;900000;blue;2026-11-29;y
"""


def test_a_file_is_shown_first_and_then_applied(office: Browser, administrator: Actor) -> None:
    found = look(office, FILE)
    assert counts(found) == (2, 0, 0, 0)
    assert records() == []
    page = office.get(f"{HERE}/{found['_id']}").text
    assert "2 mới" in page
    assert "Máy một" in page
    assert "Lạ" in page  # the column that is left out
    apply(office, found)
    two, one = records()
    assert (one["title"], one["custom"]["serial"], one["custom"]["cost"]) == (
        *("Máy một", "SN-1", 1250000),
    )
    assert (one["custom"]["colour"], two["custom"]["colour"]) == ("red", "blue")
    assert one["code"].startswith("TIC-")
    assert one["search_words"][:2] == ["may", "mot"]
    assert one["owner_id"] == administrator.staff_id  # the default of the form
    assert RecordImport.objects.get().state == "done"
    assert AuditEntry.collection().count_documents({"action": "create", "kind": "ticket"}) == 2
    assert AuditEntry.collection().count_documents({"action": "import", "kind": "ticket"}) == 1
    assert "Đã áp dụng 2 dòng" in office.get(f"{HERE}/{found['_id']}").text


def test_the_same_file_twice_changes_nothing(office: Browser) -> None:
    apply(office, look(office, FILE))
    before = records()
    again = look(office, FILE)
    assert counts(again) == (0, 0, 2, 0)
    apply(office, again)
    assert records() == before


def test_two_rows_that_say_the_same_are_two_records(office: Browser) -> None:
    text = "title,serial\nGiống,1\nGiống,1\n"
    apply(office, look(office, text))
    assert len(records()) == 2
    assert counts(look(office, text)) == (0, 0, 2, 0)


def test_a_known_number_changes_that_record_and_leaves_the_rest(office: Browser) -> None:
    apply(office, look(office, FILE))
    one = records()[1]
    found = look(office, f"Số hồ sơ;Số máy;Chi phí\n{one['code']};SN-9;\nMOI-1;SN-3;5\n")
    assert counts(found) == (0, 1, 0, 1)  # the new one has no title
    page = office.get(f"{HERE}/{found['_id']}?show=changed").text
    assert "<del>SN-1</del>" in page
    assert "<ins>SN-9</ins>" in page
    assert "Chi phí" not in page.split("import-rows")[1]
    apply(office, found)
    changed = Record.collection().find_one({"_id": one["_id"]}) or {}
    assert changed["custom"] == {**one["custom"], "serial": "SN-9"}
    assert changed["version"] == one["version"] + 1
    assert counts(look(office, f"Số hồ sơ;Số máy\n{one['code']};SN-9\n")) == (0, 0, 1, 0)


def test_a_new_number_is_kept(office: Browser) -> None:
    apply(office, look(office, "code,title\nCU-77,Từ hệ thống cũ\n"))
    assert records()[0]["code"] == "CU-77"
    assert counts(look(office, "code,title\nCU-77,Từ hệ thống cũ\n")) == (0, 0, 1, 0)


def test_what_somebody_changed_meanwhile_is_set_aside(office: Browser) -> None:
    apply(office, look(office, FILE))
    first, second = records()
    found = look(office, f"code,serial\n{first['code']},SN-8\n{second['code']},SN-9\n")
    Record.collection().update_one(
        {"_id": first["_id"]}, {"$set": {"custom.serial": "SN-0", "custom.cost": 1}}
    )
    Record.collection().update_one({"_id": second["_id"]}, {"$set": {"custom.cost": 2}})
    apply(office, found)
    first, second = records()
    assert first["custom"]["serial"] == "SN-0"
    assert (second["custom"]["serial"], second["custom"]["cost"]) == ("SN-9", 2)
    assert len(why(office, found)) == 1
    assert "1 dòng không áp dụng được" in office.get(f"{HERE}/{found['_id']}").text


def test_wrong_rows_say_why_and_the_others_are_applied(office: Browser) -> None:
    found = look(
        office,
        "title,cost,colour,sold,customer,owner\n"
        "A,nhiều,,,,\nB,,tím,,,\nC,,,31/02/2026,,\nD,,,,KH-KHONG,\nE,,,,,ai đó\n,1,,,,\nF,1,,,,\n",
    )
    assert counts(found) == (1, 0, 0, 6)
    reasons = why(office, found)
    assert [row[0] for row in reasons] == ["2", "3", "4", "5", "6", "7"]
    said = [row[1].split(":")[0] for row in reasons]
    assert said == ["Chi phí", "Màu", "Ngày bán", "Khách hàng", "Người phụ trách", "Tiêu đề"]
    apply(office, found)
    assert [one["title"] for one in records()] == ["F"]


def test_people_are_found_by_number_phone_mail_and_name(
    office: Browser, agent: Actor, colleague: Actor
) -> None:
    values = {"name": "Lê Hoà", "code": "KH-7", "phones": ["0912 345 678"], "emails": []}
    customer = make_customer(**values, **search_fields(values))
    found = look(
        office,
        "title,customer,owner\n"
        "A,KH-7,agent@example.com\nB,+84 912 345 678,tran van binh\nC,0999999999,\n",
    )
    assert counts(found) == (2, 0, 0, 1)
    page = office.get(f"{HERE}/{found['_id']}?show=new").text
    assert "Lê Hoà" in page
    apply(office, found)
    first, second = records()
    assert first["customer_id"] == second["customer_id"] == customer
    assert (first["owner_id"], second["owner_id"]) == (agent.staff_id, colleague.staff_id)


def test_customers_out_of_sight_cannot_be_named_by_number_or_phone(
    ticket: None, desk: Browser, agent: Actor, colleague: Actor
) -> None:
    every = ["see", "create", "edit", "import"]
    role = {
        "label_vi": "Nhập",
        "kinds": {
            "ticket": {"actions": every, "reach": "assigned"},
            "customers": {"actions": ["see"], "reach": "assigned"},
        },
    }
    configure(Change("roles", "importer", role))
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["importer"]}})
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    values = {"name": "Bí Mật", "code": "KH-BM", "phones": ["0912 345 678"], "emails": []}
    values |= {"carers": [colleague.staff_id], "seen_by": [colleague.staff_id]}
    foreign = make_customer(**values, **search_fields(values))
    hidden = Record.collection().insert_one(
        {
            "kind": "ticket",
            "code": "TIC-9",
            "title": "Kín",
            "customer_id": foreign,
            "seen_by": [colleague.staff_id],
            "custom": {},
            "version": 1,
        }
    )
    found = look(desk, "code,title,customer\n,A,KH-BM\n,B,0912345678\nTIC-9,C,\n")
    assert counts(found) == (0, 0, 0, 3)
    answer = desk.get(f"{HERE}/{found['_id']}").text
    assert "Bí Mật" not in answer
    assert "Kín" not in answer
    kept = Record.collection().find_one({"_id": hidden.inserted_id}) or {}
    assert kept["title"] == "Kín"


def test_a_killed_job_goes_on_where_it_was(
    office: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = look(office, "title\n" + "".join(f"Máy {number:03}\n" for number in range(120)))
    create, done = record_imports.site_records.create, []

    def killed(*args: Any, **options: Any) -> Any:
        made = create(*args, **options)
        done.append(made)
        if len(done) == 70:
            raise KeyboardInterrupt  # written, and not yet noted
        return made

    monkeypatch.setattr(record_imports.site_records, "create", killed)
    with pytest.raises(KeyboardInterrupt):
        apply(office, found)
    assert RecordImport.objects.get().state == "running"
    monkeypatch.setattr(record_imports.site_records, "create", create)
    for _ in range(2):
        registry.JOBS["import_records"](NoProgress(), import_id=str(found["_id"]))
    assert [one["title"] for one in records()] == [f"Máy {number:03}" for number in range(120)]
    assert AuditEntry.collection().count_documents({"action": "create", "kind": "ticket"}) == 120
    assert RecordImportRow.collection().count_documents({"is_done": True}) == 120


def test_a_double_click_starts_one_job(office: Browser) -> None:
    found = look(office, FILE)
    answers = [office.send(f"{HERE}/{found['_id']}/apply") for _ in range(2)]
    assert {one.location for one in answers} == {answers[0].location}
    assert JobRun.objects(name="import_records").count() == 1


def test_formulas_stay_texts_and_leave_as_texts(office: Browser) -> None:
    found = look(office, "title,cost\n=1+1,5\n'=2+2,5\n=cmd|' /C calc'!A0,x\n")
    apply(office, found)
    assert [one["title"] for one in records()] == ["=1+1", "=2+2"]
    [row] = why(office, found)
    assert row[2].startswith("'=cmd")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1258"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter_and_encoding(office: Browser, encoding: str, delimiter: str) -> None:
    title = (
        "Đường" if encoding != "cp1258" else "Đư\u01a1\u0300ng".replace("\u01a1\u0300", "ơ\u0300")
    )
    text = delimiter.join(["title", "serial"]) + "\n" + delimiter.join([title, "SN-1"]) + "\n"
    apply(office, look(office, text.encode(encoding)))
    assert (records()[0]["title"], records()[0]["custom"]["serial"]) == ("Đường", "SN-1")


def test_a_spreadsheet_with_numbers_and_dates(office: Browser) -> None:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Title", "Serial number", "Cost", "Sold on", "Colour"])
    sheet.write_row(1, 0, ["Máy một", 17850, 1250000])
    sheet.write_datetime(1, 3, datetime(2026, 11, 28, tzinfo=UTC).replace(tzinfo=None), day)
    sheet.write(1, 4, "Xanh dương")
    sheet.write_row(3, 0, ["Máy hai"])
    book.close()
    apply(office, look(office, file.getvalue(), "phieu.xlsx"))
    two, one = records()
    assert (one["custom"]["serial"], one["custom"]["cost"]) == ("17850", 1250000)
    assert one["custom"]["sold"].day == 28
    assert one["custom"]["colour"] == "blue"
    assert two["title"] == "Máy hai"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "x.csv"),
        (b"PK\x03\x04 nothing", "x.xlsx"),
        (b"\xd0\xcf\x11\xe0 nothing", "x.xls"),
        (b"%PDF-1.7", "x.pdf"),
        (b"a,b\n1,2\n", "x.csv"),
        (b"title,Title\nA,B\n", "x.csv"),
        (b"title\n" + b"A\n" * 10_001, "x.csv"),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(
    office: Browser, content: bytes, name: str
) -> None:
    answer = send(office, content, name)
    assert answer.status_code == 422
    assert "notice-error" in answer.text
    assert "/tmp/" not in answer.text
    assert RecordImport.objects.count() == 0


def test_rows_of_a_broken_width_are_wrong_by_themselves(office: Browser) -> None:
    found = look(office, 'title,serial\nA,1,2,3\nB,1\n"C,1\n')
    assert counts(found) == (1, 0, 0, 2)


def test_a_sample_can_be_sent_back(office: Browser) -> None:
    for form in ("csv", "xlsx"):
        sample = office.get(f"{HERE}/sample/{form}")
        assert sample.status_code == 200
        if form == "xlsx":
            book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sample.data))
            assert "Số máy" in book.get_sheet_by_index(0).to_python()[0]
        assert send(office, sample.data, f"x.{form}").status_code == 303
    assert office.get(f"{HERE}/sample/exe").status_code == 404


def test_an_exported_list_comes_back_unchanged(office: Browser) -> None:
    make_customer(name="Lê Hoà", code="KH-7")
    apply(office, look(office, FILE))
    Record.collection().update_many({}, {"$set": {"custom.note": "x"}})
    columns = ["code", "title", "serial", "cost", "colour", "sold", "owner"]
    office.send("/e/ticket/columns", {"columns": columns})
    for form in ("csv", "xlsx"):
        sent = office.get(f"/e/ticket/export/{form}").data
        assert counts(look(office, sent, f"x.{form}")) == (0, 0, 2, 0)


def test_only_who_may_import_the_kind_gets_to_it(
    ticket: None, desk: Browser, office: Browser
) -> None:
    for address in (HERE, f"{HERE}/sample/csv"):
        assert desk.get(address).status_code == 403
    assert HERE not in desk.get("/e/ticket/").text
    assert HERE in office.get("/e/ticket/").text
    found = look(office, FILE)
    assert desk.get(f"{HERE}/{found['_id']}").status_code == 403
    assert desk.send(f"{HERE}/{found['_id']}/apply").status_code == 403
    assert send(desk, FILE).status_code == 403
    assert records() == []


def test_somebody_elses_file_is_not_there(
    office: Browser, manager: Actor, browser_of: Callable[..., Any]
) -> None:
    found = look(office, FILE)
    role = {
        "label_vi": "X",
        "kinds": {"ticket": {"actions": ["see", "edit", "import"], "reach": "all"}},
    }
    configure(Change("roles", "importer", role))
    Staff.collection().update_one({"_id": manager.staff_id}, {"$set": {"roles": ["importer"]}})
    other = browser_of(manager)
    assert other.get(f"{HERE}/{found['_id']}").status_code == 404
    assert other.get(f"{HERE}/{found['_id']}/wrong").status_code == 404
    assert other.send(f"{HERE}/{found['_id']}/apply").status_code == 404
    assert counts(look(other, FILE)) == (0, 0, 0, 2)  # may see and import, but not add
    assert office.get(f"/e/other/import/{found['_id']}").status_code == 404


def test_a_field_that_the_role_may_not_fill_in_is_no_column(
    office: Browser, administrator: Actor, browser_of: Callable[..., Any]
) -> None:
    every = ["see", "create", "edit", "import"]
    role = {
        "label_vi": "X",
        "kinds": {"ticket": {"actions": every, "reach": "all", "fields": {"cost": "hidden"}}},
    }
    configure(Change("roles", "narrow", role))
    Staff.collection().update_one({"_id": administrator.staff_id}, {"$set": {"roles": ["narrow"]}})
    assert "Chi phí" not in office.get(HERE).text
    found = look(office, FILE)
    assert [one["field"] for one in found["columns"]] == [
        *("title", "serial", "", "colour", "sold", ""),
    ]
    apply(office, found)
    assert "cost" not in records()[0]["custom"]


def test_what_is_in_the_trash_is_not_imported_over(office: Browser, manager: Actor) -> None:
    apply(office, look(office, FILE))
    first = records()[0]
    trash.delete("records", first["_id"], by=manager, at=NOW)
    assert counts(look(office, FILE)) == (0, 0, 1, 1)
    assert counts(look(office, f"code,title\n{first['code']},X\n")) == (0, 0, 0, 1)
