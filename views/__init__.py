"""Flask-Admin views: a request becomes a service call and a page."""

from flask import Flask
from flask_admin import Admin, BaseView

from views import health, login, navigation
from views.account import AccountView
from views.base import CarebookTheme
from views.start import StartView


def screens() -> list[BaseView]:
    """Every screen. Exactly one has the address "/"."""
    return [StartView(), AccountView()]


def register(app: Flask) -> None:
    """Adds every screen, the login and the health checks to the application."""
    added = screens()
    home = next(screen for screen in added if screen.url == "/")
    admin = Admin(app, name="Carebook", url="/", index_view=home, theme=CarebookTheme())
    for screen in added:
        if screen is not home:
            admin.add_view(screen)
    app.register_blueprint(login.blueprint)
    app.register_blueprint(health.blueprint)
    navigation.register(app)
