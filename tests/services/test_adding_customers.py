"""New customers: their number, who is responsible, who else has the phone number (B.3)."""

from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Staff
from rules.errors import InvalidInput, NotAllowed
from rules.scope import BY_CUSTOMER, Actor
from services import actors, customers, numbers
from services.configuration_changes import Change, apply
from tests.factories import NOW, make_customer

pytestmark = pytest.mark.usefixtures("shipped")


def add(by: Actor, **typed: str) -> dict[str, Any]:
    new_id = customers.create({"name": "Trần An"} | typed, by=by, at=NOW)
    return Customer.collection().find_one({"_id": new_id}) or {}


def test_it_has_a_number_an_owner_and_what_was_typed(agent: Actor) -> None:
    found = add(agent, phones="0912440785", groups="vip, retail", kind="company")
    assert found["code"] == "KH-000001"
    assert (found["owner_id"], found["seen_by"]) == (agent.staff_id, [agent.staff_id])
    assert (found["groups"], found["kind"]) == (["vip", "retail"], "company")
    assert found["phone_keys"] == ["+84912440785"]
    assert found["search_words"][:2] == ["tran", "an"]
    assert (found["relationship"], found["version"]) == ("new", 1)
    written = AuditEntry.collection().find_one({"action": "create"})
    assert written
    assert (written["record_id"], written["record_label"]) == (found["_id"], "Trần An")


def test_whoever_adds_it_sees_it_whatever_the_care_mode(agent: Actor, colleague: Actor) -> None:
    limited = Actor(agent.staff_id, agent.name, agent.roles, care_mode=BY_CUSTOMER)
    assert agent.staff_id in add(limited)["seen_by"]
    other = add(limited, owner=str(colleague.staff_id))
    assert other["owner_id"] == colleague.staff_id


def test_a_number_that_an_import_brought_is_passed_over(agent: Actor) -> None:
    make_customer(code="KH-000007")
    make_customer(code="KH-000001")
    make_customer(code="KH-ABC")
    assert [add(agent)["code"] for _ in range(2)] == ["KH-000008", "KH-000009"]


def test_two_at_once_get_two_numbers(agent: Actor) -> None:
    found: list[str] = []
    threads = [
        Thread(target=lambda: found.append(numbers.next_code("customers", "customers")))
        for _ in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(found)) == 8


def test_the_same_form_sent_twice_adds_one_customer(agent: Actor) -> None:
    new_id = ObjectId()
    for _ in range(2):
        customers.create({"name": "An"}, by=agent, at=NOW, record_id=new_id)
    assert Customer.collection().count_documents({}) == 1
    assert AuditEntry.collection().count_documents({}) == 1


def test_what_is_needed_is_asked_for_and_nothing_is_stored(agent: Actor) -> None:
    with pytest.raises(InvalidInput) as error:
        customers.create({"phones": "1"}, by=agent, at=NOW)
    assert set(error.value.fields) == {"name", "phones"}
    assert Customer.collection().count_documents({}) == 0


def test_nobody_else_may(outsider: Actor) -> None:
    with pytest.raises(NotAllowed):
        add(outsider)


def test_a_chosen_relationship_stands_in_the_history(agent: Actor) -> None:
    found = add(agent, relationship="hot", relationship_reason="Gọi đến hỏi giá")
    assert found["relationship"] == "hot"
    assert found["relationship_chosen"]["reason"] == "Gọi đến hỏi giá"
    assert len(found["history"]) == 1


@pytest.mark.parametrize("typed", ["0912 440 785", "+84912440785", "84912440785 (chị Hoa)"])
def test_a_known_phone_is_found_in_every_way_to_write_it(agent: Actor, typed: str) -> None:
    known = make_customer(phone_keys=["+84912440785"])
    found, has_more = customers.with_phones(f"0987000000, {typed}", by=agent)
    assert ([one["_id"] for one in found], has_more) == ([known], False)
    assert customers.with_phones(typed, by=agent, besides=known) == ([], False)
    limited = Actor(agent.staff_id, agent.name, agent.roles, care_mode=BY_CUSTOMER)
    assert customers.with_phones(typed, by=limited) == ([], True)


def test_a_customer_is_not_referred_by_itself(agent: Actor) -> None:
    found = add(agent)
    with pytest.raises(InvalidInput) as error:
        customers.update(found["_id"], {"referrer": found["code"]}, version=1, by=agent, at=NOW)
    assert set(error.value.fields) == {"referrer"}


def test_defaults_belong_to_the_record_whoever_adds_it(
    administrator: Actor, agent: Actor, db: object
) -> None:
    fields = {
        "unseen": {"type": "text", "default": "A"},
        "locked": {"type": "yes_no", "default": "no"},
        "bound": {"type": "date", "default": "+7d", "visible_when": "unseen.is(A)"},
        "unfit": {"type": "text", "default": "B", "visible_when": "relationship.in(lost)"},
        "behind": {"type": "text", "default": "C", "visible_when": "unfit.is(B)"},
        "open": {"type": "text", "default": "D"},
        "emptied": {"type": "text", "default": "E"},
    }
    levels = {"unseen": "hidden", "locked": "see", "bound": "masked", "owner": "hidden"}
    permission = {"actions": ["see", "create", "edit"], "reach": "all", "fields": levels}
    apply(
        [
            *(
                Change("fields", f"customers.{key}", {"label_vi": key, **one})
                for key, one in fields.items()
            ),
            Change("roles", "small", {"label_vi": "Nhỏ", "kinds": {"customers": permission}}),
        ],
        says="x",
        by=administrator,
        at=NOW,
    )
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["small"]}})
    made = add(actors.as_now(agent.staff_id, at=NOW, screen="test"), name="An", emptied="")
    assert made["owner_id"] == agent.staff_id
    week = datetime(2026, 11, 28, tzinfo=UTC)
    assert made["custom"] == {"unseen": "A", "locked": False, "bound": week, "open": "D"}
    assert made["version"] == 1
