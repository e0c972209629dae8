"""The tabs of a record page that are no sections of fields: history, orders, files, ...

A panel says for which kinds it is there, how many things are in it, and what its template needs.
Others are added with `register`; layouts (rules/layouts.py) name them by key.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bson import ObjectId
from flask import url_for
from flask_babel import gettext

from rules.errors import N_
from rules.fields import Kind
from rules.kinds import RECORDS
from rules.permissions import SEE
from rules.scope import Actor, may_attach
from services import attachments, audit_reading, records
from views.audit_words import in_words
from views.due_cells import due
from views.files import shown as shown_files

Stored = Mapping[str, Any]
CHANGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """The record of a page: `record` as far as the person may see it."""

    kind: Kind
    record: Stored
    by: Actor

    @property
    def id(self) -> ObjectId:
        found: ObjectId = self.record["_id"]
        return found


def _nothing(_: Subject) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Panel:
    """A tab that the program draws.

    Attributes:
        label: a gettext id, or what the site calls it.
        has: whether a kind has it.
        template: what draws it; it finds what `load` returns, and `subject`.
        count: how many things are in it, beside its name; None: not counted.
        needs: (kind, action) that the person must be allowed.
        is_on: whether it is shown where no layout says anything about it.
    """

    key: str
    label: str
    template: str
    has: Callable[[Kind], bool]
    load: Callable[[Subject], dict[str, Any]] = _nothing
    count: Callable[[Subject], int] | None = None
    needs: tuple[str, str] | None = None
    is_on: bool = False

    def name(self) -> str:
        """What it is called in the reader's language."""
        return str(gettext(self.label))


_PANELS: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    """Adds a panel; called while the program starts."""
    _PANELS[panel.key] = panel


# Make panels that follow from the configuration, each time that they are asked for.
_SOURCES: list[Callable[[Kind], Iterable[Panel]]] = []


def register_source(source: Callable[[Kind], Iterable[Panel]]) -> None:
    """Adds what makes panels of a kind; called while the program starts."""
    _SOURCES.append(source)


def of(kind: Kind, by: Actor | None = None) -> dict[str, Panel]:
    """The panels of a kind, those that this person may open."""
    made = [one for source in _SOURCES for one in source(kind)]
    return {
        one.key: one
        for one in (*_PANELS.values(), *made)
        if one.has(kind) and (by is None or one.needs is None or by.may(*one.needs))
    }


def _is(*kinds: str) -> Callable[[Kind], bool]:
    return lambda kind: kind.key in kinds


def _path(subject: Subject) -> str:
    """Where care entries name the record."""
    if subject.kind.collection == RECORDS:
        return "record_id"
    return "order_id" if subject.kind.key == "orders" else "customer_id"


def _history(subject: Subject) -> dict[str, Any]:
    return {"history": records.history_of(_path(subject), subject.id, by=subject.by)}


def _orders(subject: Subject) -> dict[str, Any]:
    orders = records.orders_of(subject.id, by=subject.by)
    products = records.deciding_products(orders)
    return {"orders": orders, "due_cell": lambda order: due(order["care"], products)}


def _files(subject: Subject) -> dict[str, Any]:
    of_customer = subject.kind.key == "customers"
    found = (attachments.of_customer if of_customer else attachments.of_owner)(subject.id)
    owner = RECORDS if subject.kind.collection == RECORDS else subject.kind.key
    address = url_for("files.add_view", kind=owner, owner_id=subject.id)
    may = may_attach(subject.by, subject.kind.key)
    count_url = url_for("files.count_view", kind=owner, owner_id=subject.id)
    return {
        "files": shown_files(found),
        "files_url": address,
        "count_url": count_url,
        "may_attach": may,
    }


def _count_files(subject: Subject) -> int:
    return attachments.count(subject.kind.key, subject.id)


def _lines(subject: Subject) -> dict[str, Any]:
    return {"lines": subject.record.get("lines") or [], "amount": _amount}


def _amount(line: Stored) -> Decimal | None:
    """What the line costs; None without a price."""
    price = line.get("unit_price")
    found: Decimal | None = price.to_decimal() * line["quantity"] if price is not None else None
    return found


def _changes(subject: Subject) -> dict[str, Any]:
    found = audit_reading.newest_of(subject.kind.key, subject.id, CHANGES_SHOWN)
    return {"entries": in_words(found)}


for _one in (
    Panel(
        "history",
        N_("Exchanges"),
        "records/panels/history.html",
        lambda kind: (
            kind.key in ("customers", "orders") or (kind.collection == RECORDS and kind.has_care)
        ),
        load=_history,
        needs=("entries", SEE),
        is_on=True,
        count=lambda subject: records.count_history_of(_path(subject), subject.id, by=subject.by),
    ),
    Panel(
        "orders",
        N_("Orders"),
        "records/panels/orders.html",
        _is("customers"),
        load=_orders,
        count=lambda subject: records.count_orders_of(subject.id, by=subject.by),
        needs=("orders", SEE),
    ),
    Panel(
        "lines",
        N_("Products"),
        "records/panels/lines.html",
        _is("orders"),
        load=_lines,
        count=lambda subject: len(subject.record.get("lines") or []),
    ),
    Panel(
        "files",
        N_("Documents"),
        "records/panels/files.html",
        lambda kind: kind.key in ("customers", "orders") or kind.collection == RECORDS,
        load=_files,
        count=_count_files,
    ),
    Panel(
        "changes",
        N_("Changes"),
        "records/panels/changes.html",
        lambda kind: kind.key != "entries",
        load=_changes,
    ),
):
    register(_one)
