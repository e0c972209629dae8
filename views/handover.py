"""[Vắng mặt, bàn giao]: whose work somebody else does, for some days or for good (S1.1)."""

from typing import Any

from bson import ObjectId
from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Staff
from rules.errors import N_, CareError, InvalidInput
from rules.filters import parse_date
from rules.scope import may_assign
from services import absences
from views.base import ScreenView
from views.context import current_actor, now, settings
from views.list_screen import object_id

STAFF_OFFERED = 500


class HandOver(ScreenView):
    """Managers leave anybody's work to anybody; everybody else their own."""

    endpoint_name, url_path, icon = "handover", "/handover", "calendar-off"
    label = N_("Absence and hand-over")

    @expose("/")
    def index_view(self) -> str:
        return self._page()

    @expose("/absence", methods=("POST",))
    def absence_view(self) -> Any:
        """Leaves somebody's work to a colleague for some days."""
        by, typed = current_actor(), request.form.to_dict()
        try:
            absences.start(
                _id(typed.get("staff")) if may_assign(by) else by.staff_id,
                _id(typed.get("to")),
                *_days(typed),
                zone=settings().zone,
                by=by,
                at=now(),
            )
        except InvalidInput as error:
            return make_response(self._page(typed, error), error.status)
        flash(gettext("Saved. The colleague sees this work on these days."), "success")
        return redirect(url_for(".index_view"), 303)

    @expose("/absence/<absence_id>/end", methods=("POST",))
    def end_view(self, absence_id: str) -> Any:
        """Back earlier, or not away after all."""
        absences.end(object_id(absence_id), by=current_actor(), at=now())
        flash(gettext("Ended. Nobody stands in any more."), "success")
        return redirect(url_for(".index_view"), 303)

    def _page(self, typed: dict[str, str] | None = None, problem: CareError | None = None) -> str:
        by = current_actor()
        people = Staff.collection().find({"active": True}, {"name": 1}).limit(STAFF_OFFERED)
        return self.render(
            "handover/index.html",
            may_assign=may_assign(by),
            me=by.staff_id,
            people=sorted(people, key=lambda one: one["name"]),
            absences=absences.current(by=by, at=now()),
            typed=typed or {"staff": str(by.staff_id) if not may_assign(by) else ""},
            problem=problem,
            errors=problem.fields if isinstance(problem, InvalidInput) else {},
        )


def _id(text: str | None) -> ObjectId | None:
    return ObjectId(text) if text and ObjectId.is_valid(text) else None


def _days(typed: dict[str, str]) -> tuple[Any, Any]:
    """Both days as they were typed. Raises InvalidInput with the field that it is about."""
    found: dict[str, Any] = {}
    for name in ("from_on", "until_on"):
        try:
            found[name] = parse_date(typed.get(name, ""))
        except InvalidInput as error:
            raise InvalidInput(fields={name: error}) from error
    return found["from_on"], found["until_on"]
