"""[Nhập từ tệp]: records of a kind of the site from a file, seen as a difference first (B.14)."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from bson import ObjectId
from flask import Response, abort, flash, make_response, redirect, request, send_file, url_for
from flask_admin import expose
from flask_babel import gettext

from models.record_import import CHANGED, NEW, WRONG
from rules.errors import N_, CareError, InvalidInput, NotAllowed
from rules.fields import CHOICE, CHOICES, Field, Kind
from rules.permissions import IMPORT
from services import field_values, record_imports, references, spreadsheet
from services.csv_cells import escaped
from services.record_import_files import FILE_BYTES, ROWS_MOST
from services.record_import_rows import fields_of
from views import formats, typed_numbers
from views.context import configured, current_actor, locale, now, today
from views.field_cells import kind_label, label, options, text
from views.list_screen import object_id
from views.typed_numbers import is_number

WAYS = {NEW: N_("New"), CHANGED: N_("Changed"), WRONG: N_("Wrong")}
SAMPLE_FORMS = {
    "csv": "text/csv",
    "xlsx": spreadsheet.MEDIA_TYPE,
}
EXAMPLES = {
    "staff": "ten@congty.vn",
    "customer": "KH-000001",
    "product": "SP-000001",
    "money": "1.250.000",
    "integer": "12",
    "decimal": "12,5",
    "percent": "10",
    "phone": "0912 345 678",
    "email": "ten@congty.vn",
    "link": "https://congty.vn",
}


class RecordImport:
    """Importing records of one kind; mixed into SiteRecords."""

    def may_import(self) -> bool:
        return current_actor().may(self.kind, IMPORT)  # type: ignore[attr-defined]

    @expose("/import", methods=("GET", "POST"))
    def import_view(self) -> Any:
        """Choose a file; it is read and shown, and nothing is changed yet."""
        self._check_may_import()
        if request.method == "GET":
            return self._start_page()
        sent = request.files.get("file")
        try:
            if sent is None or not sent.filename:
                raise InvalidInput(N_("Choose a file."))
            import_id = record_imports.prepare(
                self.kind,  # type: ignore[attr-defined]
                sent.stream,
                sent.filename,
                by=current_actor(),
                at=now(),
            )
        except InvalidInput as error:
            return make_response(self._start_page(problem=error), 422)
        return redirect(url_for(".import_file_view", import_id=import_id), code=303)

    @expose("/import/<import_id>")
    def import_file_view(self, import_id: str) -> Any:
        """What the file would do, or what has become of it."""
        self._check_may_import()
        found = self._import(import_id)
        counts = found["counts"]
        asked = request.args.get("show", "")
        way = asked if asked in WAYS else next((one for one in WAYS if counts.get(one)), NEW)
        rows = record_imports.rows(found["_id"], way)
        return self.render(  # type: ignore[attr-defined]
            "records/import_file.html",
            found=found,
            counts=counts,
            way=way,
            ways=[(one, gettext(says), counts.get(one, 0)) for one, says in WAYS.items()],
            rows=self._shown_rows(rows),
            outcome=record_imports.outcome(found["_id"]),
            left_out=[one["header"] for one in found["columns"] if not one["field"]],
            one_label=self._one_label(),
        )

    @expose("/import/<import_id>/apply", methods=("POST",))
    def import_apply_view(self, import_id: str) -> Any:
        """Has it done by a job; a double click starts one."""
        run_id = record_imports.start(
            self.kind,  # type: ignore[attr-defined]
            object_id(import_id),
            by=current_actor(),
            at=now(),
        )
        flash(gettext("The rows are being imported in the background."), "success")
        return redirect(url_for("jobs.run_view", run_id=run_id), code=303)

    @expose("/import/<import_id>/wrong")
    def import_wrong_view(self, import_id: str) -> Any:
        """The rows that are not imported, as they were, each with its reason."""
        found = self._import(import_id)
        file = io.StringIO()
        write = csv.writer(file).writerow
        headers = [escaped(one["header"]) for one in found["columns"]]
        write([gettext("Row"), gettext("Reason"), *headers])
        for row in record_imports.refused(found["_id"]):
            reasons = "; ".join(self._reasons(row))
            write([row["line"], escaped(reasons), *map(escaped, row["cells"])])
        name = f"{self.kind}-errors.csv"  # type: ignore[attr-defined]
        return _download(file.getvalue().encode("utf-8-sig"), name, SAMPLE_FORMS["csv"])

    @expose("/import/sample/<form>")
    def import_sample_view(self, form: str) -> Any:
        """An empty file with one example row."""
        if form not in SAMPLE_FORMS:
            abort(404)
        self._check_may_import()
        kind: Kind = self.document_kind()  # type: ignore[attr-defined]
        fields = fields_of(kind, current_actor())
        header = [label(one, locale()) for one in fields.values()]
        example = [_example(one) if one.key != kind.code else "" for one in fields.values()]
        made = _csv(header, example) if form == "csv" else _xlsx(header, example)
        return _download(made, f"{kind.key}.{form}", SAMPLE_FORMS[form])

    def _check_may_import(self) -> None:
        if not self.may_import():
            raise NotAllowed

    def _import(self, import_id: str) -> dict[str, Any]:
        return record_imports.read_import(
            self.kind,  # type: ignore[attr-defined]
            object_id(import_id),
            by=current_actor(),
        )

    def _one_label(self) -> str:
        return kind_label(self.document_kind(), locale(), one=True)  # type: ignore[attr-defined]

    def _start_page(self, problem: CareError | None = None) -> str:
        kind: Kind = self.document_kind()  # type: ignore[attr-defined]
        fields = fields_of(kind, current_actor())
        return self.render(  # type: ignore[attr-defined, no-any-return]
            "records/import.html",
            problem=problem,
            fields=[(label(one, locale()), one) for one in fields.values()],
            newest=record_imports.newest(kind.key, by=current_actor()),
            rows_most=ROWS_MOST,
            megabytes=FILE_BYTES // 1024 // 1024,
            one_label=self._one_label(),
        )

    def _shown_rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Rows with what they say as people read it."""
        kind: Kind = self.document_kind()  # type: ignore[attr-defined]
        names = self._names(kind, rows)
        shown = []
        for row in rows:
            says = [
                (
                    label(kind.fields[key], locale()),
                    _in_words(kind.fields[key], row["shown"].get(key, ""), names),
                    _in_words(kind.fields[key], after, names),
                )
                for key, after in row["typed"].items()
                if key in kind.fields
            ]
            shown.append({**row, "says": says, "why": list(self._reasons(row))})
        return shown

    def _names(self, kind: Kind, rows: list[dict[str, Any]]) -> dict[str, dict[Any, str]]:
        """{kind: {id: name}} of everything that these rows refer to."""
        ids: dict[str, set[ObjectId]] = {}
        for row in rows:
            for key, after in (*row["typed"].items(), *row["shown"].items()):
                refers_to = kind.fields[key].refers_to if key in kind.fields else None
                if refers_to and ObjectId.is_valid(after):
                    ids.setdefault(refers_to, set()).add(ObjectId(after))
        return {
            one: references.names(one, wanted, by=current_actor()) for one, wanted in ids.items()
        }

    def _reasons(self, row: Mapping[str, Any]) -> Iterator[str]:
        fields = self.document_kind().fields  # type: ignore[attr-defined]
        for one in row["reasons"]:
            why = formats.say_error(CareError(one["message"], **one["params"]))
            field = fields.get(one["field"])
            yield f"{label(field, locale())}: {why}" if field else why


def _in_words(field: Field, typed: str, names: Mapping[str, Mapping[Any, str]]) -> str:
    """The text of a form as people read it: labels for keys, names for ids."""
    if typed and is_number(field):
        return typed_numbers.in_words(field, typed)
    if not typed or (field.refers_to is None and field.family not in (CHOICE, CHOICES)):
        return typed
    typing = field_values.typing_for(configured(), current_actor(), today())
    value = field_values.readable(field, typed, typing)
    return text(field, value, configured(), locale(), names) or typed if value else typed


def _example(field: Field) -> str:
    offered = [one for one in options(field, configured(), locale()) if not one[3]]
    if offered:
        return offered[0][1]
    if field.family == "day":
        return formats.format_date(today())
    if field.type == "yes_no":
        return gettext("Yes")
    return EXAMPLES.get(field.type, gettext("Example") if field.family == "text" else "")


def _csv(*rows: list[str]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([[escaped(one) for one in row] for row in rows])
    return file.getvalue().encode("utf-8-sig")


def _xlsx(headings: list[str], row: list[str]) -> bytes:
    file = io.BytesIO()
    spreadsheet.write(file, headings, [row])
    return file.getvalue()


def _download(content: bytes, name: str, mimetype: str) -> Response:
    return send_file(
        io.BytesIO(content),
        mimetype=mimetype,
        as_attachment=True,
        download_name=name,
        max_age=0,
    )
