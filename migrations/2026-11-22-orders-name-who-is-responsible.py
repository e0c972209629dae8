"""Orders name the person responsible for their customer.

A role may reach only the records that a person is responsible for; the list of due orders stays one
indexed query when the person stands on the order.
"""

from typing import Any


def up(db: Any) -> None:
    db.customers.aggregate(
        [
            {"$match": {"owner_id": {"$type": "objectId"}}},
            {"$project": {"owner_id": 1}},
            {
                "$lookup": {
                    "from": "orders",
                    "localField": "_id",
                    "foreignField": "customer_id",
                    "pipeline": [{"$project": {"_id": 1}}],
                    "as": "order",
                }
            },
            {"$unwind": "$order"},
            {"$project": {"_id": "$order._id", "owner_id": 1}},
            {"$merge": {"into": "orders", "on": "_id", "whenNotMatched": "discard"}},
        ],
        allowDiskUse=True,
    )
