"""What a background job could not do, as a file for whoever started it (B.11)."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bson import ObjectId

from models import Customer, Order, Product
from rules.errors import N_
from rules.scope import Actor, customer_scope, order_scope
from services.csv_cells import escaped

Stored = Mapping[str, Any]
Say = Callable[[str, Mapping[str, Any]], str]

COLUMNS = (N_("Kind"), N_("Code"), N_("Name"), N_("Reason"), N_("Number of the record"))
KINDS = {
    "customers": N_("Customer"),
    "orders": N_("Order"),
    "products": N_("Product"),
    "staff": N_("Staff"),
}
WHOLE_JOB = N_("The whole job")
BYTE_ORDER_MARK = "\ufeff"  # spreadsheets take the file for UTF-8 only with it


def has_errors(run: Stored) -> bool:
    """Whether there is anything to put into the file."""
    return bool(run.get("set_aside") or run.get("error"))


def error_file(run: Stored, *, by: Actor, say: Say) -> str:
    """A CSV file: why the run failed, if it did, and each record that was set aside with its reason.

    Records that the reader may not see keep their number only. `say(message, params)` puts an
    English gettext id into the reader's language.
    """
    file = io.StringIO(BYTE_ORDER_MARK, newline="")
    file.seek(0, io.SEEK_END)
    writer = csv.writer(file)
    writer.writerow([say(column, {}) for column in COLUMNS])
    if run.get("error"):
        reason = say(run["error"], run.get("error_params") or {})
        writer.writerow([say(WHOLE_JOB, {}), "", "", escaped(reason), ""])
    for row in _rows(run, by, say):
        writer.writerow([escaped(cell) for cell in row])
    return file.getvalue()


def reason_of(one: Stored, say: Say) -> str:
    """Why a record was set aside, in the reader's language as far as it was written for readers."""
    params = one.get("reason_params")
    return str(one.get("reason") or "") if params is None else say(one["reason"], params)


def _rows(run: Stored, by: Actor, say: Say) -> Iterator[list[str]]:
    aside = run.get("set_aside") or []
    known = _labels(aside, by)
    for one in aside:
        code, name = known.get((one["kind"], one["record_id"]), ("", ""))
        kind = say(KINDS[one["kind"]], {}) if one["kind"] in KINDS else one["kind"]
        yield [kind, code, name, reason_of(one, say), str(one["record_id"])]


def _labels(aside: list[Stored], by: Actor) -> dict[tuple[str, ObjectId], tuple[str, str]]:
    """(code, name) of the records that the reader may see, by kind and id."""
    scopes: dict[str, tuple[Any, dict[str, Any]]] = {
        "customers": (Customer, customer_scope(by)),
        "orders": (Order, order_scope(by)),
        "products": (Product, {}),
    }
    found = {}
    for kind, (model, scope) in scopes.items():
        if ids := [one["record_id"] for one in aside if one["kind"] == kind]:
            criteria = {"$and": [{"_id": {"$in": ids}}, scope]}
            for row in model.collection().find(criteria, {"code": 1, "name": 1}):
                label = (str(row.get("code") or ""), str(row.get("name") or ""))
                found[kind, row["_id"]] = label
    return found
