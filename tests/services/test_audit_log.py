"""The change log is only added to, and holds every change of the configuration field by field."""

import re
from pathlib import Path
from typing import Any

import pytest

from config import PROJECT_ROOT
from models import AuditEntry, RelationshipSetup, Schedule, Site
from rules.scope import Actor
from services import (
    access_settings,
    assignments,
    configuration_changes,
    relationship_setup,
    schedules,
)
from services.configuration_changes import Change
from tests.factories import NOW

WRITES = re.compile(
    r"(AuditEntry|audit_entries)\W.*\.(update|delete|replace|bulk_write|find_one_and|drop|save)"
)
ALLOWED = {"services/audit_retention.py"}  # the retention time, which is itself recorded


def sources() -> list[Path]:
    folders = ("services", "views", "jobs", "commands", "stores", "models")
    return [path for name in folders for path in (PROJECT_ROOT / name).rglob("*.py")]


def test_no_program_changes_what_was_written() -> None:
    writing = {
        str(path.relative_to(PROJECT_ROOT))
        for path in sources()
        if any(WRITES.search(line) for line in path.read_text("utf-8").splitlines())
    }
    assert writing == ALLOWED


def fields(kind: str) -> dict[str, tuple[Any, Any]]:
    """{field: (old, new)} of the newest entry of the kind."""
    entry = AuditEntry.collection().find_one({"kind": kind}, sort=[("_id", -1)])
    assert entry, kind
    return {one["field"]: (one["old"], one["new"]) for one in entry["changes"]}


@pytest.fixture
def site(shipped: None) -> None:
    schedules.ensure()
    Site.collection().update_one({"key": "site"}, {"$set": {"audit_days": None}})


def test_settings_are_told_field_by_field(site: None, administrator: Actor) -> None:
    access_settings.save(
        ["manager"], "400", version=access_settings.read().version, by=administrator, at=NOW
    )
    told = fields("settings")
    assert told["audit_days"] == (None, 400)
    assert told["second_factor_roles"] == ([], ["manager"])
    assignments.set_care_mode("by_product", by=administrator, at=NOW)
    assert fields("site") == {"care_mode": ("unlimited", "by_product")}


def test_pick_lists_fields_and_roles_are_told_field_by_field(
    site: None, administrator: Actor
) -> None:
    content, version = configuration_changes.item("pick_lists", "source")
    assert content
    changed = {**content, "label_en": "Where from"}
    change = Change("pick_lists", "source", changed, version)
    configuration_changes.apply([change], says="x", by=administrator, at=NOW)
    assert fields("configuration") == {"label_en": (content.get("label_en"), "Where from")}


def test_relationship_rules_are_told_field_by_field(
    site: None, valkey: Any, administrator: Actor
) -> None:
    relationship_setup.ensure()
    before = RelationshipSetup.collection().find_one({}) or {}
    kinds = before["contact_kinds"][:1]
    relationship_setup.save(
        {"contact_kinds": kinds}, version=before["version"], by=administrator, at=NOW
    )
    assert fields("relationship_setup") == {"contact_kinds": (before["contact_kinds"], kinds)}


def test_schedules_are_told_field_by_field(site: None, administrator: Actor) -> None:
    before = Schedule.collection().find_one({"key": "recompute_care"}) or {}
    schedules.save(
        "recompute_care",
        at_time="03:15",
        weekdays=[str(day) for day in before["weekdays"]],
        is_paused=False,
        version=before["version"],
        by=administrator,
        at=NOW,
    )
    assert fields("schedules") == {"at_time": ("02:00", "03:15")}
