"""What a value was before a change of type is removed at some age, which it did not have yet.

What is there begins to age now.
"""

from datetime import UTC, datetime
from typing import Any


def up(db: Any) -> None:
    without_age = {"custom_before": {"$exists": True}, "custom_before_at": {"$exists": False}}
    now = {"$set": {"custom_before_at": datetime.now(UTC)}}
    for name in ("customers", "orders", "products", "records"):
        db[name].update_many(without_age, now)
