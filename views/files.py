"""Files of records: sent, shown and deleted through the record that they belong to (S2.5).

The only way to the bytes. What a browser shows itself (pictures, sound, PDF) was judged by its
content; everything else leaves as bytes to be saved. No page of ours can be made of a file: it
has a policy of its own, and no address names a place in the store.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import quote

from bson import ObjectId
from flask import Flask, Request, Response, flash, g, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from werkzeug.datastructures import FileStorage
from werkzeug.wsgi import wrap_file

from models import Order, Record
from rules.errors import N_, InvalidInput, several
from rules.field_values import FILES_KEPT
from rules.files import AUDIO, INLINE, PDF, PICTURES, UNKNOWN, UPLOAD_BYTES
from services import attachment_removal, attachments, field_files, lists
from services.thumbnails import THUMBNAIL_TYPE
from stores.files import CHUNK_BYTES
from views import formats
from views.base import ScreenView, toast
from views.context import current_actor, is_htmx, now
from views.errors import flash_error
from views.list_screen import count_text, object_id

Stored = dict[str, Any]

# A browser shows a file in a document of its own: without scripts, forms, frames or other sources.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
# Chromium shows no PDF in a sandbox; its viewer keeps scripts of the document to itself.
PDF_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
)
KEY_LENGTH = 60
MEMORY_BYTES = 500 * 1024  # of a file that arrives; the rest of it waits on the disk
RECEIVED_BYTES = UPLOAD_BYTES + 1024 * 1024  # more than any form takes of one file


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file as a page lists it; `about` is the order or entry that it came with."""

    id: str
    name: str
    url: str
    thumbnail_url: str | None
    icon: str
    size: str
    who: str
    at: datetime
    about: str
    is_audio: bool
    content_type: str
    may_remove: bool


class Received(SpooledTemporaryFile[bytes]):
    """A file as it arrives: of one that is too large no more is kept than shows that it is."""

    def __init__(self) -> None:
        super().__init__(max_size=MEMORY_BYTES, mode="w+b")

    def write(self, piece: Any) -> int:
        return super().write(piece[: max(RECEIVED_BYTES - self.tell(), 0)])


class UploadRequest(Request):
    """A request that closes the temporary files of its uploads, those that broke off too."""

    def _get_file_stream(self, *about: Any, **more: Any) -> IO[bytes]:
        stream = Received()
        self.__dict__.setdefault("_uploads", []).append(stream)
        return stream

    def close(self) -> None:
        super().close()
        for stream in self.__dict__.get("_uploads", ()):
            stream.close()


class Files(ScreenView):
    """Sends and takes files of customers, orders and entries."""

    endpoint_name, url_path, icon = "files", "/files", "paperclip"
    label = N_("Files")

    @expose("/")
    def index_view(self) -> Any:
        """Files are always somebody's; the customer list is the way in."""
        return redirect(url_for("customers.index_view"))

    @expose("/<attachment_id>")
    def file_view(self, attachment_id: str) -> Response:
        """The bytes, whole or the range that is asked for."""
        attachment, file = attachments.open_file(object_id(attachment_id), by=current_actor())
        is_shown = attachment["content_type"] in INLINE and "download" not in request.args
        return _sent(
            file,
            attachment["size_bytes"],
            content_type=attachment["content_type"] if is_shown else UNKNOWN,
            disposition="inline" if is_shown else "attachment",
            name=attachment["name"],
        )

    @expose("/<attachment_id>/thumbnail")
    def thumbnail_view(self, attachment_id: str) -> Response:
        attachment, file = attachments.open_file(
            object_id(attachment_id), by=current_actor(), is_thumbnail=True
        )
        return _sent(
            file,
            file.length,
            content_type=THUMBNAIL_TYPE,
            disposition="inline",
            name=f"{attachment['name']}.webp",
        )

    @expose("/to/<kind>/<owner_id>", methods=("POST",))
    def add_view(self, kind: str, owner_id: str) -> Any:
        """Takes files of a record: one a request with scripts, several with a plain form."""
        owner, actor = object_id(owner_id), current_actor()

        def take(sent: FileStorage, key: str | None) -> Stored:
            return attachments.add(
                kind, owner, sent.stream, sent.filename or "", by=actor, at=now(), upload_key=key
            )

        if is_htmx():
            return self.render("files/rows.html", files=shown(_take_all(take)))
        try:
            taken = _take_all(take)
        except InvalidInput as error:
            flash_error(error)
        else:
            text = ngettext("%(num)s file added.", "%(num)s files added.", len(taken))
            flash(text, "success")
        return redirect(_page_of(kind, owner), code=303)

    @expose("/pending", methods=("POST",))
    def pending_view(self) -> Any:
        """Takes files of an entry that is still being written."""
        return self.render("files/pending.html", files=shown(take_pending()))

    @expose("/field/<kind>/<key>", methods=("GET", "POST"))
    def field_view(self, kind: str, key: str) -> Any:
        """Takes files of a field whose form is still open, and shows those of a draft again."""
        actor = current_actor()
        field_files.fillable(kind, key, actor)
        if request.method == "GET":
            named = request.args.get("file", "").split(",")[:FILES_KEPT]
            ids = [ObjectId(one.strip()) for one in named if ObjectId.is_valid(one.strip())]
            files = shown(attachments.pending(ids, by=actor))
            return self.render("files/in_field.html", files=files, key=key, chosen=None)

        def take(sent: FileStorage, upload_key: str | None) -> Stored:
            return attachments.add_pending(
                sent.stream,
                sent.filename or "",
                by=actor,
                at=now(),
                upload_key=upload_key,
                field=(kind, key),
            )

        files = shown(_take_all(take))
        return self.render("files/in_field.html", files=files, key=key, chosen=None)

    @expose("/count/<kind>/<owner_id>")
    def count_view(self, kind: str, owner_id: str) -> Response:
        """How many documents the page of a record lists, as its tab says it."""
        owner = object_id(owner_id)
        attachments.check_seen(kind, owner, by=current_actor())
        return Response(count_text(attachments.count(kind, owner)), mimetype="text/plain")

    @expose("/<attachment_id>/delete", methods=("POST",))
    def delete_file_view(self, attachment_id: str) -> Any:
        chosen = object_id(attachment_id)
        gone = attachment_removal.remove(chosen, by=current_actor(), at=now())
        undo = url_for(".restore_file_view", attachment_id=chosen)
        text = gettext("File %(name)s is in the trash.", name=gone["name"])
        if not is_htmx():
            flash(text, f"undo {undo}")
            return redirect(_page_of(gone.get("owner_kind", ""), gone.get("owner_id")), code=303)
        if gone.get("owner_kind") == "pending":
            return make_response("", 200)
        return toast("", text, undo=undo)

    @expose("/<attachment_id>/restore", methods=("POST",))
    def restore_file_view(self, attachment_id: str) -> Any:
        chosen = object_id(attachment_id)
        attachment_removal.restore(chosen, by=current_actor(), at=now())
        back = attachments.visible(chosen, by=current_actor())
        flash(gettext("%(name)s is back.", name=back["name"]), "success")
        return redirect(_page_of(back["owner_kind"], back["owner_id"]), code=303)


def register(app: Flask) -> None:
    """Tells templates how large a file may be, and closes what a request brought."""
    app.jinja_env.globals["upload_bytes"] = UPLOAD_BYTES
    app.request_class = UploadRequest
    app.teardown_request(lambda _: request.close())


def take_pending() -> list[Stored]:
    """Stores the files of this request for an entry that is not saved yet. Raises FileRefused."""
    actor = current_actor()

    def take(sent: FileStorage, key: str | None) -> Stored:
        made = attachments.add_pending(
            sent.stream, sent.filename or "", by=actor, at=now(), upload_key=key
        )
        # Noted one by one: another one may be refused, and this one stays with the form.
        g.taken_files = [*g.get("taken_files", ()), made["_id"]]
        return made

    return _take_all(take)


def has_sent() -> bool:
    """Whether the form itself carries files, as it does without scripts."""
    return any(one.filename for one in request.files.getlist("files"))


def waiting_ids() -> tuple[ObjectId, ...]:
    """The files of this form: those that it names as sent before, and those that it carried."""
    named = [ObjectId(one) for one in request.form.getlist("file") if ObjectId.is_valid(one)]
    return tuple(dict.fromkeys([*named, *g.get("taken_files", ())]))


def waiting() -> list[ShownFile]:
    """The same as they are listed in the form when it is shown again."""
    ids = waiting_ids()
    return shown(attachments.pending(ids, by=current_actor())) if ids else []


def shown(found: Iterable[Stored]) -> list[ShownFile]:
    """Attachments as pages list them; one query for the orders that they came with."""
    rows, actor = list(found), current_actor()
    orders = lists.labels(
        Order.collection(),
        (row["owner_id"] for row in rows if row.get("owner_kind") == "orders"),
        ("code",),
    )
    return [
        ShownFile(
            id=str(row["_id"]),
            name=row["name"],
            url=url_for("files.file_view", attachment_id=row["_id"]),
            thumbnail_url=url_for("files.thumbnail_view", attachment_id=row["_id"])
            if row.get("thumbnail_id")
            else None,
            icon=_icon(row["content_type"], row["name"]),
            size=formats.format_bytes(row["size_bytes"]),
            who=row.get("staff_name") or "–",
            at=row["added_at"],
            about=_about(row, orders),
            is_audio=row["content_type"] in AUDIO,
            content_type=row["content_type"],
            may_remove=attachment_removal.may_remove(row, actor),
        )
        for row in rows
    ]


def _about(row: Stored, orders: dict[Any, Stored]) -> str:
    if row.get("owner_kind") == "orders":
        return gettext("Order %(code)s", code=orders.get(row["owner_id"], {}).get("code", ""))
    return gettext("with a care entry") if row.get("owner_kind") == "interactions" else ""


def _icon(content_type: str, name: str) -> str:
    if content_type in PICTURES:
        return "photo"
    if content_type in AUDIO:
        return "music"
    if content_type == PDF:
        return "file-text"
    is_sheet = name.lower().endswith((".xls", ".xlsx", ".csv", ".ods"))
    return "file-spreadsheet" if is_sheet else "file"


def _take_all(take: Callable[[FileStorage, str | None], Stored]) -> list[Stored]:
    """Takes every file of the request that can be taken, also beside one that is refused.

    An input that was left empty sends one without a name. Raises InvalidInput.
    """
    sent = [one for one in request.files.getlist("files") if one.filename]
    if not sent:
        raise InvalidInput(N_("Choose at least one file."))
    key = request.form.get("upload_key", "")[:KEY_LENGTH]
    taken, refused = [], []
    for number, one in enumerate(sent):
        try:
            taken.append(take(one, f"{key}-{number}" if key else None))
        except InvalidInput as error:
            refused.append(error)
    if refused:
        raise several(refused)
    return taken


def _page_of(kind: str, owner_id: ObjectId | None) -> str:
    """Where the files of a record are listed."""
    if kind == "orders":
        return url_for("orders.record_view", record_id=owner_id, tab="files")
    if kind == "records":
        found = Record.collection().find_one({"_id": owner_id}, {"kind": 1})
        if found:
            return url_for(
                "records.record_view", slug=found["kind"], record_id=owner_id, tab="files"
            )
    if kind == "products":
        return url_for("products.record_view", product_id=owner_id)
    if kind == "customers":
        return url_for("customers.record_view", record_id=owner_id, tab="files")
    return url_for("customers.index_view")


def _sent(file: Any, size: int, *, content_type: str, disposition: str, name: str) -> Response:
    """The answer with a file's bytes, streamed, with a range where one is asked for."""
    body = wrap_file(request.environ, file, CHUNK_BYTES)
    response = Response(body, content_type=content_type, direct_passthrough=True)
    response.content_length = size
    response.headers["Content-Disposition"] = _disposition(disposition, name)
    response.headers["Content-Security-Policy"] = PDF_POLICY if content_type == PDF else POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Kept by this browser alone, and asked for each time whether it may still be shown.
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(str(file._id))
    response.make_conditional(request, accept_ranges=True, complete_length=size)
    return response


def _disposition(kind: str, name: str) -> str:
    """The name in UTF-8 (RFC 6266), and for old programs without what they could misread."""
    plain = "".join(
        one if (one.isascii() and one.isalnum()) or one in " ._-" else "_" for one in name
    )
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
