"""Options of a reference filter while its name is typed."""

import re
from typing import Any

from flask import abort, request
from flask_admin import expose

from models import Area, Customer, ProductGroup, Staff
from rules.errors import N_
from rules.filters import SearchFilter, merge
from rules.scope import customer_scope
from rules.text import fold, nfc
from services import references
from views.base import ScreenView
from views.context import current_actor
from views.customer_search import customer_search
from views.record_forms import SEARCHED

OPTIONS_SHOWN = 20
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
    search = customer_search() if kind == "customers" else SearchFilter("q", "", "search_words")
    criteria = search.criteria(search.parse(words), None)  # type: ignore[arg-type]
    if kind == "orders":  # they have a number and nothing to be called by
        beginning = words.strip()
        either = [
            {"code": {"$regex": f"^{re.escape(one)}"}} for one in (beginning, beginning.upper())
        ]
        criteria = {"$or": either} if beginning else {}
    scoped = merge([criteria, target.scope(current_actor())])
    fields = dict.fromkeys((*target.fields, "code"), 1)
    found = target.document.collection().find(scoped, fields).limit(OPTIONS_SHOWN)
    return [
        {
            "id": row["_id"],
            "name": target.name(row),
            "code": row["code"] if kind != "orders" else "",
        }
        for row in found
    ]
