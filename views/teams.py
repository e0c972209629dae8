"""[Nhóm nhân viên]: who belongs to which team, and who leads it."""

import re
from collections.abc import Mapping
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from models import Staff
from rules.errors import N_, CareError, InvalidInput, NotFound, StaleForm
from rules.fields import KEY_PATTERN
from rules.permissions import ACCOUNTS
from rules.role_settings import NAME_LENGTH, key_from
from rules.text import fold
from services import configuration_changes, role_settings
from views.base import ScreenView
from views.context import configured, current_actor, now, sent_version

STAFF_OFFERED = 1000


class Teams(ScreenView):
    """The teams of the site, and the form of one."""

    endpoint_name, url_path, icon = "teams", "/settings/teams", "users-group"
    label = N_("Teams")
    needs = ACCOUNTS

    @expose("/")
    def index_view(self) -> str:
        names = {one["_id"]: one["name"] for one in _people()}
        return self.render("teams/list.html", teams=configured().teams.values(), names=names)

    @expose("/new", methods=("GET", "POST"))
    def new_view(self) -> Any:
        if request.method == "POST":
            return self._save("", 0)
        return self._form("", {"label_vi": "", "members": [], "leads": []}, 0)

    @expose("/<key>", methods=("GET", "POST"))
    def team_view(self, key: str) -> Any:
        content, version = configuration_changes.item("teams", key)
        if content is None:
            raise NotFound()
        if request.method == "POST":
            return self._save(key, sent_version())
        return self._form(key, content, version)

    @expose("/<key>/remove", methods=("POST",))
    def remove_view(self, key: str) -> BaseResponse:
        content, version = configuration_changes.item("teams", key)
        if content is not None:
            says = gettext("Team %(name)s is removed", name=content.get("label_vi") or key)
            role_settings.save_team(
                key, None, version=version, says=says, by=current_actor(), at=now()
            )
        flash(gettext("The team is removed. Its people keep everything of their own."), "success")
        return redirect(url_for(".index_view"), 303)

    def _save(self, key: str, version: int) -> Any:
        typed = {
            "label_vi": " ".join(request.form.get("label_vi", "").split()),
            "label_en": " ".join(request.form.get("label_en", "").split())[:NAME_LENGTH],
            "members": request.form.getlist("members"),
            "leads": request.form.getlist("leads"),
        }
        try:
            made = key or _new_key(typed["label_vi"])
            says = gettext("Team %(name)s", name=typed["label_vi"])
            role_settings.save_team(
                made, typed, version=version, says=says, by=current_actor(), at=now()
            )
        except InvalidInput as error:
            return make_response(self._form(key, typed, version, error), error.status)
        except StaleForm as error:
            _, stored = configuration_changes.item("teams", key)
            return make_response(self._form(key, typed, stored, error), error.status)
        flash(gettext("Saved. It is in force with everybody's next click."), "success")
        return redirect(url_for(".index_view"), 303)

    def _form(
        self, key: str, typed: Mapping[str, Any], version: int, problem: CareError | None = None
    ) -> str:
        return self.render(
            "teams/form.html",
            key=key,
            typed=typed,
            version=version,
            people=_people(),
            problem=problem,
            errors=problem.fields if isinstance(problem, InvalidInput) else {},
        )


def _people() -> list[dict[str, Any]]:
    found = Staff.collection().find({"active": True}, {"name": 1, "email": 1, "roles": 1})
    return sorted(found.limit(STAFF_OFFERED), key=lambda one: fold(one["name"]))


def _new_key(name: str) -> str:
    """A key that no team has, made from the name. Raises InvalidInput with `fields`."""
    if not name or len(name) > NAME_LENGTH:
        error: CareError = InvalidInput(N_("Give it a name, at most 60 characters."))
        raise InvalidInput(fields={"label_vi": error})
    made = key_from(name)
    made = made if re.match(KEY_PATTERN, made) else "team"
    taken = configured().teams
    tried = (f"{made[:36]}_{number}" for number in range(2, 999))
    return made if made not in taken else next(one for one in tried if one not in taken)
