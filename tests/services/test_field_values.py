"""From what is typed to the changes of a record: who may, what is needed, what exists once."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from pymongo.errors import DuplicateKeyError

from models import Customer
from models.base import stored_date
from rules.errors import InvalidInput
from rules.fields import TYPES, Kind
from rules.permissions import SEE, Access, KindPermission, Role
from rules.scope import Actor
from services import configuration, field_indexes, field_values
from services.configuration_changes import Change, apply
from tests.factories import NOW, TODAY, make_customer, make_product

pytestmark = pytest.mark.usefixtures("shipped")


@pytest.fixture(autouse=True)
def without_indexes_of_fields(db: Any) -> Iterator[None]:
    """Documents go between tests, indexes stay."""
    yield
    for name in Customer.collection().index_information():
        if name.startswith(field_indexes.PREFIX):
            Customer.collection().drop_index(name)


def define(by: Actor, **fields: Mapping[str, Any]) -> Kind:
    """The kind of customers with these fields added."""
    made = [
        Change("fields", f"customers.{key}", {"label_vi": key, **content})
        for key, content in fields.items()
    ]
    apply(made, says="fields", by=by, at=NOW)
    return configuration.snapshot().kinds["customers"]


def changes(kind: Kind, by: Actor, record: Mapping[str, Any], **typed: str) -> dict[str, Any]:
    typing = field_values.typing_for(configuration.snapshot(), by, TODAY)
    made = field_values.changes(kind, typed, record, by.access, typing)
    field_values.refuse_duplicates(kind, made, record.get("_id"), by)
    return made


def refused(kind: Kind, by: Actor, record: Mapping[str, Any], **typed: str) -> dict[str, str]:
    with pytest.raises(InvalidInput) as error:
        changes(kind, by, record, **typed)
    return {name: str(one) for name, one in error.value.fields.items()}


def stored(customer_id: ObjectId) -> dict[str, Any]:
    return Customer.collection().find_one({"_id": customer_id}) or {}


def test_every_type_is_stored_and_read_back(administrator: Actor, agent: Actor) -> None:
    kind = define(
        administrator,
        **{
            f"f_{key}": {"type": key, "pick_list": "source"}
            for key, one in TYPES.items()
            if one.is_offered and key not in ("computed", "file", "picture")
        },
    )
    product = make_product("P-1")
    customer_id = make_customer(code="KH-X")
    typed = {
        "f_text": "Đạt",
        "f_long_text": "một\nhai",
        "f_integer": "1.250",
        "f_decimal": "12,5",
        "f_money": "1.250.000 ₫",
        "f_percent": "7,5 %",
        "f_date": "28/11/2026",
        "f_date_time": "28/11/2026 14:30",
        "f_yes_no": "yes",
        "f_choice": "zalo",
        "f_choices": "zalo, facebook",
        "f_phone": "0912440785",
        "f_email": "an@congty.vn",
        "f_link": "congty.vn",
        "f_staff": "me",
        "f_customer": "KH-X",
        "f_product": product,
    }
    made = changes(kind, agent, {}, **typed)
    Customer.collection().update_one({"_id": customer_id}, field_values.update_of(made))
    found = stored(customer_id)["custom"]
    assert found["f_date"] == stored_date(date(2026, 11, 28))
    assert found["f_date_time"] == datetime(2026, 11, 28, 7, 30, tzinfo=UTC)
    assert found["f_decimal"] == Decimal128("12.5")
    assert (found["f_money"], found["f_yes_no"]) == (1_250_000, True)
    assert (found["f_staff"], found["f_customer"]) == (agent.staff_id, customer_id)
    fields = {key: kind.fields[key] for key in typed}
    values = {key: field_values.value_of(one, stored(customer_id)) for key, one in fields.items()}
    assert (values["f_decimal"], values["f_percent"]) == (Decimal("12.5"), Decimal("7.5"))
    again = field_values.form_values(fields, stored(customer_id))
    assert changes(kind, agent, {}, **again) == made
    assert changes(kind, agent, stored(customer_id), **again) == {}


def test_emptied_it_leaves_no_trace(administrator: Actor, agent: Actor) -> None:
    kind = define(administrator, level={"type": "integer"})
    customer_id = make_customer(custom={"level": 3, "other": 1}, note="x")
    made = changes(kind, agent, stored(customer_id), level="", note="")
    assert made == {"custom.level": (3, None), "note": ("x", None)}
    Customer.collection().update_one({"_id": customer_id}, field_values.update_of(made))
    assert stored(customer_id)["custom"] == {"other": 1}


@pytest.mark.parametrize("name", ["nowhere", "code", "revenue", "custom.level", "$set", "hidden"])
def test_a_field_that_is_not_ones_own_to_fill_in_is_refused_alike(
    administrator: Actor, name: str
) -> None:
    kind = define(administrator, hidden={"type": "text"})
    customers = KindPermission(frozenset({SEE, "edit"}), fields={"hidden": "hidden"})
    access = Access((Role("r", "R", "", {"customers": customers}),))
    typing = field_values.typing_for(configuration.snapshot(), administrator, TODAY)
    with pytest.raises(InvalidInput) as error:
        field_values.changes(kind, {name: "x"}, {}, access, typing)
    assert str(error.value) == f"“{name}” is not a field that you can fill in. Open the form again."
    assert "hidden" not in field_values.editable(kind, access)


def test_required_is_what_the_form_asked_for(administrator: Actor, agent: Actor) -> None:
    kind = define(administrator, level={"type": "integer", "is_required": True})
    assert refused(kind, agent, {}, level=" ") == {"level": "Fill this in."}
    assert changes(kind, agent, {}, note="x") == {"note": (None, "x")}
    typing = field_values.typing_for(configuration.snapshot(), agent, TODAY)
    with pytest.raises(InvalidInput) as error:
        field_values.changes(kind, {"note": "x"}, {}, agent.access, typing, asked=("note", "level"))
    assert set(error.value.fields) == {"level"}


def test_a_retired_choice_stays_but_is_not_chosen_anew(administrator: Actor, agent: Actor) -> None:
    values = [
        {"key": "old", "label_vi": "Cũ", "retired": True},
        {"key": "new", "label_vi": "Mới"},
    ]
    apply(
        [Change("pick_lists", "level", {"label_vi": "Hạng", "values": values})],
        says="list", by=administrator, at=NOW,
    )  # fmt: skip
    kind = define(administrator, level={"type": "choice", "pick_list": "level"})
    assert changes(kind, agent, {"custom": {"level": "old"}}, level="old") == {}
    assert refused(kind, agent, {"custom": {"level": "new"}}, level="old")


def test_a_reference_names_only_records_that_one_may_see(
    administrator: Actor, agent: Actor
) -> None:
    kind = define(administrator, partner={"type": "customer"})
    other = make_customer(code="KH-Y")
    assigned = Actor(agent.staff_id, agent.name, agent.roles, care_mode="by_customer")
    assert changes(kind, agent, {}, partner=str(other))["custom.partner"] == (None, other)
    for typed in (str(other), "KH-Y", str(ObjectId()), "$ne", "me"):
        assert "was not found" in refused(kind, assigned, {}, partner=typed)["partner"]


def test_a_value_that_is_unique_names_the_other_record_to_who_may_see_it(
    administrator: Actor, agent: Actor
) -> None:
    kind = define(administrator, contract={"type": "text", "is_unique": True})
    mine = make_customer(code="KH-1", name="Trần An", custom={"contract": "HD-1"})
    assert refused(kind, agent, {}, contract="HD-1")["contract"] == (
        "“HD-1” is already used by KH-1 · Trần An and can be used only once."
    )
    assert changes(kind, agent, stored(mine), contract="HD-1") == {}
    assigned = Actor(agent.staff_id, agent.name, agent.roles, care_mode="by_customer")
    told = refused(kind, assigned, {}, contract="HD-1")["contract"]
    assert "another record" in told
    assert "Trần" not in told


def test_of_two_at_once_the_index_refuses_one_in_words(administrator: Actor, agent: Actor) -> None:
    kind = define(administrator, contract={"type": "text", "is_unique": True})
    assert field_indexes.bring_in_line("customers")["indexes_made"] == 2
    both = [make_customer(code="KH-1"), make_customer(code="KH-2")]
    start, errors = Barrier(2), []

    def save(customer_id: ObjectId) -> None:
        made = changes(kind, agent, stored(customer_id), contract="HD-1")
        start.wait()
        try:
            Customer.collection().update_one({"_id": customer_id}, field_values.update_of(made))
        except DuplicateKeyError as error:
            errors.append(field_values.duplicate(error, kind, customer_id, agent))

    threads = [Thread(target=save, args=(one,)) for one in both]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [str(one.fields["contract"])[:7] for one in errors] == ["“HD-1” "]
    assert Customer.collection().count_documents({"custom.contract": "HD-1"}) == 1


def test_indexes_follow_the_fields_and_running_again_changes_nothing(administrator: Actor) -> None:
    define(
        administrator,
        often={"type": "date", "is_filtered_often": True},
        text={"type": "long_text", "is_filtered_often": True},
        plain={"type": "text"},
    )

    def names() -> set[str]:
        return {n for n in Customer.collection().index_information() if n.startswith("custom:")}

    field_indexes.bring_in_line("customers")
    assert names() == {"custom:customers:often"}
    assert field_indexes.bring_in_line("customers") == {"indexes_made": 0, "indexes_dropped": 0}
    define(administrator, often={"type": "date", "is_retired": True, "is_filtered_often": True})
    field_indexes.bring_in_line("customers")
    assert names() == set()


def test_what_several_records_have_cannot_become_unique(administrator: Actor) -> None:
    for number in range(2):
        make_customer(code=f"KH-{number}", custom={"contract": "HD-1"})
    make_customer(code="KH-9", custom={})
    kind = define(administrator, contract={"type": "text", "is_unique": True})
    assert field_indexes.duplicates(kind, kind.fields["contract"]) == ["HD-1"]
    with pytest.raises(InvalidInput, match="HD-1"):
        field_indexes.bring_in_line("customers")


def test_a_field_that_is_not_shown_is_neither_needed_nor_filled(
    administrator: Actor, agent: Actor
) -> None:
    kind = define(
        administrator,
        reason={
            "type": "text",
            "is_required": True,
            "visible_when": "relationship.in(lost)",
        },
    )
    record = {"relationship": "new"}
    assert changes(kind, agent, record, note="x", reason="") == {"note": (None, "x")}
    assert refused(kind, agent, record, reason="Giá cao") == {
        "reason": "This does not apply here. Empty it."
    }
    # What appears because of what was typed is needed, although nobody asked for it.
    assert refused(kind, agent, record, relationship="lost") == {"reason": "Fill this in."}
    made = changes(kind, agent, record, relationship="lost", reason="Giá cao")
    assert made["custom.reason"] == (None, "Giá cao")
    # What was filled in stays when it does not apply any more.
    filled = {"relationship": "lost", "custom": {"reason": "Giá cao"}}
    assert changes(kind, agent, filled, relationship="new") == {"relationship": ("lost", "new")}


@pytest.mark.parametrize("broken", ["gone.in(a)", "relationship.ge(5)", "reason.is(x)"])
def test_a_field_whose_condition_cannot_be_asked_is_nobodys_field(
    administrator: Actor, agent: Actor, broken: str
) -> None:
    kind = define(administrator, reason={"type": "text", "visible_when": broken})
    assert kind.fields["reason"].problem
    with pytest.raises(InvalidInput, match="not a field that you can fill in"):
        changes(kind, agent, {}, reason="x")


def test_a_condition_that_can_never_hold_any_more_opens_nothing(
    administrator: Actor, agent: Actor
) -> None:
    """From today to a day that has passed: nobody is asked for the field, and nobody sees it."""
    condition = "birthday.between(today,2020-01-01)"
    kind = define(administrator, reason={"type": "text", "visible_when": condition})
    assert kind.fields["reason"].is_usable
    assert refused(kind, agent, {}, reason="x") == {"reason": "This does not apply here. Empty it."}
