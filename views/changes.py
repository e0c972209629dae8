"""The history of one record: who changed which field, from what to what, and back again.

Two versions side by side, and any earlier one restored, whole or field by field.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from rules import text_diff
from rules.built_in_fields import BUILT_IN_KINDS
from rules.errors import N_, CareError, InvalidInput, NotFound
from rules.permissions import EDIT
from rules.record_paths import single_value
from services import audit_reading, audit_restore, audit_versions, field_values
from services.audit_versions import FIRST, NOW, Version
from views import formats
from views.audit_words import ShownChange, in_words, pair_in_words
from views.base import ScreenView
from views.context import current_actor, now, sent_version
from views.errors import flash_error
from views.list_screen import object_id

WORDS_SHOWN_WHOLE = 60  # letters; longer texts show what changed within them


@dataclass(frozen=True, slots=True)
class Subject:
    """The record whose history is shown, as far as the page needs it."""

    record: dict[str, Any]
    name: str
    version: int
    may_restore: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A field in both versions; `pieces` of a long text tell what changed within it."""

    change: ShownChange
    is_changed: bool
    may_restore: bool
    pieces: Sequence[text_diff.Piece] = ()


class Changes(ScreenView):
    """Whoever may see a record may see what happened to it."""

    endpoint_name, url_path, icon = "changes", "/changes", "history"
    label = N_("Changes")

    @expose("/<kind>/<record_id>")
    def record_view(self, kind: str, record_id: str) -> str:
        subject = _subject(kind, object_id(record_id))
        page = audit_reading.page_of(
            kind,
            object_id(record_id),
            after=request.args.get("after"),
            before=request.args.get("before"),
        )
        fields = {
            str(row["_id"]): audit_restore.restorable(kind, row, current_actor())
            if subject.may_restore
            else []
            for row in page.rows
        }
        return self.render(
            "audit/record.html",
            kind=kind,
            record_id=record_id,
            subject=subject,
            entries=in_words(page.rows),
            restorable=fields,
            page=page,
            back=_back(kind, record_id),
            now_key=NOW,
            first_key=FIRST,
        )

    @expose("/<kind>/<record_id>/compare")
    def compare_view(self, kind: str, record_id: str) -> str:
        """Two versions side by side, field by field; the older one on the left."""
        subject = _subject(kind, object_id(record_id))
        chosen = [request.args.get("left") or FIRST, request.args.get("right") or NOW]
        found = audit_versions.read(kind, subject.record, chosen, by=current_actor())
        one, other = sorted((found[key] for key in chosen), key=_place)
        rows = _rows(kind, one, other, subject)
        return self.render(
            "audit/compare.html",
            kind=kind,
            record_id=record_id,
            subject=subject,
            one=one,
            other=other,
            title=_title,
            rows=rows,
            is_all=bool(request.args.get("all")),
            now_key=NOW,
        )

    @expose("/<kind>/<record_id>/restore", methods=("POST",))
    def restore_view(self, kind: str, record_id: str) -> BaseResponse:
        """Takes one field, or all of an entry, back to what it was."""
        return self._restore(
            kind,
            record_id,
            lambda **known: audit_restore.restore(
                kind,
                object_id(record_id),
                entry_id=object_id(request.form.get("entry", "")),
                fields=request.form.getlist("field"),
                **known,
            ),
        )

    @expose("/<kind>/<record_id>/restore-version", methods=("POST",))
    def restore_version_view(self, kind: str, record_id: str) -> BaseResponse:
        """Brings one field, or all of them, back to what an earlier version had."""
        return self._restore(
            kind,
            record_id,
            lambda **known: audit_restore.restore_version(
                kind,
                object_id(record_id),
                key=request.form.get("key", ""),
                fields=request.form.getlist("field"),
                **known,
            ),
        )

    def _restore(self, kind: str, record_id: str, act: Any) -> BaseResponse:
        _subject(kind, object_id(record_id))
        try:
            act(version=sent_version(), by=current_actor(), at=now())
        except NotFound:
            raise
        except InvalidInput as error:
            for problem in error.fields.values() or [error]:
                flash_error(problem)
        except CareError as error:
            flash_error(error)
        else:
            flash(gettext("Taken back, as a new change."), "success")
        return redirect(url_for(".record_view", kind=kind, record_id=record_id), 303)

    @expose("/")
    def index(self) -> Any:
        abort(404)


def _subject(kind_key: str, record_id: ObjectId) -> Subject:
    """The record, if the person may see it. Raises NotFound."""
    by, kind = current_actor(), audit_versions.versioned_kind(kind_key)
    record = audit_versions.record_of(kind_key, record_id, by=by)
    names = [record.get("code")] if kind_key == "products" else []
    title = kind.fields.get(kind.title)
    if title and by.access.sees(kind_key, title.key):
        names.append(single_value(record, title.path))
    name = " · ".join(str(part) for part in names if part) or str(record.get("code") or record_id)
    return Subject(record, name, record.get("version", 1), by.may(kind_key, EDIT))


def _rows(kind: str, one: Version, other: Version, subject: Subject) -> list[Row]:
    pairs = {path: (value, other.values.get(path)) for path, value in one.values.items()}
    changed = set(audit_versions.differing(one, other))
    editable = field_values.editable(audit_versions.versioned_kind(kind), current_actor().access)
    places = {field.path for field in editable.values()} if subject.may_restore else set()
    return [
        Row(
            change,
            change.field in changed,
            change.field in changed and change.field in places,
            _pieces(change) if change.field in changed else (),
        )
        for change in pair_in_words(kind, pairs)
        if change.field in changed or change.old != "–"
    ]


def _pieces(change: ShownChange) -> Sequence[text_diff.Piece]:
    texts = (change.old, change.new)
    is_long = max(map(len, texts)) > WORDS_SHOWN_WHOLE and "–" not in texts
    return text_diff.differences(change.old, change.new) if is_long else ()


def _place(version: Version) -> tuple[int, Any, Any]:
    """Sorts the older version first."""
    if version.entry is None:
        return (0 if version.key == FIRST else 2, 0, 0)
    return 1, version.entry["at"], version.entry["_id"]


def _title(version: Version) -> str:
    if version.key == NOW:
        return gettext("Now")
    if version.entry is None:
        return gettext("Before the first change")
    return gettext(
        "After the change by %(name)s, %(time)s",
        name=version.entry.get("staff_name") or "–",
        time=formats.format_datetime(version.entry["at"]),
    )


def _back(kind: str, record_id: str) -> str:
    if kind == "products":
        return url_for("products.index_view")
    if kind in BUILT_IN_KINDS:
        return url_for(f"{kind}.record_view", record_id=record_id)
    return url_for("records.record_view", slug=kind, record_id=record_id)
