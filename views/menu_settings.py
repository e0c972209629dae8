"""[Menu]: order and visibility of the sidebar, for everybody and role by role."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import menus
from rules.errors import N_, CareError, InvalidInput, StaleForm
from rules.menus import EVERYBODY, MenuSection
from rules.permissions import CONFIGURE
from rules.scope import Actor
from services import configuration_changes
from services.configuration_changes import Change
from views import navigation
from views.base import ScreenView, render_part
from views.context import configured, current_actor, locale, now, offered_roles, sent_version

SECTION = "menus"
SECTIONS_LIMIT, ENTRIES_LIMIT = 30, 300


class MenuSettings(ScreenView):
    """One menu at a time; a role without one of its own has that of everybody."""

    endpoint_name, url_path, icon = "menu_settings", "/settings/menu", "layout-list"
    label = N_("Menu")
    needs = CONFIGURE

    @expose("/")
    def index_view(self) -> Any:
        return redirect(url_for(".menu_view", key=EVERYBODY))

    @expose("/<key>")
    def menu_view(self, key: str) -> Any:
        content, version = configuration_changes.item(SECTION, _known(key))
        return self._page(key, menus.arranged(navigation.shipped_menu(), _base(content)), version)

    @expose("/<key>", methods=("POST",))
    def save_view(self, key: str) -> Any:
        draft, version = _draft(), sent_version()
        what, _, rest = request.form.get("do", "save").partition(":")
        if what in ("up", "down"):
            return self._page(_known(key), menus.moved(draft, rest, is_up=what == "up"), version)
        if what == "add":
            return self._page(_known(key), [*draft, _new_section(draft)], version)
        shipped = {one.key for one in navigation.shipped_menu()}
        kept = [one for one in draft if one.entries or one.key in shipped]
        content = None if what == "reset" else menus.content_of(kept)
        change = Change(SECTION, _known(key), content, version)
        try:
            if len(draft) > SECTIONS_LIMIT:
                raise InvalidInput(N_("Keep at most %(limit)s sections."), limit=SECTIONS_LIMIT)
            configuration_changes.apply([change], says="", by=current_actor(), at=now())
        except (StaleForm, InvalidInput) as error:
            # What was arranged is kept; saving again is then a decision.
            _, version = configuration_changes.item(SECTION, key)
            return make_response(self._page(key, draft, version, error), error.status)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".menu_view", key=key), code=303)

    @expose("/<key>/preview", methods=("POST",))
    def preview_view(self, key: str) -> str:
        """The sidebar as the draft makes it."""
        return render_part(
            "settings/menu.html", "preview", groups=_preview(_known(key), _draft()), screen=self
        )

    def _page(
        self,
        key: str,
        sections: list[MenuSection],
        version: int,
        problem: CareError | None = None,
    ) -> str:
        stored = configured().section(SECTION)
        return self.render(
            "settings/menu.html",
            key=key,
            sections=[(one, navigation.heading(one)) for one in sections],
            known=_every_link(),
            groups=_preview(key, sections),
            version=version,
            problem=problem,
            own=[one for one in (EVERYBODY, *offered_roles()) if one in stored],
            roles=[(one, configured().roles[one].label(locale())) for one in offered_roles()],
            never_hidden=menus.NEVER_HIDDEN,
        )


def _known(key: str) -> str:
    if key != EVERYBODY and key not in configured().roles:
        abort(404)
    return key


def _base(content: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What the editor begins with: the menu itself, else that of everybody."""
    return content if content is not None else configured().section(SECTION).get(EVERYBODY)


def _every_link() -> dict[str, navigation.Link]:
    """All there is, whoever may open it: a role may see what its editor does not."""
    roles = frozenset(configured().roles)
    return navigation.links(Actor(None, "", roles, granted=configured().access(roles)))


def _preview(key: str, sections: list[MenuSection]) -> list[navigation.Group]:
    """The sidebar of somebody with this role alone, with the sections as they are drafted."""
    actor = current_actor()
    if key != EVERYBODY:
        actor = Actor(None, "", frozenset({key}), granted=configured().access([key]))
    return navigation.groups(sections, navigation.links(actor))


def _draft() -> list[MenuSection]:
    """The sections as the form has them."""
    shown = set(request.form.getlist("shown")) | menus.NEVER_HIDDEN
    sections: list[dict[str, Any]] = []
    for item in request.form.getlist("item")[: SECTIONS_LIMIT + ENTRIES_LIMIT]:
        kind, _, key = item.partition(":")
        if kind == "section":
            labels = {
                name: request.form.get(f"{name}.{key}", "")[:120]
                for name in ("label_vi", "label_en")
            }
            sections.append({"key": key[:60], **labels, "entries": []})
        elif sections:
            entry = {"endpoint": key[:120], "is_hidden": key not in shown}
            sections[-1]["entries"].append(entry)
    return menus.arranged(navigation.shipped_menu(), {"sections": sections})


def _new_section(draft: list[MenuSection]) -> MenuSection:
    taken = {one.key for one in draft}
    number = next(n for n in range(1, 1000) if f"own_{n}" not in taken)
    return MenuSection(f"own_{number}", (), "Phần mới", "New section")
