"""One value changed in the list itself: a cell that is edited, a card that is moved on a board."""

import json
from collections.abc import Mapping
from typing import Any

from flask import make_response, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.errors import InvalidInput, NotAllowed, NotFound, StaleForm
from rules.fields import Field
from rules.filters import merge
from services import field_values, record_saving
from views.base import toast
from views.context import current_actor, now
from views.errors import answer
from views.list_screen import object_id
from views.record_forms import WAS, Sent, controls, sent
from views.typed_numbers import Typed

FROM, TO = "undo_from", "undo_to"  # in the address that takes a change back


class CellEdit:
    """Editing cells of a list; mixed into KindList."""

    def editable_fields(self) -> Mapping[str, Field]:
        """The fields that the reader may change in the list, by key."""
        return self.compiled().editable  # type: ignore[attr-defined, no-any-return]

    def may_move_cards(self) -> bool:
        field = self.group_field()  # type: ignore[attr-defined]
        return field is not None and field.key in self.editable_fields()

    @expose("/cell/<record_id>/<field>", methods=("GET", "POST"))
    def cell_view(self, record_id: str, field: str) -> Any:
        """The little form of a cell; what comes of sending it is the changed row."""
        if field not in self.editable_fields():
            raise NotAllowed
        record = self._record(record_id)
        if request.method == "GET":
            return self._cell_form(record, field)
        form = sent(self.document_kind(), beside=("quiet",))  # type: ignore[attr-defined]
        typed, shown = self._sent(form, field)
        try:
            form.check(record)
            record_saving.save(
                self.kind,  # type: ignore[attr-defined]
                record["_id"],
                {field: typed},
                version=-1,
                by=current_actor(),
                at=now(),
                shown={field: shown},
            )
        except StaleForm:
            if not self._has_no_form():
                raise
            return self._changed_by_others(record_id, field)
        except InvalidInput as error:
            if self._has_no_form():
                raise next(iter(error.fields.values()), error) from error
            part = self._cell_form(record, field, typed=typed, error=error, numbers=form.numbers)
            return make_response(part, 422)
        return self._changed(record, field, typed, shown)

    def _sent(self, form: Sent, field: str) -> tuple[str, str]:
        """What was typed, and what the form had shown; or what an undo gives back."""
        if TO in request.args:
            return request.args[TO], request.args.get(FROM, "")
        return form.typed.get(field, ""), (form.shown or {}).get(field, "")

    def _changed(self, record: Any, field: str, typed: str, shown: str) -> Any:
        """The row in its place, and a toast that takes the change back."""
        collection = self.model.collection()  # type: ignore[attr-defined]
        row = collection.find_one({"_id": record["_id"]}, self._projection())  # type: ignore[attr-defined]
        kept = self._value_now(record["_id"], field)
        undo = url_for(
            f"{self.endpoint}.cell_view",  # type: ignore[attr-defined]
            record_id=record["_id"],
            field=field,
            **{TO: shown, FROM: kept},
        )
        # A board has no rows to replace; an undo loads the page again.
        part = (
            ""
            if self._has_no_form()
            else self.render(  # type: ignore[attr-defined]
                "lists/row_in_place.html",
                rows=self.row_views([row]),  # type: ignore[attr-defined]
                columns=self.shown_columns(),  # type: ignore[attr-defined]
                changed=True,
            )
        )
        return toast(
            part,
            gettext("Saved."),
            undo=None if TO in request.args else undo,
            value=kept if request.form.get("quiet") else None,
        )

    def _value_now(self, record_id: Any, field: str) -> str:
        """The stored value as a form shows it."""
        found = self.document_kind().fields[field]  # type: ignore[attr-defined]
        record = self.model.collection().find_one({"_id": record_id})  # type: ignore[attr-defined]
        return field_values.form_text(found, field_values.value_of(found, record or {}))

    def _has_no_form(self) -> bool:
        """Whether a card was moved or a change taken back: nobody typed anything that is kept."""
        return bool(request.form.get("quiet")) or TO in request.args

    def _changed_by_others(self, record_id: str, field: str) -> Any:
        """Says that a colleague changed the value meanwhile, and to what."""
        value = self._value_now(self._record(record_id)["_id"], field)
        found = self.document_kind().fields[field]  # type: ignore[attr-defined]
        says = gettext(
            "A colleague changed “%(field)s” meanwhile. It stands at “%(value)s” now.",
            field=self.field_label(found),  # type: ignore[attr-defined]
            value=self.in_words(found, value) or gettext("None"),  # type: ignore[attr-defined]
        )
        response = answer(StaleForm.status, says)
        response.headers["HX-Trigger"] = json.dumps({"carebook:value": value})
        return response

    def _cell_form(
        self,
        record: Any,
        field: str,
        *,
        typed: str | None = None,
        error: Any = None,
        numbers: Mapping[str, Typed] | None = None,
    ) -> str:
        kind = self.document_kind()  # type: ignore[attr-defined]
        made = controls(
            kind,
            {} if typed is None else {field: typed},
            record,
            errors=error.fields if error else None,
            only=[field],
            numbers=numbers,
        )
        return self.render(  # type: ignore[attr-defined, no-any-return]
            "lists/cell_form.html",
            control=made[0] if made else None,
            problem=error if error and field not in error.fields else None,
            record_id=record["_id"],
            field=field,
            was=WAS,
        )

    def _record(self, record_id: str) -> Any:
        """The whole record. Raises NotFound, also for one that is out of the reader's sight."""
        wanted = merge(
            [{"_id": object_id(record_id)}, self.scope(), dict(self.document_kind().base)]
        )  # type: ignore[attr-defined]
        found = self.model.collection().find_one(wanted)  # type: ignore[attr-defined]
        if found is None:
            raise NotFound
        return found
