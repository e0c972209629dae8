"""What is done with a saved view: pinned, opened with, renamed, shared, deleted and brought back."""

from typing import Any

from bson import ObjectId
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import saved_views as rules
from rules.errors import N_, InvalidInput, StaleForm
from services import saved_view_pins, saved_views
from views import formats
from views.base import ScreenView, flash_undo
from views.context import current_actor, is_htmx, local_path, now, sent_version
from views.list_screen import object_id
from views.site_records import list_address


class SavedViews(ScreenView):
    """The buttons of a view; each leads back to its list."""

    endpoint_name, url_path, icon = "views", "/views", "bookmarks"
    label = N_("Saved views")

    @expose("/")
    def index_view(self) -> Any:
        abort(404)

    @expose("/<view_id>", methods=("POST",))
    def change_view(self, view_id: str) -> Any:
        """`do` is pin, unpin, open, plain, describe or delete."""
        try:
            return self._change(object_id(view_id), request.form.get("do", ""))
        except (InvalidInput, StaleForm) as error:
            flash(formats.say_error(error), "error")
            return _back()

    def _change(self, view_id: ObjectId, action: str) -> Any:
        by = current_actor()
        if action == "pin":
            saved_view_pins.pin(view_id, by=by)
        elif action == "unpin":
            saved_view_pins.unpin(view_id, by=by)
        elif action in ("open", "plain"):
            screen = request.form.get("screen", "")[:60]
            if not screen.replace("_", "").isalnum():
                abort(404)
            saved_view_pins.open_with(screen, view_id if action == "open" else rules.ALL, by=by)
        elif action == "describe":
            self._describe(view_id)
        elif action == "delete":
            return self._delete(view_id)
        else:
            abort(404)
        return _back()

    def _describe(self, view_id: ObjectId) -> None:
        form = request.form
        saved_views.describe(
            view_id,
            form.get("name", ""),
            version=sent_version(),
            by=current_actor(),
            at=now(),
            audience=form.get("audience", rules.PRIVATE),
            roles=form.getlist("roles"),
            default_roles=form.getlist("default_roles"),
        )
        flash(gettext("Saved."), "success")

    def _delete(self, view_id: ObjectId) -> Any:
        view = saved_views.delete(view_id, by=current_actor(), at=now())
        text = gettext("View “%(name)s” deleted.", name=view.name)
        flash_undo(text, url_for("views.restore_view", view_id=view_id))
        return redirect(list_address(view.screen, view=rules.ALL), code=303)

    @expose("/<view_id>/restore", methods=("POST",))
    def restore_view(self, view_id: str) -> Any:
        """Takes a deletion back, from the toast."""
        view = saved_views.restore(object_id(view_id), by=current_actor(), at=now())
        address = list_address(view.screen, view=str(view.id))
        if is_htmx():
            return "", 204, {"HX-Redirect": address}
        return redirect(address, code=303)


def _back() -> Any:
    return redirect(local_path(request.form.get("back")) or "/", code=303)
