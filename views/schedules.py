"""[Lịch chạy]: when periodic jobs run, and starting one now."""

from typing import Any

from babel.dates import get_day_names
from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext

from rules.errors import N_, InvalidInput, StaleForm
from rules.permissions import CONFIGURE
from services import schedules
from views import job_words
from views.base import ScreenView
from views.context import current_actor, locale, now, sent_version, settings

OFFERED_MINUTES = (5, 10, 15, 30, 60, 120, 180, 240, 360)


class Schedules(ScreenView):
    """Every periodic job with its next run in the site's time zone."""

    endpoint_name, url_path, icon = "schedules", "/settings/schedules", "clock"
    label = N_("Schedules")
    needs = CONFIGURE

    @expose("/")
    def index_view(self) -> Any:
        return self._page()

    @expose("/<key>", methods=("POST",))
    def save_view(self, key: str) -> Any:
        """Time, weekdays and pause of one schedule."""
        try:
            schedules.save(
                key,
                at_time=request.form.get("at_time", ""),
                weekdays=request.form.getlist("weekdays"),
                is_paused="is_active" not in request.form,
                every_minutes=request.form.get("every_minutes", ""),
                until_time=request.form.get("until_time", ""),
                version=sent_version(),
                by=current_actor(),
                at=now(),
            )
        except (InvalidInput, StaleForm) as error:
            typed = {
                "at_time": request.form.get("at_time", ""),
                "weekdays": [int(day) for day in request.form.getlist("weekdays") if day.isdigit()],
                "is_paused": "is_active" not in request.form,
                "every_minutes": request.form.get("every_minutes", type=int),
                "until_time": request.form.get("until_time", ""),
            }
            page = self._page(wrong=key, problem=error, typed=typed)
            return make_response(page, error.status)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".index_view"), code=303)

    @expose("/<key>/run", methods=("POST",))
    def run_now_view(self, key: str) -> Any:
        """Starts the job at once and shows its run."""
        run_id = schedules.run_now(key, by=current_actor(), at=now())
        return redirect(url_for("jobs.run_view", run_id=run_id), code=303)

    def _page(self, **state: Any) -> str:
        context = {"wrong": None, "problem": None, "typed": {}} | state
        return self.render(
            "schedules/index.html",
            shown=schedules.shown(now(), settings().zone),
            words=job_words,
            days=_day_names(),
            zone=settings().timezone,
            every=_every,
            now=now(),
            **context,
        )


def _every(chosen: int | None) -> list[tuple[int, str]]:
    """(minutes, in words) to choose from, with what is chosen already."""
    offered = sorted({*OFFERED_MINUTES, *([chosen] if chosen else [])})
    return [(minutes, _every_words(minutes)) for minutes in offered]


def _every_words(minutes: int) -> str:
    if minutes % 60 == 0:
        return ngettext("every %(num)d hour", "every %(num)d hours", minutes // 60)
    return gettext("every %(minutes)s minutes", minutes=minutes)


def _day_names() -> list[tuple[int, str, str]]:
    """(0 to 6, short, long) of the weekdays in the reader's language, Monday first."""
    # What Babel calls abbreviated is long in Vietnamese ("Th 2"), what it calls short is "T2".
    short, long = (get_day_names(width, locale=locale()) for width in ("short", "wide"))
    return [(day, short[day], long[day]) for day in range(7)]
