"""[Vắng mặt, bàn giao]: whose work somebody else does, for some days or for good (S1.1)."""

from typing import Any

from bson import ObjectId
from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Staff
from models.hand_over import DONE, MOVING, UNDOING, UNDONE
from models.job_run import ACTIVE_STATES
from rules.errors import N_, CareError, InvalidInput, NotAllowed
from rules.filters import parse_date
from rules.permissions import SEE
from rules.scope import Actor, may_assign
from rules.text import fold
from services import absences, handovers
from views.base import ScreenView
from views.context import current_actor, now, settings
from views.errors import flash_error
from views.list_screen import object_id

STAFF_OFFERED = 500
STATES = {
    MOVING: (N_("under way"), "azure"),
    DONE: (N_("done"), "green"),
    UNDOING: (N_("being taken back"), "azure"),
    UNDONE: (N_("taken back"), "gray"),
}


class HandOver(ScreenView):
    """Managers leave anybody's work to anybody; everybody else their own."""

    endpoint_name, url_path, icon = "handover", "/handover", "calendar-off"
    label = N_("Absence and hand-over")
    needs = ("customers", SEE)

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

    @expose("/left")
    def left_view(self) -> str:
        """What the chosen person has; a fragment."""
        by, who = current_actor(), _id(request.args.get("from"))
        if not may_assign(by):
            raise NotAllowed()
        left = handovers.left_of(who, at=now()) if who else None
        return self.render("handover/left.html", left=left)

    @expose("/give", methods=("POST",))
    def give_view(self) -> Any:
        """Hands everything of one person over for good."""
        typed = request.form.to_dict()
        try:
            handovers.start(
                _id(typed.get("from")), _id(typed.get("receiver")), by=current_actor(), at=now()
            )
        except InvalidInput as error:
            # The two forms of the page share no field name.
            fields = {
                "receiver" if name == "to" else name: one for name, one in error.fields.items()
            }
            return make_response(self._page(typed, InvalidInput(fields=fields)), error.status)
        flash(gettext("The hand-over runs in the background; the list below shows it."), "success")
        return redirect(url_for(".index_view"), 303)

    @expose("/give/<hand_over_id>/undo", methods=("POST",))
    def undo_view(self, hand_over_id: str) -> Any:
        """Takes a hand-over back."""
        try:
            handovers.start_undo(object_id(hand_over_id), by=current_actor(), at=now())
        except InvalidInput as error:
            flash_error(error)
        else:
            flash(gettext("The hand-over is being taken back in the background."), "success")
        return redirect(url_for(".index_view"), 303)

    def _page(self, typed: dict[str, str] | None = None, problem: CareError | None = None) -> str:
        by, chosen = current_actor(), request.args.get("person", "")
        everybody = list(Staff.collection().find({}, {"name": 1, "active": 1}).limit(STAFF_OFFERED))
        everybody.sort(key=lambda one: fold(str(one["name"])))
        return self.render(
            "handover/index.html",
            may_assign=may_assign(by),
            me=by.staff_id,
            people=[one for one in everybody if one.get("active")],
            everybody=everybody,
            absences=absences.current(by=by, at=now()),
            typed=typed or {"from": chosen},
            left=handovers.left_of(who, at=now()) if (who := _id(chosen)) else None,
            problem=problem,
            errors=problem.fields if isinstance(problem, InvalidInput) else {},
            **(self._for_managers(by) if may_assign(by) else {}),
        )

    def _for_managers(self, by: Actor) -> dict[str, Any]:
        given = handovers.newest(by=by)
        return {
            "given": [one | {"may_undo": handovers.may_undo(one, now())} for one in given],
            "unattended": handovers.without_anybody(by=by, at=now()),
            "state_pill": state_pill,
        }


def state_pill(hand: dict[str, Any]) -> tuple[str, str]:
    """(label, colour) of how far a hand-over is; a job that ended early leaves it half done."""
    is_early = hand["state"] in (MOVING, UNDOING) and hand["run_state"] not in ACTIVE_STATES
    label, colour = (N_("stopped half-way"), "red") if is_early else STATES[hand["state"]]
    return gettext(label), colour


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
