"""Programs read and write records: what the key's person sees, checked as forms are."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from models import AuditEntry, ConfigurationItem, Customer, Site, Staff
from rules.api_scopes import READ, WRITE
from rules.scope import Actor
from services import api_tokens
from tests.factories import NOW, make_customer, make_order, make_product

pytestmark = pytest.mark.usefixtures("morning")
Ask = Callable[..., Any]


def configure(section: str, key: str, content: dict[str, Any]) -> None:
    ConfigurationItem.collection().insert_one(
        {"section": section, "key": key, "content": content, "version": 1}
    )
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})


@pytest.fixture(autouse=True)
def fields(shipped: None) -> None:
    rate = {"type": "decimal", "label_vi": "Tỷ lệ", "maximum": "100", "position": 2}
    configure("fields", "customers.card", {"type": "text", "label_vi": "Thẻ", "position": 1})
    configure("fields", "customers.rate", rate)
    for kind in ("orders", "products"):
        configure("fields", f"{kind}.box", {"type": "text", "label_vi": "Hộp"})


@pytest.fixture
def ask(app: Flask) -> Ask:
    def asked(
        by: Actor, method: str, path: str, *, scopes: Any = (READ, WRITE), **more: Any
    ) -> Any:
        key = api_tokens.create("x", scopes, "30", by=by, at=NOW)
        headers = {"Authorization": f"Bearer {key}"}
        return app.test_client().open(
            f"/api/records/{path}", method=method, headers=headers, **more
        )

    return asked


def test_a_record_says_its_fields_and_those_of_the_site(ask: Ask, agent: Actor) -> None:
    customer = make_customer(name="An", custom={"card": "V1", "gone": "x"}, phones=["0912345678"])
    answer = ask(agent, "GET", f"customers/{customer}")
    assert answer.status_code == 200, answer.text
    assert answer.json["fields"]["name"] == "An"
    assert answer.json["fields"]["phones"] == ["0912345678"]
    assert answer.json["custom"] == {"card": "V1", "rate": None}
    assert (answer.json["version"], answer.json["masked"]) == (1, [])


def test_orders_and_products_have_theirs(ask: Ask, agent: Actor, manager: Actor) -> None:
    order = make_order(make_customer(), custom={"box": "A"})
    assert ask(agent, "GET", f"orders/{order}").json["custom"] == {"box": "A"}
    make_product("P1", custom={"box": "B"})
    found = ask(agent, "GET", "products?code=P1").json["records"]
    assert [one["custom"] for one in found] == [{"box": "B"}]
    sent = {"version": found[0]["version"], "custom": {"box": "C"}}
    changed = ask(manager, "PATCH", f"products/{found[0]['id']}", json=sent)
    assert changed.json["custom"] == {"box": "C"}


def test_what_is_sent_is_saved_as_a_form_is(ask: Ask, agent: Actor) -> None:
    customer = make_customer(custom={"card": "V1"})
    sent = {
        "version": 1,
        "fields": {"note": "xin chào", "groups": ["vip", "retail"], "birthday": "1990-02-28"},
        "custom": {"card": None, "rate": 12.5},
    }
    answer = ask(agent, "PATCH", f"customers/{customer}", json=sent)
    assert answer.status_code == 200, answer.text
    assert answer.json["custom"] == {"card": None, "rate": 12.5}
    assert answer.json["fields"]["groups"] == ["vip", "retail"]
    assert answer.json["fields"]["birthday"] == "1990-02-28"
    assert answer.json["version"] == 2
    assert AuditEntry.collection().count_documents({"action": "update"}) == 1
    assert ask(agent, "PATCH", f"customers/{customer}", json=sent).status_code == 409


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"version": 1, "custom": {"rate": 101}}, "rate"),
        ({"version": 1, "custom": {"rate": "abc"}}, "rate"),
        ({"version": 1, "custom": {"nothing": "x"}}, "nothing"),
        ({"version": 1, "custom": {"name": "x"}}, "name"),
        ({"version": 1, "fields": {"card": "x"}}, "card"),
        ({"version": 1, "fields": {"name": ""}}, "name"),
        ({"version": 1, "fields": {"name": {"$ne": 1}}}, "name"),
        ({"version": 1, "fields": {"relationship_reason": "x"}}, "relationship_reason"),
        ({"version": 1, "fields": ["name"]}, None),
        ({"version": "1", "custom": {"card": "x"}}, None),
        ({"custom": {"card": "x"}}, None),
        ([], None),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(
    ask: Ask, agent: Actor, sent: Any, wrong: str | None
) -> None:
    customer = make_customer(custom={"card": "V1"})
    before = Customer.collection().find_one({"_id": customer})
    answer = ask(agent, "PATCH", f"customers/{customer}", json=sent)
    assert answer.status_code == 422, answer.text
    assert answer.json["error"]
    if wrong:
        assert list(answer.json["fields"]) == [wrong]
    assert Customer.collection().find_one({"_id": customer}) == before


def test_a_program_sees_and_changes_no_more_than_its_person(
    ask: Ask, agent: Actor, outsider: Actor
) -> None:
    limits = {"card": "hidden", "phones": "masked", "rate": "see", "birthday": "masked"}
    customers = {"actions": ["see", "edit"], "reach": "all", "fields": limits}
    configure("roles", "small", {"label_vi": "Nhỏ", "kinds": {"customers": customers}})
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["small"]}})
    customer = make_customer(phones=["0912345678"], custom={"card": "V1", "rate": 5})
    answer = ask(agent, "GET", f"customers/{customer}")
    assert answer.json["custom"] == {"rate": 5}
    assert answer.json["masked"] == ["phones", "birthday"]
    assert "0912345678" not in answer.text
    assert "V1" not in answer.text
    for custom in ({"card": "x"}, {"rate": 6}):
        sent = {"version": 1, "custom": custom}
        assert ask(agent, "PATCH", f"customers/{customer}", json=sent).status_code == 422
    assert ask(agent, "GET", f"orders/{make_order(customer)}").status_code == 404
    assert ask(outsider, "GET", f"customers/{customer}").status_code == 404
    assert ask(outsider, "GET", "customers").json["records"] == []


def test_a_hidden_field_is_answered_like_one_that_is_not_there(ask: Ask, agent: Actor) -> None:
    customers = {"actions": ["see", "edit"], "reach": "all", "fields": {"card": "hidden"}}
    configure("roles", "small", {"label_vi": "Nhỏ", "kinds": {"customers": customers}})
    configure("fields", "customers.total", {"type": "computed", "expression": "length(card)"})
    Staff.collection().update_one({"_id": agent.staff_id}, {"$set": {"roles": ["small"]}})
    customer = make_customer(custom={"card": "V1"})
    said = set()
    for part in ("custom", "fields"):
        for key in ("card", "total", "nothing"):
            sent = {"version": 1, part: {key: "x"}}
            answer = ask(agent, "PATCH", f"customers/{customer}", json=sent)
            assert list(answer.json["fields"]) == [key]
            said.add((part, answer.status_code, answer.text.replace(key, "KEY")))
    assert len(said) == 2
    assert "total" not in ask(agent, "GET", f"customers/{customer}").text


def test_the_key_must_allow_it(ask: Ask, agent: Actor) -> None:
    path = f"customers/{make_customer()}"
    sent = {"version": 1, "custom": {"card": "x"}}
    assert ask(agent, "PATCH", path, scopes=(READ,), json=sent).status_code == 403
    assert ask(agent, "GET", path, scopes=(WRITE,)).status_code == 403


@pytest.mark.parametrize(
    "path", ["customers/nonsense", f"customers/{'0' * 24}", "staff", f"staff/{'0' * 24}", "entries"]
)
def test_what_is_not_there_is_not_found(ask: Ask, agent: Actor, path: str) -> None:
    assert ask(agent, "GET", path).status_code == 404


def test_all_records_come_page_by_page(ask: Ask, agent: Actor) -> None:
    made = [str(make_customer()) for _ in range(5)]
    found, after = [], ""
    while after is not None:
        page = ask(agent, "GET", f"customers?limit=2&after={after}").json
        found += [one["id"] for one in page["records"]]
        after = page["next"]
    assert found == made
