"""A site that configured a little of everything, and its configuration as a file."""

from typing import Any

import yaml

from rules.scope import Actor
from services import (
    access_settings,
    assignments,
    configuration,
    configuration_changes,
    configuration_file,
    schedules,
)
from services.configuration_changes import Change
from tests.factories import NOW

RANK = {
    "type": "choice",
    "label_vi": "Hạng",
    "label_en": "Rank",
    "pick_list": "rank",
    "position": 300,
}

RANKS = {
    "label_vi": "Hạng khách: “vàng” # 1",
    "label_en": "",
    "values": [
        {"key": "gold", "label_vi": "Vàng", "label_en": "", "colour": "yellow", "retired": False},
        {
            "key": "no",
            "label_vi": "yes",
            "label_en": "02:00",
            "colour": "gray",
            "retired": True,
            "merged": {"into": "gold", "key": "0123", "at": "2026-11-21T03:00:00+00:00"},
        },
    ],
}

CONFIGURED: list[tuple[str, str, dict[str, Any]]] = [
    ("pick_lists", "rank", RANKS),
    ("fields", "customers.rank", RANK),
    ("fields", "customers.yearly", {"type": "computed", "label_vi": "Năm", "expression": "1 + 2"}),
    ("kinds", "warranty", {"label_vi": "Phiếu bảo hành", "has_customer": True}),
    ("fields", "warranty.serial", {"type": "text", "label_vi": "Số máy"}),
    (
        "layouts",
        "customers",
        {
            "summary": ["name", "rank"],
            "hidden": ["code"],
            "tabs": [{"key": "history", "is_on": True}],
        },
    ),
    ("lists", "customers@manager", {"columns": [{"key": "rank", "width": 120}], "page_size": 50}),
    ("menus", "all", {"sections": [{"label_vi": "Việc", "entries": [{"endpoint": "today"}]}]}),
    (
        "roles",
        "helper",
        {
            "label_vi": "Phụ việc",
            "kinds": {"customers": {"actions": ["see"], "reach": "own", "fields": {"rank": "see"}}},
            "abilities": [],
        },
    ),
]


def configure(administrator: Actor, agent: Actor) -> None:
    """Configures a little of everything."""
    team = {"label_vi": "Miền Bắc", "members": [str(agent.staff_id)], "leads": []}
    changes = [Change(*one) for one in [*CONFIGURED, ("teams", "north", team)]]
    configuration_changes.apply(changes, says="setup", by=administrator, at=NOW)
    assignments.set_care_mode("by_product", by=administrator, at=NOW)
    access_settings.save(["manager"], "400", trash_days="60", version=2, by=administrator, at=NOW)
    schedules.save(
        "purge_audit",
        at_time="04:44",
        weekdays=["0", "3"],
        is_paused=False,
        version=1,
        by=administrator,
        at=NOW,
    )


def written(by: Actor) -> str:
    return configuration_file.written(by=by, version="1.0", at=NOW)


def plan(text: str, by: Actor) -> configuration_file.Plan:
    return configuration_file.planned(text.encode(), by=by)


def take(text: str, by: Actor) -> int:
    made = plan(text, by)
    return configuration_file.apply(made, revision=made.revision, says="file", by=by, at=NOW)


def data(by: Actor) -> dict[str, Any]:
    return yaml.safe_load(written(by))


def changed(by: Actor, **sections: Any) -> str:
    return yaml.safe_dump(data(by) | sections, allow_unicode=True, sort_keys=False)


def problems(text: str, by: Actor) -> list[str]:
    return [str(one) for one in plan(text, by).problems]


def revision() -> int:
    return configuration.snapshot().revision


def back(number: int, by: Actor) -> int:
    made = configuration_file.planned_back(number, by=by)
    return configuration_file.apply(made, revision=made.revision, says="back", by=by, at=NOW)
