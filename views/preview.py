"""Looking at the whole application as a role: begun from the screen of roles, left by its banner.

While it lasts nothing can be changed, whatever the role allows, and addresses that change something
by being opened are closed.
"""

from datetime import timedelta
from typing import Any

from flask import Flask, flash, redirect, request, session, url_for
from flask_admin import expose
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from rules.errors import N_, InvalidInput, NotAllowed
from services import previews
from views.base import ScreenView
from views.context import (
    PREVIEW,
    configured,
    forget_actor,
    now,
    person,
    previewing,
    real_actor,
)
from views.list_screen import object_id

LEAVE = "preview.leave_view"
# Reading these writes: a claim, a file that is noted, a picture that is drawn anew.
CLOSED = ("today.queue_view", "second_factor.index", "second_factor.picture")
CLOSED_ROUTES = ("export_view", "file_view")


class Preview(ScreenView):
    """The way in and the way out; both are written down."""

    endpoint_name, url_path, icon = "preview", "/preview", "eye-cog"
    label = N_("View as a role")

    def is_accessible(self) -> bool:
        """Also while somebody looks as a role that may nothing."""
        return person() is not None

    @expose("/")
    def index_view(self) -> Any:
        if not real_actor().roles:
            raise NotAllowed
        return redirect(url_for("roles.index_view"))

    @expose("/begin", methods=("POST",))
    def begin_view(self) -> Any:
        """Begins to look as a role, with the scope of a colleague or of nobody."""
        role = request.form.get("role", "")[:60]
        staff = request.form.get("staff", "")
        by, at = real_actor(), now()
        try:
            previews.begin(by, role, object_id(staff) if staff else None, configured(), at=at)
        except InvalidInput as error:
            raise NotAllowed(error.message) from error
        until = at + timedelta(minutes=previews.LONGEST_MINUTES)
        session[PREVIEW] = {"role": role, "staff": staff, "until": int(until.timestamp())}
        forget_actor()
        return redirect(url_for("today.index_view"), 303)

    @expose("/leave", methods=("POST",))
    def leave_view(self) -> BaseResponse:
        left = session.pop(PREVIEW, None)
        forget_actor()
        if left:
            previews.end(real_actor(), str(left.get("role", "")), now())
            flash(gettext("You are yourself again."), "success")
        target = "roles.index_view" if left else "today.index_view"
        return redirect(url_for(target), 303)


def refuse_changes() -> None:
    """Lets nothing be changed while somebody looks as a role."""
    if request.endpoint in (LEAVE, "login.logout", None) or previewing() is None:
        return
    route = (request.endpoint or "").partition(".")[2]
    is_closed = request.endpoint in CLOSED or route in CLOSED_ROUTES
    if is_closed or request.method not in ("GET", "HEAD", "OPTIONS"):
        raise NotAllowed(N_("You are looking as a role: nothing can be changed. Leave that first."))


def register(app: Flask) -> None:
    """Watches every request, and tells the frame whether to show the banner."""
    app.before_request(refuse_changes)
    app.jinja_env.globals["previewing"] = previewing
