"""[Thiết lập] > [Trường]: the fields of each kind (issue: every screen is shaped without code)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import conditions as rules
from rules import expressions
from rules.errors import N_, CareError, InvalidInput, StaleForm
from rules.field_definitions import FREQUENT, LIMITED, PATTERNED, UNIQUE, may_be_retired
from rules.fields import BUILT_IN, CHOICE, CHOICES, FILES, NUMBER, TYPES, Field, Kind
from rules.permissions import CONFIGURE
from rules.sentences import Sentence
from services import (
    conditions,
    field_indexes,
    field_settings,
    field_values,
    pick_lists,
    records,
)
from services.field_settings import TypeChanges
from services.kinds import kind_of
from stores import mongo
from views import formats
from views.base import ScreenView
from views.context import (
    configured,
    current_actor,
    is_htmx,
    kind_at,
    locale,
    now,
    sent_version,
    today,
)
from views.field_cells import kind_label, label
from views.typed_numbers import LANGUAGE, here, plain, shown_number

TYPES_WITH = {
    "pick_list": [key for key, one in TYPES.items() if one.family in (CHOICE, CHOICES)],
    "limits": sorted(LIMITED),
    "pattern": sorted(PATTERNED),
    "unique": sorted(UNIQUE),
    "often": sorted(FREQUENT),
    "expression": ["computed"],
    "default": [key for key, one in TYPES.items() if key != "computed" and one.family != FILES],
    "required": [key for key in TYPES if key != "computed"],
}


@dataclass(frozen=True, slots=True)
class Row:
    """A field in the list of its kind."""

    field: Field
    label: str
    type: str
    marks: Sequence[str]
    problem: str
    may_retire: bool


class FieldSettings(ScreenView):
    """Add, name, describe, order and retire fields; nothing needs a restart."""

    endpoint_name, url_path, icon = "field_settings", "/settings/fields", "forms"
    label = N_("Fields")
    needs = CONFIGURE

    @expose("/")
    def index_view(self) -> Any:
        return redirect(url_for(".kind_view", kind="customers"))

    @expose("/<kind>")
    def kind_view(self, kind: str) -> Any:
        """The fields of a kind in their order, retired ones below."""
        found = kind_at(kind)
        rows = [_row(one) for one in found.fields.values()]
        return self.render(
            "settings/fields.html",
            kind=found,
            kinds=_kinds(),
            rows=[one for one in rows if not one.field.is_retired],
            retired=[one for one in rows if one.field.is_retired],
            frequent=len(field_indexes.frequent(found)),
            frequent_limit=field_indexes.FREQUENT_LIMIT,
        )

    @expose("/<kind>/order", methods=("POST",))
    def order_view(self, kind: str) -> Any:
        """The whole order from the page; `do` moves one field up or down first."""
        keys = request.form.getlist("keys")
        direction, _, key = request.form.get("do", "").partition(":")
        if key in keys:
            at = keys.index(key)
            to = max(0, min(len(keys) - 1, at + (-1 if direction == "up" else 1)))
            keys.insert(to, keys.pop(at))
        field_settings.arrange(kind, keys, by=current_actor(), at=now())
        if is_htmx():
            return "", 204
        return redirect(url_for(".kind_view", kind=kind, _anchor=key or None), code=303)

    @expose("/<kind>/new", methods=("GET", "POST"))
    def new_view(self, kind: str) -> Any:
        found = kind_at(kind)
        if request.method == "GET":
            return self._form(found, None, {"type": request.args.get("type", "text")}, version=0)
        typed = _typed()
        try:
            key, run_id = field_settings.add(kind, _plain(typed, {}), by=current_actor(), at=now())
        except InvalidInput as error:
            page = self._form(found, None, typed, version=0, problem=error, errors=error.fields)
            return make_response(page, 422)
        return self._saved(kind, key, run_id)

    @expose("/<kind>/<key>", methods=("GET", "POST"))
    def field_view(self, kind: str, key: str) -> Any:
        found = kind_at(kind)
        field = found.fields.get(key)
        if field is None:
            abort(404)
        content, version = field_settings.stored(kind, key)
        if request.method == "GET":
            return self._form(found, field, _texts(field, content), version=version)
        typed = _typed()
        sent = request.form.get("version", "")
        state: dict[str, Any] = {"version": version}
        try:
            run_id = field_settings.change(
                kind,
                key,
                _plain(typed, content),
                version=sent_version(),
                by=current_actor(),
                at=now(),
                is_confirmed=request.form.get("do") == "convert",
            )
        except TypeChanges as error:
            state |= {"problem": error, "loss": error.loss}
        except StaleForm as error:
            state |= {"problem": error}
        except InvalidInput as error:
            state |= {"problem": error, "errors": error.fields, "version": sent}
        else:
            return self._saved(kind, key, run_id)
        return make_response(self._form(found, field, typed, **state), state["problem"].status)

    @expose("/<kind>/<key>/retire", methods=("POST",))
    def retire_view(self, kind: str, key: str) -> Any:
        is_retired = request.form.get("do") != "bring_back"
        before = {one.key for one in kind_at(kind).fields.values() if one.is_usable}
        field_settings.retire(kind, key, is_retired=is_retired, by=current_actor(), at=now())
        text = gettext("The field is retired. Its values stay.")
        flash(text if is_retired else gettext("The field is back."), "success")
        after = kind_of(kind).fields.values()
        broken = [label(one, locale()) for one in after if one.problem and one.key in before]
        if broken:
            says = gettext(
                "These fields name it and do not work now: %(names)s", names=", ".join(broken)
            )
            flash(says, "error")
        return redirect(url_for(".kind_view", kind=kind), code=303)

    @expose("/<kind>/check")
    def check_view(self, kind: str) -> Any:
        """What a condition or an expression means, while it is typed."""
        found = kind_at(kind)
        key = request.args.get("key", "")
        others = {name: one for name, one in found.fields.items() if one.is_usable and name != key}
        if "expression" in request.args:
            says, problem = _computed(request.args["expression"][:2000], found, others)
        else:
            says, problem = _condition(request.args.get("visible_when", "")[:2000], others)
        return self.render("settings/_field_check.html", says=says, problem=problem)

    def _saved(self, kind: str, key: str, run_id: Any) -> Any:
        if run_id:
            flash(gettext("Saved. What follows from it is done in the background."), "success")
            return redirect(url_for("jobs.run_view", run_id=run_id), code=303)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".kind_view", kind=kind, _anchor=key), code=303)

    def _form(self, kind: Kind, field: Field | None, typed: Mapping[str, str], **state: Any) -> str:
        context = {"problem": None, "errors": {}, "loss": None} | state
        key = field.key if field else ""
        others = [one for one in kind.fields.values() if one.is_usable and one.key != key]
        return self.render(
            "settings/field.html",
            kind=kind,
            field=field,
            is_built_in=field is not None and field.source == BUILT_IN,
            may_retire=field is not None and may_be_retired(field),
            typed=typed,
            types=[(one, TYPES[one].label) for one in field_settings.types_offered()],
            types_with=TYPES_WITH,
            lists=sorted((_list_label(one), one) for one in configured().pick_lists),
            new_list=pick_lists.NEW,
            others=[(one.key, label(one, locale()), one) for one in others],
            filled=field_settings.filled(kind, field) if field else 0,
            numbers_in=locale(),
            **context,
        )


def _typed() -> dict[str, str]:
    found = {
        name: text
        for name, text in request.form.items()
        if name not in ("csrf_token", "do", LANGUAGE)
    }
    numeric = _numeric(found.get("type", ""))
    return found | {name: here(found[name]) for name in numeric if name in found}


def _plain(typed: Mapping[str, str], content: Mapping[str, Any]) -> dict[str, str]:
    """What was typed, its numbers as definitions keep them: what was left alone as it is stored.

    Raises InvalidInput with `fields`.
    """
    found, errors, language = dict(typed), {}, locale()
    type_key = typed.get("type", "")
    for name in _numeric(type_key):
        if name not in typed:
            continue
        kept = str(content.get(name) or "")
        if kept and typed[name].strip() == shown_number(type_key, kept, language):
            found[name] = kept
            continue
        try:
            found[name] = plain(type_key, typed[name], language)
        except InvalidInput as error:
            errors[name] = error
    if errors:
        raise InvalidInput(fields=errors)
    return found


def _numeric(type_key: str) -> tuple[str, ...]:
    """The options of a definition that are numbers as records have them."""
    is_number = type_key in TYPES and TYPES[type_key].family == NUMBER and type_key != "computed"
    return ("default", "minimum", "maximum") if is_number else ()


def _texts(field: Field, content: Mapping[str, Any]) -> dict[str, str]:
    """The definition as its form shows it."""
    texts = {
        name: "1" if value is True else str(value or "")
        for name, value in content.items()
        if not isinstance(value, Mapping | list)
    }
    known = {"type": field.type, "is_required": "1" if field.is_required else ""}
    shown = {
        name: shown_number(field.type, texts[name], locale())
        for name in _numeric(field.type)
        if texts.get(name)
    }
    return {**known, **texts, **shown}


def _kinds() -> list[tuple[str, str]]:
    return [
        (key, kind_label(one, locale()))
        for key, one in configured().kinds.items()
        if not one.is_retired
    ]


def _row(field: Field) -> Row:
    marks = []
    if field.is_required:
        marks.append(gettext("required"))
    if field.is_unique:
        marks.append(gettext("unique"))
    if field.is_filtered_often:
        marks.append(gettext("filter often"))
    if field.visible_when:
        marks.append(gettext("under a condition"))
    if field.is_derived and field.source == BUILT_IN:
        marks.append(gettext("automatic"))
    return Row(
        field=field,
        label=label(field, locale()),
        type=gettext(TYPES[field.type].label),
        marks=marks,
        problem=formats.say(field.problem),
        may_retire=may_be_retired(field),
    )


def _list_label(key: str) -> str:
    content = configured().section(pick_lists.SECTION).get(key, {})
    name = content.get("label_en") if locale() == "en" else None
    return str(name or content.get("label_vi") or key)


def _computed(text: str, kind: Kind, others: Mapping[str, Field]) -> tuple[str, CareError | None]:
    """What the expression gives for the newest record that the person sees, or for an empty one."""
    if not text.strip():
        return "", None
    problem = expressions.check(text, others)
    if problem is not None:
        return "", InvalidInput(problem.message, **problem.params)
    by = current_actor()
    is_seen = all(by.access.sees(kind.key, one) for one in expressions.names(text))
    record = records.newest(kind, by=by) if is_seen else None
    values = rules.values_of(record or {}, others)
    found = expressions.value(text, expressions.with_computed(values, others, today()), today())
    shown = formats.format_number(found) if isinstance(found, int) else _shown(found)
    if record is None:
        says = N_(
            "It can be computed. You see no record with these fields to try it on; for an empty one: %(value)s"
        )
        return gettext(says, value=shown or "–"), None
    names = (field_values.value_of(kind.fields[one], record) for one in (kind.code, kind.title))
    name = " · ".join(str(one) for one in dict.fromkeys(names) if one)
    return gettext("For %(record)s: %(value)s", record=name[:80], value=shown or "–"), None


def _shown(value: Any) -> str:
    return formats.say(Sentence("%(value)s", {"value": value})) if value is not None else ""


def _condition(text: str, others: Mapping[str, Field]) -> tuple[str, CareError | None]:
    context = conditions.context(
        configured(), today=today(), zone=mongo.zone(), me=current_actor().staff_id, locale=locale()
    )
    try:
        tree, problems = rules.usable(rules.read(text), others, context)
    except InvalidInput as error:
        return "", error
    if problems:
        return "", problems[0]
    said = rules.sentence(tree, others, context)
    return (gettext("Shown when: %(condition)s", condition=formats.say(said)) if said else ""), None
