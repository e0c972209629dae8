"""[Người xem] of a customer, and why somebody can or cannot see it (S2.7, B.8)."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Customer, Staff
from rules.errors import N_, CareError, NotFound
from rules.filters import parse_date
from rules.permissions import SEE
from rules.reasons import Standing, reasons_to_see
from rules.scope import customer_scope
from rules.text import fold
from services import actors, assignments, explaining
from views import formats
from views.base import ScreenView
from views.context import configured, current_actor, now, settings
from views.errors import flash_error
from views.list_screen import object_id

STAFF_OFFERED = 500


class CustomerViewers(ScreenView):
    """Adds and removes viewers; explains who sees a customer and why."""

    endpoint_name, url_path, icon = "viewers", "/viewers", "eye"
    label = N_("Viewers")
    needs = ("customers", SEE)

    @expose("/")
    def index_view(self) -> Any:
        """Viewers belong to a customer; the list of customers is the way in."""
        return redirect(url_for("customers.index_view"))

    @expose("/<customer_id>")
    def viewers_view(self, customer_id: str) -> Any:
        """[Hiển thị]: everybody who can see the customer, each with every reason."""
        customer = _visible(customer_id)
        people = list(Staff.collection().find({"active": True}).limit(STAFF_OFFERED))
        standing = explaining.standing_of("customers", customer)
        known: dict[str, bool] = {}  # which rules of roles the customer matches
        seeing = [(one, _reasons(one, customer, standing, known)) for one in people]
        return self.render(
            "customers/viewers.html",
            customer=customer,
            viewers={one["staff_id"]: one for one in customer.get("viewers") or ()},
            seeing=sorted(
                (pair for pair in seeing if pair[1]), key=lambda pair: fold(pair[0]["name"])
            ),
            others=sorted(
                (one for one, why in seeing if not why), key=lambda one: fold(one["name"])
            ),
        )

    @expose("/<customer_id>/add", methods=("POST",))
    def add_view(self, customer_id: str) -> Any:
        """[Thêm mới]."""
        try:
            assignments.add_viewer(
                object_id(customer_id),
                object_id(request.form.get("staff", "")),
                until=_end_of(parse_date(request.form.get("until", ""))),
                by=current_actor(),
                at=now(),
            )
        except CareError as error:
            flash_error(error)
        else:
            flash(gettext("Added. The colleague sees the customer from now on."), "success")
        return redirect(url_for(".viewers_view", customer_id=customer_id), code=303)

    @expose("/<customer_id>/remove", methods=("POST",))
    def remove_view(self, customer_id: str) -> Any:
        assignments.remove_viewer(
            object_id(customer_id),
            object_id(request.form.get("staff", "")),
            by=current_actor(),
            at=now(),
        )
        flash(gettext("Removed."), "success")
        return redirect(url_for(".viewers_view", customer_id=customer_id), code=303)


def _visible(customer_id: str) -> dict[str, Any]:
    found = Customer.collection().find_one(
        {"_id": object_id(customer_id), **customer_scope(current_actor())}
    )
    if found is None:
        raise NotFound()
    return found


def _reasons(
    staff: dict[str, Any], customer: dict[str, Any], standing: Standing, known: dict[str, bool]
) -> list[str]:
    actor = actors.of_person(staff, configured(), at=now())
    matched = actors.matched_roles(actor, "customers", customer["_id"], known)
    found = reasons_to_see(actor, replace(standing, matched=matched), now())
    return [formats.say(one) for one in found]


def _end_of(day: date | None) -> datetime | None:
    """The end of the local day, or None: without end."""
    if day is None:
        return None
    return datetime.combine(day + timedelta(days=1), time(), settings().zone)
