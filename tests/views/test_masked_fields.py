"""Fields that a role sees masked, or not at all, are so on every page, in files and in searches."""

from collections.abc import Callable
from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, Customer, Staff
from rules.masking import masked_phone, masked_text
from rules.scope import SYSTEM, Actor
from services import configuration_changes, customers
from services.configuration_changes import Change
from services.customers import search_fields
from services.scope import recompute_all_scope
from tests.factories import NOW, TODAY, make_customer, make_order, make_product
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

PHONE, EMAIL, NOTE, TAX = "0987 654 321", "bich.ngoc@bimat.vn", "Ghi chú bí mật", "0311223344"
SECRETS = ("0987", "654 321", "654321", "bich.ngoc", "bimat", NOTE, TAX, "+84987")


def role(**levels: str) -> dict[str, Any]:
    kinds = {
        kind: {"actions": ["see", "edit", "create", "export"], "reach": "all"}
        for kind in ("customers", "orders", "products", "entries")
    }
    kinds["customers"]["fields"] = levels  # type: ignore[assignment]
    return {"label_vi": "Tổng đài", "kinds": kinds, "abilities": []}


@pytest.fixture
def give(agent: Actor, browser_of: Callable[[Actor], Browser]) -> Callable[..., Browser]:
    """A browser of somebody whose role shows the fields so: `give(phones="masked")`."""

    def make(*abilities: str, **levels: str) -> Browser:
        content = role(**levels) | {"abilities": list(abilities)}
        change = Change("roles", "operator", content)
        configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
        Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["operator"]}})
        return browser_of(agent)

    return make


@pytest.fixture
def customer(db: Any) -> ObjectId:
    values = {
        "name": "Nguyễn Thị Bích Ngọc",
        "code": "KH-7",
        "phones": [PHONE],
        "emails": [EMAIL],
        "note": NOTE,
        "tax_code": TAX,
        "care": {"state": "suggested"},
    }
    made = make_customer(**values, **search_fields(values))
    make_order(made, {make_product("SP1"): 1}, due_on=TODAY)
    for number in range(60):  # so that the lists have a second page
        make_customer(name="Zoe", search=f"zoe {number}")
    recompute_all_scope(at=NOW)
    return made


LIMITS = {"phones": "masked", "emails": "hidden", "note": "hidden", "tax_code": "masked"}


def pages(customer: ObjectId) -> list[str]:
    order = (Customer.collection().database["orders"].find_one({}) or {})["_id"]
    return [
        "/",
        "/customers",
        "/customers?q=ngoc",
        f"/customers/{customer}",
        f"/customers/{customer}?tab=orders",
        f"/customers/{customer}/edit",
        f"/changes/customers/{customer}",
        f"/changes/customers/{customer}/compare",
        "/search?q=ngoc",
        "/customers?group=relationship",
        "/customers?mode=kanban&group=relationship",
        "/customers/due?due=all",
        "/orders/due?due=all",
        f"/orders/{order}",
        f"/care/orders/{order}",
        f"/care/customers/{customer}?for=customer",
        "/care/history",
        "/lookup/customer?q=ngoc",
        "/lookup/reference/customers?q=ngoc",
        f"/viewers/{customer}",
        f"/why/customers/{customer}",
        f"/customers/same-phone?phones={PHONE}",
    ]


def test_no_page_shows_what_is_masked_or_hidden(
    give: Callable[..., Browser], customer: ObjectId, administrator: Actor
) -> None:
    changed = {"phones": f"{PHONE}, 0912 000 111", "note": f"{NOTE}!", "tax_code": f"{TAX}9"}
    stored = Customer.collection().find_one({"_id": customer}) or {}
    customers.update(customer, changed, version=stored["version"], by=administrator, at=NOW)
    desk = give(**LIMITS)
    for address in pages(customer):
        response = desk.get(address)
        assert response.status_code == 200, address
        # The address itself repeats what the person typed.
        text = response.text.replace(PHONE, "") if "same-phone" in address else response.text
        for secret in SECRETS:
            assert secret not in text, (address, secret)
    page = desk.get(f"/customers/{customer}").text
    assert "09•• ••• 321" in page
    assert "E-mail" not in page


def test_a_role_without_limits_sees_it_all(
    give: Callable[..., Browser], customer: ObjectId
) -> None:
    page = give().get(f"/customers/{customer}").text
    assert all(value in page for value in (PHONE, EMAIL, NOTE, TAX))


@pytest.mark.parametrize("words", ["0987", "09876", "654321", "bich.ngoc@bimat.vn", "bimat", TAX])
def test_searching_finds_out_nothing(
    give: Callable[..., Browser], customer: ObjectId, words: str
) -> None:
    assert "KH-7" in give().get(f"/customers?q={words}").text or words in ("654321", "bimat")
    desk = give(**LIMITS)
    for address in (f"/customers?q={words}", f"/lookup/customer?q={words}"):
        assert "KH-7" not in desk.get(address).text


def test_a_masked_phone_is_found_by_its_whole_number_and_a_hidden_one_is_not(
    give: Callable[..., Browser], customer: ObjectId
) -> None:
    address = "/customers?q=0987654321"
    assert "KH-7" in give(**LIMITS).get(address).text
    assert "KH-7" not in give(phones="hidden").get(address).text
    assert "KH-7" not in give(phones="hidden").get(f"/customers/same-phone?phones={PHONE}").text


def test_pages_follow_each_other_without_telling_what_they_are_sorted_by(
    give: Callable[..., Browser], customer: ObjectId
) -> None:
    import re

    desk = give(**LIMITS)
    first = desk.get("/customers").text
    key = re.search(r"after=([^\"&]+)", first)
    assert key
    assert re.fullmatch("[0-9a-f]{24}", key.group(1))
    second = desk.get(f"/customers?after={key.group(1)}").text
    assert "KH-7" in first
    assert "KH-7" not in second
    guess = desk.get(
        "/customers?after=000000000000000000000000~'nguyen thi bich ngoc kh-7 0988"
    ).text
    assert guess.count("KH-7") == first.count("KH-7"), "a guessed key starts at the beginning"


def test_a_masked_field_can_be_neither_filtered_sorted_nor_typed(
    give: Callable[..., Browser], customer: ObjectId
) -> None:
    desk = give(**LIMITS, area="hidden")
    assert "KH-7" in desk.get("/customers?sort=tax_code").text
    assert "Khu vực" not in desk.get("/customers").text
    form = desk.get(f"/customers/{customer}/edit").text
    assert 'name="phones"' not in form
    stored = Customer.collection().find_one({"_id": customer}) or {}
    for typed in ({"phones": "0900 000 000"}, {"note": "x"}, {"tax_code": "1"}):
        sent = {"name": stored["name"], "version": str(stored["version"]), **typed}
        answer = desk.send(f"/customers/{customer}/edit", sent)
        assert answer.status_code in (303, 403, 422)
    after = Customer.collection().find_one({"_id": customer}) or {}
    assert (after["phones"], after["note"], after["tax_code"]) == ([PHONE], NOTE, TAX)


def test_an_eye_shows_one_value_and_is_written_down(
    give: Callable[..., Browser], customer: ObjectId, agent: Actor
) -> None:
    desk = give("reveal", **LIMITS)
    address = f"/reveal/customers/{customer}/phones"
    assert address in desk.get(f"/customers/{customer}").text
    answer = desk.send(address)
    assert answer.status_code == 200
    assert PHONE in answer.text
    entry = AuditEntry.collection().find_one({"action": "reveal"}) or {}
    assert (entry["staff_id"], entry["record_id"]) == (agent.staff_id, customer)
    assert entry["changes"] == [{"field": "phones", "old": None, "new": None}]
    assert desk.send(f"/reveal/customers/{customer}/emails").status_code == 403, "hidden"
    assert desk.send(f"/reveal/customers/{customer}/name").status_code == 403, "not masked"
    assert desk.send(f"/reveal/customers/{customer}/search").status_code == 404
    assert desk.send(f"/reveal/staff/{agent.staff_id}/password").status_code == 404
    assert desk.get(address).status_code == 405


def test_nobody_looks_behind_a_mask_without_the_right_or_too_often(
    give: Callable[..., Browser], customer: ObjectId
) -> None:
    address = f"/reveal/customers/{customer}/phones"
    desk = give(**LIMITS)
    assert address not in desk.get(f"/customers/{customer}").text
    assert desk.send(address).status_code == 403
    desk = give("reveal", **LIMITS)
    answers = [desk.send(address).status_code for _ in range(62)]
    assert set(answers[:59]) == {200}
    assert answers[-1] == 429
    assert AuditEntry.collection().count_documents({"action": "reveal"}) == 60


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("0912 345 678", "09•• ••• 678"),
        ("0912345678", "09•• ••• 678"),
        ("+84 912 345 678", "84••• ••• 678"),
        ("0912440785 (Ba, buổi sáng)", "09•• ••• 785"),
        ("113", "•••"),
        ("", "•••"),
    ],
)
def test_a_mask_keeps_the_beginning_and_the_end_of_a_number(number: str, shown: str) -> None:
    assert masked_phone(number) == shown


def test_a_mask_keeps_nothing_of_a_short_text() -> None:
    assert masked_text("Ngọc") == "•••"
    assert masked_text("Hà Nội") == "H•••i"
