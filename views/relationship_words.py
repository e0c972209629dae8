"""Relationship statuses, rules and changes of them in the reader's words (S3.3)."""

from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import gettext

from models.interaction import RELATIONSHIP
from rules.relationship_sentences import explain
from views import formats
from views.context import configured, current_actor, locale


def label(list_key: str, key: str | None) -> str:
    """The label of a pick-list value; the key itself for one that no list knows."""
    value = configured().value(list_key, key)
    return value.label(locale()) if value else "–"


def why(set_by: Mapping[str, Any] | None) -> str:
    """Why a customer has its status, as far as the reader sees the fields that it follows from; ""
    when nobody wrote it down."""
    access = current_actor().access

    def sees(field: str) -> bool:
        return access.sees("customers", field)

    return formats.say(explain(set_by, label=label, sees=sees, language=locale()))


def event_text(entry: Mapping[str, Any]) -> str:
    """An event of the history in words: a changed status with its reason, or a moved date."""
    if entry.get("event") != RELATIONSHIP:
        return gettext("Postponed")
    details = entry.get("details") or {}
    before, after = (label("relationship", details.get(name)) for name in ("before", "after"))
    change = gettext("Relationship: %(before)s → %(after)s", before=before, after=after)
    reason = why(details.get("set"))
    return f"{change}. {reason}" if reason else change


def register(app: Flask) -> None:
    """Makes the words known to templates."""
    app.jinja_env.globals.update(event_text=event_text, why_relationship=why)
