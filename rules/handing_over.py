"""What a hand-over changes on one record, and what takes it back (S1.1).

A record is a mapping with `owner_id`, `carers` and `viewers` ({staff_id, until, ...} each).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Record = Mapping[str, Any]
Values = dict[str, Any]


def hand_over(record: Record, giver: Any, receiver: Any) -> tuple[Values, Values]:
    """(the values that change, what `take_back` needs to know); both empty when nothing does."""
    values: Values = {}
    was: Values = {}
    if record.get("owner_id") == giver:
        values["owner_id"], was["owner"] = receiver, True
    carers = list(record.get("carers") or ())
    if giver in carers:
        was |= {"carer": True, "carer_joined": receiver in carers}
        values["carers"] = sorted({receiver, *carers} - {giver})
    viewers = list(record.get("viewers") or ())
    mine = _of(viewers, giver)
    if mine is not None:
        theirs = _of(viewers, receiver)
        was |= {"viewer": mine, "viewer_before": theirs}
        merged = {**mine, "staff_id": receiver, "until": _later(mine, theirs)}
        values["viewers"] = [*_without(viewers, giver, receiver), merged]
    return values, was


def take_back(record: Record, was: Record, giver: Any, receiver: Any) -> Values:
    """The values that put the giver back where the receiver still is; what others changed since
    stays as it is."""
    values: Values = {}
    if was.get("owner") and record.get("owner_id") == receiver:
        values["owner_id"] = giver
    carers = list(record.get("carers") or ())
    if was.get("carer") and receiver in carers:
        leaving = set() if was.get("carer_joined") else {receiver}
        values["carers"] = sorted({giver, *carers} - leaving)
    viewers = list(record.get("viewers") or ())
    if was.get("viewer") and _of(viewers, receiver) is not None:
        back = [one for one in (was.get("viewer_before"), was["viewer"]) if one]
        values["viewers"] = [*_without(viewers, giver, receiver), *back]
    return values


def _of(viewers: Sequence[Record], staff_id: Any) -> Record | None:
    return next((one for one in viewers if one["staff_id"] == staff_id), None)


def _without(viewers: Sequence[Record], *staff_ids: Any) -> list[Record]:
    return [one for one in viewers if one["staff_id"] not in staff_ids]


def _later(mine: Record, theirs: Record | None) -> datetime | None:
    """The later end; None is without end."""
    ends = [one.get("until") for one in (mine, theirs) if one is not None]
    return None if None in ends else max(end for end in ends if end is not None)
