"""The one place that tames Flask-Admin.

A screen is a `ScreenView`; a screen over one collection is a `ConfiguredModelView`. Both are known
to the sidebar (views/navigation.py), check what a person may do, and render our templates only.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, current_app, flash, request
from flask_admin import Admin, BaseView, expose
from flask_admin.contrib.mongoengine import ModelView
from flask_admin.theme import Theme
from werkzeug.wrappers import Response as BaseResponse

from rules.errors import NotAllowed
from rules.scope import Actor
from views.context import current_actor, local_path, person
from views.security import login_redirect

UNDO = "undo "  # begins the category of a flash; the address that takes the change back follows


def meets(
    actor: Actor, needs: str | tuple[str, str] | None, reads: tuple[str, str] | None = None
) -> bool:
    """Whether the actor has the ability, or may do the action with the kind; None: any role.

    `reads` is a field, as (kind, key), that the actor must see as it is.
    """
    if reads is not None and not actor.access.sees(*reads):
        return False
    if needs is None:
        return bool(actor.access.roles)
    return actor.can(needs) if isinstance(needs, str) else actor.may(*needs)


def back_or(usual: str) -> str:
    """Where the form came from, if it says so (`back`) and that is a path of this site."""
    return local_path(request.form.get("back")) or usual


@dataclass
class CarebookTheme(Theme):
    """Our templates only.

    The package has no folder of this name, so that a stock template cannot be rendered at all:
    stock pages and a strict CSP must not meet (their delete button, its question blocked, deletes
    without asking).
    """

    folder: str = "carebook"
    base_template: str = "layout.html"


class AccessControl:
    """Who may open a screen, its name and its place; mixed into both kinds of view.

    Class attributes to set: `endpoint_name` ("orders_due"), `url_path` ("/orders/due"), `label`
    (English gettext id, marked with N_), `icon` (a name in tools/icons.txt), and what a person
    `needs` to be let in (rules/permissions.py): an ability ("audit"), a kind with an action
    (("orders", "see")), or None: any role at all. A screen that is about one field names it in
    `reads`, as (kind, key): who may not see that field has no use of the screen.
    """

    endpoint_name = ""
    url_path = ""
    label = ""
    icon = "list-details"
    needs: str | tuple[str, str] | None = None
    reads: tuple[str, str] | None = None

    def is_accessible(self) -> bool:
        """Whether the person's roles allow what the screen needs."""
        return person() is not None and meets(current_actor(), self.needs, self.reads)

    def inaccessible_callback(self, name: str, **kwargs: Any) -> BaseResponse:
        """To the login for a stranger; for staff whose roles do not allow it, NotAllowed."""
        if person() is None:
            return login_redirect()
        raise NotAllowed

    def create_blueprint(self, admin: Admin) -> Any:
        """The screen's routes, without the package's own scripts and style sheets."""
        # A view at "/" would publish Flask-Admin's static files; an address without a folder
        # keeps them in.
        self.static_url_path = "/static/none"
        return super().create_blueprint(admin)  # type: ignore[misc]

    def _handle_view(self, view_name: str, /, **arguments: Any) -> Any:
        # The package's own signature breaks routes with an argument called `name`.
        return None if self.is_accessible() else self.inaccessible_callback(view_name)

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        # The package calls a view a second time, with other arguments, after any TypeError: it
        # would hide the error and could write twice.
        return fn(self, *args, **kwargs)

    def render(self, template: str, **context: Any) -> str:
        """The page; `screen` is the view itself."""
        return super().render(template, screen=self, **context)  # type: ignore[misc, no-any-return]

    def render_part(self, template: str, block: str, **context: Any) -> str:
        """One block of a page, for htmx: the same template serves the page and its part."""
        return render_part(template, block, screen=self, **context)


def render_part(template: str, block: str, **context: Any) -> str:
    """One block of a template, as it stands in the whole page."""
    current_app.update_template_context(context)
    found = current_app.jinja_env.get_template(template)
    return "".join(found.blocks[block](found.new_context(context)))


def toast(
    response: Response | str,
    text: str,
    *,
    undo: str | None = None,
    value: str | None = None,
) -> Response:
    """The htmx answer with a toast.

    Args:
        undo: an address that takes the change back (POST).
        value: what a field has now, for who shows it (static/js/board.js).
    """
    made = current_app.make_response(response)
    shown: dict[str, Any] = {"carebook:toast": {"text": text, "undo": undo}}
    if value is not None:
        shown["carebook:value"] = value
    made.headers["HX-Trigger"] = json.dumps(shown)
    return made


def flash_undo(text: str, undo: str) -> None:
    """A toast on the next page with a button that takes the change back; `undo` is POSTed to."""
    flash(text, f"{UNDO}{undo}")


class ScreenView(AccessControl, BaseView):
    """A screen that is not simply a collection: the queue, due lists, dashboards, the account."""

    def __init__(self) -> None:
        super().__init__(
            name=self.label,
            endpoint=self.endpoint_name,
            # Flask-Admin joins "/" and a relative address to "//address".
            url="/" + self.url_path.strip("/"),
        )


class ConfiguredModelView(AccessControl, ModelView):
    """A screen over one collection; `model` is its document class.

    Flask-Admin's own list, create, edit, delete, details, export, inline edit, lookup and file
    routes are off; a screen exposes what it offers, beginning with `index_view` at "/".
    """

    model: Any = None

    can_create = can_edit = can_delete = can_view_details = can_export = False

    # The package collects its routes from the names of the class: None takes a route away.
    create_view = edit_view = details_view = delete_view = None
    action_view = action_delete = export = ajax_lookup = ajax_update = api_file_view = None

    def __init__(self) -> None:
        super().__init__(
            self.model,
            name=self.label,
            endpoint=self.endpoint_name,
            url="/" + self.url_path.strip("/"),
        )

    def _refresh_cache(self) -> None:
        # Nothing is made from the document: the package leaves fields out of forms that it has
        # no converter for (Decimal128, embedded lists, ...) without a word, and its filters and
        # sorts are counted by position, which breaks saved addresses.
        self._form_ajax_refs: dict[str, Any] = {}

    @expose("/")
    def index_view(self) -> Any:
        abort(404)
