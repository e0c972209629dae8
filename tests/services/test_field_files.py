"""Files in fields: given with the form, taken out into the trash, seen like their field."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import Attachment, AuditEntry, Customer, Record, Staff, TrashedRecord
from rules.errors import InvalidInput, NotAllowed, NotFound
from rules.scope import BY_CUSTOMER, SYSTEM, Actor
from services import (
    actors,
    attachment_removal,
    attachments,
    audit_restore,
    configuration,
    configuration_changes,
    customers,
    field_conversion,
    job_runs,
    list_export,
    site_records,
    trash,
    trash_purge,
)
from services.attachments import FileRefused
from services.catalogues import Words
from services.configuration_changes import Change
from services.list_export import Sheet
from services.lists import Sort
from tests.factories import NOW, TODAY, make_customer
from tests.pictures import pdf, picture

pytestmark = pytest.mark.usefixtures("shipped")
Send = Callable[..., ObjectId]


@pytest.fixture(autouse=True)
def fields(shipped: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_runs, "enqueue", lambda _: None)
    define("customers.contract", type="file", label_vi="Hợp đồng")
    define("customers.photos", type="picture", label_vi="Ảnh")


@pytest.fixture
def customer(db: Any, agent: Actor) -> ObjectId:
    return make_customer(carers=[agent.staff_id], seen_by=[agent.staff_id])


@pytest.fixture
def send(agent: Actor) -> Send:
    """Sends a file for a field, as its form does: `send("a.pdf", field="contract")`."""

    def add(
        name: str = "a.pdf",
        content: bytes = b"",
        *,
        field: str = "contract",
        kind: str = "customers",
        by: Actor = agent,
    ) -> ObjectId:
        stream = io.BytesIO(content or pdf())
        made = attachments.add_pending(stream, name, by=by, at=NOW, field=(kind, field))
        found: ObjectId = made["_id"]
        return found

    return add


def define(key: str, **content: Any) -> None:
    change = Change("fields", key, content)
    configuration_changes.apply([change], says="f", by=SYSTEM, at=NOW)


def save(customer_id: ObjectId, by: Actor, **ids: list[ObjectId]) -> None:
    version = stored(customer_id).get("version", 1)
    typed = {key: ", ".join(map(str, value)) for key, value in ids.items()}
    customers.update(customer_id, typed, version=version, by=by, at=NOW)


def stored(customer_id: ObjectId) -> dict[str, Any]:
    return Customer.collection().find_one({"_id": customer_id}) or {}


def value(customer_id: ObjectId, key: str = "contract") -> list[ObjectId]:
    found: list[ObjectId] = (stored(customer_id).get("custom") or {}).get(key, [])
    return found


def entries(customer_id: ObjectId) -> list[dict[str, Any]]:
    return list(AuditEntry.collection().find({"record_id": customer_id}).sort("_id", 1))


def problem(error: pytest.ExceptionInfo[InvalidInput], key: str = "contract") -> str:
    return str(error.value.fields[key])


def test_a_file_becomes_the_value_and_is_read_through_its_record(
    agent: Actor, customer: ObjectId, send: Send
) -> None:
    first, second = send("một.pdf"), send("hai.pdf")
    save(customer, agent, contract=[first, second])
    assert value(customer) == [first, second]
    found, stream = attachments.open_file(first, by=agent)
    assert stream.read() == pdf()
    assert (found["owner_kind"], found["owner_id"]) == ("customers", customer)
    assert found["field"] == "customers.contract"


def test_it_is_none_of_the_documents_of_the_record(
    agent: Actor, customer: ObjectId, send: Send
) -> None:
    save(customer, agent, contract=[send()])
    assert attachments.of_customer(customer) == attachments.of_owner(customer) == []
    assert attachments.count("customers", customer) == 0
    attachments.add("customers", customer, io.BytesIO(b"a"), "b.txt", by=agent, at=NOW)
    assert [one["name"] for one in stored(customer)["attachments"]] == ["b.txt"]


def test_the_change_log_has_the_names(agent: Actor, customer: ObjectId, send: Send) -> None:
    first, second = send("cũ.pdf"), send("mới.pdf")
    save(customer, agent, contract=[first])
    save(customer, agent, contract=[second])
    changes = [one["changes"][0] for one in entries(customer)]
    assert [one["field"] for one in changes] == ["custom.contract"] * 2
    assert changes[0]["old"] == []
    assert changes[1]["old"] == [{"file": first, "name": "cũ.pdf"}]
    assert changes[1]["new"] == [{"file": second, "name": "mới.pdf"}]


def test_what_is_taken_out_is_in_the_trash_and_comes_back_into_its_field(
    agent: Actor, customer: ObjectId, send: Send
) -> None:
    first, second = send("một.pdf"), send("hai.pdf")
    save(customer, agent, contract=[first, second])
    save(customer, agent, contract=[second])
    with pytest.raises(NotFound):
        attachments.open_file(first, by=agent)
    entry = TrashedRecord.collection().find_one({"record_id": first})
    assert entry
    version = stored(customer)["version"]
    trash.restore(entry["_id"], by=agent, at=NOW)
    assert value(customer) == [first, second]
    assert stored(customer)["version"] == version + 1
    assert attachments.open_file(first, by=agent)[0]["name"] == "một.pdf"
    assert [one["name"] for one in entries(customer)[-1]["changes"][0]["new"]] == [
        "một.pdf",
        "hai.pdf",
    ]
    with pytest.raises(NotFound):
        trash.restore(entry["_id"], by=agent, at=NOW)
    assert trash.restore_record("attachments", first, by=agent, at=NOW) is None
    assert value(customer) == [first, second]


def test_an_earlier_version_of_the_field_comes_back_with_its_files(
    agent: Actor, customer: ObjectId, send: Send
) -> None:
    first, second = send("một.pdf"), send("hai.pdf")
    save(customer, agent, contract=[first])
    save(customer, agent, contract=[second])
    audit_restore.restore(
        "customers",
        customer,
        entry_id=entries(customer)[-1]["_id"],
        fields=["custom.contract"],
        version=stored(customer)["version"],
        by=agent,
        at=NOW,
    )
    assert value(customer) == [first]
    assert attachments.open_file(first, by=agent)[0]["owner_id"] == customer
    assert not trash.is_in_trash("attachments", first)
    assert trash.is_in_trash("attachments", second)
    key = str(entries(customer)[1]["_id"])
    version = stored(customer)["version"]
    audit_restore.restore_version(
        "customers", customer, key=key, fields=[], version=version, by=agent, at=NOW
    )
    assert value(customer) == [second]


def test_a_version_whose_file_was_purged_says_so(
    agent: Actor, manager: Actor, customer: ObjectId, send: Send, db: Any
) -> None:
    first = send("một.pdf")
    save(customer, agent, contract=[first])
    save(customer, agent, contract=[])
    entry = TrashedRecord.collection().find_one({"record_id": first})
    assert entry
    trash_purge.purge(entry["_id"], "một.pdf", by=manager, at=NOW)
    assert db["files.files"].count_documents({}) == 0
    with pytest.raises(InvalidInput) as error:
        audit_restore.restore(
            "customers",
            customer,
            entry_id=entries(customer)[1]["_id"],
            fields=["custom.contract"],
            version=stored(customer)["version"],
            by=agent,
            at=NOW,
        )
    assert "not there any more" in problem(error)
    assert value(customer) == []


def test_a_field_of_pictures_takes_pictures_only(
    agent: Actor, customer: ObjectId, send: Send, db: Any
) -> None:
    with pytest.raises(FileRefused, match="is no picture"):
        send("a.png", pdf(), field="photos")
    assert db["files.files"].count_documents({}) == Attachment.collection().count_documents({}) == 0
    other = send("a.pdf")  # sent for another field, named by a form that was tampered with
    with pytest.raises(InvalidInput) as error:
        save(customer, agent, photos=[other])
    assert "is no picture" in problem(error, "photos")
    save(customer, agent, photos=[send("a.png", picture(), field="photos")])
    assert len(value(customer, "photos")) == 1


def test_files_of_others_cannot_be_named(
    agent: Actor, colleague: Actor, customer: ObjectId, send: Send
) -> None:
    theirs = make_customer()
    pending, theirs_file = send(by=colleague), send(by=colleague)
    save(theirs, colleague, contract=[theirs_file])
    document = attachments.add("customers", theirs, io.BytesIO(b"a"), "b.txt", by=agent, at=NOW)
    for one in (pending, theirs_file, document["_id"], ObjectId()):
        with pytest.raises(InvalidInput) as error:
            save(customer, agent, contract=[one])
        assert "not there any more" in problem(error)
    assert value(customer) == []
    assert value(theirs) == [theirs_file]


def test_it_is_reached_only_by_whoever_sees_record_and_field(
    agent: Actor, colleague: Actor, customer: ObjectId, send: Send
) -> None:
    made = send()
    save(customer, agent, contract=[made])
    with pytest.raises(NotFound):
        attachments.open_file(made, by=replace(colleague, care_mode=BY_CUSTOMER))
    for level in ("hidden", "masked"):
        limited = with_role(colleague, contract=level)
        with pytest.raises(NotFound):
            attachments.open_file(made, by=limited)
        with pytest.raises(NotAllowed):
            send(by=limited)
        with pytest.raises(InvalidInput):
            save(customer, limited, contract=[])
    seen = with_role(colleague, contract="see")
    assert attachments.open_file(made, by=seen)[0]["_id"] == made
    with pytest.raises(NotAllowed):
        send(by=seen)
    define("customers.contract", type="file", label_vi="Hợp đồng", is_retired=True)
    with pytest.raises(NotFound):
        attachments.open_file(made, by=agent)


def with_role(by: Actor, **levels: str) -> Actor:
    kinds = {"customers": {"actions": ["see", "edit"], "reach": "all", "fields": levels}}
    role = {"label_vi": "x", "kinds": kinds, "abilities": []}
    configuration_changes.apply([Change("roles", "op", role)], says="x", by=SYSTEM, at=NOW)
    Staff.collection().update_one({"_id": by.staff_id}, {"$set": {"roles": ["op"]}})
    person = Staff.collection().find_one({"_id": by.staff_id})
    assert person
    return actors.of_person(person, configuration.snapshot(), at=NOW)


def test_it_is_deleted_by_the_form_alone(
    agent: Actor, manager: Actor, customer: ObjectId, send: Send
) -> None:
    made = send()
    save(customer, agent, contract=[made])
    for by in (agent, manager):
        with pytest.raises(InvalidInput, match="stands in a field"):
            attachment_removal.remove(made, by=by, at=NOW)
    assert value(customer) == [made]
    assert not attachment_removal.may_remove(
        Attachment.collection().find_one({"_id": made}) or {}, agent
    )


def test_files_go_into_the_trash_and_come_back_with_their_record(
    agent: Actor, manager: Actor, customer: ObjectId, send: Send
) -> None:
    made = send()
    save(customer, agent, contract=[made])
    gone = trash.delete("customers", customer, by=manager, at=NOW)
    assert trash.is_in_trash("attachments", made)
    trash.restore(gone.batch_id, by=manager, at=NOW)
    assert value(customer) == [made]
    assert attachments.open_file(made, by=agent)[0]["_id"] == made


def test_a_required_field_asks_for_a_file_and_a_full_one_for_no_more(
    agent: Actor, customer: ObjectId, send: Send
) -> None:
    define("customers.contract", type="file", label_vi="H", is_required=True, maximum="1")
    with pytest.raises(InvalidInput) as error:
        customers.create({"name": "A", "contract": ""}, by=agent, at=NOW)
    assert problem(error) == "Fill this in."
    first, second = send(), send()
    with pytest.raises(InvalidInput) as error:
        save(customer, agent, contract=[first, second])
    assert problem(error) == "Choose at most 1."
    made = customers.create({"name": "A", "contract": str(first)}, by=agent, at=NOW)
    assert value(made) == [first]
    save(made, agent, contract=[second])
    entry = TrashedRecord.collection().find_one({"record_id": first})
    assert entry
    with pytest.raises(InvalidInput, match="takes no more"):
        trash.restore(entry["_id"], by=agent, at=NOW)


def test_a_kind_of_the_site_has_files_in_fields(
    agent: Actor, manager: Actor, send: Send, customer: ObjectId
) -> None:
    kind = Change("kinds", "ticket", {"label_vi": "Phiếu", "has_customer": True})
    configuration_changes.apply([kind], says="k", by=SYSTEM, at=NOW)
    define("ticket.proof", type="picture", label_vi="Ảnh lỗi")
    by, boss = (fresh(one) for one in (agent, manager))
    one = send("a.png", picture(), field="proof", kind="ticket", by=by)
    made = site_records.create("ticket", {"title": "T", "proof": str(one)}, by=by, at=NOW)
    assert (Record.collection().find_one({"_id": made}) or {})["custom"]["proof"] == [one]
    assert attachments.open_file(one, by=by, is_thumbnail=True)[0]["owner_kind"] == "records"
    gone = trash.delete("records", made, by=boss, at=NOW)
    assert trash.is_in_trash("attachments", one)
    trash.restore(gone.batch_id, by=boss, at=NOW)
    assert attachments.open_file(one, by=by)[0]["_id"] == one


def fresh(by: Actor) -> Actor:
    person = Staff.collection().find_one({"_id": by.staff_id})
    assert person
    return actors.of_person(person, configuration.snapshot(), at=NOW)


def test_an_export_has_the_names(agent: Actor, customer: ObjectId, send: Send) -> None:
    save(customer, agent, contract=[send("một.pdf"), send("hai.pdf")])
    config = configuration.snapshot()
    kind = config.kinds["customers"]
    sheet = Sheet(
        Customer.collection(),
        {"_id": customer},
        Sort("_id"),
        [kind.fields["contract"]],
        ["Hợp đồng"],
        config,
        Words("vi"),
        agent,
        kind,
        TODAY,
    )
    assert list(list_export.rows_of(sheet)) == [["một.pdf, hai.pdf"]]


def test_a_change_of_type_keeps_the_files(agent: Actor, customer: ObjectId, send: Send) -> None:
    mixed, pictures = send("a.pdf"), send("b.png", picture(), field="photos")
    save(customer, agent, contract=[mixed], photos=[pictures])
    convert("photos", "picture", "file")
    assert value(customer, "photos") == [pictures]
    convert("contract", "file", "picture")
    assert value(customer) == []
    convert("contract", "picture", "file")
    assert value(customer) == [mixed]
    convert("contract", "file", "text")
    assert stored(customer)["custom"]["contract"] == "a.pdf"
    with pytest.raises(NotFound):
        attachments.open_file(mixed, by=agent)
    convert("contract", "text", "file")
    assert value(customer) == [mixed]
    assert attachments.open_file(mixed, by=agent)[0]["name"] == "a.pdf"
    other = make_customer(custom={"word": str(mixed)})
    define("customers.word", type="text", label_vi="W")
    convert("word", "text", "file")
    assert value(other, "word") == []


def test_files_from_before_a_change_of_type_go_after_the_days_of_the_trash(
    agent: Actor, customer: ObjectId, send: Send, db: Any
) -> None:
    lost, seen = send("a.pdf"), send("b.png", picture(), field="photos")
    other = make_customer(seen_by=[agent.staff_id], carers=[agent.staff_id])
    save(customer, agent, contract=[lost], photos=[seen])
    save(other, agent, contract=[never_lost := send("c.pdf")])
    Customer.collection().update_one({"_id": other}, {"$set": {"custom_before_at": NOW}})
    convert("photos", "picture", "file")
    moved = {"$set": {"custom.else": [never_lost]}}  # another field's value names it still
    Customer.collection().update_one({"_id": other}, moved)
    convert("contract", "file", "text")
    convert("contract", "text", "integer")  # what was kept of the files is overwritten by this
    later = datetime.now(UTC)
    assert trash_purge.purge_old(later + timedelta(days=29)) == 0
    assert Attachment.collection().count_documents({}) == 3
    for _ in range(2):
        trash_purge.purge_old(later + timedelta(days=31))
        left = {row["_id"] for row in Attachment.collection().find()}
        assert left == {seen, never_lost}
    assert value(customer, "photos") == [seen]
    attachments.open_file(seen, by=agent)
    kept = {row["file_id"] for row in Attachment.collection().find()}
    kept |= {row.get("thumbnail_id") for row in Attachment.collection().find()}
    assert {row["_id"] for row in db["files.files"].find()} == kept - {None}
    purged = list(AuditEntry.collection().find({"action": "purge"}))
    assert [(row["record_id"], row["record_label"]) for row in purged] == [(lost, "")]


def test_files_that_are_forgotten_while_a_change_of_type_is_undone_are_named_by_no_value(
    agent: Actor, customer: ObjectId, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(customer, agent, contract=[lost := send("a.pdf")])
    convert("contract", "file", "text")
    becomes = field_conversion._Turn.becomes
    later = datetime.now(UTC) + timedelta(days=31)

    def forgotten_then(turn: Any, row: dict[str, Any]) -> tuple[str, Any]:
        """Between what the job reads and what it writes."""
        found = becomes(turn, row)
        trash_purge.purge_old(later)
        return found

    define("customers.contract", type="file", label_vi="x")
    monkeypatch.setattr(field_conversion._Turn, "becomes", forgotten_then)
    types = ({"type": one, "label_vi": "x"} for one in ("text", "file"))
    field_conversion.convert("customers", "contract", *types)
    assert Attachment.collection().find_one({"_id": lost}) is None
    assert value(customer) == []
    assert str(lost) not in str(stored(customer))


def convert(key: str, old: str, new: str) -> None:
    before, after = ({"type": one, "label_vi": "x"} for one in (old, new))
    config = configuration.snapshot()
    kind = config.kinds["customers"]
    field_conversion.preview(config, kind, key, before, after, by=SYSTEM, at=NOW)
    define(f"customers.{key}", **after)
    field_conversion.convert("customers", key, before, after)
    field_conversion.convert("customers", key, before, after)
