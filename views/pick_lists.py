"""[Thiết lập] > [Danh sách chọn]: values, their order, colours and tree, merging two (S3.1 to S3.4)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import pick_lists as rules
from rules.errors import N_, CareError, InvalidInput, StaleForm
from rules.permissions import CONFIGURE
from services import pick_lists, value_merges
from views.base import ScreenView
from views.context import configured, current_actor, locale, now, sent_version
from views.field_cells import kind_label, label

NAMES = ("key", "label_vi", "label_en", "parent", "place")


class PickLists(ScreenView):
    """All lists; one form for each."""

    endpoint_name, url_path, icon = "pick_lists", "/settings/lists", "list-tree"
    label = N_("Pick lists")
    needs = CONFIGURE

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> Any:
        typed, error = {"label_vi": "", "label_en": ""}, None
        if request.method == "POST":
            typed = {name: request.form.get(name, "") for name in typed}
            try:
                key = pick_lists.add(**typed, config=configured(), by=current_actor(), at=now())
            except InvalidInput as refused:
                error = refused
            else:
                return redirect(url_for(".list_view", key=key), code=303)
        page = self.render(
            "settings/pick_lists.html",
            lists=[_card(key, content) for key, content in _contents().items()],
            typed=typed,
            problem=error,
            errors=error.fields if error else {},
        )
        return make_response(page, 422 if error else 200)

    @expose("/<key>", methods=("GET", "POST"))
    def list_view(self, key: str) -> Any:
        content, version = pick_lists.stored(key)
        if request.method == "GET":
            return self._form(key, content, content["values"], content, version=version)
        values = _sent()
        typed = {name: request.form.get(f"list_{name}", "") for name in ("label_vi", "label_en")}
        sent = request.form.get("version", "")
        try:
            pick_lists.save(
                key,
                typed,
                values,
                version=sent_version(),
                config=configured(),
                by=current_actor(),
                at=now(),
            )
        except (InvalidInput, StaleForm) as error:
            # After a conflict the form carries the new version: saving again is then a decision.
            shown = version if isinstance(error, StaleForm) else sent
            values = _with_kept(values, content, error)
            page = self._form(key, typed, values, content, version=shown, problem=error)
            return make_response(page, error.status)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".list_view", key=key), code=303)

    @expose("/<key>/counts")
    def counts_view(self, key: str) -> Any:
        """In how many records each value stands; after the page itself (B.10)."""
        pick_lists.stored(key)
        found = pick_lists.counts(configured(), key)
        values = configured().pick_lists.get(key, {})
        return self.render("settings/_value_counts.html", counts=found, values=values)

    @expose("/<key>/remove", methods=("POST",))
    def remove_view(self, key: str) -> Any:
        pick_lists.remove(key, config=configured(), by=current_actor(), at=now())
        flash(gettext("The list is gone."), "success")
        return redirect(url_for(".index_view"), code=303)

    @expose("/<key>/merge", methods=("GET", "POST"))
    def merge_view(self, key: str) -> Any:
        """First what would change, then the job (B.5)."""
        content, version = pick_lists.stored(key)
        old, new = request.values.get("old", ""), request.values.get("new", "")
        found, problem = None, None
        try:
            if request.method == "POST":
                run_id = value_merges.merge(
                    key, old, new, version=sent_version(), by=current_actor(), at=now()
                )
                return redirect(url_for("jobs.run_view", run_id=run_id), code=303)
            if new:
                found = value_merges.preview(configured(), key, old, new)
        except (InvalidInput, StaleForm) as error:
            problem = error
        uses = [
            (f"{kind_label(use.kind, locale())}: {label(use.field, locale())}", number)
            for use, number in (found.records if found else ())
        ]
        page = self.render(
            "settings/merge_values.html",
            key=key,
            title=_name(key, content),
            values=configured().pick_lists.get(key, {}),
            old=old,
            new=new,
            found=found,
            uses=uses,
            problem=problem,
            version=version,
            undo_days=value_merges.UNDO_DAYS,
        )
        return make_response(page, problem.status if problem else 200)

    @expose("/<key>/unmerge", methods=("POST",))
    def unmerge_view(self, key: str) -> Any:
        _, version = pick_lists.stored(key)
        old = request.form.get("old", "")
        run_id = value_merges.undo(key, old, version=version, by=current_actor(), at=now())
        return redirect(url_for("jobs.run_view", run_id=run_id), code=303)

    def _form(
        self,
        key: str,
        typed: Mapping[str, Any],
        values: Sequence[Mapping[str, Any]],
        content: Mapping[str, Any],
        *,
        version: Any,
        problem: CareError | None = None,
    ) -> str:
        # Places in errors count the rows as they were sent; a fresh list is shown as its tree.
        is_fresh = problem is None
        rows = rules.as_tree(values) if is_fresh else [(one, 0) for one in values]
        return self.render(
            "settings/pick_list.html",
            key=key,
            typed=typed,
            title=_name(key, content),
            rows=rows,
            values=configured().pick_lists.get(key, {}),
            is_tree=key in rules.TREES or any(one.get("parent") for one in content["values"]),
            colours=rules.COLOURS,
            uses=[
                f"{kind_label(use.kind, locale())}: {label(use.field, locale())}"
                for use in pick_lists.uses(configured(), key)
            ],
            version=version,
            problem=problem,
            errors=problem.fields if isinstance(problem, InvalidInput) else {},
            undoable=_undoable(content),
        )


def _sent() -> list[dict[str, str]]:
    """The rows of the form in their order; `place` tells the colour and the tick of each."""
    columns = [request.form.getlist(name) for name in NAMES]
    retired = set(request.form.getlist("retired"))
    rows = []
    for texts in zip(*columns, strict=False):
        row = dict(zip(NAMES, texts, strict=True))
        place = row.pop("place")
        row["colour"] = request.form.get(f"colour.{place}", "gray")
        row["retired"] = "1" if place in retired else ""
        if row["key"] or row["label_vi"].strip() or row["label_en"].strip():
            rows.append(row)
    direction, _, place = request.form.get("do", "").partition(":")
    if direction in ("up", "down") and place.isdecimal() and int(place) < len(rows):
        at = int(place)
        to = max(0, min(len(rows) - 1, at + (-1 if direction == "up" else 1)))
        rows.insert(to, rows.pop(at))
    return rows


def _with_kept(
    rows: list[Mapping[str, Any]], content: Mapping[str, Any], error: InvalidInput | StaleForm
) -> list[Mapping[str, Any]]:
    """The rows as they were sent, with what may not go: values that a colleague added meanwhile, or
    those that could not be taken away."""
    sent = {row["key"] for row in rows}
    missing = [one for one in content["values"] if one["key"] not in sent]
    if isinstance(error, StaleForm):
        seen = request.form.get("known", "").split()
        return [*rows, *(one for one in missing if one["key"] not in seen)]
    return rows if error.fields else [*rows, *missing]


def _undoable(content: Mapping[str, Any]) -> dict[str, str]:
    """{value key: what it was merged into} of merges that can still be taken back."""
    found = {}
    labels = {one["key"]: one["label_vi"] for one in content["values"]}
    for one in content["values"]:
        note = one.get("merged")
        oldest = now() - timedelta(days=value_merges.UNDO_DAYS)
        if note and datetime.fromisoformat(note["at"]) > oldest:
            found[one["key"]] = labels.get(note["into"], note["into"])
    return found


def _contents() -> Mapping[str, Mapping[str, Any]]:
    return configured().section(pick_lists.SECTION)


def _name(key: str, content: Mapping[str, Any]) -> str:
    name = content.get("label_en") if locale() == "en" else None
    return str(name or content.get("label_vi") or key)


def _card(key: str, content: Mapping[str, Any]) -> dict[str, Any]:
    values = list(configured().pick_lists.get(key, {}).values())
    return {
        "key": key,
        "label": _name(key, content),
        "values": [one for one in values if not one.retired],
        "retired": sum(one.retired for one in values),
    }
