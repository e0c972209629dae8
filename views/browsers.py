"""The browsers in which a person is logged in, as people know them."""

import re
from typing import Any

from flask_babel import gettext

from models import Staff
from services import staff_sessions
from views.context import now

# What a browser calls itself, most telling first; the first match wins.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("coc_coc", "Cốc Cốc"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
PHONES = re.compile("iPhone|Android.*Mobile")


def shown_sessions(staff: Staff, *, my_key: str = "") -> list[dict[str, Any]]:
    """This browser first, then the one seen last; `name` names a session without its key."""
    shown = [
        {
            "name": staff_sessions.session_name(opened.key),
            "browser": browser_name(opened.agent),
            "is_phone": bool(PHONES.search(opened.agent or "")),
            "address": opened.address,
            "created_at": opened.created_at,
            "seen_at": opened.seen_at,
            "is_this": opened.key == my_key,
        }
        for opened in sorted(staff.sessions, key=lambda opened: opened.seen_at, reverse=True)
        if staff_sessions.is_session_open(staff, opened.key, now())
    ]
    return sorted(shown, key=lambda one: not one["is_this"])


def browser_name(agent: str | None) -> str:
    """`Firefox · Windows` out of what the browser says about itself."""
    agent = agent or ""
    browser = next((name for mark, name in BROWSERS if mark in agent), None)
    system = next((name for mark, name in SYSTEMS if mark in agent), None)
    known = " · ".join(part for part in (browser, system) if part)
    return known or gettext("Unknown browser")
