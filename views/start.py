"""The way in: the first screen that the person may open."""

from flask import redirect, url_for
from flask_admin import expose
from werkzeug.wrappers import Response

from rules.errors import N_
from views.base import ScreenView
from views.navigation import sidebar


class StartView(ScreenView):
    """Leads on, as long as no screen has the address "/"."""

    endpoint_name = "start"
    url_path = "/"
    label = N_("Start")
    icon = "home"

    @expose("/")
    def index(self) -> Response:
        links = [link for _, section in sidebar() for link in section]
        return redirect(links[0].url if links else url_for("account.index"))
