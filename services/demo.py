"""Demonstration data: a small company in the middle of its working day.

Every record follows from its number and the day alone, ids included, so that a load that was
killed half-way is finished by running it again and nothing is there twice.
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bson import Decimal128, ObjectId
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from models import Area, Customer, Interaction, Order, Product, ProductGroup, Site
from models.base import stored_date
from models.care import APPOINTED, APPOINTMENT, ENDED
from models.customer import HISTORY_KEPT
from models.interaction import CARE
from rules.care_dates import CareItem, care_items, first_care, next_care
from rules.scope import SYSTEM
from rules.text import fold, hashtags, search_text
from services import accounts, demo_relationships
from services.care import EMBEDDED_FIELDS
from services.customers import search_fields
from services.demo_processes import write_all
from services.demo_words import (
    AREAS,
    COMPANIES,
    FAMILY,
    GOODS,
    MEN,
    MOBILE,
    PEOPLE,
    SAID,
    STREETS,
    WOMEN,
)
from services.stored_care import (
    open_care_of_order,
    own_care_of,
    stored_first_care,
    stored_items,
    stored_next_care,
)

Stored = dict[str, Any]
DOMAIN = "carebook.example"
# Orders of ten neighbouring customers, in parts of their common number.
SHARES = (1, 1, 2, 2, 3, 3, 4, 6, 8, 10)
CARED_PART = 0.5  # of the orders that became due in the last days; of older ones nearly all


def is_unfinished() -> bool:
    """Whether a load was begun and never ended."""
    return Site.collection().find_one({"key": "site", "demo": "loading"}) is not None


def load(
    *,
    now: datetime,
    zone: ZoneInfo,
    password: str,
    customers: int = 500,
    orders: int = 2000,
    advance: Callable[[int], None] = lambda customers: None,
) -> None:
    """Writes eight staff, the goods, and so many customers and orders around today.

    Args:
        password: of all demonstration accounts.
        advance: called with the number of customers just written.
    """
    _mark("loading")
    scene = _Scene(now, zone, _staff(password), orders / max(customers, 1))
    _write(Area.collection(), scene.areas())
    _write(ProductGroup.collection(), scene.groups())
    _write(Product.collection(), scene.products())
    write_all(scene, customers, advance)
    _mark("done")


def emails() -> list[tuple[str, str]]:
    """(e-mail, role) of the demonstration accounts."""
    return [(f"{name}@{DOMAIN}", role) for name, _, role in PEOPLE]


def _mark(state: str) -> None:
    Site.collection().update_one({"key": "site"}, {"$set": {"demo": state}}, upsert=True)


def _staff(password: str) -> list[tuple[ObjectId, str]]:
    """(id, name) of the care agents and managers, made when they are missing."""
    found = []
    for local, name, role in PEOPLE:
        email = f"{local}@{DOMAIN}"
        staff = accounts.find_staff(email) or accounts.create_staff(
            email, name, [role], SYSTEM, password
        )
        found.append((staff.pk, name))
    return found[1:]


def _write(collection: Collection[Stored], documents: Iterator[Stored] | list[Stored]) -> None:
    """Inserts; what an earlier, killed load has written already stays."""
    try:
        collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        others = [one for one in error.details["writeErrors"] if one["code"] != 11000]
        if others:
            raise


# Areas and groups repeat, and so do prices.
_money = lru_cache(4096)(lambda amount: Decimal128(Decimal(amount)))


@lru_cache(4096)
def _shared_id(kind: str, name: str) -> ObjectId:
    return _id(kind, name)


def _id(kind: str, number: int | str) -> ObjectId:
    return ObjectId(hashlib.sha256(f"carebook demo {kind} {number}".encode()).digest()[:12])


class _Scene:
    """What all records share: the moment, the staff, the goods."""

    def __init__(
        self, now: datetime, zone: ZoneInfo, staff: list[tuple[ObjectId, str]], ratio: float
    ) -> None:
        self.now, self.zone, self.staff, self.ratio = now, zone, staff, ratio
        self.today = now.astimezone(zone).date()
        self.intervals = {f"SP{n:03d}": goods[3] for n, goods in enumerate(GOODS, 1)}
        self.stamp = {"version": 1, "created_at": now, "updated_at": now}

    @cached_property
    def carers_of(self) -> dict[str, list[ObjectId]]:
        """`{product code: its carers}`."""
        return {f"SP{number + 1:03d}": self._carers(number) for number in range(len(GOODS))}

    def _carers(self, product: int) -> list[ObjectId]:
        """The care agents of a product: one, and a second for every third to take turns."""
        agents = [staff_id for staff_id, _ in self.staff[-5:]]
        count = 2 if product % 3 == 0 else 1
        return sorted({agents[(product + n) % len(agents)] for n in range(count)})

    def areas(self) -> Iterator[Stored]:
        for name in AREAS:
            yield {"_id": _id("area", name), "name": name, "search": fold(name)} | self.stamp

    def groups(self) -> Iterator[Stored]:
        paths = {path[: n + 1] for path, *_ in GOODS for n in range(len(path))}
        for path in sorted(paths):
            above = [path[: n + 1] for n in range(len(path) - 1)]
            yield {
                "_id": _id("group", "/".join(path)),
                "name": path[-1],
                "path": list(path),
                "parent_id": _id("group", "/".join(above[-1])) if above else None,
                "ancestor_ids": [_id("group", "/".join(one)) for one in above],
            } | self.stamp

    def products(self) -> Iterator[Stored]:
        for number, (path, name, _, interval, fewest, most) in enumerate(GOODS, 1):
            code = f"SP{number:03d}"
            folded = search_text(name, code)
            yield {
                "_id": _id("product", code),
                "code": code,
                "name": name,
                "search": folded,
                "search_words": list(dict.fromkeys(folded.split())),
                "group_id": _id("group", "/".join(path)),
                "group_ids": _group_ids(path),
                "care_interval_days": interval,
                "care_min": fewest,
                "care_max": most,
                "carers": self._carers(number - 1),
            } | self.stamp

    def write_customers(self, numbers: list[int]) -> None:
        customers, orders, said = [], [], []
        for number in numbers:
            customer = self.customer(number)
            mine = [self.order(customer, n) for n in self._order_numbers(number)]
            entries = [entry for order, past in mine for entry in past]
            entries.sort(key=lambda entry: entry["at"], reverse=True)
            self.finish(customer, [order for order, _ in mine], entries)
            customers.append(customer)
            orders += [order for order, _ in mine]
            said += entries
        # History first: a customer that is there has all that belongs to it.
        _write(Interaction.collection(), said) if said else None
        _write(Order.collection(), orders) if orders else None
        _write(Customer.collection(), customers)

    def _order_numbers(self, customer: int) -> range:
        """Each ten neighbours share ten times the average number of orders, unevenly."""
        block, place = divmod(customer, 10)
        shared = self.ratio * 10
        total = sum(SHARES)
        start = round(shared * (block + sum(SHARES[:place]) / total))
        end = round(shared * (block + sum(SHARES[: place + 1]) / total))
        return range(start, end)

    def customer(self, number: int) -> Stored:
        pick = Random(f"customer {number}")  # noqa: S311 - demonstration data, not a secret
        is_company = pick.random() < 0.12
        gender = pick.choice(("female", "male"))
        given = pick.choice(WOMEN if gender == "female" else MEN)
        name = pick.choice(COMPANIES) if is_company else f"{pick.choice(FAMILY)} {given}"
        phone = f"{pick.choice(MOBILE)}{pick.randrange(10):01d} {pick.randrange(1000):03d} "
        phone += f"{pick.randrange(1000):03d}"
        added = self.now - timedelta(days=pick.randrange(1, 700), minutes=pick.randrange(1440))
        owner = pick.choice(self.staff)
        customer: Stored = {
            "_id": _id("customer", number),
            "code": f"KH-{number + 1:06d}",
            "kind": "company" if is_company else "person",
            "name": name,
            "phones": [phone],
            "emails": [f"khach{number + 1}@example.com"] if pick.random() < 0.4 else [],
            "address": f"{pick.randrange(1, 300)} {pick.choice(STREETS)}",
            "area_id": _shared_id("area", pick.choice(AREAS)),
            "source": pick.choice(("facebook", "zalo", "referral", "walk_in", "marketplace")),
            "channel": pick.choice(("shop", "online", "agent")),
            "groups": [pick.choice(("retail", "retail", "wholesale", "vip"))],
            "preferred_contact": pick.choice(("phone", "zalo", "sms", "email")),
            "tags": [],
            "owner_id": owner[0],
            "carers": [owner[0]],
            "viewers": [],
            "attachments": [],
            "own_care": {"state": "none", "count": 0},
            "custom": {},
            "version": 1,
            "created_at": added,
            "updated_at": added,
        }
        if is_company:
            customer["tax_code"] = f"03{pick.randrange(10**8):08d}"
        else:
            customer["gender"] = gender
            birthday = date(1960, 1, 1) + timedelta(days=pick.randrange(16_000))
            customer["birthday"] = stored_date(birthday)
        return customer | search_fields(customer)

    def order(self, customer: Stored, number: int) -> tuple[Stored, list[Stored]]:
        """The order and what was said about it."""
        pick = Random(f"order {number}")  # noqa: S311
        placed_on = self.today - timedelta(days=int(pick.triangular(0, 120, 18)))
        placed_at = datetime.combine(placed_on, time(8), self.zone)
        placed_at = min(placed_at + timedelta(minutes=pick.randrange(600)), self.now)
        lines = []
        for product in pick.sample(range(len(GOODS)), pick.choice((1, 1, 2, 2, 3, 4))):
            _, name, price, *_ = GOODS[product]
            lines.append((f"SP{product + 1:03d}", name, pick.choice((1, 1, 1, 2, 2, 3)), price))
        items = care_items([(code, quantity) for code, _, quantity, _ in lines], self.intervals)
        order: Stored = {
            "_id": _id("order", number),
            "code": f"DH-{number + 10001}",
            "kind": "sale",
            "customer_id": customer["_id"],
            "area_id": customer["area_id"],
            "placed_at": placed_at,
            "placed_on": stored_date(placed_on),
            "marketplace": pick.choice(("direct", "direct", "shopee", "lazada", "tiktok")),
            "status": "completed" if placed_on < self.today - timedelta(days=4) else "shipping",
            "lines": [
                {
                    "product_code": code,
                    "product_name": name,
                    "quantity": quantity,
                    "unit_price": _money(price),
                }
                for code, name, quantity, price in lines
            ],
            "total": _money(sum(quantity * price for _, _, quantity, price in lines)),
            "care_items": stored_items(items),
            "group_ids": _groups_of(lines),
            "product_carers": sorted(
                {carer for code, *_ in lines for carer in self.carers_of[code]}
            ),
            "customer_carers": customer["carers"],
        } | self.stamp
        past = self._care_of(order, customer, placed_on, items, pick)
        return order, past

    def _care_of(
        self,
        order: Stored,
        customer: Stored,
        placed_on: date,
        items: list[CareItem],
        pick: Random,
    ) -> list[Stored]:
        """Sets the order's care; most orders whose first date has passed were cared for."""
        first = first_care(placed_on, items)
        order["care"] = stored_first_care(first)
        if first is None or first.due_on > self.today - timedelta(days=2):
            return []
        is_old = first.due_on < self.today - timedelta(days=6)
        is_forgotten = first.due_on < self.today - timedelta(days=30)
        if not is_forgotten and pick.random() > (0.99 if is_old else CARED_PART):
            return []
        cared_on, past = first.due_on, []
        for _ in range(pick.choice((1, 1, 2, 3))):
            next_on = cared_on + timedelta(days=pick.choice((3, 5, 7, 10, 14, 21)))
            past.append(self._entry(order, customer, cared_on, next_on, pick))
            if next_on >= self.today:
                break
            cared_on = next_on
        latest = past[-1]
        if local(latest["next_on"]) < self.today - timedelta(days=4):
            latest |= {"next_on": None, "ended": True}
        order["care"] = _cared(latest, len(past))
        return past

    def _entry(
        self, order: Stored, customer: Stored, cared_on: date, next_on: date, pick: Random
    ) -> Stored:
        feedback, content = pick.choice(SAID)
        staff_id, staff_name = pick.choice(self.staff)
        minutes = pick.randrange(540)
        at = datetime.combine(cared_on, time(8), self.zone) + timedelta(minutes=minutes)
        return {
            "_id": _id("said", f"{order['code']} {cared_on}"),
            "kind": CARE,
            "customer_id": customer["_id"],
            "order_id": order["_id"],
            "order_code": order["code"],
            "at": min(at, self.now),
            "staff_id": staff_id,
            "staff_name": staff_name,
            "content": content,
            "feedback": feedback,
            "tags": hashtags(content),
            "next_on": stored_date(next_on),
            "ended": False,
        }

    def finish(self, customer: Stored, orders: list[Stored], said: list[Stored]) -> None:
        """What a customer carries of its orders and history."""
        nearest = next_care(map(open_care_of_order, orders), own_care_of(customer))
        customer["care"] = stored_next_care(nearest)
        carers = {carer for order in orders for carer in order["product_carers"]}
        customer["product_carers"] = sorted(carers)
        customer["seen_by"] = sorted(carers | {customer["owner_id"]})
        for order in orders:
            order["seen_by"] = customer["seen_by"]
            order["owner_id"] = customer["owner_id"]
        customer["history"] = [
            {"interaction_id": one["_id"]} | {name: one.get(name) for name in EMBEDDED_FIELDS}
            for one in said[:HISTORY_KEPT]
        ]
        demo_relationships.settle(
            customer,
            orders,
            said,
            next(one for one in self.staff if one[0] == customer["owner_id"]),
            today=self.today,
            zone=self.zone,
            at=self.now,
        )


def local(stored: datetime) -> date:
    return stored.date()


def _cared(latest: Stored, count: int) -> Stored:
    done = {
        "count": count,
        "last_at": latest["at"],
        "last_feedback": latest["feedback"],
        "staff_id": latest["staff_id"],
    }
    if latest["ended"]:
        return {"state": ENDED, **done}
    basis = {
        "kind": APPOINTMENT,
        "staff_id": latest["staff_id"],
        "staff_name": latest["staff_name"],
        "set_on": stored_date(latest["at"].date()),
    }
    return {"state": APPOINTED, "due_on": latest["next_on"], "basis": basis, **done}


def _group_ids(path: tuple[str, ...]) -> list[ObjectId]:
    return [_shared_id("group", "/".join(path[: n + 1])) for n in range(len(path))]


def _groups_of(lines: list[tuple[str, str, int, int]]) -> list[ObjectId]:
    found: dict[ObjectId, None] = {}
    for code, *_ in lines:
        found |= dict.fromkeys(_group_ids(GOODS[int(code[2:]) - 1][0]))
    return list(found)
