"""How the first person gets in: demonstration accounts, or a link for the first administrator."""

from datetime import UTC, datetime

from config import Settings
from models import Customer, Order, Site, Staff
from rules.errors import N_, InvalidInput
from rules.permissions import ADMINISTRATOR
from rules.scope import SYSTEM
from services import accounts, credentials
from services.catalogues import Words

FIRST_EMAIL, FIRST_NAME = "admin@example.com", "Administrator"


def is_empty() -> bool:
    """Whether nobody and nothing is in the database yet."""
    return not any(kind.collection().find_one({}, {"_id": 1}) for kind in (Staff, Customer, Order))


def has_demonstration() -> bool:
    """Whether the demonstration data with its accounts was loaded into this database."""
    return Site.collection().find_one({"key": "site", "demo": "done"}, {"_id": 1}) is not None


def first_administrator(settings: Settings) -> list[str]:
    """Lines that let the first administrator in; none when somebody can already log in."""
    can_log_in = {"roles": ADMINISTRATOR, "active": True, "password": {"$type": "string"}}
    if Staff.collection().find_one(can_log_in, {"_id": 1}):
        return []
    waiting = Staff.objects(roles=ADMINISTRATOR, active=True).order_by("id").first()
    staff = waiting or _make_first()
    link = credentials.one_time_link(staff, settings.address, datetime.now(UTC))
    words = Words(settings.locale)
    others = "carebook user create EMAIL --name NAME --role administrator"
    return [
        words.say(
            N_("The first administrator, %(email)s, chooses a password here:"), email=staff.email
        ),
        f"  {link}",
        words.say(N_("Others: %(command)s"), command=others),
    ]


def _make_first() -> Staff:
    try:
        return accounts.create_staff(FIRST_EMAIL, FIRST_NAME, [ADMINISTRATOR], SYSTEM)
    except InvalidInput:  # another host was faster
        staff = accounts.find_staff(FIRST_EMAIL)
        if staff is None:
            raise
        return staff
