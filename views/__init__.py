"""Flask-Admin views: a request becomes a service call and a page."""

from flask import Flask
from flask_admin import Admin, BaseView

from views import (
    api_records,
    audit_words,
    files,
    forgotten,
    health,
    list_screen,
    login,
    navigation,
    preview,
    relationship_words,
    row_markup,
    second_step,
    sign_in,
    site_records,
)
from views.access_settings import AccessSettings
from views.account import AccountView
from views.api_keys import ApiKeys
from views.assignments import AssignCustomers, AssignProducts, CareMode
from views.audit import Audit
from views.base import CarebookTheme
from views.bulk_edit import BulkEdits
from views.care import Care
from views.changes import Changes
from views.configuration import ConfigurationScreen
from views.customer_viewers import CustomerViewers
from views.customers import Customers
from views.customers_due import CustomersDue
from views.field_settings import FieldSettings
from views.files import Files
from views.filter_builder import FilterBuilder
from views.handover import HandOver
from views.history import History
from views.jobs import Jobs
from views.kind_settings import KindSettings
from views.layout_settings import LayoutSettings
from views.list_files import Exports
from views.list_settings import ListSettings
from views.lookup import Lookup
from views.menu_settings import MenuSettings
from views.orders import Orders
from views.orders_due import OrdersDue, OrdersDueByArea, OrdersDueByGroup
from views.pick_lists import PickLists
from views.preview import Preview
from views.products import Products
from views.record_fields import RecordFields
from views.relationships import Relationships
from views.reveal import Reveal
from views.roles import Roles
from views.saved_views import SavedViews
from views.schedules import Schedules
from views.search import Search
from views.second_factor import SecondFactor
from views.site_records import SiteRecords
from views.staff import Staff
from views.teams import Teams
from views.today import Today
from views.trash import Trash
from views.why import Why


def screens() -> list[BaseView]:
    """Every screen. Exactly one has the address "/"."""
    return [
        Today(),
        OrdersDue(),
        OrdersDueByGroup(),
        OrdersDueByArea(),
        CustomersDue(),
        History(),
        Customers(),
        CustomerViewers(),
        Orders(),
        SiteRecords(),
        KindSettings(),
        Products(),
        Jobs(),
        Exports(),
        BulkEdits(),
        CareMode(),
        HandOver(),
        Why(),
        AssignProducts(),
        AssignCustomers(),
        FieldSettings(),
        ListSettings(),
        PickLists(),
        LayoutSettings(),
        RecordFields(),
        Relationships(),
        Schedules(),
        Care(),
        Lookup(),
        Search(),
        FilterBuilder(),
        Reveal(),
        Roles(),
        Teams(),
        Preview(),
        SavedViews(),
        AccountView(),
        SecondFactor(),
        ApiKeys(),
        Staff(),
        Audit(),
        Changes(),
        AccessSettings(),
        ConfigurationScreen(),
        MenuSettings(),
        Trash(),
        Files(),
    ]


def register(app: Flask) -> None:
    """Adds every screen, the login and the health checks to the application."""
    added = screens()
    home = next(screen for screen in added if screen.url == "/")
    admin = Admin(app, name="Carebook", url="/", index_view=home, theme=CarebookTheme())
    for screen in added:
        if screen is not home:
            admin.add_view(screen)
    app.register_blueprint(login.blueprint)
    app.register_blueprint(second_step.blueprint)
    app.register_blueprint(sign_in.blueprint)
    app.register_blueprint(forgotten.blueprint)
    app.register_blueprint(api_records.blueprint)
    app.register_blueprint(health.blueprint)
    navigation.register(app)
    site_records.register(app)
    list_screen.register(app)
    row_markup.register(app)
    relationship_words.register(app)
    audit_words.register(app)
    files.register(app)
    preview.register(app)
