"""The care entry form: a side panel of the lists, the right half of the queue, a page alone."""

import json
import secrets
from datetime import date, timedelta
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.care_sentences import nearness
from rules.errors import N_, CareError, InvalidInput, NotFound, StaleForm
from rules.filters import parse_date
from rules.permissions import CREATE
from services import care, care_reading
from services.care import CareEntry, Logged
from services.care_reading import CareForm
from views.base import ScreenView
from views.context import configured, current_actor, is_htmx, locale, now, sent_version, today
from views.due_cells import why
from views.field_cells import kind_label
from views.files import has_sent, take_pending, waiting, waiting_ids
from views.list_screen import object_id

QUICK_DAYS = (3, 7, 14)  # next dates offered with one click


class Care(ScreenView):
    """Opens and saves care entries of orders and customers."""

    endpoint_name, url_path, icon = "care", "/care", "pencil"
    label = N_("Care entry")
    needs = ("entries", CREATE)

    @expose("/")
    def index_view(self) -> Any:
        """A care form is always about somebody; the queue chooses one."""
        return redirect(url_for("today.queue_view"))

    @expose("/orders/<order_id>", methods=("GET", "POST"))
    def order_view(self, order_id: str) -> Any:
        subject = object_id(order_id)
        if request.method == "GET":
            return self._show(care_reading.form_for_order(subject, by=current_actor()))

        def save(entry: CareEntry) -> Logged:
            return care.log_order_care(subject, entry, **_save_arguments())

        return self._save(save, lambda: care_reading.form_for_order(subject, by=current_actor()))

    @expose("/customers/<customer_id>", methods=("GET", "POST"))
    def customer_view(self, customer_id: str) -> Any:
        subject = object_id(customer_id)
        if request.method == "GET":
            order_id = care_reading.subject_of_next_care(subject, by=current_actor())
            if order_id and request.args.get("for") != "customer":
                return self._show(care_reading.form_for_order(order_id, by=current_actor()))
            return self._show(care_reading.form_for_customer(subject, by=current_actor()))

        def save(entry: CareEntry) -> Logged:
            return care.log_customer_care(subject, entry, **_save_arguments())

        return self._save(save, lambda: care_reading.form_for_customer(subject, by=current_actor()))

    @expose("/records/<record_id>", methods=("GET", "POST"))
    def record_view(self, record_id: str) -> Any:
        """The form of a record of a kind that the site defined (B.14)."""
        subject = object_id(record_id)
        if request.method == "GET":
            return self._show(care_reading.form_for_record(subject, by=current_actor()))

        def save(entry: CareEntry) -> Logged:
            return care.log_record_care(subject, entry, **_save_arguments())

        return self._save(save, lambda: care_reading.form_for_record(subject, by=current_actor()))

    @expose("/orders/<order_id>/postpone", methods=("POST",))
    def postpone_view(self, order_id: str) -> Any:
        day = today()
        logged = care.postpone_order(
            object_id(order_id),
            day + timedelta(days=1),
            by=current_actor(),
            at=now(),
            today=day,
            entry_key=_entry_key(),
            expected_count=sent_version("count"),
        )
        return self._after(logged, gettext("Postponed to tomorrow."), written=False)

    def _show(self, form: CareForm, typed: dict[str, str] | None = None, **state: Any) -> Any:
        context = form_context(form, typed=typed or {}, **state)
        template = "care/panel.html" if is_htmx() else "care/page.html"
        return self.render(template, **context)

    def _save(self, save: Any, form: Any) -> Any:
        """Saves, or shows the form again with what was typed and what is wrong with it."""
        try:
            if has_sent():
                _take_files()
            logged = save(_typed_entry())
        except StaleForm as error:
            return self._again(form, error, {}, 409)
        except InvalidInput as error:
            return self._again(form, error, error.fields, 422, request.form.get("entry_key"))
        if logged.already_saved:
            return self._after(logged, gettext("This entry was already saved; it is kept once."))
        return self._after(logged, gettext("Saved."))

    def _again(
        self, form: Any, error: CareError, fields: Any, status: int, entry_key: str | None = None
    ) -> Any:
        kept: dict[str, Any] = {"entry_key": entry_key} if entry_key else {}
        try:
            shown = form()
        except NotFound as gone:
            raise gone from error
        kept["waiting_files"] = waiting()
        page = self._show(shown, dict(request.form.items()), errors=fields, problem=error, **kept)
        return make_response(page, status)

    def _after(self, logged: Logged, text: str, *, written: bool = True) -> Any:
        """The answer to a save: the row in place and a toast, or the way back without scripts.

        `written`: what was typed is stored now, so that the browser may drop its draft.
        """
        if not is_htmx():
            flash(text, "success")
            return redirect(_way_back(logged), code=303)
        response = make_response("", 200)
        detail = {
            "text": text,
            "customer": str(logged.customer_id) if logged.customer_id else None,
            "order": str(logged.order_id) if logged.order_id else None,
            "written": written,
            "url": _way_back(logged),
        }
        if logged.record_id:
            detail["record"] = str(logged.record_id)
        response.headers["HX-Trigger"] = json.dumps({"care-saved": detail})
        return response


def form_context(form: CareForm, **state: Any) -> dict[str, Any]:
    """What the care form templates need, with a fresh key for this form."""
    day = today()
    kind = configured().kinds.get(form.record["kind"]) if form.record else None
    return {
        "form": form,
        "action": _address(form),
        "kind": kind,
        "one_label": kind_label(kind, locale(), one=True) if kind else "",
        "typed": {},
        "errors": {},
        "problem": None,
        "entry_key": secrets.token_urlsafe(16),
        "picks": configured(),
        "why": why(form.due_on, form.basis, _named(form)) if form.due_on else "",
        "near": nearness(form.due_on, day) if form.due_on else None,
        "quick_dates": [(days, day + timedelta(days=days)) for days in QUICK_DAYS],
        "in_queue": bool(request.values.get("queue")),
    } | state


def _address(form: CareForm) -> str:
    if form.record:
        return url_for("care.record_view", record_id=form.record["_id"])
    if form.order:
        return url_for("care.order_view", order_id=form.order["_id"])
    return url_for("care.customer_view", customer_id=form.subject_id)


def _save_arguments() -> dict[str, Any]:
    return {
        "by": current_actor(),
        "at": now(),
        "today": today(),
        "entry_key": _entry_key(),
        "expected_count": sent_version("count"),
    }


def _entry_key() -> str:
    return (request.form.get("entry_key") or secrets.token_urlsafe(16))[:100]


def _typed_entry() -> CareEntry:
    """What was typed; raises InvalidInput for a next date that is not a date."""
    return CareEntry(
        content=request.form.get("content", ""),
        feedback=request.form.get("feedback") or None,
        next_on=_typed_date(),
        ended=request.form.get("ended") == "1",
        files=waiting_ids(),
    )


def _take_files() -> None:
    """Stores the files that the form carries; raises InvalidInput beside their field."""
    try:
        take_pending()
    except InvalidInput as error:
        raise InvalidInput(fields={"files": error}) from error


def _typed_date() -> date | None:
    try:
        return parse_date(request.form.get("next_on", ""))
    except InvalidInput as error:
        raise InvalidInput(fields={"next_on": error}) from error


def _named(form: CareForm) -> dict[str, Any]:
    code = (form.basis or {}).get("product_code")
    return {code: {"name": form.product_name}} if form.product_name else {}


def _way_back(logged: Logged) -> str:
    if request.form.get("queue"):
        return url_for("today.queue_view")
    if logged.record_id:
        return url_for("records.record_view", slug=logged.record_kind, record_id=logged.record_id)
    return url_for("customers.record_view", record_id=logged.customer_id)
