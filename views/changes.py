"""The history of one record: who changed which field, from what to what, and back again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bson import ObjectId
from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from models import Product
from rules.errors import N_, CareError, InvalidInput, NotFound
from rules.permissions import EDIT
from rules.scope import Actor, product_scope
from services import audit_reading, audit_restore, records, site_records
from views.audit_words import in_words
from views.base import ScreenView
from views.context import configured, current_actor, now
from views.errors import flash_error
from views.list_screen import object_id


@dataclass(frozen=True, slots=True)
class Subject:
    """The record whose history is shown, as far as the page needs it."""

    name: str
    version: int
    may_restore: bool


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
        )

    @expose("/<kind>/<record_id>/restore", methods=("POST",))
    def restore_view(self, kind: str, record_id: str) -> BaseResponse:
        """Takes one field, or all of an entry, back to what it was."""
        who = object_id(record_id)
        _subject(kind, who)
        version = request.form.get("version", "")
        try:
            audit_restore.restore(
                kind,
                who,
                entry_id=object_id(request.form.get("entry", "")),
                fields=request.form.getlist("field"),
                version=int(version) if version.isdecimal() and len(version) < 10 else -1,
                by=current_actor(),
                at=now(),
            )
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


def _subject(kind: str, record_id: ObjectId) -> Subject:
    """The record, if the person may see it. Raises NotFound."""
    if kind not in SUBJECTS:
        return _site_record(kind, record_id, current_actor())
    return SUBJECTS[kind](record_id, current_actor())


def _customer(record_id: ObjectId, by: Actor) -> Subject:
    found = records.customer_record(record_id, by=by).customer
    may_restore = by.may("customers", EDIT)
    return Subject(found["name"], found.get("version", 1), may_restore)


def _order(record_id: ObjectId, by: Actor) -> Subject:
    found = records.order_record(record_id, by=by).order
    return Subject(found["code"], found.get("version", 1), may_restore=False)


def _product(record_id: ObjectId, by: Actor) -> Subject:
    mine = {"_id": record_id, **product_scope(by)}
    found = Product.collection().find_one(mine, {"code": 1, "name": 1, "version": 1})
    if found is None:
        raise NotFound()
    name = f"{found['code']} · {found.get('name', '')}"
    return Subject(name, found.get("version", 1), may_restore=by.may("products", EDIT))


def _site_record(kind: str, record_id: ObjectId, by: Actor) -> Subject:
    """A record of a kind that the site defined. Raises NotFound."""
    known = configured().kinds.get(kind)
    if known is None or known.collection != site_records.COLLECTION:
        raise NotFound()
    found = site_records.read(kind, record_id, by=by)
    return Subject(found["title"], found.get("version", 1), may_restore=by.may(kind, EDIT))


SUBJECTS: dict[str, Callable[[ObjectId, Actor], Subject]] = {
    "customers": _customer,
    "orders": _order,
    "products": _product,
}


def _back(kind: str, record_id: str) -> str:
    if kind == "products":
        return url_for("products.index_view")
    if kind not in SUBJECTS:
        return url_for("records.record_view", slug=kind, record_id=record_id)
    return url_for(f"{kind}.record_view", record_id=record_id)
