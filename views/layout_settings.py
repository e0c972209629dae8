"""[Thiết lập] > [Bố cục bản ghi]: tabs, sections and fields of record pages, per role (S4.2)."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import layouts as rules
from rules.errors import N_, CareError, StaleForm
from rules.fields import Kind
from rules.layouts import Layout, compile_layout, moved, read_items
from rules.masking import limits_of
from rules.permissions import CONFIGURE, FULL, HIDDEN, Access
from services import layouts, records
from views import panels
from views.base import ScreenView
from views.context import configured, current_actor, is_htmx, kind_at, locale, now, sent_version
from views.field_cells import kind_label, label
from views.panels import Panel, Subject
from views.record_page import BlankFacts, Facts, FactSection, ShownTab

TAB_NAMES = 30  # tabs of one's own that a form can add


class LayoutSettings(ScreenView):
    """One form with the whole layout; nothing is in force until it is saved."""

    endpoint_name, url_path, icon = "layout_settings", "/settings/layouts", "layout-grid"
    label = N_("Record layout")
    needs = CONFIGURE

    @expose("/")
    def index_view(self) -> Any:
        return redirect(url_for(".kind_view", kind="customers"))

    @expose("/<kind>", methods=("GET", "POST"))
    def kind_view(self, kind: str) -> Any:
        found, role = kind_at(kind), request.values.get("role", "")
        content, version = layouts.stored(kind, role)
        if request.method == "GET":
            shown = content if content is not None else layouts.usual(kind, role)
            return self._form(found, role, shown, version=version, is_own=content is not None)
        made = _sent(found)
        action = request.form.get("do", "")
        if action and action != "save":  # a button of the editor without scripts
            return self._form(found, role, made, version=sent_version(), is_own=content is not None)
        try:
            layouts.save(
                kind,
                role,
                made,
                version=sent_version(),
                by=current_actor(),
                at=now(),
            )
        except StaleForm as error:
            # The form carries the new version: saving again is then a decision.
            page = self._form(found, role, made, version=version, problem=error, is_own=True)
            return make_response(page, 409)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".kind_view", kind=kind, role=role or None), code=303)

    @expose("/<kind>/preview", methods=("POST",))
    def preview_view(self, kind: str) -> Any:
        """How a record would look; nothing is written."""
        found, role = kind_at(kind), request.form.get("role", "")
        return self.render("settings/_layout_preview.html", **_preview(found, _sent(found), role))

    @expose("/<kind>/reset", methods=("POST",))
    def reset_view(self, kind: str) -> Any:
        """Back to the usual layout, or to that of everybody."""
        role = request.form.get("role", "")
        layouts.reset(kind, role, by=current_actor(), at=now())
        flash(gettext("The usual layout holds again."), "success")
        return redirect(url_for(".kind_view", kind=kind, role=role or None), code=303)

    def _form(
        self,
        kind: Kind,
        role: str,
        content: Mapping[str, Any],
        *,
        version: Any,
        is_own: bool,
        problem: CareError | None = None,
    ) -> str:
        layout = _compiled(kind, content)
        names = {key: label(one, locale()) for key, one in kind.fields.items()}
        known = panels.of(kind)
        template = "settings/_layout_form.html" if is_htmx() else "settings/layout.html"
        return self.render(
            template,
            kind=kind,
            kinds=[
                (key, kind_label(one, locale()))
                for key, one in configured().kinds.items()
                if not one.is_retired and key != "entries"
            ],
            role=role,
            roles=[one for one in configured().roles.values() if not one.is_retired],
            layout=layout,
            names=names,
            panel_names={key: one.name() for key, one in known.items()},
            own_fields={key for key, one in kind.fields.items() if one.source == "site"},
            new_tab=_new_tab(layout),
            fresh_tab=_fresh_tab(),
            version=version,
            is_own=is_own,
            problem=problem,
            **_preview(kind, content, role),
        )


def _compiled(kind: Kind, content: Mapping[str, Any]) -> Layout:
    return compile_layout(kind, content, {key: one.is_on for key, one in panels.of(kind).items()})


def _sent(kind: Kind) -> Mapping[str, Any]:
    """The layout as it stands in the form, after the button that was pressed."""
    items = request.form.getlist("item")
    action, _, rest = request.form.get("do", "").partition(":")
    if action in ("up", "down"):
        items = moved(items, rest, action, panels.of(kind))
    if action == "tab":
        place = items.index(rules.HIDDEN) if rules.HIDDEN in items else len(items)
        items = [*items[:place], f"{rules.TAB}:{rest}", *items[place:]]
    if action == "section":
        items = _with_section(items, rest)
    if action == "drop":
        items = _dropped(items, rest)
    texts = {name: text for name, text in request.form.items() if "." in name}
    if action == "tab":
        texts |= {
            f"{rules.TAB}.{rest}.label_vi": "Thẻ mới",
            f"{rules.TAB}.{rest}.label_en": "New tab",
            f"{rules.TAB}.{rest}.is_on": "1",
        }
    return read_items(items, texts, panels.of(kind))


def _fresh_tab() -> str:
    """The key of the tab that was just added, which waits for its name; "" for none."""
    action, _, key = request.form.get("do", "").partition(":")
    return key if action == "tab" else ""


def _with_section(items: list[str], tab: str) -> list[str]:
    """A new section at the end of the tab."""
    start = items.index(f"{rules.TAB}:{tab}") if f"{rules.TAB}:{tab}" in items else -1
    if start < 0:
        return items
    end = start + 1
    while end < len(items) and items[end].partition(":")[0] in (rules.SECTION, rules.FIELD):
        end += 1
    numbers = [int(one[9:]) for one in items if one.startswith("section:") and one[9:].isdecimal()]
    return [*items[:end], f"{rules.SECTION}:{max(numbers, default=0) + 1}", *items[end:]]


def _dropped(items: list[str], item: str) -> list[str]:
    """Without a tab or section; its fields stay, where they stand now or in the last tab."""
    if not item.startswith((f"{rules.TAB}:", f"{rules.SECTION}:")):
        return items
    if item.startswith(f"{rules.SECTION}:"):
        return [one for one in items if one != item]
    start = items.index(item) if item in items else -1
    if start < 0:
        return items
    end = start + 1
    while end < len(items) and items[end].partition(":")[0] in (rules.SECTION, rules.FIELD):
        end += 1
    return [*items[:start], *items[end:]]


def _new_tab(layout: Layout) -> str:
    known = {tab.key for tab in layout.tabs}
    return next(key for key in (f"t{n}" for n in range(1, TAB_NAMES + 99)) if key not in known)


def _may_open(panel: Panel, access: Access) -> bool:
    return panel.needs is None or access.may(*panel.needs)


def _preview(kind: Kind, content: Mapping[str, Any], role: str) -> dict[str, Any]:
    """What the preview shows, of the newest record that the person sees, or of none.

    For a role without what that role does not see; "" is everybody.
    """
    layout, by = _compiled(kind, content), current_actor()
    access = configured().access([role]) if role in configured().roles else FULL
    record = records.newest(kind, by=by)
    if record:
        record = limits_of(kind, access).shown(record)

    def seen(keys: Iterable[str]) -> list[str]:
        return [key for key in keys if access.level(kind.key, key) != HIDDEN]

    facts = Facts(kind, record) if record else BlankFacts(kind)
    known, opened = panels.of(kind), panels.of(kind, by)
    tabs = [
        ShownTab(
            tab.key,
            tab.label(locale()) or (known[tab.panel].name() if tab.panel in known else tab.key),
            opened[tab.panel].count(Subject(kind, record, by))  # type: ignore[misc]
            if record and tab.panel in opened and opened[tab.panel].count
            else None,
            tab.is_on,
            tab,
        )
        for tab in layout.tabs
        if tab.panel not in known or _may_open(known[tab.panel], access)
    ]
    sections = {
        tab.key: [
            FactSection(one.label(locale()), facts.of(seen(one.fields))) for one in tab.sections
        ]
        for tab in layout.tabs
        if not tab.panel
    }
    return {
        "preview_is_blank": record is None,
        "preview_title": (record or {}).get(kind.title) or (record or {}).get("code") or "",
        "preview_summary": facts.of(seen(layout.summary)),
        "preview_tabs": tabs,
        "preview_sections": sections,
    }
