"""Script in every stored text stays text on every screen, and so does what every form is given.

Nothing is listed by hand: every text of every stored document is poisoned but those that the
program itself compares with (KEPT), every section of the configuration is there with labels of its
own, every address comes from the application's routes, and every form is read from its page.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask

from models import BulkEdit, Customer, Order, OutboxMessage, Record, Staff
from rules.config_shapes import SECTIONS
from rules.scope import SYSTEM, Actor
from services import configuration, configuration_changes, saved_views
from services.configuration_changes import Change
from services.saved_views import Content
from tests.attacks.test_stored_xss import EVIL, Reader, check
from tests.factories import NOW
from tests.views.conftest import Browser
from tests.views.declared_addresses import OWN, TRASHED
from tests.views.world import World, browser_for, cases

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

# Names of texts that the program compares with, and that people cannot type.
KEPT = frozenset(
    {
        *("_id", "key", "kind", "kinds", "state", "source", "section", "roles", "scopes", "event"),
        *("fs_uniquifier", "password", "locale", "theme", "email", "hash", "secret_hash", "mark"),
        *("job", "at_time", "until_time", "slot", "screen", "audience", "type", "field", "action"),
        *("owner_kind", "record_kind", "content_type", "endpoint", "panel", "fact", "operator"),
        *("status_kind", "reach", "actions", "abilities", "fields", "care_mode", "topic", "by"),
        *("default_roles", "pick_list", "columns", "sort", "filters", "summary", "hidden", "where"),
        *("colour", "icon", "default", "visible_when", "expression", "pattern", "audit_days"),
        *("search", "search_words", "name_words", "phone_keys", "members", "leads", "members_ids"),
        *("contact_kinds", "unanswered", "worker", "way", "feedback_kind"),
    }
)
ADDED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("fields", "customers.so_thich", {"type": "text", "label_vi": "x", "help_vi": "x"}),
    ("fields", "phieu.ly_do", {"type": "long_text", "label_vi": "x", "help_vi": "x"}),
    ("lists", "customers", {"row_colours": [{"where": "name.filled()", "colour": "red"}]}),
    ("teams", "doi", {"label_vi": "x", "members": [], "leads": []}),
    (
        "layouts",
        "customers",
        {
            "summary": ["name", "phones", "so_thich"],
            "tabs": [
                {
                    "key": "rieng",
                    "label_vi": "x",
                    "is_on": True,
                    "sections": [{"key": "mot", "label_vi": "x", "fields": ["note", "address"]}],
                }
            ],
        },
    ),
    (
        "menus",
        "all",
        {
            "sections": [
                {
                    "key": "rieng",
                    "label_vi": "x",
                    "entries": [{"endpoint": "customers", "label_vi": "x"}],
                }
            ]
        },
    ),
)


def filled(here: World, administrator: Actor) -> None:
    """One item of every section of the configuration, and what the world of the matrix lacks."""
    changes = [Change(section, key, content) for section, key, content in ADDED]
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
    shared = {"audience": "everyone", "by": administrator, "at": NOW}
    saved_views.create("customers", "x", Content({}), **shared)
    aside = {
        "topic": "x",
        "key": "x",
        "payload": {},
        "state": "set_aside",
        "error": "x",
        "version": 1,
    }
    OutboxMessage.collection().insert_one(aside | {"created_at": NOW, "attempts": 1})
    edit = {"kind": "customers", "field": "note", "way": "set", "value": "x", "says": "x"}
    who = {"staff_id": here.me.staff_id, "staff_name": "x", "at": NOW, "state": "done"}
    BulkEdit.collection().insert_one(edit | who | {"changed": 1, "refused": 0, "version": 1})
    typed = {"note": "x", "address": "x", "custom.so_thich": "x"}
    Customer.collection().update_many({}, {"$set": typed})
    Order.collection().update_many({}, {"$set": {"note": "x", "shipping": "x"}})
    Record.collection().update_many({}, {"$set": {"custom.ly_do": "x"}})


def poisoned(value: Any, name: str = "") -> Any:
    """The value with every text in it that people may have written replaced by EVIL."""
    if isinstance(value, dict):
        return {key: poisoned(one, "" if key == "values" else key) for key, one in value.items()}
    if isinstance(value, list):
        return [poisoned(one, name) for one in value]
    if isinstance(value, str) and name not in KEPT and not ObjectId.is_valid(value):
        poisoned.number = getattr(poisoned, "number", 0) + 1  # type: ignore[attr-defined]
        return f"{EVIL}{poisoned.number}"  # type: ignore[attr-defined]
    return value


def poison(here: World) -> int:
    """Replaces texts in every collection; how many documents were changed."""
    changed = 0
    for name in here.db.list_collection_names():
        if name in ("login_attempts", "counters") or name.startswith(("system.", "files.")):
            continue
        for stored in list(here.db[name].find()):
            evil = poisoned(stored)
            if evil != stored:
                here.db[name].replace_one({"_id": stored["_id"]}, evil)
                changed += 1
    Staff.collection().update_many({}, {"$set": {"name": EVIL[:100]}})
    configuration.forget()
    return changed


class Forms(HTMLParser):
    """The forms of a page that take text: (address, {name: value}, names of the texts)."""

    def __init__(self, page: str, address: str) -> None:
        super().__init__(convert_charrefs=True)
        self.address = address
        self.found: list[tuple[str, dict[str, str], list[str]]] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self._open = (said.get("method") or "").lower() == "post"
            if self._open:
                target = said.get("action") or said.get("hx-post") or self.address
                self.found.append((target, {}, []))
        name = said.get("name")
        if not self._open or not name:
            return
        kind = (said.get("type") or "text").lower()
        if tag == "textarea" or (tag == "input" and kind in ("text", "search", "tel", "email")):
            self.found[-1][2].append(name)
        elif tag == "input" and kind in ("hidden", "password"):
            self.found[-1][1][name] = said.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = False


def pages(app: Flask, here: World) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of everything that can be read, about what is there."""
    yield from MORE
    for rule, _, method, address, whose in cases(app, here):
        if method == "GET" and whose in (OWN, TRASHED) and not rule.endpoint.startswith("preview"):
            yield rule.endpoint, address
            if rule.endpoint in ASKED:
                yield rule.endpoint, address + ASKED[rule.endpoint]
            if rule.endpoint.endswith("record_view") and whose == OWN:
                for tab in ("orders", "files", "history", "rieng"):
                    yield rule.endpoint, f"{address}?tab={tab}"


def main_of(page: str) -> str:
    """What the page is about: not the sidebar, which names the reader on each."""
    found = re.search(r"<main.*</main>", page, re.S)
    return found.group() if found else page


def says(page: str) -> bool:
    """Whether the poisoned text stands there: between elements, or in an attribute."""
    read = Reader(page)
    values = (value or "" for _, attributes in read.tags for value in attributes.values())
    return "onerror" in " ".join((*read.texts, *values))


# Addresses whose answer holds no text that anybody typed.
NOTHING_TYPED = frozenset(
    {
        *("care_mode.index_view", "schedules.index_view", "second_factor.index"),
        *("kind_settings.new_view", "field_settings.check_view", "list_settings.check_view"),
        *("pick_lists.counts_view", "handover.left_view", "jobs.mine_view"),
        "files.field_view",  # names of files that it is asked for (tests/views/test_files.py)
    }
)
NOTHING_ENDS = ("count_view", "menu_view")  # numbers, and the menu of a row, of every list
# The same route about something else.
MORE = (
    ("customers.menu_view", "/customers/menu/columns"),
    ("records.menu_view", "/e/phieu/menu/columns"),
    ("field_settings.field_view", "/settings/fields/customers/so_thich"),
)
# What has to be asked for something before it shows anything.
ASKED = {
    "search.index_view": "?q=onerror",
    "customers.same_phone_view": "?phones=0999888777",
    "customers.index_view": "?mode=kanban&group=relationship",
    "customers_due.index_view": "?due=all&group=owner&mode=group",
    "records.index_view": "?group=owner&mode=group",
    "products.index_view": "?group=carers&mode=group",
    "history.index_view": "?where=content.contains(script)",
}


def test_every_section_of_the_configuration_is_poisoned(
    world: World,
    administrator: Actor,
) -> None:
    filled(world, administrator)
    there = set(world.db["configuration"].distinct("section"))
    elsewhere = {"site", "saved_views", "relationship_rules", "schedules", "pick_lists"}
    assert set(SECTIONS) - there - elsewhere == set(), "add one to ADDED"


def test_no_screen_makes_an_element_of_anything_that_is_stored_or_sent(
    app: Flask,
    world: World,
    administrator: Actor,
) -> None:
    filled(world, administrator)
    assert poison(world) > 40
    client = browser_for("administrator", world, app)
    shown: set[str] = set()
    read: set[str] = set()
    forms: dict[tuple[str, tuple[str, ...]], dict[str, str]] = {}
    for endpoint, address in pages(app, world):
        response = client.get(address)
        assert response.status_code < 500, address
        if response.mimetype != "text/html" or response.status_code != 200:
            continue
        read.add(endpoint)
        check(response.text, address)
        if says(main_of(response.text)):
            shown.add(endpoint)
        for target, values, names in Forms(response.text, address).found:
            if names and target.startswith("/"):
                forms.setdefault((target, tuple(names)), values)
    blank = {one for one in read - shown if not one.endswith(NOTHING_ENDS)} - NOTHING_TYPED
    assert not blank, f"no poisoned text was found on {sorted(blank)}"
    assert len(forms) > 20
    _send_everywhere(client, forms)
    for _, address in pages(app, world):
        response = client.get(address)
        assert response.status_code < 500, address
        if response.mimetype == "text/html":
            check(response.text, address)


def _send_everywhere(
    client: Browser, forms: dict[tuple[str, tuple[str, ...]], dict[str, str]]
) -> None:
    """Fills in every text of every form; most are refused, and shown again with what was typed."""
    token, said = client.token(), 0
    for (target, names), values in forms.items():
        sent = values | dict.fromkeys(names, EVIL) | {"csrf_token": token}
        for headers in ({}, {"HX-Request": "true"}):
            response = client.post(target, data=sent, headers=headers)
            assert response.status_code < 500, target
            if response.mimetype == "text/html":
                check(response.text, target)
                said += says(response.text)
            assert response.headers.get("HX-Trigger", "").isascii()
    assert said > 10
