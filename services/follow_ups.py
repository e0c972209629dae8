"""What follows a batch of an import once it is committed, whoever does it.

The import does it itself at once. When it was killed before, the outbox has it done a little later:
customers' facts and relationships, and orders whose product got another interval meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Product
from services import outbox, relationships
from services.outbox import Message
from services.recompute import recompute_care

IMPORTED = "follow_import"
LEFT_TO_THE_IMPORT = timedelta(minutes=2)
CODES_PER_QUERY = 5000


def put(
    session: ClientSession,
    *,
    at: datetime,
    customer_ids: Sequence[ObjectId] = (),
    product_codes: Sequence[str] = (),
    intervals: Mapping[str, int] | None = None,
) -> str:
    """Has it done in a while unless `done(key)` says that it was; returns the key.

    Args:
        customer_ids: whose facts and relationship may be others now.
        product_codes: whose orders may get other dates.
        intervals: `{product code: the interval that was read}`; a product that has another one by
            then is among the former.
    """
    key = str(ObjectId())
    payload = {
        "customer_ids": list(customer_ids),
        "product_codes": list(product_codes),
        "intervals": [list(pair) for pair in (intervals or {}).items()],
    }
    outbox.put(session, IMPORTED, key, payload, at=at, not_before=at + LEFT_TO_THE_IMPORT)
    return key


def done(key: str, at: datetime) -> None:
    """The import has done it itself."""
    outbox.done(IMPORTED, key, at)


def after_import(message: Message) -> None:
    """What the outbox calls; doing it again changes nothing."""
    at = datetime.now(UTC)
    payload: Mapping[str, Any] = message.payload
    relationships.bring_in_line(payload["customer_ids"], at=at)
    codes = set(payload["product_codes"]) | outdated(dict(payload["intervals"]))
    if codes:
        recompute_care(product_codes=sorted(codes), at=at)


def outdated(intervals: Mapping[str, int]) -> set[str]:
    """Those of `{product code: interval}` whose product has another interval now."""
    codes, changed = list(intervals), set[str]()
    for start in range(0, len(codes), CODES_PER_QUERY):
        some = {"code": {"$in": codes[start : start + CODES_PER_QUERY]}}
        changed |= set(_changed(Product.collection().find(some, FIELDS), intervals))
    return changed


FIELDS = {"code": 1, "care_interval_days": 1}


def _changed(products: Iterable[Mapping[str, Any]], intervals: Mapping[str, int]) -> Iterable[str]:
    for product in products:
        if (product.get("care_interval_days") or 0) != intervals[product["code"]]:
            yield product["code"]
