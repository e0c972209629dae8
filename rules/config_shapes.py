"""What each section of the configuration may contain: whatever is stored, exported and imported.

A new option of a section is a line here; without it no file that has the option is imported.
"""

import re
from collections.abc import Mapping
from typing import Any

from rules.config_text import Place
from rules.errors import N_, InvalidInput
from rules.fields import KEY_PATTERN, TYPES
from rules.shapes import (
    KEY_LENGTH,
    Choice,
    Flag,
    ListOf,
    MapOf,
    Parts,
    Problem,
    Shape,
    Text,
    Whole,
    is_key,
)

KEY = KEY_PATTERN.strip("^$")
TEXT, FLAG = Text(), Flag()
LABELS: Mapping[str, Shape] = {"label_vi": Text(500), "label_en": Text(500)}
TEXTS = ListOf(Text(500))
KEYS = ListOf(Text(KEY_LENGTH))
TIME = Text(5, r"([01]\d|2[0-3]):[0-5]\d")

_COLUMNS = ListOf(Parts({"key": Text(KEY_LENGTH), "width": Whole(most=4000, is_open=True)}))
_PERMISSION = Parts(
    {"actions": KEYS, "reach": Text(20), "where": Text(20_000), "fields": MapOf(Text(20))}
)
_CONDITION = Parts(
    {
        "fact": Text(KEY_LENGTH),
        "operator": Text(40),
        "number": Whole(is_open=True),
        "values": KEYS,
        "by_group": MapOf(Whole()),
    },
    ("fact", "operator"),
)

# Section: (what its keys look like, what an item contains), in the order of the file.
SECTIONS: Mapping[str, tuple[str, Parts]] = {
    "site": (
        r"site",
        Parts(
            {
                "care_mode": Text(40),
                "second_factor_roles": KEYS,
                "audit_days": Whole(30, 36_500, is_open=True),
                "trash_days": Whole(1, 36_500, is_open=True),
            }
        ),
    ),
    "pick_lists": (
        r"[A-Za-z0-9_.-]+",
        Parts(
            {
                **LABELS,
                "values": ListOf(
                    Parts(
                        {
                            "key": Text(KEY_LENGTH),
                            **LABELS,
                            "colour": Text(20),
                            "retired": FLAG,
                            "parent": Text(KEY_LENGTH),
                            "code": Text(80),
                            "merged": Parts(dict.fromkeys(("into", "key", "at"), Text(80))),
                        },
                        ("key", "label_vi"),
                    )
                ),
            },
            ("label_vi", "values"),
        ),
    ),
    "kinds": (
        KEY,
        Parts(
            {
                **LABELS,
                "one_vi": Text(500),
                "one_en": Text(500),
                "icon": Text(60),
                "has_customer": FLAG,
                "has_care": FLAG,
                "is_retired": FLAG,
            },
            ("label_vi",),
        ),
    ),
    "fields": (
        rf"{KEY}\.{KEY}",
        Parts(
            {
                "type": Choice(tuple(TYPES)),
                **LABELS,
                **dict.fromkeys(("help_vi", "help_en", "expression", "visible_when"), TEXT),
                **dict.fromkeys(("default", "minimum", "maximum", "pattern"), TEXT),
                "pick_list": Text(KEY_LENGTH),
                **dict.fromkeys(("is_required", "is_unique", "is_filtered_often"), FLAG),
                **dict.fromkeys(("is_retired", "is_personal"), FLAG),
                "position": Whole(most=10**6),
            }
        ),
    ),
    "layouts": (
        rf"{KEY}(@{KEY})?",
        Parts(
            {
                "summary": KEYS,
                "hidden": KEYS,
                "tabs": ListOf(
                    Parts(
                        {
                            "key": Text(KEY_LENGTH),
                            **LABELS,
                            "is_on": FLAG,
                            "panel": Text(KEY_LENGTH),
                            "sections": ListOf(
                                Parts({"key": Text(KEY_LENGTH), **LABELS, "fields": KEYS})
                            ),
                        }
                    )
                ),
            }
        ),
    ),
    "lists": (
        rf"[a-z0-9_/.-]+(@{KEY})?",
        Parts(
            {
                "columns": _COLUMNS,
                "sort": Text(KEY_LENGTH),
                "filters": KEYS,
                "page_size": Whole(1, 1000, is_open=True),
                "row_colours": ListOf(Parts({"where": Text(20_000), "colour": Text(20)})),
                "actions": KEYS,
            }
        ),
    ),
    "menus": (
        rf"all|{KEY}",
        Parts(
            {
                "sections": ListOf(
                    Parts(
                        {
                            "key": Text(KEY_LENGTH),
                            **LABELS,
                            "is_hidden": FLAG,
                            "entries": ListOf(
                                Parts(
                                    {
                                        "endpoint": Text(KEY_LENGTH),
                                        **LABELS,
                                        "is_hidden": FLAG,
                                    },
                                    ("endpoint",),
                                )
                            ),
                        }
                    )
                )
            },
            ("sections",),
        ),
    ),
    "roles": (
        KEY,
        Parts(
            {
                **LABELS,
                "kinds": MapOf(_PERMISSION),
                "other_kinds": _PERMISSION,
                "abilities": KEYS,
                "is_retired": FLAG,
            },
            ("label_vi",),
        ),
    ),
    "teams": (
        r"[A-Za-z0-9_.-]+",
        Parts({**LABELS, "members": TEXTS, "leads": TEXTS, "is_retired": FLAG}),
    ),
    "saved_views": (
        r"[A-Za-z0-9_-]+",
        Parts(
            {
                "screen": Text(60),
                "name": Text(80),
                "audience": Choice(("roles", "everyone")),
                "roles": KEYS,
                "default_roles": KEYS,
                "arguments": MapOf(Text(20_000)),
                "columns": _COLUMNS,
                "page_size": Whole(1, 1000, is_open=True),
            },
            ("screen", "name", "audience"),
        ),
    ),
    "relationship_rules": (
        r"relationships",
        Parts(
            {
                "rules": ListOf(
                    Parts(
                        {
                            "key": Text(KEY_LENGTH),
                            **LABELS,
                            "status": Text(KEY_LENGTH),
                            "conditions": ListOf(_CONDITION),
                            "hold_days": Whole(most=36_500, is_open=True),
                            "is_enabled": FLAG,
                            "source": Choice(("shipped", "site")),
                        },
                        ("key", "label_vi", "status", "conditions"),
                    )
                ),
                "contact_kinds": KEYS,
                "unanswered": KEYS,
            },
            ("rules", "contact_kinds"),
        ),
    ),
    "schedules": (
        r"[a-z0-9_]+",
        Parts(
            {
                "at_time": TIME,
                "weekdays": ListOf(Whole(0, 6), 7),
                "every_minutes": Whole(5, 720, is_open=True),
                "until_time": TIME,
                "is_paused": FLAG,
            },
            ("at_time", "weekdays", "is_paused"),
        ),
    ),
}


def problems(section: str, key: str, content: Any) -> list[Problem]:
    """What is wrong with one item of a known section, with the place of each."""
    pattern, shape = SECTIONS[section]
    place: Place = (section, key)
    found: list[Problem] = []
    if not is_key(key) or not re.fullmatch(pattern, key):
        found.append((place, InvalidInput(N_("“%(key)s” cannot be a key."), key=str(key)[:60])))
    return [*found, *shape.problems(content, place)]


def fitting(section: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of a stored item screens can work with; all of it, unless something is broken."""
    if section not in SECTIONS:
        return content
    return SECTIONS[section][1].fitting_parts(content)


def section_problems(sections: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the sections of a file, with the place of each."""
    found: list[Problem] = []
    for section, items in sections.items():
        if section not in SECTIONS:
            found.append(
                (
                    (section,),
                    InvalidInput(
                        N_("“%(key)s” is not known here; possible are %(known)s."),
                        key=str(section)[:60],
                        known=", ".join(SECTIONS),
                    ),
                )
            )
        elif not isinstance(items, Mapping):
            found.append(
                ((section,), InvalidInput(N_("Write “name: value” here, one on each line.")))
            )
        else:
            for key, content in items.items():
                found += problems(section, key, content)
    return found
