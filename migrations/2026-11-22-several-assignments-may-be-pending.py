"""A person may wait for several assignments at once to be taken out of its lists.

One field held the newest of them: the end of its job opened the lists while the one before was
still under way. What waits at this moment becomes the first of the list.
"""

from typing import Any


def up(db: Any) -> None:
    waiting = {"$setUnion": [["$scope_pending"], {"$ifNull": ["$scopes_pending", []]}]}
    db.staff.update_many(
        {"scope_pending": {"$type": "objectId"}}, [{"$set": {"scopes_pending": waiting}}]
    )
    db.staff.update_many({"scope_pending": {"$exists": True}}, {"$unset": {"scope_pending": ""}})
