"""Ctrl+K: customers, orders, products, other records and screens from one box (B.4)."""

import unicodedata
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Record
from rules.errors import N_
from rules.filters import SearchFilter, merge
from rules.permissions import SEE
from rules.scope import scope
from rules.text import fold, nfc
from views.base import ScreenView
from views.context import current_actor, locale
from views.field_cells import kind_label
from views.lookup import referred
from views.navigation import every_link
from views.site_records import site_kinds

SHOWN = 6  # of each kind
LEAST = 2  # letters before records are looked for
RECORDS = SearchFilter("q", "", "search_words")


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found and where it is."""

    url: str
    title: str
    sub: str
    icon: str


class Search(ScreenView):
    """The answer to what is typed after Ctrl+K."""

    endpoint_name, url_path, icon = "search", "/search", "search"
    label = N_("Search")

    @expose("/")
    def index_view(self) -> str:
        words = nfc(request.args.get("q", ""))[:100]
        groups = [(gettext("Screens"), _screens(words))]
        if len(words) >= LEAST:
            groups += [
                (gettext("Customers"), _records("customers", words, "user")),
                (gettext("Orders"), _records("orders", words, "receipt")),
                (gettext("Products"), _products(words)),
                *_site_records(words),
            ]
        found = [(label, hits) for label, hits in groups if hits]
        return self.render("search/found.html", groups=found, words=words)


def _screens(words: str) -> list[Hit]:
    """The screens of the reader's own sidebar."""
    wanted = fold(words)
    links = every_link()
    return [
        Hit(link.url, link.label, "", link.icon)
        for link in links
        if not wanted or wanted in fold(link.label)
    ][:SHOWN]


def _records(kind: str, words: str, icon: str) -> list[Hit]:
    if not current_actor().may(kind, SEE):
        return []
    rows = accented_first(referred(kind, words), words)[:SHOWN]
    return [
        Hit(url_for(f"{kind}.record_view", record_id=row["id"]), row["name"], row["code"], icon)
        for row in rows
    ]


def _products(words: str) -> list[Hit]:
    if not current_actor().may("products", SEE):
        return []
    rows = accented_first(referred("products", words), words)[:SHOWN]
    return [
        Hit(url_for("products.index_view", q=row["code"]), row["name"], row["code"], "package")
        for row in rows
    ]


def _site_records(words: str) -> list[tuple[str, list[Hit]]]:
    found = []
    for kind in site_kinds():
        criteria = merge(
            [
                {"kind": kind.key},
                RECORDS.criteria(words, None),  # type: ignore[arg-type]
                scope(current_actor(), kind.key),
            ]
        )
        rows = Record.collection().find(criteria, {"title": 1, "code": 1}).limit(SHOWN)
        hits = [
            Hit(
                url_for("records.record_view", slug=kind.key, record_id=row["_id"]),
                row["title"],
                row["code"],
                kind.icon,
            )
            for row in rows
        ]
        found.append((kind_label(kind, locale()), hits))
    return found


def accented_first(rows: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """The rows, those that have the words as they were typed before those that only fold alike."""
    wanted = _lower(words).split()
    return sorted(rows, key=lambda row: not all(one in _lower(row["name"]) for one in wanted))


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
