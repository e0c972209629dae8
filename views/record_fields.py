"""One field changed on the page of a record, and the gear with the tabs of a person (S4.2)."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId
from flask import abort, flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.errors import N_, CareError, InvalidInput, NotAllowed, StaleForm
from rules.fields import Kind
from services import preferences, record_saving, records
from views.base import ScreenView, toast
from views.context import current_actor, is_htmx, kind_at, local_path, now, person
from views.list_screen import object_id
from views.record_forms import controls, sent
from views.record_page import Facts, layout_of, may_edit_field
from views.typed_numbers import Typed

BACK = "back"


class RecordFields(ScreenView):
    """`/record/<kind>/<id>/<field>`: a little form, and what comes of sending it."""

    endpoint_name, url_path, icon = "record_fields", "/record", "pencil"
    label = N_("Field of a record")

    @expose("/")
    def index_view(self) -> Any:
        abort(404)

    @expose("/<kind>/<record_id>/<key>", methods=("GET", "POST"))
    def field_view(self, kind: str, record_id: str, key: str) -> Any:
        """The value as it is shown (`show`), or the form to change it."""
        found = kind_at(kind)
        identity = object_id(record_id)
        raw = records.raw(found, identity, by=current_actor())
        if "show" in request.args:
            return self._shown(found, raw, key)
        if not may_edit_field(found, key):
            raise NotAllowed
        if request.method == "GET":
            return self._form(found, raw, key)
        form = sent(found)
        if set(form.typed) - {key}:
            abort(400)
        typed, shown = form.typed.get(key, ""), (form.shown or {}).get(key, "")
        try:
            form.check(raw)
            record_saving.save(
                kind,
                identity,
                {key: typed},
                version=-1,
                by=current_actor(),
                at=now(),
                shown={key: shown},
            )
        except (InvalidInput, StaleForm) as error:
            raw = records.raw(found, identity, by=current_actor())
            part = self._form(found, raw, key, typed=typed, problem=error, numbers=form.numbers)
            return make_response(part, error.status)
        raw = records.raw(found, identity, by=current_actor())
        return toast(self._shown(found, raw, key), gettext("Saved."))

    @expose("/tabs/<kind>", methods=("POST",))
    def tabs_view(self, kind: str) -> Any:
        """The gear: which tabs of a kind's records this person wants to see."""
        found = kind_at(kind)
        staff = person()
        layout = layout_of(found, current_actor().roles)
        wanted = set(request.form.getlist("tabs"))
        # Only what differs from the layout is kept: a later change of it reaches everybody else.
        own = {
            tab.key: tab.key in wanted for tab in layout.tabs if tab.is_on != (tab.key in wanted)
        }
        if staff is not None:
            preferences.keep_tabs(staff.pk, kind, own)
        flash(gettext("Your tabs are kept."), "success")
        back = local_path(request.form.get(BACK)) or url_for("customers.index_view")
        return redirect(back, code=303)

    def _shown(self, kind: Kind, raw: dict[str, Any], key: str) -> str:
        record = current_actor().shown(kind.key, raw)
        fact = Facts(kind, record).one(key)
        if fact is None:
            abort(404)
        return self.render("records/_fact.html", fact=fact, kind=kind, record=record)

    def _form(
        self,
        kind: Kind,
        raw: dict[str, Any],
        key: str,
        *,
        typed: str | None = None,
        problem: CareError | None = None,
        numbers: Mapping[str, Typed] | None = None,
    ) -> str:
        fields = problem.fields if isinstance(problem, InvalidInput) else {}
        is_conflict = isinstance(problem, StaleForm)
        made = controls(
            kind,
            {} if typed is None else {key: typed},
            raw,
            errors=fields,
            is_conflict=is_conflict,
            only=[key],
            numbers=numbers,
        )
        others = [error for name, error in fields.items() if name != key]
        return self.render(
            "records/field_form.html" if is_htmx() else "records/field_page.html",
            kind=kind,
            record_id=ObjectId(raw["_id"]),
            control=made[0],
            key=key,
            problem=problem if problem and not fields else (others[0] if others else None),
        )
