"""Flask-Security with our staff: one document, one query, sessions that can be revoked."""

from typing import Any, cast

from flask import Flask, g, session
from flask_login import user_logged_in, user_logged_out
from flask_principal import identity_loaded
from flask_security import MongoEngineUserDatastore, Security
from flask_security.core import _on_identity_loaded

from models import Staff
from services import configuration, staff_sessions
from views.context import forget_actor, now

SESSION_KEY = "session_key"  # in the signed cookie; must be among the person's sessions


class StaffDatastore(MongoEngineUserDatastore):
    """Staff without a role collection: roles are keys on the person."""

    def __init__(self) -> None:
        super().__init__(None, Staff, None)

    def find_user(self, case_insensitive: bool = False, **wanted: Any) -> Staff | None:
        """The person with this `fs_uniquifier` or `email`; one query, which tells the revision of
        the configuration as well."""
        # Without a query set, which takes longer to build than the database to answer.
        found = [{"$match": wanted}, {"$limit": 1}, configuration.site_beside()]
        stored = next(Staff.collection().aggregate(found), None)
        if stored is None:
            return None
        g.site = next(iter(stored.pop("site")), {})
        return cast(Staff, Staff._from_son(stored))

    def find_role(self, role: str) -> None:
        """There are no role documents."""


def register(app: Flask) -> None:
    """Loads the person of each request."""
    app.config.update(
        SECURITY_PASSWORD_HASH="argon2",  # noqa: S106 the name of a method
        # Argon2 salts each hash itself. A pepper in the data directory would make a backup of
        # the database alone useless and differ between hosts.
        SECURITY_PASSWORD_SINGLE_HASH={"argon2"},
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_CLI_USERS_NAME=False,
        SECURITY_CLI_ROLES_NAME=False,
        SECURITY_DEFAULT_REMEMBER_ME=False,
        # The list of sessions replaces the guess from address and browser.
        SESSION_PROTECTION=None,
    )
    # Flask-Security's own pages stay out: views/login.py has ours.
    security = Security(app, StaffDatastore(), register_blueprint=False)
    load = security.login_manager._user_callback

    def load_person(uniquifier: str) -> Staff | None:
        staff = load(uniquifier)
        key = session.get(SESSION_KEY)
        if staff is None or not staff_sessions.is_session_open(staff, key, now()):
            return None
        if staff_sessions.note_seen(staff, key, now()):
            session.modified = True  # the cookie lives as long as the session
        return staff

    security.login_manager.user_loader(load_person)
    user_logged_in.connect(forget_actor, app)
    user_logged_out.connect(forget_actor, app)
    # No tokens in URLs, bodies or headers: the cookie is the only way in.
    security.login_manager.request_loader(lambda request: None)
    _leave_out_principal(app, security)


def _leave_out_principal(app: Flask, security: Security) -> None:
    """Takes Flask-Principal out: it expects role documents, and would load the person even for a
    style sheet."""
    identity_loaded.disconnect(_on_identity_loaded, app)
    security.principal.identity_loaders.clear()
    app.before_request_funcs[None].remove(security.principal._on_before_request)
