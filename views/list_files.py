"""A list as a file: exactly the rows, columns and order that are seen (CSV, XLSX)."""

import tempfile
from datetime import datetime
from typing import Any

from flask import Response, abort, flash, redirect, send_file, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.errors import N_, NotAllowed, TakesTooLong
from rules.permissions import EXPORT
from services import list_export_runs, lists
from services.list_export import CSV, FORMATS
from services.list_export_runs import ROWS_AT_ONCE, Wanted
from services.lists import Sort
from views.base import ScreenView
from views.context import current_actor, locale, now, settings
from views.list_screen import object_id


class ListFiles:
    """[Xuất] of a list; mixed into KindList."""

    def may_export(self) -> bool:
        return current_actor().may(self.kind, EXPORT)  # type: ignore[attr-defined]

    @expose("/export/<form>")
    def export_view(self, form: str) -> Any:
        """The file, or for a long list the job that writes it."""
        if form not in FORMATS:
            abort(404)
        if not self.may_export():
            raise NotAllowed
        wanted = self._wanted(form)
        if not self._is_short_file(wanted):
            run_id = list_export_runs.start(wanted, by=current_actor(), at=now())
            flash(gettext("Many rows: the file is being written. It will be here."), "success")
            return redirect(url_for("jobs.run_view", run_id=run_id), code=303)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
        list_export_runs.write_now(wanted, file, by=current_actor(), at=now())
        file.seek(0)
        return _sent(file, f"{wanted.name}.{form}", form)

    def _is_short_file(self, wanted: Wanted) -> bool:
        """Whether it is written while the person waits."""
        collection = self.model.collection()  # type: ignore[attr-defined]
        try:
            found = lists.capped_count(collection, wanted.criteria, cap=ROWS_AT_ONCE)
        except TakesTooLong:
            return False
        return found <= ROWS_AT_ONCE

    def _wanted(self, form: str) -> Wanted:
        """What is seen now. A column that shows several fields becomes several columns.

        A field that has a column of its own stands there, and not with those of another column.
        """
        columns: dict[str, str] = {}
        fields = self.compiled().fields  # type: ignore[attr-defined]
        own = {column.key for column in self.shown_columns()}  # type: ignore[attr-defined]
        for column in self.shown_columns():  # type: ignore[attr-defined]
            for key in column.exports or column.needs or (column.key,):
                if key in fields and (key == column.key or key not in own):
                    alone = len(column.exports or column.needs) <= 1
                    heading = column.heading if alone else self.field_label(fields[key])  # type: ignore[attr-defined]
                    columns.setdefault(key, heading)
        sort = self._sort()  # type: ignore[attr-defined]
        return Wanted(
            self.kind,  # type: ignore[attr-defined]
            self.criteria(self.state()),  # type: ignore[attr-defined]
            Sort(sort.path, sort.descending),
            list(columns),
            list(columns.values()),
            form,
            locale(),
            _file_name(self.list_key, now()),  # type: ignore[attr-defined]
        )


class Exports(ScreenView):
    """Files that a job has written, for who asked for them."""

    endpoint_name, url_path, icon = "exports", "/exports", "download"
    label = N_("Exported files")

    @expose("/")
    def index_view(self) -> Any:
        abort(404)

    @expose("/<file_key>")
    def file_view(self, file_key: str) -> Any:
        object_id(file_key)
        found = list_export_runs.open_file(file_key, by=current_actor())
        return _sent(found, found.filename, found.metadata["form"])


def _sent(file: Any, name: str, form: str) -> Response:
    return send_file(
        file,
        mimetype=FORMATS[form] if form != CSV else "text/csv",
        as_attachment=True,
        download_name=name,
        max_age=0,
    )


def _file_name(endpoint: str, at: datetime) -> str:
    """`customers-2026-11-21`: letters that every file system takes."""
    return f"{endpoint.replace('_', '-')}-{at.astimezone(settings().zone):%Y-%m-%d}"
