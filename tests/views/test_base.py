"""What views/base.py tames in Flask-Admin, trap by trap."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_admin
import pytest
from flask import Flask, render_template_string, template_rendered
from flask_admin import Admin, expose
from jinja2 import TemplateNotFound

from config import PROJECT_ROOT
from models import Customer, Order, Product
from rules.errors import N_
from rules.permissions import ASSIGN
from rules.scope import Actor
from tests.views.conftest import Browser
from tests.views.test_security import addresses
from views.base import CarebookTheme, ConfiguredModelView, ScreenView, meets, render_part, toast

STOCK_ROUTES = {
    "create_view",
    "edit_view",
    "details_view",
    "delete_view",
    "action_view",
    "export",
    "ajax_lookup",
    "ajax_update",
    "api_file_view",
    "static",
}


class Fruit(ScreenView):
    endpoint_name, url_path, label = "fruit", "/fruit", N_("Start")
    needs = ASSIGN
    calls = 0

    @expose("/")
    def index(self) -> Any:
        return "apples"

    @expose("/broken")
    def broken(self) -> Any:
        type(self).calls += 1
        raise TypeError("a defect in our own code")


class Orders(ConfiguredModelView):
    endpoint_name, url_path, label = "plain_orders", "/plain-orders", N_("Start")
    model = Order


@pytest.fixture
def small(settings: Any, db: Any) -> Flask:
    """The application with two more screens."""
    import views
    from tests.views.conftest import make_app

    original = views.screens
    views.screens = lambda: [*original(), Fruit(), Orders()]
    try:
        return make_app(settings)
    finally:
        views.screens = original


def browser(app: Flask, actor: Actor) -> Browser:
    from models import Staff

    made = app.test_client()
    made.log_in(Staff.objects.get(pk=actor.staff_id))
    return made


def test_it_has_no_stock_routes(small: Flask) -> None:
    """Stock pages under a strict CSP delete without asking; /api/file/ serves any file."""
    for rule in small.url_map.iter_rules():
        blueprint, _, name = rule.endpoint.rpartition(".")
        assert not (blueprint and name in STOCK_ROUTES), rule
        assert "/static/admin" not in rule.rule
        assert "/api/file" not in rule.rule


def test_it_cannot_render_a_stock_template(app: Flask) -> None:
    folder = Path(flask_admin.__file__).parent / "templates" / "bootstrap4"
    stock = [path.relative_to(folder).as_posix() for path in folder.rglob("*.html")]
    assert len(stock) > 10
    for name in stock:
        with pytest.raises(TemplateNotFound):
            app.jinja_env.get_template(name)


def test_it_answers_every_address_with_our_own_templates(
    app: Flask, administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    seen: list[str] = []

    def note(_: Flask, template: Any, context: Any) -> None:
        seen.append(template.filename or "")

    staff = browser_of(administrator)
    token = staff.token()
    with template_rendered.connected_to(note, app):
        for endpoint, method, address in addresses(app):
            if endpoint in ("login.logout", "account.close_other_sessions"):
                continue
            response = staff.open(address, method=method, headers={"X-CSRFToken": token})
            assert response.status_code < 500, (method, address)
    assert seen
    assert all(Path(name).is_relative_to(PROJECT_ROOT / "templates") for name in seen)


def test_it_runs_a_view_once_and_shows_its_own_error(
    small: Flask, manager: Actor, caplog: pytest.LogCaptureFixture
) -> None:
    """Flask-Admin calls a view again, with other arguments, after any TypeError."""
    Fruit.calls = 0
    response = browser(small, manager).get("/fruit/broken")
    assert response.status_code == 500
    assert Fruit.calls == 1


def test_it_checks_roles(small: Flask, manager: Actor, agent: Actor) -> None:
    assert browser(small, manager).get("/fruit").text == "apples"
    assert browser(small, agent).get("/fruit").status_code == 403


def test_it_makes_no_form_out_of_a_document_with_fields_it_cannot_show() -> None:
    for model in (Customer, Order, Product):
        view = type("View", (Orders,), {"model": model, "endpoint_name": model.__name__})()
        assert not hasattr(view, "_create_form_class")


@pytest.mark.parametrize(
    "query",
    [
        "page=-1",
        "page=99999999999999999999",
        "page_size=0",
        "sort=nonsense",
        "sort=-",
        "after=%00",
        "before=eyJ4IjoxfQ",
        "flt0_0=x",
        "search=%24where",
        "area=not-an-id",
    ],
)
def test_it_takes_nonsense_in_the_address_of_every_screen(
    app: Flask, administrator: Actor, browser_of: Callable[[Actor], Browser], query: str
) -> None:
    staff = browser_of(administrator)
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/static") or rule.arguments or "GET" not in rule.methods:
            continue
        response = staff.get(f"{rule.rule}?{query}")
        assert response.status_code < 500, rule


def test_it_has_no_inline_script_or_style_in_any_template() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+\s*=|javascript:", re.I)
    for path in (PROJECT_ROOT / "templates").rglob("*.html"):
        found = inline.search(path.read_text("utf-8"))
        assert not found, f"{path}: {found and found.group()}"


def test_it_renders_one_block_of_a_page_with_its_macros(app: Flask) -> None:
    with app.test_request_context():
        part = render_part("errors/error.html", "body", status=404, heading="Chà", text="Mất")
    assert part.lstrip().startswith('<section class="trouble">')
    assert "icons.svg" in part


def test_it_sends_a_toast_in_any_language_as_a_header(app: Flask) -> None:
    with app.test_request_context():
        response = toast("row", "Đã ghi ✓", undo="/orders/1/undo")
    assert response.headers["HX-Trigger"].isascii()
    assert "/orders/1/undo" in response.headers["HX-Trigger"]


def test_it_shows_only_screens_that_the_person_may_open(
    app: Flask, agent: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    page = browser_of(agent).get("/account").text
    with app.test_request_context():
        views = {v.endpoint: v for admin in app.extensions["admin"] for v in admin._views}
    shown = set(re.findall(r'data-screen="([a-z_]+)"', page))
    assert shown
    assert all(meets(agent, views[name].needs) for name in shown)
    assert "staff" not in shown


def test_it_knows_every_icon_that_a_page_uses(app: Flask) -> None:
    sprite = (PROJECT_ROOT / "static" / "icons.svg").read_text("utf-8")
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    used = set()
    for path in (PROJECT_ROOT / "templates").rglob("*.html"):
        used |= set(re.findall(r'icon(?:_name)?[(=]"([a-z0-9-]+)"', path.read_text("utf-8")))
    views = {v for admin in app.extensions["admin"] for v in admin._views}
    assert used
    assert used | {view.icon for view in views} <= known


def test_it_gives_the_theme_a_folder_that_the_package_lacks() -> None:
    folder = Path(flask_admin.__file__).parent / "templates" / CarebookTheme().folder
    assert not folder.exists()


def test_it_knows_the_layout_everywhere(app: Flask) -> None:
    with app.test_request_context("/nowhere"):
        page = render_template_string(
            '{% extends "layout.html" %}{% block body %}{{ ui.icon("phone") }}{% endblock %}'
        )
    assert page.count('id="content"') == 1
    assert "#phone" in page


def test_it_is_an_admin_of_flask_admin(app: Flask) -> None:
    assert all(isinstance(admin, Admin) for admin in app.extensions["admin"])
