"""Each entry of the trash belongs to a batch that is listed, restored and purged together.

Orders that were deleted before stood alone: each becomes a batch of its own, found by the same
words and codes as new ones. The index of the old list served nothing any more.
"""

from typing import Any

from pymongo import UpdateOne
from pymongo.errors import OperationFailure

from rules.text import fold

INDEX_NOT_FOUND = 27


def up(db: Any) -> None:
    rows = db.trash.find({"batch_id": None}, {"record_label": 1, "document.customer_id": 1})
    found = [UpdateOne({"_id": row["_id"]}, {"$set": _batch(row)}) for row in rows]
    if found:
        db.trash.bulk_write(found, ordered=False)
    try:
        db.trash.drop_index("trash_newest")
    except OperationFailure as error:
        if error.code not in (INDEX_NOT_FOUND, 26):  # neither index nor collection
            raise


def _batch(row: dict[str, Any]) -> dict[str, Any]:
    customer_id = (row.get("document") or {}).get("customer_id")
    label = row.get("record_label") or ""
    return {
        "batch_id": row["_id"],
        "is_root": True,
        "code": label,
        "owner_ids": [customer_id] if customer_id else [],
        "counts": {},
        "search_words": list(dict.fromkeys(fold(label).split())),
    }
