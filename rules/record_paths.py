"""What stands at a dotted path of a record as it is stored (`care.due_on`, `lines.product_code`)."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

Record = Mapping[str, Any]


def single_value(record: Record, path: str) -> Any:
    """The one value at a path, or None; a path through a list leads to many, so to none."""
    found: Any = record
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def value_at(record: Record, path: str) -> Any:
    """The value at a path, or None; where the path leads through a list, those that are there."""
    return reader(path)(record)


@lru_cache(maxsize=4096)
def reader(path: str) -> Callable[[Record], Any]:
    """What reads the value at this path (`value_at`), made once for many records."""
    name, _, rest = path.partition(".")
    if not rest:
        return lambda record: record.get(name)
    inner, is_last = reader(rest), "." not in rest

    def read(record: Record) -> Any:
        found = record.get(name)
        if type(found) is dict:  # as almost always, and asked for each cell of a list
            return found.get(rest) if is_last else inner(found)
        if isinstance(found, list):
            values = (inner(one) for one in found if isinstance(one, Mapping))
            return [value for value in values if value is not None]
        return inner(found) if isinstance(found, Mapping) else None

    return read
