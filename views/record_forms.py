"""The form of a record of any kind: one control per field that the person may fill in."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from flask import request, url_for
from flask_babel import gettext

from rules import conditions, operands
from rules.conditions import Condition, Group
from rules.errors import CareError, InvalidInput
from rules.fields import CHOICE, CHOICES, FILES, FLAG, REFERENCE, REFERENCES, Field, Kind
from rules.numbers import in_language
from rules.three_way import touched
from services import field_values, references
from views import typed_numbers
from views.context import configured, current_actor, locale, sent_version, today
from views.field_cells import label, options
from views.field_files import CARRIED, in_form, take_carried
from views.files import ShownFile
from views.typed_numbers import LANGUAGE, Typed, is_number, sent_language, take

WAS = "was."  # in front of a field's name: what the form showed when it was opened
OFFERED = 500  # areas, staff and groups offered in one list
SEARCHED = ("customers", "products", "orders")  # found by typing; there are too many for a list
WIDE = ("long_text", "choices", "staff_list", "file", "picture")
INPUT_TYPES = {"phone": "tel", "phones": "tel", "email": "email", "emails": "text", "link": "url"}
NUMERIC = ("integer", "money", "decimal", "percent")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that can be chosen; `level` is how deep it stands in a tree."""

    key: str
    label: str
    colour: str = "gray"
    level: int = 0


@dataclass(frozen=True, slots=True)
class Control:
    """One field of a form, ready to be drawn (templates/_partials/fields.html).

    Attributes:
        value: as it is typed; lists with a comma between the values.
        chosen: the keys of `value`, for controls that offer choices.
        was: what the form showed when it was opened.
        error: what is wrong with it; `stored`: what is stored now, when that is something else.
        when: the condition under which it is shown, as JSON for static/js/fields.js, or "".
        language: in which language the number is written that stands in it; "" for other values.
        is_shown: whether it is shown as things stand.
        empty: what no choice is called.
        files: those that stand in the field, or stood there when the form was opened.
        upload_url: takes files for the field; `is_single`: one only.
    """

    key: str
    type: str
    family: str
    label: str
    value: str
    was: str = ""
    help: str = ""
    chosen: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    reference: str = ""
    reference_name: str = ""
    error: CareError | None = None
    stored: str | None = None
    when: str = ""
    language: str = ""
    is_shown: bool = True
    is_required: bool = False
    empty: str = "–"
    max_length: int = 400
    files: Sequence[ShownFile] = ()
    upload_url: str = ""
    is_single: bool = False

    @property
    def is_wide(self) -> bool:
        return self.type in WIDE

    @property
    def input_type(self) -> str:
        return INPUT_TYPES.get(self.type, "text")

    @property
    def is_numeric(self) -> bool:
        return self.type in NUMERIC


@dataclass(frozen=True, slots=True)
class Sent:
    """What a browser sent: `typed` and `shown` by field; `shown` None from a form that is silent.

    Numbers are as services know them; `numbers` has them as they were typed. `refused`: what is
    wrong with files that the form carried, and numbers that cannot be read.
    """

    kind: Kind
    typed: dict[str, str]
    shown: dict[str, str] | None
    version: int
    numbers: Mapping[str, Typed] = dataclasses.field(default_factory=dict)
    refused: Mapping[str, CareError] = dataclasses.field(default_factory=dict)

    def check(self, record: Mapping[str, Any] | None = None) -> None:
        """Raises InvalidInput when something was refused: nothing is saved without it.

        Given the record ({} for a new one), it names what else is wrong, too.
        """
        if self.refused:
            others = {} if record is None else self._other_errors(record)
            raise InvalidInput(fields={**others, **self.refused})

    def _other_errors(self, record: Mapping[str, Any]) -> Mapping[str, CareError]:
        by = current_actor()
        known = field_values.editable(self.kind, by.access)
        typed = {
            key: text
            for key, text in (self.touched if self.shown else self.typed).items()
            if key in known and key not in self.refused
        }
        asked = [key for key in (self.typed if record else known) if key not in self.refused]
        typing = field_values.typing_for(configured(), by, today())
        try:
            field_values.changes(
                self.kind, typed, record, by.access, typing, asked=asked, is_new=not record
            )
        except InvalidInput as error:
            return error.fields
        return {}

    @property
    def touched(self) -> dict[str, str]:
        return touched(self.shown or {}, self.typed)


def sent(kind: Kind, beside: Sequence[str] = ()) -> Sent:
    """The form of this request; everything in it that is not ours is a field, known or not.

    Args:
        beside: names in the form that are none of fields nor to be passed on.
    """
    ours = {"csrf_token", "version", *beside}
    typed = {
        name: _text(kind.fields.get(name), request.form.getlist(name))
        for name in request.form
        if name not in ours and not name.startswith((WAS, CARRIED, LANGUAGE))
    }
    shown = {
        name.removeprefix(WAS): text for name, text in request.form.items() if name.startswith(WAS)
    }
    found = {
        key: take(kind.fields[key], text, shown.get(key))
        for key, text in typed.items()
        if is_number(kind.fields.get(key))
    }
    typed |= {key: one.text for key, one in found.items()}
    shown |= {
        key: in_language(shown[key], sent_language(LANGUAGE + key)) for key in found if key in shown
    }
    refused = dict(take_carried(kind, typed))
    refused |= {key: one.error for key, one in found.items() if one.error}
    return Sent(kind, typed, shown or None, sent_version(), found, refused)


def _text(field: Field | None, texts: Sequence[str]) -> str:
    """Tick boxes come one by one, behind an empty text that stands for none of them."""
    if field and field.family in (CHOICES, REFERENCES, FILES):
        return ", ".join(text for text in texts if text)
    return texts[-1] if texts else ""


def controls(
    kind: Kind,
    typed: Mapping[str, str],
    record: Mapping[str, Any],
    *,
    shown: Mapping[str, str] | None = None,
    errors: Mapping[str, CareError] | None = None,
    is_conflict: bool = False,
    only: Sequence[str] | None = None,
    numbers: Mapping[str, Typed] | None = None,
) -> list[Control]:
    """The controls of a form in the order of the kind's fields.

    Args:
        typed: what stands in the form; a field that is missing shows what is stored.
        numbers: those among them as they were typed (`Sent.numbers`).
        record: as it is stored, {} for a new one.
        only: the keys of the fields to show; None: all that the person may fill in.
    """
    fields = field_values.editable(kind, current_actor().access)
    if only is not None:
        fields = {key: fields[key] for key in only if key in fields}
    stored = field_values.form_values(fields, record)
    names = references.of_rows([record], fields.values(), by=current_actor()) if record else {}
    unread = {key: "" for key, one in (numbers or {}).items() if one.error}
    visible = _Visibility(kind, fields, {**stored, **typed, **unread}, record)
    files = in_form(kind, fields, (typed, stored), record)
    found = []
    for key, field in fields.items():
        value = typed.get(key, stored[key])
        was = (shown or stored).get(key, stored[key])
        as_typed = (numbers or {}).get(key) if key in typed else None
        language = locale() if is_number(field) else ""
        found.append(
            Control(
                key=key,
                type=field.type,
                family=field.family,
                label=label(field, locale()),
                value=as_typed.raw if as_typed else in_language(value, language),
                was=in_language(was, language),
                language=language,
                help=field.help(locale()),
                chosen=tuple(part.strip() for part in value.split(",") if part.strip()),
                choices=_choices(field, value),
                reference=field.refers_to if field.refers_to in SEARCHED else "",
                reference_name=_reference_name(field, value, names),
                error=(errors or {}).get(key),
                stored=_in_words(field, stored[key], names)
                if is_conflict and stored[key] != value
                else None,
                when=visible.when(field),
                is_shown=visible.applies(field),
                is_required=field.is_required,
                empty=_empty(kind, key),
                max_length=field.max_length,
                files=files.get(key, ()),
                upload_url=_upload_url(kind, field),
                is_single=field.maximum.strip() == "1",
            )
        )
    return found


def _upload_url(kind: Kind, field: Field) -> str:
    """Where a script sends files for the field before the form itself."""
    return (
        url_for("files.field_view", kind=kind.key, key=field.key) if field.family == FILES else ""
    )


def _empty(kind: Kind, key: str) -> str:
    """What it means that nothing is chosen."""
    return gettext("by the rules") if (kind.key, key) == ("customers", "relationship") else "–"


def _choices(field: Field, value: str) -> tuple[Choice, ...]:
    """What a control offers; a retired value only where it is chosen already."""
    if field.family in (CHOICE, CHOICES):
        chosen = [part.strip() for part in value.split(",")]
        known = options(field, configured(), locale())
        offered = [
            Choice(key, text, colour, _depth(field, key))
            for key, text, colour, is_retired in known
            if not is_retired or key in chosen
        ]
        unknown = [one for one in chosen if one and one not in {key for key, *_ in known}]
        return (*offered, *(Choice(one, one) for one in unknown))
    if field.family in (REFERENCE, REFERENCES) and field.refers_to not in SEARCHED:
        return _records(field.refers_to or "", value)
    return ()


def _depth(field: Field, key: str) -> int:
    values = configured().pick_lists.get(field.pick_list, {})
    depth, seen = 0, {key}
    one = values.get(key)
    while one is not None and one.parent and one.parent not in seen:
        seen.add(one.parent)
        depth, one = depth + 1, values.get(one.parent)
    return depth


def _records(kind: str, value: str) -> tuple[Choice, ...]:
    target = references.TARGETS.get(kind)
    if target is None:
        return ()
    criteria: dict[str, Any] = {"active": True} if kind == "staff" else {}
    fields = dict.fromkeys(target.fields, 1)
    found = list(target.document.collection().find(criteria, fields).limit(OFFERED))
    missing = [
        ObjectId(part)
        for part in (text.strip() for text in value.split(","))
        if ObjectId.is_valid(part) and not any(str(row["_id"]) == part for row in found)
    ]
    if missing:  # whoever is chosen stays, also when no longer offered
        found += target.document.collection().find({"_id": {"$in": missing}}, fields)
    shown = [Choice(str(row["_id"]), target.name(row)) for row in found]
    return tuple(sorted(shown, key=lambda one: one.label.casefold()))


def _reference_name(field: Field, value: str, names: Mapping[str, Mapping[Any, str]]) -> str:
    if field.refers_to not in SEARCHED or not value:
        return ""
    if not ObjectId.is_valid(value):
        return value
    one = ObjectId(value)
    known = names.get(field.refers_to, {})
    found = known.get(one) or references.names(field.refers_to, [one], by=current_actor()).get(one)
    return found or gettext("a record that you cannot see")


def _in_words(field: Field, text: str, names: Mapping[str, Mapping[Any, str]]) -> str:
    """What is stored, beside what was typed in a conflict."""
    if not text:
        return "–"
    if field.family == FLAG:
        return gettext("Yes") if text == "yes" else gettext("No")
    if is_number(field):
        return typed_numbers.in_words(field, text)
    if field.refers_to in SEARCHED:
        return _reference_name(field, text, names)
    if field.family == FILES:
        known = {str(one): name for one, name in names.get("files", {}).items()}
        return ", ".join(known[one] for one in text.split(", ") if one in known) or "–"
    known = {one.key: one.label for one in _choices(field, text)}
    return ", ".join(known.get(part.strip(), part.strip()) for part in text.split(",")) or text


class _Visibility:
    """Which fields of a form are shown, and what the browser has to know to follow along."""

    def __init__(
        self,
        kind: Kind,
        fields: Mapping[str, Field],
        texts: Mapping[str, str],
        record: Mapping[str, Any],
    ) -> None:
        config, by = configured(), current_actor()
        self._kind, self._fields = kind, fields
        self._typing = field_values.typing_for(config, by, today())
        self._values = field_values.values_of(kind, record)
        for key, field in fields.items():
            self._values[key] = field_values.readable(field, texts.get(key, ""), self._typing)
        self._context = field_values.visibility_context(kind, self._typing)

    def applies(self, field: Field) -> bool:
        return field_values.applies(field, self._kind, self._values, self._typing)

    def when(self, field: Field) -> str:
        """The condition as JSON; what it asks of fields outside of the form is answered here."""
        if not field.visible_when:
            return ""
        tree = field_values.visibility(field, self._kind, self._context)
        return json.dumps(self._plain(tree), ensure_ascii=False) if tree else ""

    def _plain(self, part: Condition | Group) -> Any:
        if isinstance(part, Group):
            return {part.joiner: [self._plain(one) for one in part.parts]}
        if part.field not in self._fields:
            whole = Group("and", (part,))
            return conditions.holds(whole, self._values, self._context)
        values = [self._branch(part.field, value) for value in part.values]
        return {"field": part.field, "operator": part.operator, "values": values}

    def _branch(self, key: str, value: str) -> str | list[str]:
        """A value of a condition, in a list with what stands below it where something does."""
        if value == "me":
            return str(self._context.me)
        below = operands.below(self._fields[key], value, self._context)
        return [value, *below] if below else value
