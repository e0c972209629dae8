"""What every address of the application needs and whose records it is about.

A new address is declared here, in RULES or, for a list, in LISTS and LIST_ROUTES; test_matrix.py then
tries every role on it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from werkzeug.routing import Rule

# What answers without a login.
PUBLIC = {
    "static",
    "login.login",
    "login.link",
    "login.language",
    "sign_in.begin",
    "sign_in.callback",
    "second_step.code",
    "forgotten.forgotten",
    "api.me",
    *("api.records", "api.record", "api.change_record"),
    "health.healthz",
    "health.readyz",
    "metrics.metrics",
}

OK = frozenset({200, 204, 302, 303, 409, 422})
GONE, REFUSED, LOGIN = frozenset({404}), frozenset({403}), frozenset({303})
OWN, FOREIGN, TRASHED, MISSING = "own", "foreign", "trashed", "missing"
STRANGER = "stranger"
ROLES = ("care_agent", "manager", "administrator", "limited", "keeper", STRANGER)

LIMITED = {
    "label_vi": "Hạn chế",
    "kinds": {
        "customers": {
            "actions": ["see"],
            "reach": "own",
            "fields": {"phones": "masked", "emails": "hidden"},
        },
        "orders": {"actions": ["see"], "reach": "own"},
    },
    "abilities": [],
}
# Whoever may do everything with the own records, and nothing with others'.
KEEPER = {
    "label_vi": "Giữ việc của mình",
    "kinds": {
        kind: {
            "actions": ["see", "create", "edit", "delete", "export", "import"],
            "reach": "own",
        }
        for kind in ("customers", "orders", "phieu", "entries")
    }
    | {"products": {"actions": ["see"], "reach": "all"}},
    "abilities": [],
}
# What people of each role may do, said once more and by hand.
MAY: dict[str, set[Any]] = {
    "care_agent": {
        *((kind, "see") for kind in ("customers", "orders", "products", "entries")),
        *(("customers", "edit"), ("customers", "create"), ("orders", "edit")),
        ("entries", "create"),
        *(("phieu", action) for action in ("see", "create", "edit")),
        "reveal",
    },
    "manager": {
        *(
            (kind, action)
            for kind in ("customers", "orders", "products", "entries", "phieu")
            for action in ("see", "create", "edit", "delete", "export")
        ),
        *("assign", "reveal", ("phieu", "import")),
    },
    "limited": {("customers", "see"), ("orders", "see")},
    "keeper": {
        ("products", "see"),
        *(
            (kind, action)
            for kind in ("customers", "orders", "phieu", "entries")
            for action in ("see", "create", "edit", "delete", "export", "import")
        ),
    },
    STRANGER: set(),
}
MAY["administrator"] = {*MAY["manager"], "configure", "accounts", "audit", "jobs"}
# What belongs to others and may never be seen by those who do not see everything.
SECRETS = (
    "Lạ Hoắc",
    "la hoac",
    "KH-LA",
    "DH-LA",
    "0999 888",
    "0999888",
    "Chuyện lạ",
    "la@bimat.vn",
)
SECRETS_OF_TRASH = ("Đã Vứt", "KH-VUT", "DH-VUT")


@dataclass(frozen=True)
class Expected:
    """What a route needs, whose records it is about, and what it answers to whom.

    `also` are further statuses for those who are let in; `gone` for records that are not theirs;
    `refused` for those who may not; `strangers` for those who are not logged in, if not the login.
    """

    needs: Any = None  # an ability, (kind, action), or None: some role
    about: str = ""
    also: frozenset[int] = frozenset()
    gone: frozenset[int] = GONE
    refused: frozenset[int] = REFUSED
    fixed: frozenset[int] | None = None  # the same for everybody who is logged in
    strangers: frozenset[int] | None = None
    is_repeatable: bool = False  # deleting what is in the trash changes nothing
    form: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


def see(kind: str, **more: Any) -> Expected:
    return Expected((kind, "see"), **more)


NOWHERE = Expected(None, fixed=GONE)  # an address that only holds others together
MINE = Expected(None)  # everybody's own matter
BAD = frozenset({400})

RULES: dict[str, Expected] = {}  # filled below
LIST_ROUTES: dict[str, Callable[["Listed"], Expected]] = {}


@dataclass(frozen=True)
class Listed:
    """A list: what its screen needs, the kind of its rows, a filter with a range, a field."""

    needs: Any
    rows: str
    ranged: str = ""
    kind: str = ""  # a list over the fields of a kind has more routes


def declared(rule: Rule) -> Expected | None:
    if rule.endpoint in RULES:
        return RULES[rule.endpoint]
    screen, _, route = rule.endpoint.partition(".")
    if screen in LISTS and route in LIST_ROUTES:
        listed = LISTS[screen]
        if route in KIND_ROUTES and not listed.kind:
            return None
        found = LIST_ROUTES[route](listed)
        return replace(found, values=found.values | SLUG) if screen == "records" else found
    return None


SKIPPED = {"login.logout"}  # it would end the login that asks
KIND_ROUTES = {
    "customer_view",
    "phone_view",
    "value_view",
    "menu_view",
    "save_view",
    "bulk_view",
    "cell_view",
    "columns_view",
    "export_view",
    "group_rows_view",
}
LISTS = {
    "customers": Listed(("customers", "see"), "customers", kind="customers"),
    "customers_due": Listed(("customers", "see"), "customers", "due", "customers"),
    "orders_due": Listed(("orders", "see"), "orders", "due", "orders"),
    "orders_due_by_area": Listed(("orders", "see"), "orders", "due", "orders"),
    "orders_due_by_group": Listed(("products", "see"), "orders", "due", "orders"),
    "history": Listed(("entries", "see"), "entries", "at", "entries"),
    "products": Listed(("products", "see"), "products", kind="products"),
    "records": Listed(("phieu", "see"), "records", kind="phieu"),
    "assign_customers": Listed("assign", "customers"),
    "assign_products": Listed("assign", "products"),
    "audit": Listed("audit", "audit", "at"),
    "jobs": Listed(None, "runs"),
    "staff": Listed("accounts", "staff"),
    "trash": Listed(("customers", "delete"), "batches", "at"),
}
LIST_ROUTES |= {
    "index_view": lambda one: Expected(one.needs),
    "count_view": lambda one: Expected(one.needs),
    "range_view": lambda one: Expected(
        one.needs, values={"key": one.ranged or "none"}, also=frozenset() if one.ranged else GONE
    ),
    "row_view": lambda one: Expected(one.needs, one.rows),
    "columns_view": lambda one: Expected(one.needs),
    "save_view": lambda one: Expected(one.needs),
    "customer_view": lambda one: Expected(one.needs, one.rows),
    "phone_view": lambda one: Expected(one.needs, one.rows),
    "value_view": lambda one: Expected(one.needs, one.rows, values={"field": "code"}),
    "menu_view": lambda one: Expected(one.needs, values={"name": "columns"}, also=GONE),
    "group_rows_view": lambda one: Expected(one.needs),
    "export_view": lambda one: Expected((one.kind, "export"), values={"form": "csv"}),
    "bulk_view": lambda one: Expected((one.kind, "edit"), also=BAD),
    "cell_view": lambda one: Expected(
        (one.kind, "edit"),
        one.rows,
        values={"field": "note"},
        # Not all of them have a note.
        fixed=GONE | REFUSED if one.kind in ("entries", "products", "phieu") else None,
    ),
}
# The menu of a row.
KIND_ROUTES |= {"menu_view", "value_view", "customer_view", "phone_view"}
LIST_ROUTES |= {
    "value_view": lambda one: Expected(one.needs, one.rows, values={"field": "code"}),
    "customer_view": lambda one: Expected(one.needs, one.rows),
    "phone_view": lambda one: Expected(one.needs, one.rows),
    "menu_view": lambda one: Expected(one.needs, values={"name": "row"}),
}
CUSTOMER = {"kind": "customers"}
SLUG = {"slug": "phieu"}
RULES |= {
    # A program needs a key; health and metrics are for machines; a stranger logs in.
    **dict.fromkeys((*PUBLIC, "login.logout"), MINE),
    "metrics.metrics": Expected(fixed=frozenset({200}), strangers=frozenset({200})),
    **{
        endpoint: Expected(fixed=GONE, strangers=GONE)  # it is not switched on
        for endpoint in ("sign_in.begin", "sign_in.callback")
    },
    # One's own account.
    **{
        f"account.{route}": MINE
        for route in ("index", "password", "theme", "morning_mail", "close_other_sessions")
    },
    "account.close_session": Expected(also=GONE),
    **{
        f"second_factor.{route}": Expected(also=GONE)
        for route in ("index", "begin", "picture", "confirm", "recovery_codes", "off")
    },
    "api_keys.index": MINE,
    "api_keys.create": MINE,
    "api_keys.revoke": Expected(about="tokens"),
    "today.index_view": MINE,
    "today.queue_view": MINE,
    "exports.index_view": NOWHERE,
    "exports.file_view": Expected(fixed=GONE),
    "bulk_edits.index_view": MINE,
    "bulk_edits.go_on_view": MINE,
    "bulk_edits.undo_view": MINE,  # of nobody's change: says so
    # Settings.
    "access_settings.index": Expected("accounts"),
    "access_settings.save": Expected("accounts"),
    "care_mode.index_view": Expected("assign"),
    "relationships.index_view": Expected("configure"),
    "schedules.index_view": Expected("configure"),
    "schedules.save_view": Expected("configure", fixed=None, also=GONE),
    "schedules.run_now_view": Expected("configure", also=GONE),
    **{
        f"field_settings.{route}": Expected(
            "configure", values={"kind": "customers", "key": "note"}, also=GONE
        )
        for route in (
            *("index_view", "kind_view", "field_view", "new_view", "order_view", "retire_view"),
            "check_view",
        )
    },
    **{
        f"configuration.{route}": Expected(
            "configure", values={"number": "1"}, also=frozenset({409, 422})
        )
        for route in (
            *("index_view", "download_view", "compare_view", "apply_view", "back_view"),
            *("go_back_view", "between_view"),
        )
    },
    **{
        f"menu_settings.{route}": Expected(
            "configure", values={"key": "all"}, also=frozenset({409})
        )
        for route in ("index_view", "menu_view", "save_view", "preview_view")
    },
    "list_settings.index_view": Expected("configure"),
    "list_settings.list_view": Expected("configure", values={"key": "customers"}, also=GONE),
    "list_settings.check_view": Expected("configure", values={"key": "customers"}, also=GONE),
    "kind_settings.index_view": Expected("configure"),
    "kind_settings.new_view": Expected("configure"),
    "kind_settings.kind_view": Expected("configure", values={"key": "phieu"}),
    **{
        f"list_settings.{route}": Expected("configure", values={"key": "customers"})
        for route in ("index_view", "list_view", "check_view", "preview_view")
    },
    **{
        f"layout_settings.{route}": Expected(
            "configure", values={"kind": "customers"}, also=frozenset({409})
        )
        for route in ("index_view", "kind_view", "preview_view", "reset_view")
    },
    **{
        f"pick_lists.{route}": Expected("configure", values={"key": "channel"}, also=GONE)
        for route in (
            *("index_view", "list_view", "counts_view", "merge_view", "remove_view"),
            "unmerge_view",
        )
    },
    # Records of a kind that the site defined.
    "records.new_view": Expected(("phieu", "create"), values=SLUG),
    "records.import_view": Expected(("phieu", "import"), values=SLUG),
    **{  # a file belongs to who sent it (tests/views/test_record_import.py)
        f"records.{route}": Expected(("phieu", "import"), values=SLUG, also=GONE)
        for route in ("import_file_view", "import_apply_view", "import_wrong_view")
    },
    "records.import_sample_view": Expected(("phieu", "import"), values=SLUG | {"form": "csv"}),
    "records.record_view": see("phieu", about="records", values=SLUG),
    "records.edit_record_view": Expected(("phieu", "edit"), "records", values=SLUG),
    "records.delete_record_view": Expected(
        ("phieu", "delete"), "records", values=SLUG, is_repeatable=True
    ),
    "records.restore_record_view": Expected(
        ("phieu", "delete"), "records", values=SLUG, is_repeatable=True
    ),
    # Assignments and absences.
    "assign_customers.assign_view": Expected("assign"),
    "assign_products.assign_view": Expected("assign"),
    "handover.index_view": see("customers"),
    "handover.absence_view": see("customers"),
    "handover.end_view": see("customers", also=GONE),
    "handover.give_view": Expected("assign"),
    "handover.left_view": Expected("assign", also=BAD),
    "handover.undo_view": Expected("assign", also=GONE),
    # Customers, orders, products, care.
    "customers.record_view": see("customers", about="customers"),
    "customers.new_view": Expected(("customers", "create")),
    "customers.same_phone_view": see("customers"),
    "customers.edit_record_view": Expected(("customers", "edit"), "customers"),
    "customers.delete_record_view": Expected(
        ("customers", "delete"), "customers", is_repeatable=True
    ),
    "customers.restore_record_view": Expected(
        ("customers", "delete"), "customers", is_repeatable=True
    ),
    "orders.index_view": see("orders"),
    "orders.record_view": see("orders", about="orders"),
    "orders.edit_record_view": Expected(("orders", "edit"), "orders"),
    "orders.delete_record_view": Expected(("orders", "delete"), "orders", is_repeatable=True),
    "orders.restore_record_view": Expected(("orders", "delete"), "orders", is_repeatable=True),
    "products.record_view": see("products", about="products"),
    "record_fields.index_view": NOWHERE,
    "record_fields.tabs_view": Expected(values={"kind": "customers"}),
    "record_fields.field_view": Expected(
        ("customers", "edit"),
        "customers",
        also=BAD,
        values={"kind": "customers", "key": "address"},
    ),
    "products.care_view": Expected(("products", "edit"), "products"),
    "products.edit_product_view": Expected(("products", "edit"), "products"),
    "products.delete_product_view": Expected(("products", "delete"), "products"),
    "products.restore_product_view": Expected(("products", "delete"), "products"),
    "care.index_view": Expected(("entries", "create")),
    "care.order_view": Expected(("entries", "create"), "orders"),
    "care.record_view": Expected(("entries", "create"), "records"),
    "care.customer_view": Expected(("entries", "create"), "customers"),
    "care.postpone_view": Expected(("entries", "create"), "orders"),
    "history.summary_view": see("entries"),
    "viewers.index_view": see("customers"),
    "viewers.viewers_view": see("customers", about="customers"),
    "viewers.add_view": Expected(("customers", "edit"), "customers", also=GONE, refused=GONE),
    "viewers.remove_view": Expected(("customers", "edit"), "customers", also=GONE, refused=GONE),
    "why.index": NOWHERE,
    "why.record_view": see("customers", about="customers", values=CUSTOMER),
    "changes.index": NOWHERE,
    "changes.record_view": see("customers", about="customers", values=CUSTOMER),
    "changes.restore_view": Expected(
        ("customers", "edit"), "customers", values=CUSTOMER, also=GONE, refused=GONE
    ),
    "changes.compare_view": see("customers", about="customers", values=CUSTOMER, also=GONE),
    "changes.restore_version_view": Expected(
        ("customers", "edit"), "customers", values=CUSTOMER, also=GONE, refused=GONE
    ),
    "reveal.index": Expected("reveal", also=GONE),
    "reveal.reveal_view": Expected(
        "reveal", "customers", values=CUSTOMER | {"field_key": "phones"}, also=REFUSED
    ),
    # Files.
    "files.index_view": MINE,
    "files.pending_view": MINE,
    # Without a file the answer is the same for everybody: that there is none.
    "files.add_view": Expected(also=GONE, values=CUSTOMER),
    "files.file_view": see("customers", about="files"),
    "files.thumbnail_view": see("customers", about="files"),
    "files.field_view": Expected(
        ("customers", "edit"), values={"kind": "customers", "key": "contract"}
    ),
    "files.count_view": see("customers", about="customers", values=CUSTOMER),
    # Whoever attached a file may take it away again.
    "files.delete_file_view": see("customers", about="files", is_repeatable=True),
    "files.restore_file_view": see("customers", about="files"),
    # Searching.
    "search.index_view": MINE,
    "lookup.index_view": NOWHERE,
    "lookup.options_view": Expected(values={"kind": "customer"}),
    "lookup.reference_view": Expected(values=CUSTOMER),
    "lookup.condition_view": Expected(values=CUSTOMER | {"number": "1"}),
    "filters.index_view": NOWHERE,
    "filters.kind_view": see("customers", values=CUSTOMER),
    # Roles, teams, and looking as a role.
    "roles.index_view": Expected("accounts"),
    "roles.new_view": Expected("accounts"),
    "roles.role_view": Expected("accounts", values={"key": "care_agent"}),
    "roles.retire_view": Expected("accounts", values={"key": "care_agent"}),
    "roles.restore_view": Expected("accounts", values={"key": "care_agent"}),
    "teams.index_view": Expected("accounts"),
    "teams.new_view": Expected("accounts"),
    "teams.team_view": Expected("accounts", values={"key": "none"}, also=GONE),
    "teams.remove_view": Expected("accounts", values={"key": "none"}),
    "preview.index_view": MINE,
    "preview.begin_view": Expected("accounts", also=REFUSED),  # as no role at all
    "preview.leave_view": MINE,
    "views.index_view": NOWHERE,
    "views.change_view": Expected(about="views", form={"do": "pin"}),
    "views.restore_view": Expected(about="views"),
    # Jobs, staff, the log, the trash.
    **{
        f"jobs.{route}": Expected(about="runs")
        for route in ("run_view", "live_view", "errors_view", "cancel_view", "retry_view")
    },
    "jobs.mine_view": MINE,
    "jobs.aside_view": Expected("jobs"),
    "jobs.aside_again_view": Expected("jobs", also=GONE),
    "jobs.aside_drop_view": Expected("jobs", also=GONE),
    "staff.new_view": Expected("accounts"),
    **{
        f"staff.{route}": Expected("accounts", "staff")
        for route in (
            *("record_view", "link_view", "activate_view", "deactivate_view", "unlock_view"),
            *("reset_factor_view", "close_sessions_view"),
        )
    },
    "audit.entry_view": Expected("audit", "audit"),
    **{
        f"trash.{route}": Expected(("customers", "delete"), "batches")
        for route in ("batch_view", "restore_view")
    },
    # For good deletes who may delete all of them.
    "trash.purge_view": Expected(("customers", "delete"), "batches", gone=GONE | REFUSED),
}
