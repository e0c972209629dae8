"""Staff are listed and found by folded words of name and address.

Logins that were made before have no such words and would be missing from the search. There are
hundreds of them at most, and folding is not something that the server can do.
"""

from typing import Any

from pymongo import UpdateOne

from services.accounts import search_fields


def up(db: Any) -> None:
    rows = db.staff.find({"search": None}, {"name": 1, "email": 1})
    found = [
        UpdateOne({"_id": row["_id"]}, {"$set": search_fields(row["name"], row["email"])})
        for row in rows
    ]
    if found:
        db.staff.bulk_write(found, ordered=False)
