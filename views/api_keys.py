"""The person's API keys; administrators also see and make those of programs."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from rules.api_scopes import EXPIRY_DAYS, EXPIRY_DEFAULT, READ, SCOPES
from rules.errors import N_, InvalidInput
from services import api_tokens
from views.base import ScreenView
from views.context import current_actor, now
from views.list_screen import object_id

SERVICE = "service"


class ApiKeys(ScreenView):
    """A key is shown once, right after it was made."""

    endpoint_name, url_path, icon = "api_keys", "/account/keys", "key"
    label = N_("API keys")

    @expose("/")
    def index(self) -> str:
        return self._page({"scopes": [READ], "days": str(EXPIRY_DEFAULT)})

    @expose("/", methods=("POST",))
    def create(self) -> str | tuple[str, int]:
        """Makes a key; the answer is the only page that ever shows it."""
        form = request.form
        typed: dict[str, Any] = {
            "name": form.get("name", ""),
            "scopes": form.getlist("scopes"),
            "days": form.get("days", ""),
            "kind": form.get("kind", ""),
            "role": form.get("role", ""),
        }
        roles = [typed["role"]] if typed["kind"] == SERVICE else None
        try:
            secret = api_tokens.create(
                typed["name"],
                typed["scopes"],
                typed["days"],
                by=current_actor(),
                at=now(),
                service_roles=roles,
            )
        except InvalidInput as error:
            return self._page(typed, problem=error, errors=error.fields), error.status
        return self._page({"scopes": [READ], "days": str(EXPIRY_DEFAULT)}, secret=secret)

    @expose("/<token_id>/revoke", methods=("POST",))
    def revoke(self, token_id: str) -> BaseResponse:
        api_tokens.revoke(object_id(token_id), by=current_actor(), at=now())
        flash(gettext("The key is revoked. Programs that used it are out."), "success")
        return redirect(url_for(".index"), 303)

    def _page(self, typed: dict[str, Any], **shown: Any) -> str:
        actor = current_actor()
        return self.render(
            "account/api_keys.html",
            typed=typed,
            tokens=api_tokens.tokens_of(actor, now()),
            scopes=SCOPES,
            days_offered=EXPIRY_DAYS,
            service_roles=api_tokens.roles_of_programs(actor),
            **{"secret": None, "problem": None, "errors": {}} | shown,
        )
