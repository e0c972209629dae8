"""People who log in."""

from flask_security.core import UserMixin
from mongoengine import (
    BooleanField,
    DateField,
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    ObjectIdField,
    StringField,
)

from models.base import CarebookDocument


class StaffSession(EmbeddedDocument):
    """One browser where the person is logged in; `key` is in its cookie."""

    key = StringField(required=True)
    created_at = DateTimeField(required=True)
    seen_at = DateTimeField(required=True)
    address = StringField()
    agent = StringField()
    is_by_service = BooleanField()  # came through the company's sign-in service
    has_factor = BooleanField()  # and that is trusted with the second factor


class Absence(EmbeddedDocument):
    """The days on which the person sees and does the work of a colleague who is away (S1.1)."""

    absence_id = ObjectIdField(required=True)
    staff_id = ObjectIdField(required=True)  # who is away
    name = StringField(required=True)
    from_on = DateField(required=True)
    until_on = DateField(required=True)  # the last day
    from_at = DateTimeField(required=True)
    until_at = DateTimeField(required=True)  # from this instant on it is over
    added_by = StringField()


class Pin(EmbeddedDocument):
    """A saved view in the person's sidebar. `is_gone`: deleted, or not shared with it any more."""

    view_id = ObjectIdField(required=True)
    name = StringField(required=True)
    screen = StringField(required=True)
    is_gone = BooleanField()


class Staff(CarebookDocument, UserMixin):
    """A staff member. `roles` are keys of the roles that the site has.

    Everything a request needs to know about the person stands in this one document: sessions,
    language and look come with the one query that finds the login.
    """

    email = StringField(required=True, max_length=200)
    name = StringField(required=True, max_length=120)
    password = StringField()
    active = BooleanField(default=True)
    fs_uniquifier = StringField(required=True, max_length=64)
    roles = ListField(StringField())
    locale = StringField(choices=("vi", "en"))
    theme = StringField(choices=("light", "dark"))
    # The assignments that are still being taken out of its lists, see services.scope.
    scopes_pending = ListField(ObjectIdField())
    stands_in = EmbeddedDocumentListField(Absence)  # of others, see services.absences
    sessions = EmbeddedDocumentListField(StaffSession)
    no_morning_mail = BooleanField()
    search = StringField()  # folded name and address, see services.staff
    search_words = ListField(StringField())
    # How the person likes its lists: {screen: {columns: [{key, width}]}}, see services.preferences.
    lists = DictField()
    # Saved views: in the sidebar, and with which one each list opens; see services.saved_views.
    pins = EmbeddedDocumentListField(Pin)
    opens_with = DictField()
    views_saved_at = DateTimeField()  # of its own: what is remembered of them is old then
    # Which tabs of records the person switched on or off itself: {kind: {tab: bool}} (S4.2).
    tabs = DictField()
    seen_at = DateTimeField()  # last use of any browser, within staff_sessions.SEEN_EVERY
    must_change_password = BooleanField()
    totp_secret = StringField()  # None: no second factor
    totp_pending = StringField()  # shown as a picture, not yet confirmed by a code
    totp_step = IntField()  # the newest time step whose code was used: no code works twice
    second_factor_required = BooleanField()  # follows from the roles and Site
    recovery_hashes = ListField(StringField())
    link_hash = StringField()  # one-time link to set a password: SHA-256 of its secret
    link_until = DateTimeField()

    meta = {
        "collection": "staff",
        "indexes": [
            {"name": "staff_by_email", "fields": ["email"], "unique": True},
            {"name": "staff_by_login", "fields": ["fs_uniquifier"], "unique": True},
            {"name": "staff_by_link", "fields": ["link_hash"], "sparse": True},
            {"name": "staff_by_name", "fields": ["name"]},
            # The list of staff, and its search box.
            {"name": "staff_sorted", "fields": ["search", "id"]},
            {"name": "staff_by_word", "fields": ["search_words"]},
            # Who waits for an assignment to reach all records.
            {"name": "staff_by_pending", "fields": ["scopes_pending"], "sparse": True},
            # A view that was renamed or deleted, in everybody's sidebar.
            {"name": "staff_by_pin", "fields": ["pins.view_id"], "sparse": True},
            # Who stands in for somebody: when that person loses a product, is away, or leaves.
            {"name": "staff_by_absence", "fields": ["stands_in.staff_id"], "sparse": True},
        ],
    }

    def has_role(self, role: str) -> bool:
        """Whether the person has the role with this key (roles are keys here, not documents)."""
        return role in self.roles
