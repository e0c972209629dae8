"""Customers are found by the words of name and code alone, too.

People who see phones, e-mails or tax codes masked must not find them out by searching. Folding is
not something that the server can do.
"""

from typing import Any

from pymongo import UpdateOne

from rules.text import search_text

AT_ONCE = 2000


def up(db: Any) -> None:
    rows = db.customers.find({"name_words": None}, {"name": 1, "code": 1})
    found = []
    for row in rows:
        words = list(dict.fromkeys(search_text(row.get("name"), row.get("code")).split()))
        found.append(UpdateOne({"_id": row["_id"]}, {"$set": {"name_words": words}}))
        if len(found) == AT_ONCE:
            db.customers.bulk_write(found, ordered=False)
            found = []
    if found:
        db.customers.bulk_write(found, ordered=False)
