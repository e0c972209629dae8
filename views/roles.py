"""[Vai trò]: what each role may do, as a table of kinds and actions with reach and fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as BaseResponse

from models import Staff
from rules.conditions import read, sentence, usable
from rules.errors import N_, CareError, InvalidInput, NotFound, StaleForm
from rules.fields import Field
from rules.permissions import ABILITIES, ACCOUNTS, ACTIONS, ADMINISTRATOR, LEVELS, Role
from rules.role_settings import OTHERS, Typed, checked
from rules.roles import always_seen, role_content
from rules.text import fold
from services import configuration_changes, role_settings
from views import formats, role_words
from views.base import ScreenView
from views.context import configured, current_actor, locale, now, sent_version
from views.errors import flash_error
from views.field_cells import kind_label, label
from views.filtering import context_of

STAFF_OFFERED = 500


@dataclass(frozen=True, slots=True)
class Line:
    """A kind in the table of a role. `fields` are (key, label) of those whose level can be chosen."""

    kind: str
    label: str
    actions: tuple[str, ...]
    reach: str
    where: str
    where_says: str
    levels: Mapping[str, str]
    fields: tuple[tuple[str, str], ...]

    @property
    def limited(self) -> int:
        """How many fields are not as the actions say."""
        return len(self.levels)


class Roles(ScreenView):
    """The roles of the site, and the form of one."""

    endpoint_name, url_path, icon = "roles", "/settings/roles", "user-shield"
    label = N_("Roles")
    needs = ACCOUNTS

    @expose("/")
    def index_view(self) -> str:
        roles = sorted(
            configured().roles.values(),
            key=lambda one: (one.is_retired, one.key != ADMINISTRATOR, one.label(locale())),
        )
        people = {one.key: role_settings.people_with(one.key) for one in roles}
        return self.render(
            "roles/list.html",
            roles=roles,
            people=people,
            summaries={one.key: self._lines(role_content(one)) for one in roles},
            words=role_words,
        )

    @expose("/new", methods=("GET", "POST"))
    def new_view(self) -> Any:
        """A new role, from nothing or as a copy of another one."""
        if request.method == "POST":
            return self._save("", 0)
        content = _content_of(configured().roles.get(request.args.get("copy", "")))
        if content["label_vi"]:
            content["label_vi"] = gettext("Copy of %(name)s", name=content["label_vi"])
            content["label_en"] = ""
        return self._form("", content, 0)

    @expose("/<key>", methods=("GET", "POST"))
    def role_view(self, key: str) -> Any:
        role = configured().roles.get(key)
        if role is None:
            raise NotFound()
        if request.method == "POST":
            return self._save(key, sent_version())
        _, version = configuration_changes.item("roles", key)
        return self._form(key, _content_of(role), version)

    @expose("/<key>/retire", methods=("POST",))
    def retire_view(self, key: str) -> BaseResponse:
        """Takes a role out of use; whoever has it gets another one."""
        says = gettext("Role %(name)s is out of use", name=formats.role_name(key))
        instead = request.form.get("instead") or None
        try:
            count = role_settings.retire_role(key, instead, says=says, by=current_actor(), at=now())
        except InvalidInput as error:
            for problem in (error, *error.fields.values()):
                flash_error(problem)
            return redirect(url_for(".role_view", key=key), 303)
        text = ngettext(
            "The role is out of use; %(num)d person has another one now.",
            "The role is out of use; %(num)d people have another one now.",
            count,
        )
        flash(text, "success")
        return redirect(url_for(".index_view"), 303)

    @expose("/<key>/restore", methods=("POST",))
    def restore_view(self, key: str) -> BaseResponse:
        says = gettext("Role %(name)s is in use again", name=formats.role_name(key))
        role_settings.bring_role_back(key, says=says, by=current_actor(), at=now())
        flash(gettext("The role is in use again."), "success")
        return redirect(url_for(".role_view", key=key), 303)

    def _save(self, key: str, version: int) -> Any:
        typed = Typed(request.form.to_dict(), request.form.getlist)
        kinds = {kind: [one.key for one in fields] for kind, fields in _kinds().items()}
        roles = configured().roles
        kept = _content_of(roles.get(key or request.args.get("copy", "")))
        try:
            made, content = checked(typed, key=key, taken=roles, fields=kinds, kept=kept)
            says = gettext("Role %(name)s", name=content["label_vi"])
            role_settings.save_role(
                made, content, version=version, says=says, by=current_actor(), at=now()
            )
        except InvalidInput as error:
            page = self._form(key, _as_typed(typed, kinds), version, error)
            return make_response(page, error.status)
        except StaleForm as error:
            _, stored = configuration_changes.item("roles", key)
            page = self._form(key, _as_typed(typed, kinds), stored, error)
            return make_response(page, error.status)
        flash(gettext("Saved. It is in force with everybody's next click."), "success")
        return redirect(url_for(".role_view", key=made), 303)

    def _form(
        self,
        key: str,
        content: Mapping[str, Any],
        version: int,
        problem: CareError | None = None,
    ) -> str:
        role = configured().roles.get(key) if key else None
        people = Staff.collection().find({"active": True}, {"name": 1}).limit(STAFF_OFFERED)
        return self.render(
            "roles/form.html",
            key=key,
            role=role,
            content=content,
            lines=self._lines(content),
            version=version,
            problem=problem,
            errors=problem.fields if isinstance(problem, InvalidInput) else {},
            is_whole=key == ADMINISTRATOR,
            people_with=role_settings.people_with(key) if key else 0,
            others=[
                one for one in configured().roles.values() if one.key != key and not one.is_retired
            ],
            staff=sorted(people, key=lambda one: fold(one["name"])),
            words=role_words,
            actions=ACTIONS,
            levels=tuple(reversed(LEVELS)),
            abilities=ABILITIES,
        )

    def _lines(self, content: Mapping[str, Any]) -> list[Line]:
        kinds = content.get("kinds") or {}
        others = content.get("other_kinds") or {}
        lines = [
            _line(kind, kinds.get(kind, others), tuple(fields)) for kind, fields in _kinds().items()
        ]
        return [*lines, _line(OTHERS, others, ())]


def _kinds() -> dict[str, list[Field]]:
    """The fields of each kind whose level can be chosen, in their order."""
    return {
        kind.key: [
            one
            for one in kind.fields.values()
            if not one.is_retired and one.key not in always_seen(kind.key)
        ]
        for kind in configured().kinds.values()
        if not kind.is_retired
    }


def _line(kind: str, stored: Mapping[str, Any], fields: tuple[Field, ...]) -> Line:
    language = locale()
    name = (
        gettext("Kinds defined later")
        if kind == OTHERS
        else kind_label(configured().kinds[kind], language)
    )
    where = str(stored.get("where") or "")
    levels = stored.get("fields") or {}
    known = {one.key for one in fields}
    return Line(
        kind,
        name,
        tuple(stored.get("actions") or ()),
        str(stored.get("reach") or "assigned"),
        where,
        _says(kind, where),
        {key: level for key, level in levels.items() if key in known and level},
        tuple((one.key, label(one, language)) for one in fields),
    )


def _says(kind: str, where: str) -> str:
    """The rule in words, or what is wrong with it."""
    if not where or kind not in configured().kinds:
        return ""
    fields = configured().kinds[kind].fields
    try:
        tree = read(where)
        context = context_of(kind, tree, fields)
        found, problems = usable(tree, fields, context)
    except InvalidInput as error:
        return formats.say_error(error)
    if problems:
        return formats.say_error(problems[0])
    return formats.say(sentence(found, fields, context))


def _content_of(role: Role | None) -> dict[str, Any]:
    if role is None:
        return {"label_vi": "", "label_en": "", "kinds": {}, "other_kinds": {}, "abilities": []}
    return {"other_kinds": {}} | role_content(role)


def _as_typed(typed: Typed, kinds: Mapping[str, list[str]]) -> dict[str, Any]:
    """What was typed, wrong or not, to be shown again."""

    def kind(key: str, fields: list[str]) -> dict[str, Any]:
        levels = {one: typed.one.get(f"level.{key}.{one}", "") for one in fields}
        return {
            "actions": typed.several(f"actions.{key}"),
            "reach": typed.one.get(f"reach.{key}", ""),
            "where": typed.one.get(f"where.{key}", ""),
            "fields": {one: level for one, level in levels.items() if level},
        }

    return {
        "label_vi": typed.one.get("label_vi", ""),
        "label_en": typed.one.get("label_en", ""),
        "key": typed.one.get("key", ""),
        "kinds": {key: kind(key, fields) for key, fields in kinds.items()},
        "other_kinds": kind(OTHERS, []),
        "abilities": typed.several("abilities"),
    }
