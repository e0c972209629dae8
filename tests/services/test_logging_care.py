"""A care entry is stored, sets the next date, and everything that follows from it (S1.18)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Interaction, Order
from models.base import stored_date
from models.customer import HISTORY_KEPT
from rules.errors import InvalidInput, NotFound, StaleForm
from rules.scope import Actor
from services import audit, care, recompute
from services.care import CareEntry, Logged
from tests.factories import NOW, TODAY, change_pick_list, make_customer, make_order, make_product

pytestmark = pytest.mark.usefixtures("shipped")
IN_A_WEEK = TODAY + timedelta(days=7)


def entry(content: str = "Khách hài lòng", **values: Any) -> CareEntry:
    return CareEntry(**{"content": content, "feedback": "satisfied", "next_on": IN_A_WEEK} | values)


def ended(content: str = "Thôi không gọi nữa") -> CareEntry:
    return entry(content, next_on=None, ended=True)


def log(order_id: ObjectId, what: CareEntry, by: Actor, key: str = "k1", count: int = 0) -> Logged:
    return care.log_order_care(
        order_id, what, by=by, at=NOW, today=TODAY, entry_key=key, expected_count=count
    )


def log_own(
    customer_id: ObjectId, what: CareEntry, by: Actor, key: str = "k1", count: int = 0
) -> Logged:
    return care.log_customer_care(
        customer_id, what, by=by, at=NOW, today=TODAY, entry_key=key, expected_count=count
    )


def order_of(order_id: ObjectId) -> dict[str, Any]:
    found = Order.collection().find_one({"_id": order_id})
    assert found
    return found


def customer_of(customer_id: ObjectId) -> dict[str, Any]:
    found = Customer.collection().find_one({"_id": customer_id})
    assert found
    return found


@pytest.fixture
def customer() -> ObjectId:
    return make_customer()


@pytest.fixture
def order(customer: ObjectId) -> ObjectId:
    """Due today by its interval."""
    code = make_product(interval=7)
    return make_order(customer, {code: 1}, placed_on=TODAY - timedelta(days=7), due_on=TODAY)


def test_it_sets_the_date_that_the_person_chose(agent: Actor, order: ObjectId) -> None:
    logged = log(order, entry(), agent)
    assert order_of(order)["care"] == {
        "state": "appointed",
        "due_on": stored_date(IN_A_WEEK),
        "basis": {
            "kind": "appointment",
            "staff_id": agent.staff_id,
            "staff_name": agent.name,
            "set_on": stored_date(TODAY),
        },
        "count": 1,
        "last_at": NOW,
        "last_feedback": "satisfied",
        "staff_id": agent.staff_id,
    }
    assert not logged.already_saved


def test_it_never_takes_the_interval_again(agent: Actor, order: ObjectId) -> None:
    """S1.6: the interval sets only the first date."""
    log(order, entry(), agent)
    recompute.recompute_care()
    assert order_of(order)["care"]["due_on"] == stored_date(IN_A_WEEK)


def test_it_keeps_an_ended_order_ended(agent: Actor, order: ObjectId) -> None:
    log(order, ended(), agent)
    recompute.recompute_care()
    stored = order_of(order)["care"]
    assert stored["state"] == "ended"
    assert "due_on" not in stored
    assert "basis" not in stored
    assert stored["count"] == 1


def test_it_opens_an_ended_order_again(agent: Actor, order: ObjectId) -> None:
    log(order, ended(), agent)
    log(order, entry(), agent, key="k2", count=1)
    assert order_of(order)["care"]["state"] == "appointed"
    assert order_of(order)["care"]["count"] == 2


def test_the_customer_takes_the_nearest_date_of_the_others(
    agent: Actor, customer: ObjectId, order: ObjectId
) -> None:
    """S1.7: several open orders, the nearest date; content per order."""
    other = make_order(customer, {}, due_on=TODAY + timedelta(days=3))
    log(order, entry(next_on=TODAY + timedelta(days=9)), agent)
    nearest = customer_of(customer)["care"]
    assert nearest["order_id"] == other
    assert nearest["due_on"] == stored_date(TODAY + timedelta(days=3))
    log(other, ended(), agent, key="k2")
    nearest = customer_of(customer)["care"]
    assert nearest["order_id"] == order
    assert nearest["state"] == "appointed"
    log(order, ended(), agent, key="k3", count=1)
    assert customer_of(customer)["care"] == {"state": "none"}


def test_a_prospect_gets_an_appointment_of_its_own(agent: Actor, customer: ObjectId) -> None:
    """S1.15, S1.16."""
    log_own(customer, entry(), agent)
    stored = customer_of(customer)
    assert stored["own_care"]["state"] == "appointed"
    assert stored["own_care"]["count"] == 1
    assert stored["care"]["due_on"] == stored_date(IN_A_WEEK)
    assert "order_id" not in stored["care"]
    log_own(customer, ended(), agent, key="k2", count=1)
    assert customer_of(customer)["care"] == {"state": "ended"}


def test_it_stores_the_whole_entry(agent: Actor, customer: ObjectId, order: ObjectId) -> None:
    log(order, entry("Gọi lại #tuvan\r\nvà #Báo_giá, #1 thôi"), agent)
    stored = Interaction.collection().find_one()
    assert stored
    assert stored["content"] == "Gọi lại #tuvan\nvà #Báo_giá, #1 thôi"
    assert stored["tags"] == ["tuvan", "báo_giá"]
    assert stored["due_on_before"] == stored_date(TODAY)
    assert stored["next_on"] == stored_date(IN_A_WEEK)
    assert (stored["customer_id"], stored["order_id"]) == (customer, order)
    assert stored["staff_name"] == agent.name
    assert customer_of(customer)["last_contact_at"] == NOW


def test_the_customer_embeds_the_newest_twenty_and_the_history_has_all(
    agent: Actor, customer: ObjectId, order: ObjectId
) -> None:
    number = HISTORY_KEPT + 3
    for index in range(number):
        log(order, entry(f"Lần {index}"), agent, key=f"k{index}", count=index)
    embedded = customer_of(customer)["history"]
    assert [one["content"] for one in embedded] == [
        f"Lần {index}" for index in range(number - 1, number - 1 - HISTORY_KEPT, -1)
    ]
    assert (
        Interaction.collection().count_documents({"customer_id": customer, "kind": "care"})
        == number
    )
    newest = Interaction.collection().find_one({"content": f"Lần {number - 1}"})
    assert newest
    assert embedded[0]["interaction_id"] == newest["_id"]


def test_saving_the_same_form_twice_stores_once(
    agent: Actor, customer: ObjectId, order: ObjectId
) -> None:
    first = log(order, entry(), agent)
    again = log(order, entry(), agent)
    assert again.already_saved
    assert again.interaction_id == first.interaction_id
    assert (again.customer_id, again.order_id) == (customer, order)
    assert Interaction.collection().count_documents({"kind": "care"}) == 1
    assert order_of(order)["care"]["count"] == 1


@pytest.mark.parametrize("save", [log, log_own])
def test_saving_the_same_form_many_times_at_once_stores_once(
    save: Callable[..., Logged], agent: Actor, customer: ObjectId, order: ObjectId
) -> None:
    subject = order if save is log else customer
    with ThreadPoolExecutor(6) as pool:
        saved = list(pool.map(lambda _: save(subject, entry(), agent), range(6)))
    assert len({one.interaction_id for one in saved}) == 1
    assert sum(not one.already_saved for one in saved) == 1
    assert Interaction.collection().count_documents({"kind": "care"}) == 1
    assert [one["kind"] for one in customer_of(customer)["history"]].count("care") == 1


def test_two_people_at_once_are_told_who_was_late(
    agent: Actor, colleague: Actor, order: ObjectId
) -> None:
    def save(by: Actor) -> str:
        try:
            log(order, entry(by.name), by, key=by.name)
        except StaleForm:
            return "stale"
        return "saved"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(save, [agent, colleague]))
    assert outcomes == ["saved", "stale"]
    assert Interaction.collection().count_documents({"kind": "care"}) == 1


@pytest.mark.parametrize("save", [log, log_own])
def test_a_form_that_a_colleague_overtook_writes_nothing(
    save: Callable[..., Logged], agent: Actor, colleague: Actor, customer: ObjectId, order: ObjectId
) -> None:
    subject = order if save is log else customer
    save(subject, entry("Nhanh"), colleague, key="faster")
    before = customer_of(customer), order_of(order), audit_count()
    with pytest.raises(StaleForm):
        save(subject, entry("Chậm"), agent, key="slower")
    assert (customer_of(customer), order_of(order), audit_count()) == before
    assert Interaction.collection().count_documents({"kind": "care"}) == 1


def test_a_recompute_does_not_make_the_form_stale(agent: Actor, order: ObjectId) -> None:
    Order.collection().update_one({"_id": order}, {"$inc": {"version": 5}})
    assert not log(order, entry(), agent).already_saved


def test_an_order_deleted_meanwhile_is_not_found(
    agent: Actor, customer: ObjectId, order: ObjectId
) -> None:
    Order.collection().delete_one({"_id": order})
    with pytest.raises(NotFound, match="Copy your text"):
        log(order, entry(), agent)
    assert Interaction.collection().count_documents({}) == 0
    assert customer_of(customer)["history"] == []


def test_an_order_without_customer_cannot_be_cared_for(agent: Actor) -> None:
    with pytest.raises(NotFound):
        log(make_order(None), entry(), agent)


def test_a_customer_deleted_meanwhile_is_not_found(agent: Actor) -> None:
    with pytest.raises(NotFound, match="Copy your text"):
        log_own(ObjectId(), entry(), agent)


def test_a_failure_half_way_leaves_nothing_behind(
    agent: Actor, customer: ObjectId, order: ObjectId, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = customer_of(customer), order_of(order)

    def fail(**_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        log(order, entry(), agent)
    assert (customer_of(customer), order_of(order)) == before
    assert Interaction.collection().count_documents({}) == 0
    monkeypatch.undo()
    assert not log(order, entry(), agent).already_saved


def audit_count() -> int:
    return AuditEntry.collection().count_documents({})


def test_it_writes_an_audit_entry(agent: Actor, order: ObjectId) -> None:
    log(order, entry(), agent)
    written = AuditEntry.collection().find_one()
    assert written
    assert (written["action"], written["kind"], written["record_id"]) == ("care", "orders", order)
    assert written["staff_name"] == agent.name
    assert written["changes"] == [
        {"field": "care.due_on", "old": stored_date(TODAY), "new": stored_date(IN_A_WEEK)}
    ]


def test_it_bumps_the_versions(agent: Actor, customer: ObjectId, order: ObjectId) -> None:
    log(order, entry(), agent)
    assert order_of(order)["version"] == 2
    assert customer_of(customer)["version"] > 1


def test_it_ends_the_claim_of_the_queue(agent: Actor, customer: ObjectId, order: ObjectId) -> None:
    claim = {"staff_id": agent.staff_id, "staff_name": agent.name, "until": NOW}
    Customer.collection().update_one({"_id": customer}, {"$set": {"claim": claim}})
    log(order, entry(), agent)
    assert "claim" not in customer_of(customer)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"content": "  \n "}, "content"),
        ({"content": "x" * 10_001}, "content"),
        ({"feedback": None}, "feedback"),
        ({"feedback": "nonsense"}, "feedback"),
        ({"feedback": "retired"}, "feedback"),
        ({"next_on": None}, "next_on"),
        ({"next_on": TODAY - timedelta(days=1)}, "next_on"),
        ({"ended": True}, "next_on"),
    ],
)
def test_it_names_the_field_that_needs_another_look(
    agent: Actor, order: ObjectId, values: dict[str, Any], field: str
) -> None:
    retired = {"key": "retired", "label_vi": "Cũ", "colour": "gray", "retired": True}
    change_pick_list("feedback", push={"values": retired})
    with pytest.raises(InvalidInput) as refused:
        log(order, entry(**values), agent)
    assert list(refused.value.fields) == [field]
    assert Interaction.collection().count_documents({}) == 0
    assert order_of(order)["care"]["count"] == 0


def test_it_takes_today_and_the_last_day_of_the_calendar(agent: Actor, order: ObjectId) -> None:
    log(order, entry(next_on=TODAY), agent)
    log(order, entry(next_on=date(9999, 12, 31)), agent, key="k2", count=1)
    assert order_of(order)["care"]["due_on"] == stored_date(date(9999, 12, 31))
