"""When an order or a customer is due for care, and why (S1.4 to S1.8, S1.13, S1.15, B.1).

Dates are local dates of the site. Codes are compared exactly and sorted by code point, which is
also the order of strings in the database, so that both decide a tie alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from rules.errors import N_, CareError, InvalidInput
from rules.text import nfc

# The same words as in `models.care` and `models.order`, which rules may not import; a test
# compares them.
NONE, SUGGESTED, APPOINTED, ENDED = "none", "suggested", "appointed", "ended"
OPEN_STATES = (SUGGESTED, APPOINTED)
INTERVAL, APPOINTMENT = "interval", "appointment"
SALE = "sale"

CONTENT_LENGTH = 10_000  # characters of one care entry
LATE, TODAY, SOON = "late", "today", "soon"


class CareItem(NamedTuple):
    """Net quantity of one product in an order, with the product's interval in days (S1.5)."""

    code: str
    quantity: int
    interval_days: int


@dataclass(frozen=True, slots=True)
class FirstCare:
    """The first care date of an order and the product that decides it.

    `due_on` = `from_on` (the purchase date) + `interval_days` x `quantity`.
    """

    due_on: date
    product_code: str
    interval_days: int
    quantity: int
    from_on: date


@dataclass(frozen=True, slots=True)
class OpenCare:
    """One thing a customer waits for: an open order, or (without order) the own appointment.

    `basis` is carried along unread.
    """

    state: str
    due_on: date | None
    basis: Any = None
    order_id: Any = None
    order_code: str | None = None


@dataclass(frozen=True, slots=True)
class CarePlan:
    """What a care entry does: the cleaned content, the new state and the next date (S1.6)."""

    content: str
    state: str
    next_on: date | None
    feedback: str | None = None


class ContactAdvice(NamedTuple):
    """Suggested contacts of one product: its interval, fewest and most contacts (S1.8)."""

    interval_days: int
    fewest: int | None
    most: int | None


def net_quantities(lines: Iterable[tuple[str, int]]) -> dict[str, int]:
    """`{product code: sum of its quantities}`, codes compared exactly; zero and less included."""
    net: dict[str, int] = {}
    for code, quantity in lines:
        net[code] = net.get(code, 0) + quantity
    return net


def care_items(lines: Iterable[tuple[str, int]], intervals: Mapping[str, int]) -> list[CareItem]:
    """The products that an order really delivers (net quantity > 0), sorted by code.

    Args:
        lines: (product code, quantity) of each line, in any order.
        intervals: `{product code: days}`; a code that is missing needs no care (0).
    """
    net = net_quantities(lines)
    return [
        CareItem(code, net[code], intervals.get(code, 0)) for code in sorted(net) if net[code] > 0
    ]


def first_care(
    placed_on: date, items: Iterable[CareItem], *, kind: str = SALE, has_customer: bool = True
) -> FirstCare | None:
    """The earliest date over the products of an order (S1.5), or None when it needs no care.

    Only a sale with a customer can be due. A product with interval 0 or net quantity <= 0 gives
    no date; a date after 31/12/9999 counts as none. On a tie the code that sorts first decides.
    """
    if kind != SALE or not has_customer:
        return None
    dated = [
        (item.interval_days * item.quantity, item.code, item)
        for item in items
        if item.interval_days > 0 and item.quantity > 0
    ]
    if not dated:
        return None
    days, code, item = min(dated)
    if days > (date.max - placed_on).days:
        return None
    due_on = placed_on + timedelta(days=days)
    return FirstCare(due_on, code, item.interval_days, item.quantity, placed_on)


def next_care(orders: Iterable[OpenCare], own: OpenCare | None = None) -> OpenCare:
    """The nearest date of a customer over its open orders and its own appointment (S1.7, S1.15).

    On the same date an order goes before the own appointment, because its entry form also shows
    what was bought; among orders the code that sorts first. With nothing open the state is
    `ended` when the customer's own care was ended, else `none`: an order that ended says nothing
    about the customer.
    """
    waiting = [one for one in orders if _is_open(one)]
    if own is not None and _is_open(own):
        waiting.append(own)
    if waiting:
        return min(waiting, key=_nearness)
    return OpenCare(ENDED if own is not None and own.state == ENDED else NONE, None)


def _is_open(one: OpenCare) -> bool:
    return one.state in OPEN_STATES and one.due_on is not None


def _nearness(one: OpenCare) -> tuple[date, bool, str]:
    return one.due_on or date.max, one.order_id is None, one.order_code or ""


def suggested_contacts(products: Iterable[ContactAdvice]) -> tuple[int | None, int | None]:
    """(fewest, most) care contacts suggested for an order with these products (S1.8).

    Each suggestion is for an order that contains the product, so the most demanding product
    decides: the largest minimum and the largest maximum over the products that need care. A
    maximum below the minimum is raised to it. None where no product suggests anything.
    """
    needing = [product for product in products if product.interval_days > 0]
    fewest = max((one.fewest for one in needing if one.fewest is not None), default=None)
    most = max((one.most for one in needing if one.most is not None), default=None)
    if fewest is not None and most is not None:
        most = max(most, fewest)
    return fewest, most


def plan(
    content: str,
    next_on: date | None,
    ended: bool,
    today: date,
    *,
    feedback: str | None = None,
    feedback_required: bool = False,
) -> CarePlan:
    """What logging this care entry does (S1.6, S1.18): a date of the person's choice, or the end.

    Raises:
        InvalidInput: with `fields` among `content`, `feedback`, `next_on`.
    """
    content = nfc(content, multiline=True)
    found = {
        "content": _content_error(content),
        "feedback": _feedback_error(feedback, feedback_required),
        "next_on": _next_on_error(next_on, ended, today),
    }
    fields = {field: error for field, error in found.items() if error is not None}
    if fields:
        raise InvalidInput(fields=fields)
    return CarePlan(content, ENDED if ended else APPOINTED, next_on, feedback or None)


def _content_error(content: str) -> CareError | None:
    if not content:
        return InvalidInput(N_("Write what was said or done before saving."))
    if len(content) > CONTENT_LENGTH:
        return InvalidInput(
            N_("The content has %(length)s characters; shorten it to at most %(limit)s."),
            length=len(content),
            limit=CONTENT_LENGTH,
        )
    return None


def _feedback_error(feedback: str | None, required: bool) -> CareError | None:
    if required and not feedback:
        return InvalidInput(N_("Choose the type of feedback; the statistics count it."))
    return None


def _next_on_error(next_on: date | None, ended: bool, today: date) -> CareError | None:
    if next_on is None:
        if ended:
            return None
        return InvalidInput(N_("Choose the next care date, or tick “No more care”."))
    if ended:
        return InvalidInput(
            N_("Either a next care date or “No more care”: clear the date or remove the tick.")
        )
    if next_on < today:
        return InvalidInput(
            N_("The next care date %(next_on)s is in the past: choose today or a later day."),
            next_on=next_on,
        )
    return None
