"""[Cấu hình]: everything that is configured as one file, its differences, earlier revisions (B.13)."""

import importlib.metadata
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from flask import Response, flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.config_diff import ItemDiff
from rules.config_names import Names, added_fields
from rules.config_words import SECTION_NAMES, sentences, side_by_side, subject
from rules.errors import N_, CareError, InvalidInput, StaleForm
from rules.permissions import CONFIGURE
from services import configuration_file, configuration_parts, configuration_problems
from services.configuration_file import CannotApply, Plan
from views import formats
from views.base import ScreenView
from views.configuration_names import screen_names
from views.context import configured, current_actor, now, sent_version, settings

TEXT_LIMIT = 16_000_000  # of the form: a file of 5 MB, each character as it travels
PAGE = 20
CHOICES = 200  # revisions that can be chosen to be compared
LINES = 60  # of one item; more of them nobody reads


class ConfigurationScreen(ScreenView):
    """A file is compared first; applied is what was looked at, and nothing else."""

    endpoint_name, url_path, icon = "configuration", "/settings/configuration", "versions"
    label = N_("Configuration")
    needs = CONFIGURE

    @expose("/")
    def index_view(self) -> Any:
        return self._page()

    @expose("/download")
    def download_view(self) -> Response:
        """The file, as it would be written now."""
        version = importlib.metadata.version("carebook")
        text = configuration_file.written(by=current_actor(), version=version, at=now())
        response = make_response(text)
        response.mimetype = "application/yaml"
        day = now().astimezone(settings().zone)
        response.headers["Content-Disposition"] = (
            f'attachment; filename="carebook-{day:%Y-%m-%d}-{configured().revision}.yaml"'
        )
        return response

    @expose("/compare", methods=("POST",))
    def compare_view(self) -> Any:
        """What the file, or the text that was typed, would change."""
        raw, name = self._given()
        if not raw.strip():
            error = InvalidInput(N_("Choose a file, or paste its text."))
            return make_response(self._page(problem=error), error.status)
        return self._compared(raw, name)

    @expose("/apply", methods=("POST",))
    def apply_view(self) -> Any:
        """Applies what was compared; differences against another revision are shown anew."""
        raw, name = self._given()
        by = current_actor()
        try:
            plan = configuration_file.planned(raw, by=by)
            done = configuration_file.apply(
                plan, revision=sent_version("revision"), says=f"⇪ {name}".strip(), by=by, at=now()
            )
        except (StaleForm, InvalidInput) as error:
            return self._compared(raw, name, error)
        return self._done(done)

    @expose("/between")
    def between_view(self) -> Any:
        """Two revisions side by side; the last two where none are named."""
        known = configuration_file.revisions(limit=CHOICES)
        newest = [one["revision"] for one in known[:2]] or [0]
        first = request.args.get("from", newest[-1], type=int)
        second = request.args.get("to", newest[0], type=int)
        problem, items = None, []
        try:
            items = configuration_file.between(first, second, by=current_actor()) if known else []
        except InvalidInput as error:
            problem = error
        page = self.render(
            "settings/configuration_between.html",
            revisions=known,
            beginning=known[-1]["revision"] - 1 if 0 < len(known) < CHOICES else None,
            low=min(first, second),
            high=max(first, second),
            problem=problem,
            groups=_groups(items, _compared_told),
        )
        return make_response(page, problem.status if problem else 200)

    @expose("/revisions/<int:number>")
    def back_view(self, number: int) -> Any:
        """What going back to this revision would change."""
        plan = configuration_file.planned_back(number, by=current_actor())
        return self._plan(plan, back=number)

    @expose("/revisions/<int:number>", methods=("POST",))
    def go_back_view(self, number: int) -> Any:
        by = current_actor()
        plan = configuration_file.planned_back(number, by=by)
        try:
            done = configuration_file.apply(
                plan, revision=sent_version("revision"), says=f"↩ {number}", by=by, at=now()
            )
        except (StaleForm, CannotApply) as error:
            return make_response(self._plan(plan, back=number, problem=error), error.status)
        return self._done(done)

    def _done(self, revision: int) -> Any:
        text = gettext("Applied as revision %(number)s.", number=revision)
        flash(text if revision else gettext("Nothing differs."), "success")
        return redirect(url_for(".index_view"), code=303)

    def _given(self) -> tuple[bytes, str]:
        request.max_form_memory_size = TEXT_LIMIT
        file = request.files.get("file")
        if file and file.filename:
            return file.read(), file.filename[:120]
        # Browsers send a text with line ends of another kind.
        text = request.form.get("text", "").replace("\r\n", "\n")
        return text.encode("utf-8", "replace"), request.form.get("name", "")[:120]

    def _compared(self, raw: bytes, name: str, problem: CareError | None = None) -> Any:
        text = raw.decode("utf-8-sig", "replace")
        try:
            plan = configuration_file.planned(raw, by=current_actor())
        except InvalidInput as error:
            page = self._page(problem=error, text=text, name=name)
            return make_response(page, error.status)
        if isinstance(problem, CannotApply):
            problem = None  # the plan says it, with all the rest
        status = problem.status if problem else (422 if plan.problems else 200)
        return make_response(self._plan(plan, text=text, name=name, problem=problem), status)

    def _plan(self, plan: Plan, **more: Any) -> str:
        context = {"text": "", "name": "", "problem": None, "back": None} | more
        return self.render(
            "settings/configuration_plan.html",
            plan=plan,
            groups=_groups(plan.items),
            remarks=_remarks(plan),
            **context,
        )

    def _page(self, **more: Any) -> str:
        before = request.args.get("before", type=int)
        found = configuration_file.revisions(before=before, limit=PAGE + 1)
        context = {"text": "", "name": "", "problem": None} | more
        names = screen_names([item for one in found[:PAGE] for item in _items(one)])
        return self.render(
            "settings/configuration.html",
            revisions=[
                (one, _all_told(configuration_parts.readable(_items(one)), names))
                for one in found[:PAGE]
            ],
            current=configured().revision,
            more=found[PAGE - 1]["revision"] if len(found) > PAGE else None,
            is_first=before is None,
            broken=[
                (formats.say(subject(item, names)), formats.say(said))
                for item, said in configuration_problems.found(configured())
            ],
            **context,
        )


def _remarks(plan: Plan) -> list[tuple[str, str]]:
    """What stays or will be broken, by its name, and what is said of it."""
    items = configuration_parts.readable([*plan.items, *(item for item, _ in plan.remarks)])
    names = screen_names(items)
    return [(formats.say(subject(item, names)), formats.say(said)) for item, said in plan.remarks]


def _items(revision: dict[str, Any]) -> list[ItemDiff]:
    return configuration_file.items_of(revision)


def _all_told(items: Iterable[ItemDiff], names: Names) -> list[dict[str, Any]]:
    shown = list(items)
    names = replace(names, fields=added_fields(shown, names.locale))
    return [_told(item, names) for item in shown]


def _told(item: ItemDiff, names: Names) -> dict[str, Any]:
    """An item in words: what it is, what becomes of it, each difference."""
    lines = [formats.say(one) for one in sentences(item, names)]
    return {
        "what": item.what,
        "subject": formats.say(subject(item, names)),
        "lines": lines[:LINES],
        "rest": max(0, len(lines) - LINES),
    }


def _compared_told(item: ItemDiff, names: Names) -> dict[str, Any]:
    """An item with both values of each option in words."""
    rows = side_by_side(item, names)
    return {
        "what": item.what,
        "subject": formats.say(subject(item, names)),
        "rows": [[formats.value_said(one) for one in row] for row in rows[:LINES]],
        "rest": max(0, len(rows) - LINES),
    }


def _groups(
    items: Iterable[ItemDiff], told: Callable[[ItemDiff, Names], dict[str, Any]] = _told
) -> list[tuple[str, list[dict[str, Any]]]]:
    """The differences under the names of their sections."""
    found: dict[str, list[dict[str, Any]]] = {}
    shown = list(configuration_parts.readable(items))
    names = screen_names(shown)
    for item in shown:
        found.setdefault(item.section, []).append(told(item, names))
    return [(gettext(SECTION_NAMES.get(key, key)), one) for key, one in found.items()]
