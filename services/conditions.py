"""What conditions (rules/conditions.py) need to know here: dates, ids and pick lists as stored."""

from collections.abc import Callable
from datetime import date, tzinfo
from typing import Any

from bson import Decimal128, ObjectId

from models.base import stored_date
from rules.conditions import Context
from rules.fields import Field
from services import trees
from services.configuration import Configuration


def context(
    config: Configuration,
    *,
    today: date,
    zone: tzinfo,
    kind: str = "",
    me: Any = None,
    locale: str = "vi",
    names: Callable[[str, str], str | None] | None = None,
) -> Context:
    """The context of conditions over records as they are stored.

    Args:
        kind: of the records, for computed fields over others that the reader may lack.
        me: the staff id of whoever asks, for the value `me`.
        names: (kind of record, id) -> its name, for sentences; see `Field.refers_to`.
    """

    def label(field: Field, value: str) -> str:
        if field.refers_to:
            return (names(field.refers_to, value) if names else None) or value
        if field.pick_list:
            picked = config.value(field.pick_list, value)
            return picked.label(locale) if picked else value
        return f"#{value.lstrip('#')}" if field.type == "tags" else value

    return Context(
        today,
        zone,
        me=me,
        store_day=stored_date,
        store_number=Decimal128,
        read_id=ObjectId,
        known_values=lambda key: config.pick_lists.get(key, {}).keys(),
        below=trees.below_of(config),
        value_label=label,
        locale=locale,
        fields=config.kinds[kind].fields if kind in config.kinds else None,
    )
