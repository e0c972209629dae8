"""Shows one masked value to somebody who has a reason; every time is written down."""

from datetime import datetime
from typing import Any

from bson import ObjectId

from rules.errors import NotAllowed, NotFound
from rules.fields import FILES, Field
from rules.permissions import MASKED, REVEAL
from rules.record_paths import value_at
from rules.scope import Actor, scope
from services import audit, configuration
from services.kinds import collection_of


def reveal(
    kind: str, record_id: ObjectId, field_key: str, *, by: Actor, at: datetime
) -> tuple[Field, Any]:
    """The field and its stored value, for an actor who sees it masked.

    Raises:
        NotFound: there is no such record or field, or the actor may not know of it.
        NotAllowed: the actor may not look behind masks, or the field is not masked for it.
    """
    known = configuration.snapshot().kinds.get(kind)
    field = known.fields.get(field_key) if known else None
    if known is None or field is None or field.is_retired or field.family == FILES:
        raise NotFound()
    collection = collection_of(known)
    mine = {"$and": [{"_id": record_id}, dict(known.base), scope(by, kind)]}
    record = collection.find_one(mine)
    if record is None:
        raise NotFound()
    if not by.can(REVEAL) or by.access.level(kind, field_key) != MASKED:
        raise NotAllowed()
    audit.record(
        by=by,
        at=at,
        action="reveal",
        kind=kind,
        record_id=record_id,
        label=str(record.get(known.title) or record.get("code") or ""),
        changes={field.path: (None, None)},
    )
    return field, value_at(record, field.path)
