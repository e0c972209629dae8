"""The pages on which a record of any kind is edited or added (S4.1, S4.3)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from flask import flash, make_response, redirect, request
from flask_babel import gettext

from rules.errors import CareError, InvalidInput, NotAllowed, StaleForm
from rules.fields import FILES, Kind
from rules.permissions import CREATE, EDIT
from services import field_values, record_saving, records
from views import typed_numbers
from views.base import AccessControl
from views.context import configured, current_actor, locale, now, today
from views.forms import DRAFT
from views.record_forms import Control, Sent, controls, sent
from views.record_page import layout_of
from views.typed_numbers import Typed

Stored = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """Controls that stand together, under a heading or without one."""

    label: str
    controls: Sequence[Control]


def edit_page(
    screen: AccessControl,
    kind_key: str,
    record: Stored,
    *,
    title: str,
    back_url: str,
    beside: Mapping[str, Any] | None = None,
) -> Any:
    """The edit form of a record, and what comes of sending it.

    Args:
        beside: what the template needs for this kind.
    """
    kind = configured().kinds[kind_key]
    if not current_actor().may(kind_key, EDIT):
        raise NotAllowed()
    # Conditions ask the record as it is stored, also where the person does not see all of it.
    record = records.raw(kind, record["_id"], by=current_actor())
    page = _Page(screen, kind, record, title, back_url, f"{kind_key}-{record['_id']}", beside or {})
    if request.method == "GET":
        return page.form({}, version=record.get("version", 1))
    form = sent(kind)
    try:
        form.check(record)
        record_saving.save(
            kind_key,
            record["_id"],
            form.typed,
            version=form.version,
            by=current_actor(),
            at=now(),
            shown=form.shown,
        )
    except StaleForm as error:
        # What the person left alone shows the new state; what was typed stays beside it. The form
        # carries the new version: the person has seen the difference, and saving again decides.
        kept = form.touched if form.shown else form.typed
        state = page.form(
            kept,
            version=record.get("version", 1),
            problem=error,
            is_conflict=True,
            numbers=form.numbers,
        )
        return make_response(state, 409)
    except InvalidInput as error:
        return make_response(page.again(form, error), 422)
    return page.done(back_url)


def new_page(
    screen: AccessControl,
    kind_key: str,
    *,
    title: str,
    back_url: str,
    save: Callable[[Sent, ObjectId], str],
    beside: Mapping[str, Any] | None = None,
) -> Any:
    """The form of a new record.

    Args:
        save: adds the record with this id and returns the address of its page.
    """
    kind = configured().kinds[kind_key]
    if not current_actor().may(kind_key, CREATE):
        raise NotAllowed()
    page = _Page(screen, kind, {}, title, back_url, f"{kind_key}-new", beside or {})
    if request.method == "GET":
        typing = field_values.typing_for(configured(), current_actor(), today())
        fields = field_values.editable(kind, current_actor().access)
        begins = field_values.begins(fields, typing)
        asked = {key: text for key, text in request.args.items() if key in fields}
        asked = {key: typed_numbers.readable(fields[key], text) for key, text in asked.items()}
        return page.form(begins | asked, version=0, record_id=ObjectId())
    form = sent(kind, beside=("record_id",))
    known = request.form.get("record_id", "")
    record_id = ObjectId(known) if ObjectId.is_valid(known) else ObjectId()
    try:
        form.check({})
        address = save(form, record_id)
    except InvalidInput as error:
        return make_response(page.again(form, error, record_id=record_id), 422)
    return page.done(address)


def _sections(kind: Kind, made: Sequence[Control]) -> list[Section]:
    """The controls in the order of the record's layout: the head and the summary, then each tab."""
    layout = layout_of(kind, current_actor().roles)
    by_key = {one.key: one for one in made}

    def some(keys: Iterable[str]) -> list[Control]:
        return [by_key.pop(key) for key in keys if key in by_key]

    # What stands in the head of the page (a name, ...) comes first, in the order of the kind.
    head = [key for key in kind.fields if key in layout.hidden]
    found = [Section("", [*some(head), *some(layout.summary)])]
    for tab in layout.tabs:
        for section in tab.sections:
            parts = (tab.label(locale()), section.label(locale()))
            title = " · ".join(part for part in parts if part)
            found.append(Section(title, some(section.fields)))
    found.append(Section("", list(by_key.values())))
    return [one for one in found if one.controls]


@dataclass(frozen=True, slots=True)
class _Page:
    """The page around the form."""

    screen: AccessControl
    kind: Kind
    record: Stored
    title: str
    back_url: str
    draft: str
    beside: Mapping[str, Any]

    def form(
        self,
        typed: Mapping[str, str],
        *,
        version: int,
        shown: Mapping[str, str] | None = None,
        problem: CareError | None = None,
        errors: Mapping[str, CareError] | None = None,
        is_conflict: bool = False,
        record_id: ObjectId | None = None,
        numbers: Mapping[str, Typed] | None = None,
    ) -> str:
        made = controls(
            self.kind,
            typed,
            self.record,
            shown=shown,
            errors=errors,
            is_conflict=is_conflict,
            numbers=numbers,
        )
        return self.screen.render(
            "records/edit.html",
            sections=_sections(self.kind, made),
            has_files=any(one.family == FILES for one in made),
            title=self.title,
            version=version,
            draft=self.draft,
            back_url=self.back_url,
            problem=problem,
            is_conflict=is_conflict,
            record_id=record_id,
            save_label=gettext("Update") if self.record else gettext("Add"),
            **dict(self.beside)
            | ({"reason": typed["relationship_reason"]} if "relationship_reason" in typed else {}),
        )

    def again(self, form: Sent, error: InvalidInput, record_id: ObjectId | None = None) -> str:
        """The form as it was sent, with what is wrong."""
        return self.form(
            form.typed,
            version=form.version,
            shown=form.shown,
            problem=error,
            errors=error.fields,
            record_id=record_id,
            numbers=form.numbers,
        )

    def done(self, address: str) -> Any:
        flash(gettext("Saved."), "success")
        flash(self.draft, DRAFT)
        return redirect(address, code=303)
