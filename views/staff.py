"""[Nhân viên]: who works here, with which roles, from which browsers (for administrators)."""

from collections.abc import Sequence
from typing import Any

from bson import ObjectId
from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from models import Staff as StaffDocument
from rules.errors import N_, CareError, InvalidInput, NotFound, StaleForm
from rules.filters import Choice, ChoiceFilter, Filter, SearchFilter
from rules.permissions import ACCOUNTS
from rules.text import fold
from services import (
    accounts,
    audit_reading,
    handovers,
    invitations,
    leaving,
    login_attempts,
    second_factor,
    staff,
)
from services.lists import Sort
from views import formats
from views.browsers import shown_sessions
from views.cells import Cell, Column, RowView
from views.context import configured, current_actor, now, offered_roles, sent_version, settings
from views.errors import flash_error
from views.list_screen import ListScreen, links, object_id

SEARCH = SearchFilter("q", N_("Name, e-mail…"), "search_words")
STATE = ChoiceFilter(
    "state",
    N_("Status"),
    (
        Choice("active", N_("Active"), N_("active"), {"active": True}),
        Choice(
            "invited",
            N_("Invited"),
            N_("invited, without a password yet"),
            {"active": True, "password": None},
        ),
        Choice("inactive", N_("Deactivated"), N_("deactivated"), {"active": False}),
        Choice("all", N_("All"), "", {}),
    ),
    default="active",
)
CHANGES_SHOWN = 10
STAFF_OFFERED = 500
NOBODY = "nobody"


class Staff(ListScreen):
    """The list of staff, a page for each, and the form for somebody new."""

    model = StaffDocument
    endpoint_name, url_path, icon = "staff", "/staff", "user-cog"
    label = N_("Staff")
    needs = ACCOUNTS
    list_page = "staff/list.html"
    columns = (
        Column("name", N_("Name"), sort="name"),
        Column("roles", N_("Role")),
        Column("state", N_("Status")),
        Column("factor", N_("Second factor"), fold="phone"),
        Column("seen", N_("Last seen"), fold="phone"),
    )
    sorts = {"name": Sort("search")}
    default_sort = "name"
    fields = ("name", "email", "search", "roles", "active", "seen_at", "second_factor_required")
    counted = "state"
    empty_text = N_("Nobody matches. Check the spelling, or clear the filters.")

    def list_filters(self) -> tuple[Filter, ...]:
        return (SEARCH, STATE, self._role_filter())

    def _role_filter(self) -> ChoiceFilter:
        found = [
            Choice(key, formats.role_name(key), formats.role_name(key), {"roles": key})
            for key in configured().roles
        ]
        every = Choice("all", N_("All roles"), "", {})
        return ChoiceFilter("role", N_("Role"), (every, *found), default="all")

    def references(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        # Secrets stay in the store: only whether there are any is read.
        ids = [row["_id"] for row in rows]
        has = {"password": {"$type": "string"}, "totp_secret": {"$type": "string"}}
        found = {
            field: {
                row["_id"]
                for row in StaffDocument.collection().find(
                    {"_id": {"$in": ids}, field: is_set}, {"_id": 1}
                )
            }
            for field, is_set in has.items()
        }
        return {"link": links("staff.record_view", "staff_id"), **found}

    def cells(self, row: dict[str, Any], refs: dict[str, Any]) -> RowView:
        _, text, colour = _state(row, has_password=row["_id"] in refs["password"])
        return RowView(
            id=str(row["_id"]),
            label=row["name"],
            cells=(
                Cell("title", row["name"], sub=row["email"], url=refs["link"](row["_id"])),
                Cell("text", ", ".join(formats.role_name(role) for role in row.get("roles", []))),
                Cell("pill", gettext(text), colour=colour),
                _factor_cell(row, has_factor=row["_id"] in refs["totp_secret"]),
                Cell("text", formats.format_datetime(row.get("seen_at")) or "–"),
            ),
        )

    @expose("/new", methods=("GET", "POST"))
    def new_view(self) -> Any:
        """Somebody new; the answer shows the one-time link."""
        if request.method == "GET":
            return self._new_form({"name": "", "email": "", "roles": []})
        typed = _typed()
        try:
            made = accounts.create_staff(
                typed["email"], typed["name"], typed["roles"], current_actor(), at=now()
            )
        except InvalidInput as error:
            return make_response(self._new_form(typed, problem=error), 422)
        return self._with_new_link(made.pk)

    @expose("/<staff_id>", methods=("GET", "POST"))
    def record_view(self, staff_id: str) -> Any:
        """A person's page; posting saves name and roles."""
        who = object_id(staff_id)
        if request.method == "GET":
            return self._person_page(who)
        typed = _typed()
        try:
            staff.update(
                who,
                name=typed["name"],
                roles=typed["roles"],
                must_change_password=typed["must_change_password"],
                version=sent_version(),
                by=current_actor(),
                at=now(),
            )
        except (StaleForm, InvalidInput) as error:
            return make_response(self._person_page(who, typed=typed, problem=error), error.status)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".record_view", staff_id=who), 303)

    @expose("/<staff_id>/link", methods=("POST",))
    def link_view(self, staff_id: str) -> Any:
        """A new one-time link, shown once and mailed where there is a mail server."""
        return self._with_new_link(object_id(staff_id))

    @expose("/<staff_id>/deactivate", methods=("GET", "POST"))
    def deactivate_view(self, staff_id: str) -> Any:
        """Asks who gets the work of somebody who has any, and then keeps the person out."""
        who, given = object_id(staff_id), request.form.get("to")
        left = handovers.left_of(who, at=now())
        if request.method == "GET" or (given is None and not left.is_nothing):
            return self._leaving_page(who, left)
        to_id = ObjectId(given) if given and ObjectId.is_valid(given) else None
        if (given and given != NOBODY and to_id is None) or (given == "" and not left.is_nothing):
            problem = InvalidInput(fields={"to": InvalidInput(N_("Say who gets the work."))})
            return make_response(self._leaving_page(who, left, problem), 422)
        try:
            leaving.deactivate_staff(who, current_actor(), now(), to_id=to_id)
        except InvalidInput as error:
            return make_response(self._leaving_page(who, left, error), error.status)
        except NotFound:
            raise
        except CareError as error:
            flash_error(error)
        else:
            flash(gettext("The login is deactivated; all browsers are logged out."), "success")
        return redirect(url_for(".record_view", staff_id=who), 303)

    def _leaving_page(
        self, who: ObjectId, left: handovers.Left, problem: InvalidInput | None = None
    ) -> str:
        person = StaffDocument.objects(pk=who).first()
        if person is None:
            raise NotFound()
        others = StaffDocument.collection().find({"active": True, "_id": {"$ne": who}}, {"name": 1})
        return self.render(
            "staff/leaving.html",
            staff=person,
            left=left,
            people=sorted(others.limit(STAFF_OFFERED), key=lambda one: fold(one["name"])),
            nobody=NOBODY,
            errors=problem.fields if problem else {},
        )

    @expose("/<staff_id>/activate", methods=("POST",))
    def activate_view(self, staff_id: str) -> BaseResponse:
        done = gettext("The login is active again.")
        return self._do(
            staff_id, lambda who: leaving.activate_staff(who, current_actor(), now()), done
        )

    @expose("/<staff_id>/unlock", methods=("POST",))
    def unlock_view(self, staff_id: str) -> BaseResponse:
        done = gettext("The account is unlocked.")
        return self._do(staff_id, lambda who: staff.unlock(who, by=current_actor(), at=now()), done)

    @expose("/<staff_id>/second-factor/reset", methods=("POST",))
    def reset_factor_view(self, staff_id: str) -> BaseResponse:
        done = gettext("The second factor is reset; all browsers are logged out.")
        return self._do(
            staff_id, lambda who: second_factor.reset(who, current_actor(), now()), done
        )

    @expose("/<staff_id>/sessions/close", methods=("POST",))
    def close_sessions_view(self, staff_id: str) -> BaseResponse:
        """Logs out one browser, or all of them without a `name`."""
        who = object_id(staff_id)
        name = request.form.get("name") or None
        ended = staff.end_sessions(who, name=name, by=current_actor(), at=now())
        text = ngettext("%(num)d browser is logged out.", "%(num)d browsers are logged out.", ended)
        flash(text, "success")
        return redirect(url_for(".record_view", staff_id=who), 303)

    def _do(self, staff_id: str, act: Any, done: str) -> BaseResponse:
        who = object_id(staff_id)
        try:
            act(who)
        except NotFound:
            raise
        except CareError as error:
            flash_error(error)
        else:
            flash(done, "success")
        return redirect(url_for(".record_view", staff_id=who), 303)

    def _with_new_link(self, who: ObjectId) -> Any:
        try:
            made = invitations.send_link(who, settings=settings(), by=current_actor(), now=now())
        except InvalidInput as error:
            flash_error(error)
            return redirect(url_for(".record_view", staff_id=who), 303)
        return self._person_page(who, new_link=made)

    def _new_form(self, typed: dict[str, Any], problem: InvalidInput | None = None) -> str:
        return self.render(
            "staff/new.html",
            typed=typed,
            problem=problem,
            errors=problem.fields if problem else {},
            roles=offered_roles(),
        )

    def _person_page(
        self,
        who: ObjectId,
        *,
        typed: dict[str, Any] | None = None,
        problem: CareError | None = None,
        new_link: invitations.NewLink | None = None,
    ) -> str:
        found = StaffDocument.objects(pk=who).first()
        if found is None:
            raise NotFound()
        stored = {
            "name": found.name,
            "roles": list(found.roles),
            "must_change_password": bool(found.must_change_password),
        }
        # After a conflict the form carries the new version: saving again is then a decision.
        is_retry = typed is not None and not isinstance(problem, StaleForm)
        return self.render(
            "staff/record.html",
            staff=found,
            state=_state(
                {"active": found.active, "roles": found.roles}, has_password=bool(found.password)
            ),
            locked_seconds=login_attempts.seconds_locked(found.email, now()),
            typed=typed or stored,
            stored=stored,
            is_stale=isinstance(problem, StaleForm),
            version=request.form.get("version", "") if is_retry else found.version,
            problem=problem,
            errors=problem.fields if isinstance(problem, InvalidInput) else {},
            new_link=new_link,
            sessions=shown_sessions(found),
            is_me=who == current_actor().staff_id,
            roles=offered_roles(),
            entries=audit_reading.newest_of("staff", who, CHANGES_SHOWN),
        )


def _typed() -> dict[str, Any]:
    return {
        "name": request.form.get("name", ""),
        "email": request.form.get("email", ""),
        "roles": request.form.getlist("roles"),
        "must_change_password": bool(request.form.get("must_change_password")),
    }


def _state(row: dict[str, Any], *, has_password: bool) -> tuple[str, str, str]:
    """(key, label, colour) of how far a person can log in."""
    if not row.get("active"):
        return "inactive", N_("deactivated"), "gray"
    if not has_password:
        return "invited", N_("invited"), "azure"
    return "active", N_("active"), "green"


def _factor_cell(row: dict[str, Any], *, has_factor: bool) -> Cell:
    if has_factor:
        return Cell("pill", gettext("on"), colour="green")
    if row.get("second_factor_required"):
        return Cell("pill", gettext("missing"), colour="orange")
    return Cell("text", "–", level="muted")
