"""Shared views as a part of the configuration: its files (B.13) and its revisions."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pymongo.client_session import ClientSession

from models import SavedView as Stored
from rules.saved_views import PRIVATE
from rules.scope import Actor
from services import configuration_changes

Row = dict[str, Any]
SECTION = "saved_views"
# What of a view travels in a file, by its key.
EXPORTED = (
    "screen",
    "name",
    "audience",
    "roles",
    "default_roles",
    "arguments",
    "columns",
    "page_size",
)


def exported(session: ClientSession | None = None) -> dict[str, Row]:
    """{key: content} of every shared view, plain data in a stable order of names."""
    shared = {"audience": {"$ne": PRIVATE}, "is_deleted": False}
    found = Stored.collection().find(shared, session=session).sort("key", 1)
    return {row["key"]: _content(row) for row in found}


def record(
    pairs: Iterable[tuple[Row | None, Row]], by: Actor, at: datetime, session: ClientSession
) -> None:
    """Makes what changed of shared views a revision of the configuration; private ones are none."""
    made = []
    for row, after in pairs:
        sides = [_shared_content(one) for one in (row, after)]
        if sides[0] != sides[1]:
            view = {"section": SECTION, "key": after["key"]}
            made.append({**view, "before": sides[0], "after": sides[1]})
    configuration_changes.record(made, says="", by=by, at=at, session=session)


def _shared_content(row: Row | None) -> Row | None:
    if row is None or row["audience"] == PRIVATE or row["is_deleted"]:
        return None
    return _content(row)


def _content(row: Row) -> Row:
    return {name: row.get(name) for name in EXPORTED}
