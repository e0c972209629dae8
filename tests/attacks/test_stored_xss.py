"""Script in every text field is shown as text, everywhere; long names break nothing.

Defended by: templates that escape, a policy that allows no foreign and no inline script, and
scripts of ours that build elements and not markup.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask

from models import (
    Area,
    Attachment,
    AuditEntry,
    Customer,
    Interaction,
    JobRun,
    Order,
    Product,
    ProductGroup,
    Staff,
    TrashedRecord,
)
from models.base import stored_date
from rules.scope import MANAGER, Actor
from services import configuration, recompute
from services.shipped import SHIPPED_LISTS
from tests.attacks.routes import routes
from tests.factories import NOW, TODAY, change_pick_list
from tests.views.conftest import Browser

EVIL = "\"'><script>x</script><img src=x onerror=x> 50% %(name)s {{ 7*7 }} &amp;"
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/"}


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser would read them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def fill(text: str) -> dict[str, ObjectId]:
    """One of everything, each text field holding `text`; ids by kind."""
    ids = {kind: ObjectId() for kind in ("area", "group", "product", "customer", "order", "said")}
    staff = Staff.objects(roles=MANAGER).first()
    basis = {
        "kind": "interval",
        "from_on": stored_date(TODAY - timedelta(days=3)),
        "product_code": text,
        "interval_days": 3,
        "quantity": 1,
    }
    suggested = {"state": "suggested", "due_on": stored_date(TODAY), "basis": basis, "count": 0}
    Area.collection().insert_one({"_id": ids["area"], "name": text, "search": text})
    ProductGroup.collection().insert_one(
        {"_id": ids["group"], "name": text, "path": [text], "parent_id": None, "ancestor_ids": []}
    )
    Product.collection().insert_one(
        {
            "_id": ids["product"],
            "code": text,
            "name": text,
            "search": text,
            "search_words": ["x"],
            "group_id": ids["group"],
            "group_ids": [ids["group"]],
            "care_interval_days": 3,
            "care_min": 1,
            "version": 1,
        }
    )
    said = {
        "_id": ids["said"],
        "kind": "care",
        "at": NOW,
        "customer_id": ids["customer"],
        "order_id": ids["order"],
        "order_code": text,
        "staff_id": staff.pk,
        "staff_name": text,
        "content": text,
        "feedback": text,
        "tags": [text],
        "next_on": stored_date(TODAY + timedelta(days=1)),
        "ended": False,
    }
    event = said | {"_id": ObjectId(), "kind": "event", "content": ""}
    Interaction.collection().insert_many([said, event])
    picks = dict.fromkeys(
        ("relationship", "source", "channel", "preferred_contact", "gender"), text
    )
    Customer.collection().insert_one(
        {
            "_id": ids["customer"],
            "code": text,
            "kind": text,
            "name": text,
            "search": text,
            "search_words": ["x"],
            "phones": [text],
            "phone_keys": [],
            "emails": [text],
            "tax_code": text,
            "national_id": text,
            "address": text,
            "note": text,
            "area_id": ids["area"],
            "owner_id": staff.pk,
            "groups": [text],
            "tags": [text],
            "history": [said | {"interaction_id": ids["said"]}],
            "own_care": {"state": "none", "count": 0},
            "care": {"state": "none"},
            "last_contact_at": NOW,
            "created_at": NOW,
            "version": 1,
        }
        | picks
    )
    Order.collection().insert_one(
        {
            "_id": ids["order"],
            "code": text,
            "kind": "sale",
            "customer_id": ids["customer"],
            "area_id": ids["area"],
            "placed_at": NOW - timedelta(days=3),
            "placed_on": stored_date(TODAY - timedelta(days=3)),
            "marketplace": text,
            "status": text,
            "note": text,
            "shipping": text,
            "lines": [{"product_code": text, "product_name": text, "quantity": 1}],
            "care_items": [{"code": text, "quantity": 1, "interval_days": 3}],
            "group_ids": [ids["group"]],
            "care": suggested,
            "version": 1,
        }
    )
    recompute.recompute_customers([ids["customer"]])
    JobRun.collection().insert_one(
        {
            "name": text or "unknown",
            "arguments": {"product_codes": [text]},
            "state": "failed",
            "error": text,
            "started_by_name": text,
            "created_at": NOW,
        }
    )
    JobRun.collection().insert_one(
        {
            "name": "recompute_care",
            "arguments": {"product_codes": [text]},
            "state": "done",
            "started_by_name": text,
            "created_at": NOW,
        }
    )
    for key in SHIPPED_LISTS:
        change_pick_list(
            key,
            set={
                "values.$[].label_vi": text,
                "values.$[].label_en": text,
                "label_vi": text,
                "label_en": text,
            },
        )
    configuration.forget()
    Staff.objects.update(set__name=text[:120] or "An")  # what an account allows
    return ids


def addresses(ids: dict[str, ObjectId]) -> list[str]:
    customer, order, product = ids["customer"], ids["order"], ids["product"]
    area, group = ids["area"], ids["group"]
    return [
        "/",
        "/queue",
        "/orders/due",
        f"/orders/due?area={area}&due=all&state=new",
        "/orders/due/by-group",
        f"/orders/due/by-group?group={group}",
        "/orders/due/by-area",
        f"/orders/due/by-area?area={area}",
        "/customers/due",
        f"/customers/due?area={area}",
        "/customers",
        "/customers?relationship=hot",
        "/customers?q=x",
        f"/customers/{customer}",
        f"/customers/{customer}?tab=orders",
        f"/customers/{customer}/edit",
        f"/orders/{order}",
        f"/care/orders/{order}",
        f"/care/customers/{customer}?for=customer",
        f"/care/history?customer={customer}&feedback=satisfied",
        "/care/history",
        "/care/history/summary",
        "/products",
        f"/products?group={group}",
        f"/products/{product}/care",
        "/jobs",
        "/account",
        "/lookup/area",
        "/lookup/group",
        "/lookup/staff",
        "/lookup/customer",
        f"/orders/due/rows/{order}",
        f"/customers/due/rows/{customer}",
        f"/customers/rows/{customer}",
        f"/care/history/rows/{ids['said']}",
        f"/products/rows/{product}",
    ]


@pytest.fixture
def boss(
    morning: None, shipped: None, manager: Actor, browser_of: Callable[[Actor], Browser]
) -> Browser:
    return browser_of(manager)


def check(page: str, address: str) -> None:
    """No element and no attribute came out of the text."""
    read = Reader(page)
    for tag, attributes in read.tags:
        assert tag != "img", address
        assert tag != "script" or attributes.get("src", "").startswith("/static/"), address  # type: ignore[union-attr]
        assert not [name for name in attributes if name.startswith("on")], (address, attributes)
        for name in ("href", "action", "hx-get", "hx-post", "src"):
            assert not (attributes.get(name) or "").lower().startswith("javascript:"), address


@pytest.mark.parametrize("locale", ["vi", "en"])
def test_script_in_every_field_stays_text(boss: Browser, locale: str) -> None:
    ids = fill(EVIL)
    Staff.objects.update(set__locale=locale)
    shown = 0
    for address in addresses(ids):
        response = boss.get(address)
        assert response.status_code == 200, (address, response.text[-2000:])
        check(response.text, address)
        assert "49" not in re.findall(r"\{\{[^}]*\}\}|>49<", response.text), address
        shown += EVIL in " ".join(Reader(response.text).texts)
    assert shown > 25


def test_titles_and_labels_hold_the_whole_text(boss: Browser) -> None:
    ids = fill(EVIL)
    read = Reader(boss.get("/orders/due").text)
    values = [value or "" for _, attributes in read.tags for value in attributes.values()]
    assert any(value.endswith(f": {EVIL}") for value in values)  # aria-label of the green square
    titles = [attributes.get("title") or "" for _, attributes in read.tags]
    assert any(EVIL in title for title in titles)
    page = boss.get(f"/customers/{ids['customer']}").text
    title = re.search(r"<title>(.*?)</title>", page, re.S)
    assert title
    assert "<script" not in title.group(1)


def test_script_in_a_form_stays_text(boss: Browser) -> None:
    ids = fill(EVIL)
    typed = dict.fromkeys(
        (
            *("content", "feedback", "next_on", "entry_key", "count", "ended", "queue"),
            *("name", "phones", "emails", "birthday", "note", "address", "area_id", "gender"),
            *("version", "care_interval_days", "care_min", "care_max", "relationship", "tax_code"),
        ),
        EVIL,
    )
    for address, statuses in (
        (f"/care/orders/{ids['order']}", (409, 422)),
        (f"/care/customers/{ids['customer']}", (409, 422)),
        (f"/care/orders/{ids['order']}/postpone", (409, 422)),
        (f"/customers/{ids['customer']}/edit", (409, 422)),
        (f"/products/{ids['product']}/care", (409, 422)),
        (f"/care/orders/{ObjectId()}", (404,)),
    ):
        for headers in ({}, HTMX):
            response = boss.send(address, typed, headers=headers)
            assert response.status_code in statuses, address
            check(response.text, address)
            assert response.headers.get("HX-Trigger", "").isascii()


def test_a_saved_text_comes_back_as_text(boss: Browser) -> None:
    ids = fill("Bình thường")
    form = {
        "content": EVIL,
        "feedback": "satisfied",
        "next_on": "30/11/2026",
        "count": "0",
        "entry_key": EVIL,
    }
    response = boss.send(f"/care/orders/{ids['order']}", form, headers=HTMX)
    assert response.status_code == 200
    page = boss.get(f"/customers/{ids['customer']}").text
    check(page, "customer")
    assert EVIL in "".join(Reader(page).texts)


@pytest.mark.parametrize("name", ["x" * 500, "Nguyễn Thị " * 45, "\u202e" + "ữ" * 400, "🙂" * 120])
def test_very_long_names_are_shown(boss: Browser, name: str) -> None:
    ids = fill(name)
    for address in addresses(ids):
        assert boss.get(address).status_code == 200, address


def test_a_label_of_percent_signs_is_a_label(boss: Browser) -> None:
    """Labels of pick lists go through no formatting."""
    fill("100% hài lòng %s %d %")
    for address in ("/customers", "/care/history", "/orders/due"):
        assert boss.get(address).status_code == 200


def test_empty_texts_are_shown(boss: Browser) -> None:
    ids: Any = fill("")
    for address in addresses(ids):
        assert boss.get(address).status_code == 200, address
        assert "Content-Transfer-Encoding" not in boss.get(address).text, address


def test_no_screen_at_all_makes_an_element_of_a_text(
    app: Flask, administrator: Actor, browser_of: Callable[[Actor], Browser], boss: Browser
) -> None:
    """Every route that answers with a page, with the ids of what was filled."""
    ids = fill(EVIL)
    now = {"at": NOW, "staff_name": EVIL, "record_label": EVIL, "search_words": ["x"]}
    AuditEntry.collection().insert_one(
        now
        | {"action": "update", "kind": "customers", "record_id": ids["customer"], "address": EVIL}
        | {"changes": [{"field": EVIL, "old": EVIL, "new": EVIL}]}
    )
    file_id, batch_id = ObjectId(), ObjectId()
    Attachment.collection().insert_one(
        {"_id": file_id, "owner_kind": "customers", "owner_id": ids["customer"], "name": EVIL}
        | {"customer_id": ids["customer"], "file_id": file_id, "content_type": EVIL}
        | {"size_bytes": 1, "added_at": NOW, "staff_name": EVIL}
    )
    TrashedRecord.collection().insert_one(
        now
        | {"_id": batch_id, "batch_id": batch_id, "is_root": True, "kind": "orders", "code": EVIL}
        | {"record_id": ObjectId(), "deleted_at": NOW, "document": {"code": EVIL}, "counts": {}}
    )
    values = {
        "record_id": str(ids["customer"]),
        "customer_id": str(ids["customer"]),
        "order_id": str(ids["order"]),
        "product_id": str(ids["product"]),
        "batch_id": str(batch_id),
        "attachment_id": str(file_id),
        "kind": "customers",
        "filename": "css/frame.css",
    }
    browser, pages = browser_of(administrator), 0
    for endpoint, _, address in routes(app, values, frozenset({"GET"})):
        for query in ("", "?tab=files", "?tab=orders"):
            response = browser.get(address + query)
            if response.mimetype == "text/html" and endpoint != "static":
                check(response.text, address)
                pages += EVIL in " ".join(Reader(response.text).texts)
    assert pages > 20
