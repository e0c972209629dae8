"""What can be deleted, and what belongs to what: the one place that the trash asks.

A kind says where it keeps the ids of the records that it belongs to. Deleting a record takes
everything along that belongs to it, and what belongs to that, as one batch. A kind that is added
here (or by `register`) is deleted, restored and purged like all others.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Attachment, Customer, Interaction, Order, Product, Record
from models.base import CarebookDocument
from rules.errors import N_, InvalidInput
from rules.filters import Criteria
from rules.permissions import DELETE
from rules.scope import (
    NOTHING,
    Actor,
    customer_scope,
    may_purge,
    order_scope,
    product_scope,
    trash_scope,
)
from services import audit, configuration, field_files, job_runs, site_records
from services.attachment_copies import refresh
from services.customers import search_fields
from services.imports.records import searched
from services.scope import hold_pending
from stores import files

Stored = dict[str, Any]
EVERYTHING = "*"  # instead of a kind: belongs to records of any kind


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to the records of one kind: `action` is "delete" or "restore".

    `is_root`: a person did it to them, and not to what they belong to.
    """

    action: str
    is_root: bool
    documents: Sequence[Stored]
    by: Actor
    at: datetime
    session: ClientSession


def _nothing(_: Any, *__: Any) -> list[ObjectId]:
    return []


def _everywhere(_: Actor, __: str) -> Criteria:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record. Its name in KINDS is that of its collection.

    Attributes:
        label: how a person calls the record.
        belongs_to: `{kind of the owner: path of its id}`; EVERYTHING stands for any kind.
        scope: the records with which the actor may do an action.
        has_code: whether `code` is unique among the records of the kind.
        recoded: the fields that follow from a new code, of the document with that code.
        renamed: brings copies of a record's code elsewhere in line, in the transaction.
        after: what else follows in the transaction; returns jobs to put into the queue.
        purged: removes what lies outside of the documents, such as files; may run twice.
    """

    document: type[CarebookDocument]
    label: Callable[[Stored], str]
    belongs_to: Mapping[str, str] = field(default_factory=dict)
    scope: Callable[[Actor, str], Criteria] = _everywhere
    has_code: bool = False
    recoded: Callable[[Stored], Stored] = lambda document: {}
    renamed: Callable[[Stored, ClientSession], object] = _nothing
    after: Callable[[Change], list[ObjectId]] = _nothing
    purged: Callable[[Sequence[Stored]], object] = _nothing

    def owner_ids(self, document: Stored) -> list[ObjectId]:
        """The records that this one belongs to."""
        found = (document.get(path) for path in self.belongs_to.values())
        return [one for one in found if one is not None]


def _order_renamed(order: Stored, session: ClientSession) -> None:
    """The history repeats the number of the order that an entry is about."""
    code = order["code"]
    Interaction.collection().update_many(
        {"order_id": order["_id"]}, {"$set": {"order_code": code}}, session=session
    )
    Customer.collection().update_many(
        {"_id": order.get("customer_id"), "history.order_id": order["_id"]},
        {"$set": {"history.$[same].order_code": code}},
        array_filters=[{"same.order_id": order["_id"]}],
        session=session,
    )


def _record_renamed(record: Stored, session: ClientSession) -> None:
    """The history repeats the number of the record that an entry is about."""
    Interaction.collection().update_many(
        {"record_id": record["_id"]}, {"$set": {"record_code": record["code"]}}, session=session
    )


def _products_changed(change: Change) -> list[ObjectId]:
    """Orders follow: without its product an item needs no care, and its carers lose sight of it.

    Whoever cares for a product that goes sees too little for a moment, never too much.
    """
    codes = [product["code"] for product in change.documents]
    arguments: dict[str, Any] = {"product_codes": codes}
    carers = {one for product in change.documents for one in product.get("carers") or ()}
    runs = [
        job_runs.create("recompute_care", dict(arguments), change.by, session=change.session),
    ]
    if carers:
        if change.action == "delete":
            pending = ObjectId()
            arguments["pending"] = str(pending)
            hold_pending(carers, pending, session=change.session)
        runs.append(
            job_runs.create("recompute_scope", arguments, change.by, session=change.session)
        )
    return runs


def _files_changed(change: Change) -> list[ObjectId]:
    """The lists of their owners follow, and the owners' histories say who did it.

    What goes or comes with its owner is in the owner's lists as it was.
    """
    if change.is_root:
        for one in change.documents:
            if one.get("field"):
                _field_changed(one, change)
                continue
            place = (one["owner_kind"], one["owner_id"], one.get("customer_id"))
            refresh([place], change.session, at=change.at)
            pair = (one["name"], None) if change.action == "delete" else (None, one["name"])
            audit.record(
                by=change.by,
                at=change.at,
                action="attach",
                kind=one["owner_kind"],
                record_id=one["owner_id"],
                label=one["name"],
                changes={"attachments": pair},
                session=change.session,
            )
    else:
        customers = {one["customer_id"] for one in change.documents if one.get("customer_id")}
        places = [("customers", one, one) for one in sorted(customers)]
        refresh(places, change.session, at=change.at, is_held=False)
    return []


def _field_changed(attachment: Stored, change: Change) -> None:
    """A file in a field comes back into it; it is taken out by the form of its record alone."""
    if change.action == "delete":
        raise InvalidInput(
            N_("“%(name)s” stands in a field. Remove it in the form of the record."),
            name=attachment["name"],
        )
    field_files.put_back(attachment, change.by, change.at, change.session)


def _files_purged(attachments: Sequence[Stored]) -> None:
    for one in attachments:
        files.delete(one["file_id"])
        files.delete(one.get("thumbnail_id"))


RECORDS = "records"
KINDS: dict[str, Kind] = {
    "customers": Kind(
        document=Customer,
        label=lambda customer: str(customer.get("name") or customer["code"]),
        scope=customer_scope,
        has_code=True,
        recoded=search_fields,
    ),
    "orders": Kind(
        document=Order,
        label=lambda order: str(order["code"]),
        belongs_to={"customers": "customer_id"},
        scope=order_scope,
        has_code=True,
        renamed=_order_renamed,
    ),
    "interactions": Kind(
        document=Interaction,
        label=lambda entry: str(entry.get("content") or entry["kind"])[:80],
        belongs_to={"customers": "customer_id", "records": "record_id"},
    ),
    "attachments": Kind(
        document=Attachment,
        label=lambda attachment: str(attachment["name"]),
        belongs_to={EVERYTHING: "owner_id"},
        after=_files_changed,
        purged=_files_purged,
    ),
    "records": Kind(
        document=Record,
        label=lambda record: str(record.get("title") or record["code"]),
        belongs_to={"customers": "customer_id"},
        scope=site_records.scope_of_all,
        has_code=True,
        recoded=site_records.search_fields,
        renamed=_record_renamed,
    ),
    "products": Kind(
        document=Product,
        label=lambda product: str(product.get("name") or product["code"]),
        scope=product_scope,
        has_code=True,
        recoded=lambda product: searched(product.get("name") or "", product["code"]),
        after=_products_changed,
    ),
}


def asked_for(entry: Mapping[str, Any]) -> str:
    """The kind that roles name for an entry of the trash: records of a site's kinds have their own."""
    document = entry.get("document") or {}
    return str(document.get("kind") if entry["kind"] == RECORDS and document else entry["kind"])


def may_delete_records(by: Actor) -> bool:
    """Whether there is a kind of the site whose records the actor may delete, all or some."""
    kinds = configuration.snapshot().kinds.values()
    return any(by.may(one.key, DELETE) for one in kinds if one.collection == RECORDS)


def scope_of_trash(by: Actor) -> Criteria:
    """What the actor finds in the trash (rules/scope.py: `trash_scope`), of the site's kinds too."""
    parts = [trash_scope(by, [one for one in KINDS if one != RECORDS])]
    for kind in configuration.snapshot().kinds.values():
        if kind.collection == RECORDS and by.may(kind.key, DELETE):
            whose = {} if may_purge(by, kind.key) else {"staff_id": by.staff_id}
            parts.append({"kind": RECORDS, "document.kind": kind.key, **whose})
    found = [one for one in parts if one != NOTHING]
    return {"$or": found} if found else NOTHING


def register(name: str, kind: Kind) -> None:
    """Adds a kind; `name` is its collection."""
    KINDS[name] = kind


def belonging_to(name: str) -> Iterable[tuple[str, str]]:
    """(kind, path) of everything that belongs to records of this kind."""
    for child, kind in KINDS.items():
        if child == name:
            continue
        for owner, path in kind.belongs_to.items():
            if owner in (name, EVERYTHING):
                yield child, path
