"""[Vì sao A thấy / không thấy?]: each rule for one person and one record, with where to change it (B.8)."""

from typing import Any

from bson import ObjectId
from flask import abort, request, url_for
from flask_admin import expose

from models import Staff
from rules import reasons
from rules.errors import N_, NotFound
from rules.permissions import ACCOUNTS
from rules.scope import may_assign
from rules.text import fold
from services import explaining
from views.base import ScreenView
from views.context import current_actor, now
from views.list_screen import object_id

STAFF_OFFERED = 500


class Why(ScreenView):
    """Whoever may see a record may ask about it: for itself, and for others."""

    endpoint_name, url_path, icon = "why", "/why", "eye"
    label = N_("Why can somebody see this?")

    @expose("/<kind>/<record_id>")
    def record_view(self, kind: str, record_id: str) -> str:
        by = current_actor()
        record = explaining.subject(kind, object_id(record_id), by=by)
        person = _person(request.args.get("staff") or str(by.staff_id))
        people = Staff.collection().find({}, {"name": 1, "active": 1}).limit(STAFF_OFFERED)
        return self.render(
            "why/record.html",
            kind=kind,
            record=record,
            name=record.get("name") or record.get("code"),
            people=sorted(people, key=lambda one: fold(str(one["name"]))),
            answer=explaining.answer(kind, record, person, at=now()),
            change=lambda reason: _where_to_change(kind, record, person, reason),
            back=url_for(f"{kind}.record_view", record_id=record_id),
        )

    @expose("/")
    def index(self) -> Any:
        abort(404)


def _person(staff_id: str) -> dict[str, Any]:
    found = ObjectId.is_valid(staff_id) and Staff.collection().find_one({"_id": ObjectId(staff_id)})
    if not found:
        raise NotFound()
    return dict(found)


def _where_to_change(
    kind: str, record: dict[str, Any], person: dict[str, Any], reason: reasons.Reason
) -> str | None:
    """The screen where the reader can change what the reason is about; None: there is none."""
    by = current_actor()
    customer_id = record["_id"] if kind == "customers" else record.get("customer_id")
    if reason.about == reasons.VIEWERS and customer_id:
        return url_for("viewers.viewers_view", customer_id=customer_id)
    if reason.about in (reasons.ROLE, reasons.LOGIN) and by.can(ACCOUNTS):
        return url_for("staff.record_view", staff_id=person["_id"])
    if not may_assign(by):
        return None
    if reason.about == reasons.CARERS and kind == "customers":
        return url_for("assign_customers.index_view", q=record["code"])
    endpoint = {
        reasons.CARERS: "assign_customers.index_view",
        reasons.MODE: "care_mode.index_view",
        reasons.PRODUCTS: "assign_products.index_view",
        reasons.ABSENCE: "handover.index_view",
    }.get(reason.about)
    return url_for(endpoint) if endpoint else None
