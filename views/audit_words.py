"""Audit entries as people read them: what was done, to what, from which value to which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bson import Decimal128, ObjectId
from flask import Flask
from flask_babel import gettext

from rules.errors import N_
from rules.fields import DAY, FILES, TEXT, Field
from rules.masking import DOTS, masked
from rules.permissions import HIDDEN, MASKED
from services import references
from services.configuration import Configuration
from views import formats, job_words
from views.context import configured, current_actor, locale
from views.field_cells import label

Stored = dict[str, Any]

ACTIONS = {
    "absence": N_("away, with a colleague standing in"),
    "absence ended": N_("absence ended"),
    "activate": N_("activated"),
    "attach": N_("files changed"),
    "assign_add": N_("assigned"),
    "assign_remove": N_("assignment taken back"),
    "assign_replace": N_("assigned to others"),
    "care": N_("care entry written"),
    "configure": N_("settings changed"),
    "create": N_("created"),
    "deactivate": N_("deactivated"),
    "delete": N_("deleted"),
    "end sessions": N_("logged out of browsers"),
    "export": N_("exported"),
    "forgot password": N_("asked for a new password"),
    "hand over": N_("work handed over"),
    "hand over undone": N_("hand-over taken back"),
    "import": N_("imported"),
    "lock": N_("locked after wrong logins"),
    "login": N_("logged in"),
    "login failed": N_("wrong login"),
    "new link": N_("new one-time link"),
    "new recovery codes": N_("new recovery codes"),
    "postpone": N_("postponed"),
    "purge": N_("deleted for good"),
    "restore": N_("restored from the trash"),
    "preview": N_("viewed as a role"),
    "preview ended": N_("stopped viewing as a role"),
    "reveal": N_("hidden value shown"),
    "revoke": N_("revoked"),
    "second factor off": N_("second factor switched off"),
    "second factor on": N_("second factor switched on"),
    "second factor reset": N_("second factor reset"),
    "set password": N_("password set"),
    "try again": N_("tried again"),
    "give up": N_("taken off the list"),
    "unlock": N_("unlocked"),
    "update": N_("changed"),
    "viewers": N_("viewers changed"),
}
KINDS = {
    "customers": N_("Customer"),
    "orders": N_("Order"),
    "products": N_("Product"),
    "staff": N_("Staff"),
    "api_tokens": N_("API key"),
    "settings": N_("Settings"),
    "site": N_("Settings"),
    "import": N_("Import"),
    "audit": N_("Change log"),
    "relationship_setup": N_("Relationship rules"),
    "schedules": N_("Schedule"),
    "roles": N_("Role"),
    "outbox": N_("Follow-up of a change"),
    "interactions": N_("Entry"),
    "attachments": N_("File"),
    "saved_views": N_("Saved view"),
}
FIELDS = {
    "active": N_("Login active"),
    "at_time": N_("Time"),
    "every_minutes": N_("Every so many minutes"),
    "until_time": N_("End time"),
    "attachments": N_("Files"),
    "audit_days": N_("Days the change log is kept"),
    "care.due_on": N_("Next care"),
    "care_interval_days": N_("Care interval"),
    "care_max": N_("Contacts at most"),
    "care_min": N_("Contacts at least"),
    "care_mode": N_("Care mode"),
    "carers": N_("Carers"),
    "code": N_("Code"),
    "deleted": N_("Removed entries"),
    "expires_at": N_("Valid until"),
    "fields": N_("Columns"),
    "filters": N_("Filters"),
    "from_on": N_("First day"),
    "interactions": N_("Entries"),
    "is_paused": N_("Paused"),
    "kind": N_("Kind"),
    "weekdays": N_("Weekdays"),
    "login": N_("Login"),
    "must_change_password": N_("Must choose a new password"),
    "name": N_("Name"),
    "note": N_("Note"),
    "orders": N_("Orders"),
    "receiver": N_("Handed to"),
    "roles": N_("Role"),
    "scopes": N_("May be used to"),
    "second_factor_roles": N_("Roles that need a second factor"),
    "sessions": N_("Browsers logged in"),
    "stand_in": N_("Stand-in"),
    "trash_days": N_("Days the trash is kept"),
    "until_on": N_("Last day"),
    "viewers": N_("Viewers"),
}
PICKED = ("relationship", "source", "channel", "preferred_contact")
WORDS = {
    "female": N_("female"),
    "male": N_("male"),
    "other": N_("other"),
    "password": N_("password"),
    "link": N_("one-time link"),
    "password + code": N_("password and code"),
    "sign-in service": N_("sign-in service"),
    "sign-in service + code": N_("sign-in service and code"),
    "link + code": N_("one-time link and code"),
    "personal": N_("personal"),
    "service": N_("program"),
    "read": N_("Read records"),
    "write": N_("Change records"),
    "export": N_("Export lists"),
    "by_product": N_("By product"),
    "by_customer": N_("By customer"),
    "unlimited": N_("Unlimited"),
}
# Labels of records that have no name of their own.
LABELS = {
    "access": N_("Security"),
    "care_mode": N_("Care mode"),
    "relationships": N_("Relationship rules"),
}
SHOWN_LENGTH = 300


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A field in words; `field` is its key."""

    field: str
    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """An entry in words."""

    id: str
    at: datetime
    who: str
    address: str
    action: str
    kind: str
    label: str
    changes: tuple[ShownChange, ...]

    @property
    def summary(self) -> str:
        """The changes in one line, cut after three."""
        parts = [f"{one.label}: {one.old} → {one.new}" for one in self.changes[:3]]
        more = len(self.changes) - len(parts)
        if more:
            parts.append(gettext("and %(num)s more", num=more))
        return "; ".join(parts)


def in_words(entries: Iterable[Stored]) -> list[ShownEntry]:
    """The entries in the reader's language; one query for each kind of record they refer to."""
    entries = list(entries)
    names = _names(entries)
    return [_shown(entry, names, configured()) for entry in entries]


def pair_in_words(kind: str, pairs: Mapping[str, tuple[Any, Any]]) -> list[ShownChange]:
    """Two values of each field side by side, whole: {place: (one, other)}."""
    changes = [{"field": path, "old": old, "new": new} for path, (old, new) in pairs.items()]
    names, config = _names([{"changes": changes}]), configured()
    words = _Words(names, config, fields_by_path(kind, config))
    return [
        ShownChange(
            field=one["field"],
            label=_field_text(one["field"], kind, config),
            old=_value_text(one["field"], one["old"], words),
            new=_value_text(one["field"], one["new"], words),
        )
        for one in changes
    ]


def register(app: Flask) -> None:
    """Makes the entries readable for templates."""
    app.jinja_env.filters["audit_words"] = in_words


def action_text(action: str) -> str:
    """What was done, in the reader's language."""
    return str(gettext(ACTIONS[action])) if action in ACTIONS else action


def kind_text(kind: str) -> str:
    """What kind of record it is, in the reader's language."""
    return str(gettext(KINDS[kind])) if kind in KINDS else kind


def _shown(entry: Stored, names: Mapping[ObjectId, str], config: Configuration) -> ShownEntry:
    words = _Words(names, config, fields_by_path(entry["kind"], config))
    changes = tuple(
        ShownChange(
            field=change["field"],
            label=_field_text(change["field"], entry["kind"], config),
            old=_cut(_value_text(change["field"], change.get("old"), words)),
            new=_cut(_value_text(change["field"], change.get("new"), words)),
        )
        for change in _seen(entry)
    )
    return ShownEntry(
        id=str(entry["_id"]),
        at=entry["at"],
        who=entry.get("staff_name") or "–",
        address=entry.get("address") or "",
        action=action_text(entry["action"]),
        kind=kind_text(entry["kind"]),
        label=_label_text(entry),
        changes=changes,
    )


def _seen(entry: Stored) -> Iterable[Stored]:
    """The changes of the entry that the reader may see, masked where the field is so for them."""
    changes = entry.get("changes") or []
    kind = configured().kinds.get(entry["kind"])
    if kind is None or not current_actor().is_limited(kind.key):
        return changes
    fields = {one.path: one for one in kind.fields.values()}
    found = (_as_seen(change, kind.key, fields.get(change["field"])) for change in changes)
    return [change for change in found if change is not None]


def _as_seen(change: Stored, kind: str, field: Field | None) -> Stored | None:
    if field is None:
        return change
    level = current_actor().access.level(kind, field.key)
    if level == HIDDEN or (level == MASKED and field.family == FILES):
        return None
    if level != MASKED:
        return change
    both = {name: _mask(field, change.get(name)) for name in ("old", "new")}
    return change | both


def _mask(field: Field, value: Any) -> Any:
    if value in (None, "", []):
        return value
    return masked(field, value) if field.family == TEXT else DOTS


def _label_text(entry: Stored) -> str:
    label = entry.get("record_label") or ""
    if entry["kind"] == "roles":
        return formats.role_name(label)
    if entry["kind"] == "schedules":
        return job_words.label({"name": label})
    is_ours = entry["kind"] in ("settings", "site", "relationship_setup")
    return str(gettext(LABELS[label])) if is_ours and label in LABELS else label


def fields_by_path(kind: str, config: Configuration) -> dict[str, Field]:
    """{place in the record: field} of a kind; empty for what is no kind of record."""
    fields = config.kinds[kind].fields.values() if kind in config.kinds else ()
    return {one.path: one for one in fields}


def _field_text(path: str, kind: str, config: Configuration) -> str:
    """What the field at this path is called; fields of the site have their own names."""
    known = fields_by_path(kind, config).get(path)
    if known:
        return label(known, locale())
    return str(gettext(FIELDS[path])) if path in FIELDS else path


@dataclass(frozen=True, slots=True)
class _Words:
    """What turns stored values into words: names of records, pick lists, fields by their place."""

    names: Mapping[ObjectId, str]
    config: Configuration
    fields: Mapping[str, Field]


def _value_text(field: str, value: Any, words: _Words) -> str:
    """A stored value as it would be shown in a form."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if isinstance(value, datetime):
        return (
            formats.format_date(value) if _is_day(field, words) else formats.format_datetime(value)
        )
    if isinstance(value, ObjectId):
        return words.names.get(value, f"…{str(value)[-6:]}")
    if isinstance(value, int | float | Decimal | Decimal128):
        return formats.format_number(value)
    if isinstance(value, list | tuple):
        return ", ".join(_value_text(field, one, words) for one in value)
    if isinstance(value, Mapping) and "file" in value:
        return str(value.get("name") or "?")
    if isinstance(value, Mapping):
        parts = (f"{key}: {_value_text(key, one, words)}" for key, one in value.items())
        return ", ".join(parts)
    return _word(field, str(value), words)


def _is_day(field: str, words: _Words) -> bool:
    known = words.fields.get(field)
    return field.endswith("_on") or (known is not None and known.family == DAY)


def _word(field: str, text: str, words: _Words) -> str:
    known = words.fields.get(field)
    fixed = {one.key: one.label for one in known.choices} if known else {}
    if text in fixed:
        return str(gettext(fixed[text]))
    pick_list = known.pick_list if known else field if field in PICKED else ""
    if pick_list:
        picked = words.config.value(pick_list, text)
        return picked.label(locale()) if picked else text
    if field in ("roles", "second_factor_roles"):
        return formats.role_name(text)
    is_word = field in ("gender", "login", "kind", "scopes", "care_mode") and text in WORDS
    return str(gettext(WORDS[text])) if is_word else text


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


def _names(entries: Iterable[Stored]) -> dict[ObjectId, str]:
    ids = {
        one
        for entry in entries
        for change in entry.get("changes") or []
        for value in (change.get("old"), change.get("new"))
        for one in _ids_in(value)
    }
    by = current_actor()
    return {
        row_id: name
        for kind in ("staff", "areas", "customers")
        for row_id, name in references.names(kind, ids, by=by).items()
    }


def _ids_in(value: Any) -> Iterable[ObjectId]:
    if isinstance(value, ObjectId):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _ids_in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _ids_in(one)
