"""Recomputes at a million customers and a million orders, each against a raw update in the same run.

A raw update sets the same fields to the same values, which were kept beside them for it, in one
command of the server. `--size` makes a smaller data set; `--records` measures only so many of its
records. Rates are those of records that change.
"""

import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Any

from bson import ObjectId
from pymongo.database import Database

from app import create_app
from bench import Row, dataset
from config import Settings
from models import Customer, Interaction, Order, Product, Staff
from models.interaction import EVENT, RELATIONSHIP
from rules.care_pipeline import UNCARED, first_care_pipeline
from rules.scope import BY_CUSTOMER, SYSTEM, UNLIMITED
from services import assignments, job_runs, recompute, relationship_bulk, relationships
from services.bulk import ranges
from services.progress import NoProgress, Share
from stores import mongo

Stored = dict[str, Any]
LOADED = 20_000  # customers of the load, which is measured in an empty database
STAFF = 200
ASSIGNED = 50_000
PRODUCT_ORDERS = 10_000
REQUESTS = 30
MEGABYTES = 300


@dataclass(frozen=True, slots=True)
class Part:
    """The neighbouring records that are measured; by the criteria of each collection."""

    size: int
    settings: Settings
    customers: Stored
    orders: Stored
    customer_ids: list[ObjectId]


def measure(size: int, records: int | None = None) -> Iterator[Row]:
    """Rates in records per second, unless the name says otherwise."""
    yield from _loading()
    with dataset.loaded(size) as database:
        part = _part(database, size, records or size)
        yield from _orders(part)
        yield from _customers(part)
        yield from _relationships(part)
        yield from _beside(part)
        yield from _workers(part)
        yield from _one_product(part)
        yield from _assigning(database, part)


def _part(database: Database[Stored], size: int, records: int) -> Part:
    """A part with fewer records than the data set lies at its beginning."""

    def within(collection: str) -> Stored:
        if records >= size:
            return {}
        last = list(database[collection].find({}, {"_id": 1}).sort("_id", 1).skip(records).limit(1))
        return {"_id": {"$lt": last[0]["_id"]}}

    customers = within("customers")
    ids = next(ranges(Customer.collection(), customers, records))
    chosen = dataset.settings(str(size))
    return Part(size, chosen, customers, within("orders"), ids)


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _loading() -> Iterator[Row]:
    """The load against inserting what it made once more, one command for each of its batches."""
    chosen = dataset.settings("load")
    database = dataset.connect(chosen)
    names = ("customers", "orders", "interactions")
    for name in database.list_collection_names():
        database[name].delete_many({})
    dataset.connect(chosen)
    loading = dataset.load(chosen, LOADED)
    made = {name: list(database[name].find()) for name in names}
    for name in names:
        database[name].delete_many({})

    def insert() -> None:
        for name in names:
            for start in range(0, len(made[name]), 500):
                database[name].insert_many(made[name][start : start + 500], ordered=False)

    raw = _seconds(insert)
    database.client.drop_database(database.name)
    yield Row("raw insert of customers, orders and history", f"{LOADED / raw:,.0f} orders/s")
    yield _half("carebook demo", LOADED, loading, raw)


def _half(name: str, number: int, seconds: float, raw: float) -> Row:
    return Row(name, f"{number / seconds:,.0f}/s", "the raw one", raw / seconds, at_least=0.5)


def _unchanged(name: str, number: int, seconds: float, changing: float) -> Row:
    ratio = changing / seconds
    return Row(name, f"{number / seconds:,.0f}/s", "all change", ratio, at_least=4)


def _orders(part: Part) -> Iterator[Row]:
    """First care dates of the orders that nobody has cared for."""
    open_orders = {**part.orders, **UNCARED}
    number = Order.collection().count_documents(open_orders)
    at = datetime.now(UTC)

    def forget() -> None:
        none = {"$set": {"care": {"state": "none", "count": 0}}}
        Order.collection().update_many(open_orders, none)

    def ours() -> None:
        for ids in ranges(Order.collection(), part.orders, recompute.ORDERS_PER_RANGE):
            recompute._recompute_orders({"_id": {"$gte": ids[0], "$lte": ids[-1]}}, at)

    forget()
    raw = _seconds(lambda: Order.collection().update_many(open_orders, first_care_pipeline(at)))
    forget()
    changing = _seconds(ours)
    yield Row("raw: first dates of orders", f"{number / raw:,.0f}/s")
    yield _half("first dates of orders, all change", number, changing, raw)
    yield _unchanged("first dates of orders, nothing changes", number, _seconds(ours), changing)


def _customers(part: Part) -> Iterator[Row]:
    """Next dates of the customers who have one."""
    customers, at = Customer.collection(), datetime.now(UTC)
    dated = {**part.customers, "bench.state": {"$ne": "none"}}
    customers.update_many(part.customers, [{"$set": {"bench": "$care"}}])
    number = customers.count_documents(dated)
    same = {"care": "$bench", "updated_at": at, "version": {"$add": ["$version", 1]}}

    def forget() -> None:
        customers.update_many(part.customers, {"$set": {"care": {"state": "none"}}})

    def ours() -> None:
        for ids in ranges(customers, part.customers, recompute.CUSTOMERS_PER_RANGE):
            recompute._recompute_customers(ids, at, are_all=True)

    forget()
    raw = _seconds(lambda: customers.update_many(dated, [{"$set": same}]))
    forget()
    changing = _seconds(ours)
    unchanged = _seconds(ours)
    customers.update_many(part.customers, {"$unset": {"bench": ""}})
    yield Row("raw: next dates of customers", f"{number / raw:,.0f}/s")
    yield _half("next dates of customers, all change", number, changing, raw)
    yield _unchanged("next dates of customers, nothing changes", number, unchanged, changing)


def _forget_relationships(part: Part) -> None:
    gone = dict.fromkeys(("facts", "last_contact_at", "relationship_chosen"), "")
    other = {"relationship": "bench", "relationship_set": {"by": "rule"}}
    Customer.collection().update_many(part.customers, {"$unset": gone, "$set": other})
    Interaction.collection().delete_many({"event": RELATIONSHIP})


KEPT = ("facts", "last_contact_at", "relationship", "relationship_set")


def _raw_relationships(part: Part) -> None:
    """Facts, status and reason, the entry in the embedded history and the one in the history."""
    at = datetime.now(UTC)
    entry: Stored = {
        "kind": EVENT,
        "event": RELATIONSHIP,
        "at": at,
        "staff_id": None,
        "staff_name": None,
        "details": {
            "before": "$relationship",
            "after": "$bench.relationship",
            "set": "$bench.relationship_set",
        },
    }
    embedded = [{"interaction_id": ObjectId(), **entry}]
    history = {"$concatArrays": [embedded, {"$ifNull": ["$history", []]}]}
    values = {name: f"$bench.{name}" for name in KEPT}
    values |= {"history": {"$slice": [history, 20]}, "updated_at": at}
    values |= {"version": {"$add": ["$version", 1]}}
    Customer.collection().update_many(part.customers, [{"$set": values}])
    entries = [
        {"$match": part.customers},
        {"$project": {"_id": 0, "customer_id": "$_id", **entry}},
        {"$merge": {"into": Interaction.collection().name}},
    ]
    Customer.collection().aggregate(entries)


def _all_relationships(part: Part) -> None:
    at = datetime.now(UTC)
    size = relationships.CUSTOMERS_PER_RANGE
    for start in range(0, len(part.customer_ids), size):
        some = part.customer_ids[start : start + size]
        relationship_bulk.bring_in_line(some, at=at, are_all=True)


def _relationships(part: Part) -> Iterator[Row]:
    customers, number = Customer.collection(), len(part.customer_ids)
    _forget_relationships(part)
    _all_relationships(part)
    kept = {name: f"${name}" for name in KEPT}
    customers.update_many(part.customers, [{"$set": {"bench": kept}}])
    _forget_relationships(part)
    raw = _seconds(lambda: _raw_relationships(part))
    customers.update_many(part.customers, {"$unset": {"bench": ""}})
    _forget_relationships(part)
    changing = _seconds(lambda: _all_relationships(part))
    unchanged = _seconds(lambda: _all_relationships(part))
    yield Row("raw: facts, relationships and their history", f"{number / raw:,.0f}/s")
    yield _half("relationships, all change", number, changing, raw)
    yield _unchanged("relationships, nothing changes", number, unchanged, changing)


def _beside(part: Part) -> Iterator[Row]:
    """The list page while a worker recomputes, and the memory of that worker."""
    client = _administrator(part)
    idle = _page(client)
    _forget_relationships(part)
    busy, peak_mb = _page_beside(client, _recompute_all, part)
    yield Row("orders due, idle", f"{idle * 1000:.1f} ms")
    beside = f"{busy * 1000:.1f} ms"
    yield Row("orders due beside a recompute", beside, "idle", busy / idle, at_most=2)
    memory = peak_mb / MEGABYTES
    yield Row("memory of the worker", f"{peak_mb:,.0f} MB", f"{MEGABYTES} MB", memory, at_most=1)


def _page_beside(client: Any, work: Callable[..., float], *arguments: Any) -> tuple[float, float]:
    """Median seconds of the first page of orders due while a worker works, and what that returns."""
    times = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        working = pool.submit(work, *arguments)
        time.sleep(2)
        while not working.done() and len(times) < 20 * REQUESTS:
            times.append(_seconds(lambda: client.get("/orders/due")))
        return statistics.median(times), working.result()


def _recompute_all(part: Part) -> float:
    mongo.connect(part.settings)
    _all_relationships(part)
    return _peak_mb()


def _peak_mb() -> float:
    """Of this process alone: `ru_maxrss` begins with what the parent had when it was started."""
    with suppress(OSError, StopIteration), open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)


def _administrator(part: Part) -> Any:
    return _logged_in(part, {"roles": "administrator"})


def _logged_in(part: Part, criteria: Stored) -> Any:
    from bench.lists import log_in

    email = Staff.collection().find_one({**criteria, "password": {"$type": "string"}})
    return log_in(create_app(part.settings), email["email"] if email else "", dataset.PASSWORD)


def _page(client: Any) -> float:
    """Median seconds of the first page of orders due."""
    client.get("/orders/due")
    return statistics.median(_seconds(lambda: client.get("/orders/due")) for _ in range(REQUESTS))


def _workers(part: Part) -> Iterator[Row]:
    """The same run by one worker and by two, and what of the machine the database took meanwhile.

    On one machine the database is the limit when no core is left and it has most of them.
    """
    alone, _, _ = _seconds_with(1, part)
    together, database, workers = _seconds_with(2, part)
    is_full = database + workers > 0.85 * (os.cpu_count() or 1)
    limit = "the database" if is_full and database > workers else "the workers"
    cores = f"{database:.1f} cores for MongoDB, {workers:.1f} for the workers"
    name = f"relationships with two workers; {limit} the limit ({cores})"
    promised = None if limit == "the database" else 1.5
    ratio = alone / together
    yield Row(name, f"{part.size / together:,.0f}/s", "one worker", ratio, at_least=promised)


def _seconds_with(number: int, part: Part) -> tuple[float, float, float]:
    """Seconds of a run by so many workers, and the cores that database and workers took."""
    _forget_relationships(part)
    run_id = str(job_runs.create("recompute_relationships", {}, SYSTEM))
    context = multiprocessing.get_context("spawn")
    ready, used = context.Barrier(number + 1), context.SimpleQueue()
    workers = [
        context.Process(target=_work, args=(part.settings, run_id, place, ready, used))
        for place in range(number)
    ]
    for worker in workers:
        worker.start()
    ready.wait()
    database, began = _database_seconds(part), time.perf_counter()
    for worker in workers:
        worker.join()
    seconds = time.perf_counter() - began
    taken = sum(used.get() for _ in workers)
    return seconds, (_database_seconds(part) - database) / seconds, taken / seconds


def _work(settings: Settings, run_id: str, place: int, ready: Any, used: Any) -> None:
    """The first takes the run, the others help as soon as it is held."""
    from jobs import runner

    mongo.connect(settings)
    ready.wait()
    began = time.process_time()
    if place == 0:
        runner.run(run_id)
    else:
        for _ in range(200):
            if job_runs.help_with(ObjectId(run_id), "bench"):
                break
            time.sleep(0.05)
        runner.help_with(run_id)
    used.put(time.process_time() - began)


def _database_seconds(part: Part) -> float:
    """Processor time of the embedded server so far; 0 for a server elsewhere."""
    with suppress(OSError, ValueError):
        pid = (part.settings.data / "mongo" / "server.pid").read_text().strip()
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _one_product(part: Part) -> Iterator[Row]:
    """From the changed interval of a product, which decides the dates of its orders, to the list."""
    code, orders = "BENCH", Order.collection()
    uncared = orders.find({**part.orders, **UNCARED, "customer_id": {"$ne": None}}, {"_id": 1})
    chosen = [row["_id"] for row in uncared.sort("_id", 1).limit(PRODUCT_ORDERS)]
    item = {"code": code, "quantity": 1, "interval_days": 1}
    without = {"_id": {"$in": chosen}, "care_items.code": {"$ne": code}}
    orders.update_many(without, {"$push": {"care_items": item}})
    new = {"name": code, "search": code.lower(), "care_interval_days": 1}
    Product.collection().update_one({"code": code}, {"$setOnInsert": new}, upsert=True)
    recompute.recompute_care(product_codes=[code])
    yield from _changed_interval(code)


class _Steps(NoProgress):
    """Notes when each step of a run was done."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def shares(self, step: str, split: Callable[[], Sequence[Share]]) -> Iterator[Share]:
        yield from super().shares(step, split)
        self.seconds[step] = time.perf_counter() - self.began


def _changed_interval(code: str) -> Iterator[Row]:
    product = Product.collection().find_one({"code": code}) or {}
    other = {"$set": {"care_interval_days": (product.get("care_interval_days") or 0) + 1}}
    Product.collection().update_one({"code": code}, other)
    steps = _Steps()
    number = recompute.recompute_care(product_codes=[code], progress=steps)["orders_checked"]
    orders, customers = steps.seconds["orders"], steps.seconds["customers"]
    promised = orders / 5 * min(1, PRODUCT_ORDERS / max(number, 1))
    name = f"a changed interval in the orders due ({number:,} orders)"
    yield Row(name, f"{orders:.1f} s", "5 s for 10,000 orders", promised, at_most=1)
    yield Row("and in the customers due", f"{customers:.1f} s")


def _assigning(database: Database[Stored], part: Part) -> Iterator[Row]:
    """Assigning customers to one of many colleagues, and what the due list costs that one."""
    _hire(database)
    colleague = Staff.collection().find_one({"email": "bench-0@carebook.example"}) or {}
    chosen = part.customer_ids[: min(ASSIGNED, len(part.customer_ids) // 2)]
    within = {"_id": {"$lte": chosen[-1]}}
    at = datetime.now(UTC)
    raw = _seconds(lambda: _raw_assigning(within, chosen))
    how = {"way": assignments.REPLACE, "by": SYSTEM, "at": at}
    seconds = _seconds(lambda: assignments.assign_customers(within, [colleague["_id"]], **how))
    yield Row("raw: lists of customers and orders", f"{len(chosen) / raw:,.0f}/s")
    yield _half(f"assigning {len(chosen):,} customers", len(chosen), seconds, raw)
    administrator = _administrator(part)
    everything = _page(administrator)
    own = _logged_in(part, {"_id": colleague["_id"]})
    for mode in (BY_CUSTOMER, UNLIMITED):
        database.site.update_one({"key": "site"}, {"$set": {"care_mode": mode}})
        seconds = _page(own)
        name = f"orders due of one of {STAFF} colleagues, {mode}"
        promised = {"at_most": 1.5, "ratio": seconds / everything}
        yield Row(name, f"{seconds * 1000:.1f} ms", "the administrator's", **promised)
    other = Staff.collection().find_one({"email": "bench-1@carebook.example"}) or {}
    busy, _ = _page_beside(administrator, _assign_all, part, within, other["_id"])
    beside = f"{busy * 1000:.1f} ms"
    yield Row("orders due beside an assignment", beside, "idle", busy / everything, at_most=2)


def _assign_all(part: Part, within: Stored, staff_id: ObjectId) -> float:
    mongo.connect(part.settings)
    how = {"way": assignments.REPLACE, "by": SYSTEM, "at": datetime.now(UTC)}
    return _seconds(lambda: assignments.assign_customers(within, [staff_id], **how))


def _hire(database: Database[Stored]) -> None:
    """Colleagues with the password of the first agent."""
    agent = database.staff.find_one(
        {"roles": "care_agent", "email": {"$not": {"$regex": "^bench"}}}
    )
    for number in range(STAFF):
        email = f"bench-{number}@carebook.example"
        new = {**(agent or {}), "email": email, "name": email, "fs_uniquifier": str(ObjectId())}
        new.pop("_id", None)
        database.staff.update_one({"email": email}, {"$setOnInsert": new}, upsert=True)


def _raw_assigning(within: Stored, ids: list[ObjectId]) -> None:
    """The lists of all these customers and of their orders, each in one command."""
    somebody = [ObjectId()]
    lists = {"carers": somebody, "seen_by": somebody}
    Customer.collection().update_many(within, {"$set": lists, "$inc": {"version": 1}})
    of_orders = {"customer_id": {"$gte": ids[0], "$lte": ids[-1]}}
    lists = {"customer_carers": somebody, "seen_by": somebody}
    Order.collection().update_many(of_orders, {"$set": lists})
