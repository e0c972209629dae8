"""What a request knows: the settings, the instant, the local date, and who asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar, cast

from bson import ObjectId
from bson.errors import InvalidId
from flask import current_app, g, request, session
from flask_babel import get_locale
from flask_login import current_user

from config import Settings
from models import Staff
from rules.errors import CareError, NotFound
from rules.fields import Kind
from rules.scope import Actor
from services import actors, previews
from services.configuration import Configuration, snapshot

View = TypeVar("View", bound=Callable[..., object])


def settings() -> Settings:
    """The settings of the running application."""
    return cast(Settings, current_app.config["CAREBOOK"])


def now() -> datetime:
    """The instant of the request (aware UTC), the same for all that it does."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    return cast(datetime, g.now)


def today() -> date:
    """The local date of the request in the site's time zone."""
    known: date | None = g.get("today")
    if known is None:
        known = g.today = now().astimezone(settings().zone).date()
    return known


def local_day_start(day: date) -> datetime:
    """The instant at which a local day of the site begins."""
    return datetime.combine(day, time(), settings().zone)


def kind_at(key: str) -> Kind:
    """The kind of records that an address names. Raises NotFound."""
    kind = configured().kinds.get(key)
    if kind is None:
        raise NotFound()
    return kind


def sent_version(name: str = "version") -> int:
    """The version, or another count, that the form of this request was opened with.

    -1, which nothing ever has, for what is no number: saving is then refused as stale.
    """
    text = request.form.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def person() -> Staff | None:
    """The staff member who is logged in, or None. One query per request."""
    if request.blueprint == "api":
        return None  # programs come with a key; a cookie beside it counts for nothing
    user = current_user._get_current_object()
    return user if isinstance(user, Staff) else None


PREVIEW = "preview"  # in the signed cookie: as which role the person looks at everything


@dataclass(frozen=True, slots=True)
class Looking:
    """As which role the person looks, with whose scope (None: nobody's), and until when."""

    actor: Actor
    role: str
    staff_name: str | None
    until: datetime


def current_actor() -> Actor:
    """Who acts in this request, for services; the route names the screen in the audit entry.

    While somebody looks as a role it is what that role is, and nothing can be written.
    """
    known: Actor | None = g.get("acting")  # asked for again and again: one look at `g`
    if known is None:
        looking = previewing()
        known = g.acting = looking.actor if looking else real_actor()
    return known


def real_actor() -> Actor:
    """Who is logged in, also while the person looks as another role."""
    staff = person()
    if staff is None:
        raise RuntimeError("This page needs a login, yet nobody is logged in.")
    known: Actor | None = g.get("actor")
    if known is None:
        known = g.actor = _actor(staff)
    return known


def forget_actor(*_: object, **__: object) -> None:
    """Somebody else acts from here on: after a login, a logout, or at the end of a preview."""
    for name in ("acting", "actor", "looking"):
        g.pop(name, None)


def previewing() -> Looking | None:
    """As which role the person looks at everything; None almost always."""
    if PREVIEW not in session or person() is None:
        return None
    if "looking" not in g:
        g.looking = _looking(session[PREVIEW])
    return cast("Looking | None", g.looking)


def _looking(kept: Any) -> Looking | None:
    """What the cookie says, as long as it still holds: the time, the role, the right to it."""
    try:
        until = datetime.fromtimestamp(int(kept["until"]), UTC)
        role, staff = str(kept["role"]), str(kept["staff"])
        who = ObjectId(staff) if staff else None
        if until < now():
            return None
        actor = previews.as_role(real_actor(), role, who, configured(), at=now())
    except (KeyError, TypeError, ValueError, InvalidId, CareError):
        return None
    found = Staff.collection().find_one({"_id": who}, {"name": 1}) if who else None
    return Looking(actor, role, found["name"] if found else None, until)


def _actor(staff: Staff) -> Actor:
    screen = request.url_rule.rule.strip("/") if request.url_rule else ""
    return actors.of_staff(
        staff,
        configured(),
        at=now(),
        screen=screen or "today",
        address=request.remote_addr or "",
    )


def current_visitor() -> Actor:
    """Whoever asks, as long as nobody is logged in: for what happens before a login."""
    return Actor(None, "", screen="login", address=request.remote_addr or "")


def configured() -> Configuration:
    """The configuration for the whole request: at most one query, however often it is asked for."""
    known: Configuration | None = g.get("configuration")
    if known is None:
        known = g.configuration = snapshot(g.get("site"))
    return known


def offered_roles() -> list[str]:
    """The keys of the roles that people can be given, as the site has them."""
    return [key for key, role in configured().roles.items() if not role.is_retired]


def locale() -> str:
    """The reader's language, `vi` or `en`; looked up once per request."""
    known: str | None = g.get("locale")  # asked for each number of a page: one look at `g`
    if known is None:
        found = get_locale()
        known = g.locale = str(found.language) if found else settings().locale
    return known


def is_htmx() -> bool:
    """Whether htmx asks, so that a part of a page is the answer and not a page."""
    return request.headers.get("HX-Request") == "true"


def local_path(target: str | None) -> str | None:
    """The target if it is a path of this site, else None: a link must not lead elsewhere."""
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return None
    if any(ord(character) < 32 or character == "\\" for character in target):
        return None
    return target


def public(view: View) -> View:
    """Marks a view function that answers without a login; every other one needs a login."""
    view.is_public = True  # type: ignore[attr-defined]
    return view
