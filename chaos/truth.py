"""Compares what the database holds with what was acknowledged and with what must always be true."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from chaos.ledger import Ledger
from config import Settings
from services import recompute
from stores import mongo, valkey

Stored = dict[str, Any]
SHOWN = 5  # examples of each problem
ENDED = ("done", "failed", "cancelled")


def problems(database: Any, ledger: Ledger) -> list[str]:
    """What is not as it has to be, in words; empty when all is well."""
    return [
        *_lost_entries(database, ledger),
        *_doubled_entries(database),
        *_entries_in_halves(database),
        *_imports(database, ledger),
        *_jobs(database, ledger),
    ]


def _examples(title: str, values: Any) -> Iterator[str]:
    some = sorted(map(str, values))
    if some:
        yield f"{len(some)} {title}: {', '.join(some[:SHOWN])}"


def _lost_entries(database: Any, ledger: Ledger) -> Iterator[str]:
    wanted = dict(ledger.entries)
    rows = database.interactions.find({"kind": "care"}, {"content": 1, "order_id": 1})
    kept = {row.get("content"): row.get("order_id") for row in rows}
    yield from _examples("acknowledged entries are lost", wanted.keys() - kept.keys())
    elsewhere = [
        content for content in wanted.keys() & kept.keys() if kept[content] != wanted[content]
    ]
    yield from _examples("entries are at another order", elsewhere)


def _doubled_entries(database: Any) -> Iterator[str]:
    ours = {"content": {"$regex": "^chaos "}}
    counted = Counter(row["content"] for row in database.interactions.find(ours, {"content": 1}))
    yield from _examples("entries are there twice", [one for one, n in counted.items() if n > 1])


def _entries_in_halves(database: Any) -> Iterator[str]:
    """An entry, the order's count, the customer's history and the change log belong together."""
    rows = database.interactions.find({"kind": "care", "content": {"$regex": "^chaos "}})
    entries = list(rows)
    ids = list({row["order_id"] for row in entries})
    written = Counter(
        row["order_id"]
        for row in database.interactions.find({"kind": "care", "order_id": {"$in": ids}})
    )
    orders = database.orders.find({"_id": {"$in": ids}}, {"care.count": 1})
    yield from _examples(
        "orders count other entries than there are",
        [row["_id"] for row in orders if row["care"].get("count", 0) != written[row["_id"]]],
    )
    logged = Counter(
        row["record_id"]
        for row in database.audit_entries.find(
            {"action": "care", "kind": "orders"}, {"record_id": 1}
        )
    )
    ours = Counter(row["order_id"] for row in entries)
    yield from _examples(
        "orders have other change log entries than care entries",
        [order_id for order_id in ids if logged[order_id] != ours[order_id]],
    )
    yield from _examples("customers show another history", _other_histories(database, entries))


def _other_histories(database: Any, entries: list[Stored]) -> list[Any]:
    """Customers whose embedded history is not the newest part of the complete one."""
    ids = list({row["customer_id"] for row in entries})
    found = []
    for customer in database.customers.find({"_id": {"$in": ids}}, {"history": 1}):
        shown = {row["interaction_id"] for row in customer.get("history", [])}
        newest = database.interactions.find({"customer_id": customer["_id"]}, {"at": 1})
        times = sorted((row["at"] for row in newest), reverse=True)[: len(shown)]
        at = [row["at"] for row in database.interactions.find({"_id": {"$in": list(shown)}})]
        if sorted(at, reverse=True) != times:
            found.append(customer["_id"])
    return found


def _imports(database: Any, ledger: Ledger) -> Iterator[str]:
    rows = list(database.orders.find({"code": {"$regex": "^CHAOS-"}}, {"code": 1, "lines": 1}))
    kept = {row["code"]: [line["quantity"] for line in row["lines"]] for row in rows}
    wanted = dict(ledger.orders)
    yield from _examples("imported orders are lost", wanted.keys() - kept.keys())
    wrong = [code for code in wanted.keys() & kept.keys() if kept[code] != [wanted[code]] * 2]
    yield from _examples("imported orders have other lines", wrong)
    counted = Counter(row["code"] for row in rows)
    yield from _examples("orders are there twice", [code for code, n in counted.items() if n > 1])


def _jobs(database: Any, ledger: Ledger) -> Iterator[str]:
    runs = list(database.job_runs.find({}, {"state": 1, "error": 1, "name": 1, "slot": 1}))
    yield from _examples("jobs are lost", ledger.runs - {row["_id"] for row in runs})
    under_way = [
        f"{row['name']} {row['_id']} ({row['state']})" for row in runs if row["state"] not in ENDED
    ]
    yield from _examples("jobs have not ended", under_way)
    mute = [row["_id"] for row in runs if row["state"] == "failed" and not row.get("error")]
    yield from _examples("jobs failed without a reason", mute)


def under_way(database: Any) -> int:
    """How many jobs have not ended."""
    count: int = database.job_runs.count_documents({"state": {"$nin": list(ENDED)}})
    return count


def failed(database: Any) -> int:
    """How many jobs have failed, all with a reason unless `problems` says otherwise."""
    count: int = database.job_runs.count_documents({"state": "failed"})
    return count


def retaken(database: Any) -> int:
    """How many jobs were taken up again after their worker had died."""
    count: int = database.job_runs.count_documents({"attempts": {"$gt": 1}})
    return count


def stale_dates(settings: Settings) -> list[str]:
    """Care dates that a recompute would change although nobody works: each a lost follow-up."""
    mongo.connect(settings)
    try:
        changed = recompute.recompute_care()
    finally:
        mongo.disconnect()
        valkey.disconnect()
    wrong = {name: n for name, n in changed.items() if name.endswith("_changed") and n}
    return [f"care dates were stale: {wrong}"] if wrong else []
