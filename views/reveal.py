"""The eye beside a masked value: shows it once, to whoever may, and writes that down."""

from typing import Any

from flask import abort, make_response
from flask_admin import expose

from rules.errors import N_
from rules.permissions import REVEAL
from services import references, reveals
from views.base import ScreenView
from views.context import configured, current_actor, locale, now
from views.field_cells import text
from views.limits import reveal_wait_seconds, wait_text
from views.list_screen import object_id


class Reveal(ScreenView):
    """One value of one record at a time; the answer is a part of a page."""

    endpoint_name, url_path, icon = "reveal", "/reveal", "eye"
    label = N_("Show the value")
    needs = REVEAL

    @expose("/")
    def index(self) -> Any:
        abort(404)

    @expose("/<kind>/<record_id>/<field_key>", methods=("POST",))
    def reveal_view(self, kind: str, record_id: str, field_key: str) -> Any:
        wait = reveal_wait_seconds(current_actor())
        if wait:
            response = make_response(wait_text(wait), 429)
            response.headers["Retry-After"] = str(wait)
            return response
        field, stored = reveals.reveal(
            kind, object_id(record_id), field_key, by=current_actor(), at=now()
        )
        names = {}
        if field.refers_to:
            ids = stored if isinstance(stored, list) else [stored]
            names = {field.refers_to: references.names(field.refers_to, ids, by=current_actor())}
        is_list = isinstance(stored, list) and field.type in ("phones", "emails")
        shown = text(field, stored, configured(), locale(), names)
        return self.render(
            "records/revealed.html", field=field, values=stored if is_list else [shown]
        )
