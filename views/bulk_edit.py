"""[Sửa hàng loạt]: one field of the ticked rows, or of all that match, with a preview and an undo."""

from typing import Any

from bson import ObjectId
from bson.errors import InvalidId
from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext

from rules.errors import N_, CareError, InvalidInput, NotAllowed
from rules.filters import Criteria
from rules.permissions import EDIT
from services import bulk_batches, bulk_edits
from services.bulk_edits import Wanted
from views import formats, job_words
from views.base import ScreenView, toast
from views.context import configured, current_actor, is_htmx, locale, now
from views.field_cells import kind_label, label
from views.list_screen import object_id
from views.record_forms import controls, sent

IDS_MOST = 500
WAYS = {
    "set": N_("Becomes"),
    "add": N_("Add"),
    "remove": N_("Take away"),
    "clear": N_("Empty it"),
}


class BulkEditing:
    """Changing many rows of a list; mixed into KindList."""

    @property
    def has_ticks(self) -> bool:
        """Whether rows can be ticked."""
        return current_actor().may(self.kind, EDIT)  # type: ignore[attr-defined]

    @expose("/bulk", methods=("POST",))
    def bulk_view(self) -> Any:
        """The side panel: choose a field and a value, see what would change, do it."""
        if not current_actor().may(self.kind, EDIT):  # type: ignore[attr-defined]
            raise NotAllowed()
        step = request.form.get("step", "")
        try:
            if step == "apply":
                return self._apply(self._wanted_change())
            if step == "preview":
                wanted = self._wanted_change()
                found = bulk_edits.preview(wanted, by=current_actor(), at=now())
                return self._panel(preview=found)
        except InvalidInput as error:
            return make_response(self._panel(problem=error), 422)
        return self._panel()

    def _wanted_change(self) -> Wanted:
        kind = self.document_kind()  # type: ignore[attr-defined]
        field = request.form.get("field", "")
        ours = ("ids", "all", "field", "way", "step", "shown_field")
        form = sent(kind, beside=ours)
        form.check()
        return Wanted(
            self.kind,  # type: ignore[attr-defined]
            field,
            request.form.get("way", "set"),
            form.typed.get(field, ""),
            self._meant(),
            None if request.form.get("all") else tuple(self._ids()),
        )

    def _meant(self) -> Criteria:
        """The rows of the list as it is filtered, within the reader's scope."""
        return self.criteria(self.state())  # type: ignore[attr-defined, no-any-return]

    def _ids(self) -> list[ObjectId]:
        found = []
        for text in request.form.getlist("ids")[:IDS_MOST]:
            try:
                found.append(ObjectId(text))
            except InvalidId:
                continue
        return found

    def _apply(self, wanted: Wanted) -> Any:
        done = bulk_edits.start(wanted, says=self._says(wanted), by=current_actor(), at=now())
        undo = url_for("bulk_edits.undo_view", bulk_edit_id=done.bulk_edit_id)
        if done.run_id:
            text = gettext("Many rows: they are being changed in the background.")
            flash(text, "success")
            answer = make_response("", 200)
            answer.headers["HX-Redirect"] = url_for("jobs.run_view", run_id=done.run_id)
            return answer
        text = ngettext("%(num)s row changed.", "%(num)s rows changed.", done.changed)
        if done.refused:
            text += " " + ngettext(
                "%(num)s could not be changed.", "%(num)s could not be changed.", done.refused
            )
        answer = toast("", text, undo=undo)
        answer.headers["HX-Trigger-After-Swap"] = "carebook-list-changed"
        return answer

    def _says(self, wanted: Wanted) -> str:
        field = self.document_kind().fields.get(wanted.field)  # type: ignore[attr-defined]
        if field is None or wanted.way not in WAYS:
            return ""  # refused in a moment
        parts = [label(field, locale()), gettext(WAYS[wanted.way])]
        said = "" if wanted.way == "clear" else self.in_words(field, wanted.value)  # type: ignore[attr-defined]
        return f"{parts[0]}: {parts[1].lower()} {said}".strip()

    def _panel(self, **state: Any) -> str:
        kind = self.document_kind()  # type: ignore[attr-defined]
        fields = bulk_edits.editable(kind, current_actor())
        key = request.form.get("field", "")
        field = fields.get(key)
        # The value of another field that was chosen before says nothing about this one.
        is_same = request.form.get("shown_field") == key
        ours = ("ids", "all", "field", "way", "step", "shown_field")
        form = sent(kind, beside=ours)
        typed = form.typed if is_same else {}
        problem = state.get("problem")
        offered = bulk_edits.ways(field) if field else ()
        way = request.form.get("way", "")
        return self.render(  # type: ignore[attr-defined, no-any-return]
            "lists/bulk.html",
            fields=[(one.key, label(one, locale())) for one in fields.values()],
            field=field,
            ways=[(one, gettext(WAYS[one])) for one in offered],
            way=way if way in offered else (offered[0] if offered else ""),
            control=controls(
                kind,
                typed,
                {},
                only=[key],
                errors=problem.fields if problem else None,
                numbers=form.numbers,
            )[0]
            if field
            else None,
            ids=[str(one) for one in self._ids()],
            is_all=bool(request.form.get("all")),
            state=self.state(),  # type: ignore[attr-defined]
            **{"preview": None, "problem": None} | state,
        )


class BulkEdits(ScreenView):
    """[Sửa hàng loạt đã làm]: what was changed at once, and taking it back."""

    endpoint_name, url_path, icon = "bulk_edits", "/bulk-edits", "edit"
    label = N_("Bulk changes")

    @expose("/")
    def index_view(self) -> str:
        found = bulk_batches.newest(by=current_actor(), at=now())
        refused = bulk_batches.refusals(found, by=current_actor())
        return self.render(
            "lists/bulk_edits.html",
            batches=[self._shown(one, refused.get(one["_id"], [])) for one in found],
            words=job_words,
        )

    def _shown(self, batch: dict[str, Any], refused: list[dict[str, Any]]) -> dict[str, Any]:
        kind = configured().kinds.get(batch["kind"])
        return {
            **batch,
            "kind_label": kind_label(kind, locale()) if kind else batch["kind"],
            "may_undo": bulk_batches.may_undo(batch, now()),
            "may_go_on": bulk_batches.may_go_on(batch, now()),
            "refusals": refused,
        }

    @expose("/<bulk_edit_id>/undo", methods=("POST",))
    def undo_view(self, bulk_edit_id: str) -> Any:
        try:
            done = bulk_edits.start_undo(object_id(bulk_edit_id), by=current_actor(), at=now())
        except CareError as error:
            return self._refused(error)
        if done.run_id:
            return self._after(gettext("The values are being given back in the background."))
        return self._after(
            ngettext("%(num)s row as before.", "%(num)s rows as before.", done.changed)
        )

    @expose("/<bulk_edit_id>/go-on", methods=("POST",))
    def go_on_view(self, bulk_edit_id: str) -> Any:
        """Finishes in the background what broke off."""
        try:
            bulk_edits.go_on(object_id(bulk_edit_id), by=current_actor(), at=now())
        except CareError as error:
            return self._refused(error)
        return self._after(gettext("The other rows are being changed in the background."))

    def _refused(self, error: CareError) -> Any:
        if is_htmx():
            raise error
        flash(formats.say_error(error), "error")
        return redirect(url_for(".index_view"), code=303)

    def _after(self, text: str) -> Any:
        if is_htmx():
            return toast("", text)
        flash(text, "success")
        return redirect(url_for(".index_view"), code=303)
