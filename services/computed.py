"""Values of computed fields, which are nowhere stored: worked out from the record when it is read."""

from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from typing import Any

from rules.expressions import names, with_computed
from rules.fields import Field, Kind
from services import field_values


def needed(field: Field, kind: Kind) -> dict[str, Field]:
    """The fields that its expression names, and those that computed ones among them name."""
    found = {field.key: field}
    waiting = [field]
    while waiting:
        for name in names(waiting.pop().expression):
            one = kind.fields.get(name)
            if one is not None and name not in found:
                found[name] = one
                if one.type == "computed":
                    waiting.append(one)
    return found


def paths_of(field: Field, kind: Kind) -> list[str]:
    """Where a stored record has the field, or what it is computed from."""
    if field.type != "computed":
        return [field.path]
    return [one.path for one in needed(field, kind).values() if one.type != "computed"]


def reader(
    field: Field, kind: Kind, *, today: date, zone: tzinfo
) -> Callable[[Mapping[str, Any]], Any]:
    """What gives the field's value for a stored record: a Decimal, str, date, bool, or None."""
    fields = needed(field, kind)
    stored = [one for one in fields.values() if one.type != "computed"]

    def read(record: Mapping[str, Any]) -> Any:
        values = {one.key: field_values.value_of(one, record) for one in stored}
        return with_computed(values, fields, today, zone)[field.key]

    return read
