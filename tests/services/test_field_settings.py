"""Fields as administrators shape them: add, change, order, retire; changes of type look first."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from jobs import runner
from models import AuditEntry, Customer, JobRun
from models.base import stored_date
from rules.errors import InvalidInput, NotAllowed, NotFound, StaleForm
from rules.fields import Field
from rules.scope import Actor
from rules.sentences import Sentence
from services import (
    access_settings,
    configuration,
    field_indexes,
    field_settings,
    job_runs,
    trash_purge,
)
from services.field_conversion import Loss
from services.field_settings import TypeChanges
from tests.factories import NOW, TODAY, make_customer

pytestmark = pytest.mark.usefixtures("shipped", "queue")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[ObjectId]:
    handed: list[ObjectId] = []
    monkeypatch.setattr(job_runs, "enqueue", handed.append)
    return handed


@pytest.fixture(autouse=True)
def without_indexes_of_fields(db: Any) -> Iterator[None]:
    yield
    for name in Customer.collection().index_information():
        if name.startswith(field_indexes.PREFIX):
            Customer.collection().drop_index(name)


def add(by: Actor, **typed: str) -> str:
    return field_settings.add("customers", {"label_vi": "Hạng"} | typed, by=by, at=NOW)[0]


def change(by: Actor, key: str, *, confirmed: bool = False, **typed: str) -> ObjectId | None:
    version = field_settings.stored("customers", key)[1]
    return field_settings.change(
        "customers",
        key,
        {"label_vi": "Hạng"} | typed,
        version=version,
        by=by,
        at=NOW,
        is_confirmed=confirmed,
    )


def refused(by: Actor, **typed: str) -> dict[str, str]:
    with pytest.raises(InvalidInput) as error:
        add(by, **typed)
    return {name: str(one) for name, one in error.value.fields.items()}


def field(key: str) -> Field:
    return configuration.snapshot().kinds["customers"].fields[key]


def custom(customer_id: ObjectId) -> dict[str, Any]:
    return (Customer.collection().find_one({"_id": customer_id}) or {}).get("custom", {})


def test_a_field_gets_a_key_made_of_its_name(administrator: Actor) -> None:
    assert add(administrator, label_vi="Hạng khách hàng", type="text") == "hang_khach_hang"
    assert add(administrator, label_vi="Hạng khách-hàng!", type="text") == "hang_khach_hang_2"
    assert add(administrator, label_vi="2026", type="text") == "f_2026"
    assert add(administrator, label_vi="x", type="text", key="version_no") == "version_no"
    assert field("f_2026").is_usable
    assert list(configuration.snapshot().kinds["customers"].fields)[-1] == "version_no"
    assert AuditEntry.collection().count_documents({"kind": "configuration"}) == 4


def test_nobody_else_may(manager: Actor, agent: Actor) -> None:
    for person in (manager, agent):
        with pytest.raises(NotAllowed):
            add(person, type="text")


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"label_vi": " ", "type": "text"}, {"label_vi"}),
        ({"type": "teleport"}, {"type"}),
        ({"type": "staff_list"}, {"type"}),
        ({"type": "choice", "pick_list": "gone"}, {"pick_list"}),
        ({"type": "choice", "pick_list": "+", "new_list": ""}, {"new_list"}),
        ({"type": "integer", "minimum": "abc", "default": "1"}, {"minimum"}),
        ({"type": "integer", "minimum": "5", "maximum": "1"}, {"maximum"}),
        ({"type": "integer", "minimum": "5", "default": "1"}, {"default"}),
        ({"type": "date", "default": "someday"}, {"default"}),
        ({"type": "text", "pattern": "("}, {"pattern"}),
        ({"type": "text", "visible_when": "and("}, {"visible_when"}),
        ({"type": "text", "visible_when": "gone.in(a)"}, {"visible_when"}),
        ({"type": "computed"}, {"expression"}),
        ({"type": "computed", "expression": "gone + 1"}, {"expression"}),
        ({"type": "computed", "expression": "__import__('os')"}, {"expression"}),
        ({"type": "text", "key": "name"}, {"key"}),
        ({"type": "text", "key": "$where"}, {"key"}),
        ({"type": "text", "key": "version"}, {"key"}),
        ({"type": "text", "label_vi": "x" * 501}, {"label_vi"}),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(
    administrator: Actor, typed: dict[str, str], wrong: set[str]
) -> None:
    before = configuration.snapshot().revision
    assert set(refused(administrator, **typed)) == wrong
    assert configuration.snapshot().revision == before


def test_options_that_a_type_has_no_use_for_are_left_out(administrator: Actor) -> None:
    key = add(
        administrator, type="yes_no", pattern="x", minimum="1", is_unique="1", pick_list="source"
    )
    made = field(key)
    assert (made.pattern, made.minimum, made.is_unique, made.pick_list) == ("", "", False, "")


def test_a_list_is_made_with_the_field_or_not_at_all(administrator: Actor) -> None:
    new = {"type": "choice", "pick_list": "+", "new_list": "Hạng thẻ", "new_values": "Bạc\nVàng"}
    assert refused(administrator, **new, key="name")
    assert "hang_the" not in configuration.snapshot().pick_lists
    key = add(administrator, **new)
    assert field(key).pick_list == "hang_the"
    values = configuration.snapshot().pick_lists["hang_the"]
    assert [one.label_vi for one in values.values()] == ["Bạc", "Vàng"]


def test_a_built_in_field_is_renamed_and_nothing_else(administrator: Actor) -> None:
    change(administrator, "birthday", label_vi="Ngày sinh nhật", type="text", default="x")
    made = field("birthday")
    assert (made.label_vi, made.type, made.path) == ("Ngày sinh nhật", "date", "birthday")


def test_two_administrators_at_one_field(administrator: Actor) -> None:
    key = add(administrator, type="text")
    field_settings.change(
        "customers", key, {"label_vi": "A", "type": "text"}, version=1, by=administrator, at=NOW
    )
    with pytest.raises(StaleForm):
        field_settings.change(
            "customers", key, {"label_vi": "B", "type": "text"}, version=1, by=administrator, at=NOW
        )


def test_fields_are_put_in_order(administrator: Actor) -> None:
    key = add(administrator, type="text")
    field_settings.arrange("customers", [key, "phones"], by=administrator, at=NOW)
    assert list(configuration.snapshot().kinds["customers"].fields)[:3] == [key, "phones", "code"]
    for wrong in (["gone"], [key, key]):
        with pytest.raises(InvalidInput):
            field_settings.arrange("customers", wrong, by=administrator, at=NOW)


def test_a_retired_field_keeps_its_values_and_comes_back(administrator: Actor) -> None:
    customer = make_customer(custom={"hang": "vàng"})
    key = add(administrator, type="text")
    field_settings.retire("customers", key, is_retired=True, by=administrator, at=NOW)
    assert not field(key).is_usable
    assert custom(customer) == {"hang": "vàng"}
    field_settings.retire("customers", key, is_retired=False, by=administrator, at=NOW)
    assert field(key).is_usable
    with pytest.raises(InvalidInput):
        field_settings.retire("customers", "name", is_retired=True, by=administrator, at=NOW)
    with pytest.raises(NotFound):
        field_settings.retire("customers", "gone", is_retired=True, by=administrator, at=NOW)
    with pytest.raises(NotFound):
        field_settings.retire("gone", "name", is_retired=True, by=administrator, at=NOW)


def test_an_index_is_made_by_a_job_that_comes_with_the_field(
    administrator: Actor, queue: list[ObjectId]
) -> None:
    _, run_id = field_settings.add(
        "customers",
        {"label_vi": "Ngày", "type": "date", "is_filtered_often": "1"},
        by=administrator,
        at=NOW,
    )
    assert queue == [run_id]
    runner.run(str(run_id))
    assert "custom:customers:ngay" in Customer.collection().index_information()
    assert (
        change(administrator, "ngay", label_vi="Ngày ký", type="date", is_filtered_often="1")
        is None
    )


def test_more_than_the_limit_is_explained(administrator: Actor) -> None:
    for number in range(field_indexes.FREQUENT_LIMIT):
        add(administrator, label_vi=f"T{number}", type="text", is_filtered_often="1")
    assert "take the mark" in refused(administrator, type="text", is_unique="1")["is_unique"]
    assert add(administrator, type="text")


def test_what_is_there_twice_cannot_become_unique(administrator: Actor) -> None:
    key = add(administrator, type="text")
    for number in range(2):
        make_customer(code=f"KH{number}", custom={key: "HD-1"})
    with pytest.raises(InvalidInput) as error:
        change(administrator, key, type="text", is_unique="1")
    twice = Sentence("“%(value)s”", {"value": "HD-1"})
    assert error.value.fields["is_unique"].params["values"] == [twice]


# Changes of type


def loss_of(by: Actor, key: str, **typed: str) -> Loss:
    with pytest.raises(TypeChanges) as error:
        change(by, key, **typed)
    return error.value.loss


def test_a_change_of_type_says_first_what_would_be_lost(administrator: Actor) -> None:
    key = add(administrator, type="text")
    for code, value in (("A", "1.250"), ("B", "12"), ("C", "<b>nhiều</b>"), ("D", None)):
        make_customer(code=code, name=f"Tên {code}", custom={key: value} if value else {})
    loss = loss_of(administrator, key, type="integer")
    assert (loss.values, loss.kept, loss.converted, loss.lost) == (3, 0, 2, 1)
    assert [(one.label, one.value) for one in loss.lost_samples] == [("C · Tên C", "<b>nhiều</b>")]
    assert ("1.250", 1250) in loss.converted_samples
    assert field(key).type == "text"


def run_changes(by: Actor, key: str, **typed: str) -> dict[str, int]:
    run_id = change(by, key, confirmed=True, **typed)
    assert run_id
    runner.run(str(run_id))
    run = JobRun.collection().find_one({"_id": run_id}) or {}
    assert run["state"] == "done", run
    return dict(run["counts"])


def test_going_back_gives_back_what_was_lost(administrator: Actor) -> None:
    key = add(administrator, type="text")
    rows = {
        text: make_customer(code=text, custom={key: text}) for text in ("1.250", "nhiều", "007")
    }
    counts = run_changes(administrator, key, type="integer")
    assert (counts["values_converted"], counts["values_lost"]) == (2, 1)
    assert [custom(one).get(key) for one in rows.values()] == [1250, None, 7]
    # One is changed under the new type: that is what stays.
    Customer.collection().update_one({"_id": rows["007"]}, {"$set": {f"custom.{key}": 8}})
    run_changes(administrator, key, type="text")
    assert [custom(one).get(key) for one in rows.values()] == ["1.250", "nhiều", "8"]


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("text", "date", "28/11/2026", stored_date(TODAY.replace(day=28))),
        ("date", "text", stored_date(TODAY), "21/11/2026"),
        ("date", "date_time", stored_date(TODAY), "2026-11-20T17:00"),
        ("integer", "yes_no", 1, True),
        ("yes_no", "text", True, "yes"),
        ("choice", "text", "zalo", "Zalo"),
        ("text", "choice", "khách vãng LAI", "walk_in"),
        ("choice", "choices", "zalo", ["zalo"]),
        ("choices", "choice", ["zalo"], "zalo"),
        ("choices", "choice", ["zalo", "facebook"], None),
        ("text", "phone", "0912440785", "0912 440 785"),
        ("text", "money", "12,5", None),
        ("long_text", "text", "một\nhai", "một hai"),
    ],
)
def test_a_value_is_converted_as_if_it_were_typed_anew(
    administrator: Actor, old: str, new: str, before: Any, after: Any
) -> None:
    key = add(administrator, type=old, pick_list="source")
    customer = make_customer(custom={key: before})
    run_changes(administrator, key, type=new, pick_list="source")
    found = custom(customer).get(key)
    if isinstance(after, str) and new == "date_time":
        assert found.isoformat().startswith(after)
    else:
        assert found == after


def test_what_values_were_is_forgotten_after_the_days_of_the_trash(administrator: Actor) -> None:
    key = add(administrator, type="text")
    customer, plain = make_customer(custom={key: "abc"}), make_customer()
    run_changes(administrator, key, type="integer")

    def kept() -> set[str]:
        found = Customer.collection().find_one({"_id": customer}) or {}
        return set(found) & {"custom_before", "custom_before_at"}

    access_settings.save([], "", trash_days="", version=1, by=administrator, at=NOW)
    trash_purge.purge_old(datetime.now(UTC) + timedelta(days=999))
    assert len(kept()) == 2
    access_settings.save([], "", trash_days="30", version=2, by=administrator, at=NOW)
    trash_purge.purge_old(datetime.now(UTC) + timedelta(days=29))
    assert len(kept()) == 2
    for _ in range(2):
        trash_purge.purge_old(datetime.now(UTC) + timedelta(days=31))
        assert not kept()
    assert Customer.collection().count_documents({"_id": plain}) == 1
    assert run_changes(administrator, key, type="text") == {}
    assert custom(customer) == {}


def test_running_again_after_a_kill_changes_nothing_more(administrator: Actor) -> None:
    key = add(administrator, type="text")
    customers = [make_customer(code=f"K{n}", custom={key: str(n)}) for n in range(5)]
    run_id = change(administrator, key, type="integer", confirmed=True)
    Customer.collection().update_one(
        {"_id": customers[0]},
        {
            "$set": {
                f"custom.{key}": 0,
                f"custom_before.{key}": {"type": "text", "value": "0", "became": 0},
            }
        },
    )
    runner.run(str(run_id))
    assert [custom(one)[key] for one in customers] == [0, 1, 2, 3, 4]
    stored = Customer.collection().find_one({"_id": customers[0]}) or {}
    assert stored["custom_before"][key]["value"] == "0"


def test_without_values_nothing_has_to_be_confirmed(administrator: Actor) -> None:
    key = add(administrator, type="text")
    change(administrator, key, type="integer")
    assert field(key).type == "integer"
