"""Saving the edit form of a customer (S4.3)."""

from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Order
from models.base import stored_date
from rules.errors import InvalidInput, NotFound, StaleForm
from rules.scope import Actor
from services import customers
from tests.factories import NOW, TODAY, change_pick_list, make_area, make_customer, make_order

pytestmark = pytest.mark.usefixtures("shipped")


def stored(customer_id: ObjectId) -> dict[str, Any]:
    found = Customer.collection().find_one({"_id": customer_id})
    assert found
    return found


def update(customer_id: ObjectId, by: Actor, *, version: int = 1, **typed: str) -> dict[str, Any]:
    customers.update(customer_id, typed, version=version, by=by, at=NOW)
    return stored(customer_id)


def refused(by: Actor, **typed: str) -> dict[str, str]:
    """The messages by field; nothing may have been written."""
    customer_id = make_customer()
    before = stored(customer_id)
    with pytest.raises(InvalidInput) as error:
        update(customer_id, by, **typed)
    assert stored(customer_id) == before
    return {name: str(one) for name, one in error.value.fields.items()}


def test_it_writes_what_changed_and_nothing_else(agent: Actor) -> None:
    customer_id = make_customer(note="cũ", address="1 Lê Lợi")
    found = update(customer_id, agent, name="  Trần  Văn\tĐạt ", note="mới\nhai dòng", address="")
    assert found["name"] == "Trần Văn Đạt"
    assert found["note"] == "mới\nhai dòng"
    assert found["address"] is None
    assert found["version"] == 2
    assert found["phones"] == ["0987 180 606"]


def test_a_field_that_was_not_sent_keeps_its_value(agent: Actor) -> None:
    customer_id = make_customer(relationship="hot", emails=["a@congty.vn"])
    found = update(customer_id, agent, note="mới")
    assert (found["relationship"], found["emails"]) == ("hot", ["a@congty.vn"])


def test_it_records_old_and_new_values(agent: Actor) -> None:
    customer_id = make_customer(name="Cũ")
    update(customer_id, agent, name="Mới", relationship="new")
    written = AuditEntry.collection().find_one()
    assert written
    assert (written["kind"], written["record_id"]) == ("customers", customer_id)
    assert written["changes"] == [{"field": "name", "old": "Cũ", "new": "Mới"}]


def test_saving_without_a_change_changes_nothing(agent: Actor) -> None:
    customer_id = make_customer()
    before = stored(customer_id)
    typed = {"name": before["name"], "phones": "+84987180606", "emails": "", "birthday": ""}
    assert update(customer_id, agent, **typed) == before
    assert AuditEntry.collection().count_documents({}) == 0


def test_a_form_that_was_overtaken_is_refused(agent: Actor) -> None:
    customer_id = make_customer(version=4)
    with pytest.raises(StaleForm):
        update(customer_id, agent, version=3, name="Mới")
    assert stored(customer_id)["name"] != "Mới"


def test_a_deleted_customer_is_not_found(agent: Actor) -> None:
    with pytest.raises(NotFound, match="Copy your text"):
        customers.update(ObjectId(), {"name": "A"}, version=1, by=agent, at=NOW)


def test_search_words_follow(agent: Actor) -> None:
    customer_id = make_customer(code="KH-77")
    found = update(
        customer_id,
        agent,
        name="Đặng Hoà",
        phones="0912 440 785",
        emails="Hoa@CongTy.vn",
        tax_code="0301234567",
    )
    assert found["search"].startswith("dang hoa kh-77 ")
    words = found["search_words"]
    assert {"dang", "hoa", "kh-77", "0912440785", "0301234567"} <= set(words)
    assert any(word.startswith("hoa@") for word in words)


def test_phone_keys_follow_in_any_format(agent: Actor) -> None:
    found = update(
        make_customer(), agent, phones="+84 912 440 785, 01662440785\n84912440785\n028 3823 4567"
    )
    assert found["phone_keys"] == ["+84912440785", "+84362440785", "+842838234567"]
    assert found["phones"][0] == "0912 440 785"


def test_no_phone_is_no_phone(agent: Actor) -> None:
    found = update(make_customer(), agent, phones=" , \n")
    assert (found["phones"], found["phone_keys"]) == ([], [])


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("name", "   ", "Fill this in"),
        ("name", "x" * 201, "201 characters"),
        ("note", "x" * 4001, "at most 4000"),
        ("phones", "12345", "“12345” is not a phone number"),
        ("phones", "0912440785, không có", "“không có” is not"),
        ("phones", "9" * 41, "is not a phone number"),
        ("phones", ",".join(["0912440785"] * 11), "at most 10"),
        ("emails", "ten@", "“ten@” is not an e-mail address"),
        ("emails", "a@b.vn, <script>@b.vn", "is not an e-mail"),
        ("birthday", "31/02/2000", "“31/02/2000” is not a date"),
        ("birthday", "hôm qua", "is not a date"),
        ("gender", "robot", "Choose a value from the list"),
        ("relationship", "nonsense", "Choose a value from the list"),
        ("source", "$ne", "Choose a value from the list"),
        ("area", "nonsense", "was not found"),
        ("area", "0" * 24, "was not found"),
    ],
)
def test_it_names_the_wrong_field(agent: Actor, field: str, typed: str, says: str) -> None:
    errors = refused(agent, **{field: typed})
    assert list(errors) == [field]
    assert says in errors[field]


def test_it_names_all_wrong_fields_at_once(agent: Actor) -> None:
    assert set(refused(agent, name="", phones="1", birthday="x")) == {"name", "phones", "birthday"}


@pytest.mark.parametrize("typed", ["29/02/2000", "2000-02-29", "29.2.2000", " 29-02-2000 "])
def test_it_reads_a_birthday_as_people_write_it(agent: Actor, typed: str) -> None:
    found = update(make_customer(), agent, birthday=typed)
    assert found["birthday"] == stored_date(TODAY.replace(2000, 2, 29))


def test_a_new_area_reaches_the_orders(agent: Actor) -> None:
    old, new = make_area("Ba Đình, Hà Nội"), make_area("Quận 1, TP.HCM")
    customer_id, other = make_customer(area_id=old), make_customer(area_id=old)
    mine, theirs = make_order(customer_id, area_id=old), make_order(other, area_id=old)
    update(customer_id, agent, area=str(new))
    areas = {row["_id"]: row["area_id"] for row in Order.collection().find()}
    assert areas == {mine: new, theirs: old}
    update(customer_id, agent, version=2, area="")
    order = Order.collection().find_one({"_id": mine})
    assert order
    assert order["area_id"] is None


def test_a_retired_value_may_stay(agent: Actor) -> None:
    change_pick_list(
        "relationship", where={"content.values.key": "hot"}, set={"values.$.retired": True}
    )
    found = update(make_customer(relationship="hot"), agent, relationship="hot", note="x")
    assert found["relationship"] == "hot"


# Two people at one customer


def edit(customer_id: ObjectId, by: Actor, **typed: str) -> dict[str, Any]:
    """Saves a form that was opened before the customer's version went up."""
    shown = customers.form_values(make_shown(customer_id))
    customers.update(customer_id, shown | typed, version=1, by=by, at=NOW, shown=shown)
    return stored(customer_id)


def make_shown(customer_id: ObjectId) -> dict[str, Any]:
    return stored(customer_id) | {"note": "như lúc mở", "relationship": "new", "address": None}


def test_a_change_of_other_fields_is_no_conflict(agent: Actor) -> None:
    """A care entry bumps the version; a colleague's new address stays."""
    customer_id = make_customer(version=9, note="như lúc mở", address="của đồng nghiệp")
    found = edit(customer_id, agent, note="mới")
    assert (found["note"], found["address"], found["version"]) == ("mới", "của đồng nghiệp", 10)
    written = AuditEntry.collection().find_one()
    assert written
    assert [one["field"] for one in written["changes"]] == ["note"]


def test_a_change_of_the_same_field_is_a_conflict(agent: Actor) -> None:
    customer_id = make_customer(version=2, note="của đồng nghiệp")
    before = stored(customer_id)
    with pytest.raises(StaleForm):
        edit(customer_id, agent, note="của tôi")
    assert stored(customer_id) == before


def test_two_people_who_type_the_same_do_not_clash(agent: Actor) -> None:
    customer_id = make_customer(version=2, note="giống nhau")
    assert edit(customer_id, agent, note="giống nhau")["version"] == 2


def test_a_status_that_a_rule_set_meanwhile_stays(agent: Actor) -> None:
    customer_id = make_customer(version=2, note="như lúc mở", relationship="hot")
    found = edit(customer_id, agent, note="mới")
    assert found["relationship"] == "hot"
    assert found.get("relationship_chosen") is None


def test_an_old_value_that_no_rule_allows_any_more_does_not_stop_other_fields(agent: Actor) -> None:
    customer_id = make_customer(note="như lúc mở", phones=["12"], channel="gone")
    found = edit(customer_id, agent, note="mới")
    assert (found["note"], found["phones"], found["channel"]) == ("mới", ["12"], "gone")


def test_a_remark_beside_a_phone_number_is_kept(agent: Actor) -> None:
    typed = "0912440785 (Anh Ba, kế toán), 0987180606\nZalo: 0909 123 456"
    found = update(make_customer(phones=[]), agent, phones=typed)
    assert found["phones"] == [
        "0912 440 785 (Anh Ba, kế toán)",
        "0987 180 606",
        "Zalo: 0909 123 456",
    ]
    assert found["phone_keys"] == ["+84912440785", "+84987180606", "+84909123456"]


def test_nobody_is_born_in_the_future(agent: Actor) -> None:
    assert "must not be after" in refused(agent, birthday="22/11/2026")["birthday"]
    assert update(make_customer(), agent, birthday="21/11/2026")["birthday"] == stored_date(TODAY)
