"""[Bảo mật]: who needs a second factor, how long the change log and the trash are kept (for administrators)."""

from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.errors import N_, CareError, InvalidInput, StaleForm
from rules.permissions import ACCOUNTS
from services import access_settings, mail
from views.base import ScreenView
from views.context import current_actor, now, offered_roles, sent_version, settings


class AccessSettings(ScreenView):
    """One form; what it says holds from the next request on."""

    endpoint_name, url_path, icon = "access_settings", "/settings/access", "shield-lock"
    label = N_("Security")
    needs = ACCOUNTS

    @expose("/")
    def index(self) -> str:
        return self._page()

    @expose("/", methods=("POST",))
    def save(self) -> Any:
        typed = {
            "second_factor_roles": request.form.getlist("second_factor_roles"),
            "audit_days": request.form.get("audit_days", ""),
            "trash_days": request.form.get("trash_days", ""),
        }
        try:
            access_settings.save(
                typed["second_factor_roles"],
                typed["audit_days"],
                trash_days=typed["trash_days"],
                version=sent_version(),
                by=current_actor(),
                at=now(),
            )
        except (InvalidInput, StaleForm) as error:
            return make_response(self._page(typed, error), error.status)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".index"), 303)

    def _page(self, typed: dict[str, Any] | None = None, problem: CareError | None = None) -> str:
        stored = access_settings.read()
        values = {
            "second_factor_roles": stored.second_factor_roles,
            "audit_days": str(stored.audit_days or ""),
            "trash_days": str(stored.trash_days or ""),
        }
        # After a conflict the form carries the new version: saving again is then a decision.
        is_retry = typed is not None and not isinstance(problem, StaleForm)
        return self.render(
            "settings/access.html",
            typed=typed or values,
            stored=values,
            version=request.form.get("version", "") if is_retry else stored.version,
            problem=problem,
            errors=problem.fields if isinstance(problem, InvalidInput) else {},
            roles=offered_roles(),
            has_mail=mail.is_on(settings()),
        )
