"""Mail that waits is sent from the outbox, which did not know it yet.

Messages were taken up again by jobs of their own; without an entry in the outbox they would wait
for ever. The index of those jobs has no query any more.
"""

from datetime import UTC, datetime
from typing import Any


def up(db: Any) -> None:
    now = datetime.now(UTC)
    for message in db.mail_messages.find({"state": "waiting"}, {"_id": 1}):
        db.outbox.update_one(
            {"topic": "mail", "key": str(message["_id"])},
            {
                "$setOnInsert": {
                    "payload": {"message_id": message["_id"]},
                    "state": "waiting",
                    "attempts": 0,
                    "next_try_at": now,
                    "version": 1,
                    "created_at": now,
                    "updated_at": now,
                }
            },
            upsert=True,
        )
    if "messages_to_try" in db.mail_messages.index_information():
        db.mail_messages.drop_index("messages_to_try")
