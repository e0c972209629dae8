"""[Loại hồ sơ]: administrators define kinds of documents while the system runs (B.14)."""

from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from models import Record
from rules.errors import N_, InvalidInput, NotFound, StaleForm
from rules.kind_settings import ICONS, checked
from rules.permissions import CONFIGURE
from services import configuration_changes
from services.configuration_changes import Change
from services.lists import capped_count
from views.base import ScreenView
from views.context import configured, current_actor, now, sent_version
from views.site_records import ENDPOINT

# Names of screens below /e/<kind>/ and of everything else that a kind must not be confused with.
RESERVED = frozenset({"records", "interactions", "attachments", "staff", "areas", "none", "all"})


FLAGS = ("has_customer", "has_care", "is_retired")


class KindSettings(ScreenView):
    """The kinds that the site defined, and the form of one."""

    endpoint_name, url_path, icon = "kind_settings", "/settings/kinds", "folder-plus"
    label = N_("Kinds of documents")
    needs = CONFIGURE

    @expose("/")
    def index_view(self) -> str:
        kinds = [one for one in configured().kinds.values() if one.collection == ENDPOINT]
        numbers = {one.key: capped_count(Record.collection(), {"kind": one.key}) for one in kinds}
        return self.render("settings/kinds.html", kinds=kinds, numbers=numbers)

    @expose("/new", methods=("GET", "POST"))
    def new_view(self) -> Any:
        if request.method == "GET":
            return self._form("", {"has_customer": "1", "has_care": "1", "icon": ICONS[0]}, 0)
        return self._save("", 0)

    @expose("/<key>", methods=("GET", "POST"))
    def kind_view(self, key: str) -> Any:
        content, version = configuration_changes.item("kinds", key)
        if content is None:
            raise NotFound
        if request.method == "POST":
            return self._save(key, sent_version())
        # A kind is cared for until somebody says otherwise, as in rules.kinds.site_kind.
        known = {"has_care": True, **content}
        flags = {name: "1" for name in FLAGS if known.get(name)}
        texts = {name: str(text) for name, text in content.items() if isinstance(text, str)}
        return self._form(key, texts | flags, version)

    def _save(self, key: str, version: int) -> Any:
        typed = dict(request.form.items())
        taken = configured().kinds.keys() | RESERVED
        try:
            made, content = checked(typed, taken=taken, key=key)
            configuration_changes.apply(
                [Change("kinds", made, content, version)],
                says=gettext("Kind of documents: %(name)s", name=content["label_vi"]),
                by=current_actor(),
                at=now(),
            )
        except InvalidInput as error:
            page = self._form(key, typed, version, problem=error, errors=error.fields)
            return make_response(page, 422)
        except StaleForm as error:
            _, stored = configuration_changes.item("kinds", key)
            return make_response(self._form(key, typed, stored, problem=error), 409)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".index_view"), code=303)

    def _form(self, key: str, typed: dict[str, str], version: int, **state: Any) -> str:
        return self.render(
            "settings/kind.html",
            key=key,
            typed=typed,
            version=version,
            icons=ICONS,
            **{"problem": None, "errors": {}} | state,
        )
