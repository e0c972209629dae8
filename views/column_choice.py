"""Which columns of a list a person wants, in which order and how wide."""

from typing import Any

from flask import redirect, request
from flask_admin import expose
from flask_babel import gettext

from services import preferences
from views.base import toast
from views.context import current_actor, is_htmx
from views.list_columns import PAGE_SIZES, read_columns


class ColumnChoice:
    """The [Cột] menu of a list; mixed into KindList."""

    list_key: str

    @expose("/columns", methods=("POST",))
    def columns_view(self) -> Any:
        """Keeps the ticked columns in their order, with widths; `reset` forgets them.

        A script that drags or resizes sends the same and needs no page in answer.
        """
        staff_id = current_actor().staff_id
        if request.form.get("reset"):
            preferences.forget_list(staff_id, self.choice_key())
        else:
            preferences.keep_list(staff_id, self.choice_key(), self._typed_choice())
        if request.form.get("quiet"):
            return "", 204
        if is_htmx():
            return toast("", gettext("Saved."))
        return redirect(self._back(), code=303)

    def _typed_choice(self) -> dict[str, Any]:
        columns = self.compiled().columns  # type: ignore[attr-defined]
        typed = [
            {"key": key, "width": _whole(request.form.get(f"width.{key}", ""))}
            for key in request.form.getlist("columns")
        ]
        chosen = read_columns(typed, columns)
        kept: dict[str, Any] = {"columns": [{"key": one.key, "width": one.width} for one in chosen]}
        size = _whole(request.form.get("page_size", ""))
        if size in PAGE_SIZES:
            kept["page_size"] = size
        return kept

    def _back(self) -> str:
        """The list as it was, without the keys of a page."""
        return self.address(self.state(), **self.standing())  # type: ignore[attr-defined, no-any-return]


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 6 else None
