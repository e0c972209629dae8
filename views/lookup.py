"""Options of a reference filter while its name is typed."""

import re
from functools import partial
from typing import Any

from flask import abort, request
from flask_admin import expose
from pymongo.errors import ExecutionTimeout

from models import Area, Customer, ProductGroup, Staff
from rules.errors import N_
from rules.filters import Criteria, SearchFilter, merge
from rules.scope import customer_scope
from rules.text import fold, nfc
from services import references
from services.numbers import codes_meant
from views.base import ScreenView
from views.context import current_actor
from views.customer_search import customer_search
from views.record_forms import SEARCHED

OPTIONS_SHOWN = 20
ACCENTS_WAIT_MS = 400
Row = dict[str, Any]
NAMES_READ = 2000  # areas, groups or staff; more of them need a search of their own


class Lookup(ScreenView):
    """Names with ids for `area`, `group`, `staff` and `customer`; a fragment of buttons."""

    endpoint_name, url_path, icon = "lookup", "/lookup", "search"
    label = N_("Search")

    @expose("/<kind>")
    def options_view(self, kind: str) -> Any:
        search = {
            "area": _areas,
            "group": _groups,
            "staff": _staff,
            "carer": _staff,
            "customer": _customers,
        }
        if kind not in search:
            abort(404)
        words = request.args.get("q", "")[:100]
        return self.render("lists/options.html", key=kind, options=search[kind](words))

    @expose("/reference/<kind>")
    def reference_view(self, kind: str) -> Any:
        """The records that a field may refer to, by their name or number."""
        if kind not in SEARCHED:
            abort(404)
        words = request.args.get("q", "")[:100]
        return self.render("lists/records.html", found=referred(kind, words))

    @expose("/condition/<kind>/<int:number>")
    def condition_view(self, kind: str, number: int) -> Any:
        """Records that a filter may name: buttons that pick one for the condition `number`."""
        short = {"areas": _areas, "product_groups": _groups, "staff": _staff}
        if kind not in short and kind not in SEARCHED:
            abort(404)
        words = nfc(request.args.get("q", ""))[:100]
        found = short[kind](words) if kind in short else referred(kind, words)
        return self.render("filters/options.html", number=number, options=found)

    @expose("/")
    def index_view(self) -> Any:
        abort(404)


def _areas(words: str) -> list[dict[str, Any]]:
    return _named(Area, words)


def _groups(words: str) -> list[dict[str, Any]]:
    return _named(ProductGroup, words)


def _staff(words: str) -> list[dict[str, Any]]:
    return _named(Staff, words)


def _named(document: Any, words: str) -> list[dict[str, Any]]:
    """A short collection (hundreds), filtered here: its names are not folded in the store."""
    wanted = fold(words)
    found = document.collection().find({}, {"name": 1, "path": 1}).limit(NAMES_READ)
    matching = [row for row in found if wanted in fold(row["name"])]
    return sorted(matching, key=lambda row: fold(row["name"]))[:OPTIONS_SHOWN]


def _customers(words: str) -> list[dict[str, Any]]:
    search = customer_search()
    criteria = search.criteria(search.parse(words), None)  # type: ignore[arg-type]
    scoped = merge([criteria, customer_scope(current_actor())])
    found = Customer.collection().find(scoped, {"name": 1, "code": 1})
    return list(
        found.sort("search", 1).limit(OPTIONS_SHOWN) if not criteria else found.limit(OPTIONS_SHOWN)
    )


def referred(kind: str, words: str) -> list[dict[str, Any]]:
    """Records of a large collection that the person may see: {id, name, code}."""
    target = references.TARGETS[kind]
    by_words = SearchFilter("q", "", "search_words", codes=partial(codes_meant, kind))
    search = customer_search() if kind == "customers" else by_words
    criteria = search.criteria(search.parse(words), None)  # type: ignore[arg-type]
    if kind == "orders":  # they have a number and nothing to be called by
        beginning = words.strip()
        either = [
            {"code": {"$regex": f"^{re.escape(one)}"}} for one in (beginning, beginning.upper())
        ]
        either.append({"code": {"$in": codes_meant(kind, words)}})
        criteria = {"$or": either} if beginning else {}
    scoped = merge([criteria, target.scope(current_actor())])
    found = _first(target, scoped)
    if kind != "orders" and _has_accents(words):
        found = _with_accents(target, scoped, words, found)
    return [
        {
            "id": row["_id"],
            "name": target.name(row),
            "code": row["code"] if kind != "orders" else "",
        }
        for row in found
    ]


def _has_accents(words: str) -> bool:
    return " ".join(nfc(words).casefold().split()) != fold(words)


def _with_accents(
    target: references.Target, criteria: Criteria, words: str, found: list[Row]
) -> list[Row]:
    """Records that have the words with the accents as they were typed, then the others (B.4)."""
    typed = [
        {"name": {"$regex": rf"(^|\s){re.escape(word)}", "$options": "i"}} for word in words.split()
    ]
    try:
        exact = _first(target, merge([criteria, {"$and": typed}]), wait_ms=ACCENTS_WAIT_MS)
    except ExecutionTimeout:
        return found  # very many names are alike without accents
    known = {row["_id"] for row in exact}
    return [*exact, *(row for row in found if row["_id"] not in known)][:OPTIONS_SHOWN]


def _first(target: references.Target, criteria: Criteria, wait_ms: int | None = None) -> list[Row]:
    fields = dict.fromkeys((*target.fields, "code"), 1)
    rows = target.document.collection().find(criteria, fields).limit(OPTIONS_SHOWN)
    return list(rows.max_time_ms(wait_ms))
