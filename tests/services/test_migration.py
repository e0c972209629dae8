"""A database is brought up to date once, by one process, in order, and not backwards."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from models import Area, ConfigurationItem, Site
from services import migration
from services.migration import MigrationRefused, migrate
from stores import mongo

Db = Database[dict[str, Any]]
Write = Callable[[str, str], Path]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a migration file."""

    def write(name: str, body: str) -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(f'"""Why."""\n\ndef up(db):\n    {body}\n')
        return path

    return write


def test_it_runs_what_is_missing_in_order_and_once(db: Db, write: Write, tmp_path: Path) -> None:
    write("2026-02-01-second", "db.notes.insert_one({'n': 2})")
    write("2026-01-31-first", "db.notes.insert_one({'n': 1})")
    write("helper", "db.notes.insert_one({'n': 3})")
    outcome = migrate(now=now, directory=tmp_path)
    assert outcome.applied == ["2026-01-31-first", "2026-02-01-second"]
    assert [row["n"] for row in db.notes.find().sort("_id")] == [1, 2]
    assert migrate(now=now, directory=tmp_path).applied == []
    assert db.notes.count_documents({}) == 2
    record = db.migrations.find_one({"_id": "2026-01-31-first"})
    assert record is not None
    assert len(record["checksum"]) == 64
    assert record["applied_at"] <= now()


def test_a_migration_that_fails_runs_again_and_stops_later_ones(
    db: Db, write: Write, tmp_path: Path
) -> None:
    path = write("2026-01-01-first", "raise RuntimeError('half-way')")
    write("2026-01-02-second", "db.notes.insert_one({'n': 2})")
    with pytest.raises(RuntimeError):
        migrate(now=now, directory=tmp_path)
    assert migration.pending(tmp_path) == ["2026-01-01-first", "2026-01-02-second"]
    path.write_text("def up(db):\n    db.notes.insert_one({'n': 1})\n")
    migrate(now=now, directory=tmp_path)
    assert [row["n"] for row in db.notes.find().sort("_id")] == [1, 2]
    assert migration.pending(tmp_path) == []


def test_two_at_once_run_each_migration_once(db: Db, write: Write, tmp_path: Path) -> None:
    write("2026-01-01-slow", "import time; db.notes.insert_one({}); time.sleep(0.5)")
    waited: list[int] = []
    both = [
        threading.Thread(
            target=migrate,
            kwargs={"now": now, "directory": tmp_path, "waiting": lambda: waited.append(1)},
        )
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert db.notes.count_documents({}) == 1
    assert waited == [1]


def test_the_lease_of_a_killed_migration_lapses(db: Db, tmp_path: Path) -> None:
    db.migrations.insert_one(
        {"_id": "lock", "holder": "dead", "until": now() - timedelta(seconds=1)}
    )
    migrate(now=now, directory=tmp_path)
    assert db.migrations.find_one({"_id": "lock"}) is None


def test_a_database_of_a_newer_version_is_refused(db: Db, tmp_path: Path) -> None:
    db.migrations.insert_one({"_id": "2099-01-01-later", "checksum": "x"})
    with pytest.raises(MigrationRefused, match="2099-01-01-later"):
        migrate(now=now, directory=tmp_path)


def test_a_changed_migration_is_reported_and_not_run_again(
    db: Db, write: Write, tmp_path: Path
) -> None:
    path = write("2026-01-01-first", "db.notes.insert_one({})")
    migrate(now=now, directory=tmp_path)
    path.write_text(path.read_text() + "\n# changed\n")
    outcome = migrate(now=now, directory=tmp_path)
    assert "2026-01-01-first" in outcome.warnings[0]
    assert db.notes.count_documents({}) == 1


def test_it_makes_missing_indexes(db: Db, tmp_path: Path) -> None:
    db.areas.drop_index("area_by_name")
    outcome = migrate(now=now, directory=tmp_path)
    assert outcome.indexes == ["area_by_name"]
    assert db.areas.index_information()["area_by_name"]["unique"]
    assert migrate(now=now, directory=tmp_path).indexes == []


def test_an_index_that_differs_is_reported(db: Db, tmp_path: Path) -> None:
    db.areas.drop_index("area_by_name")
    db.areas.create_index([("name", 1)], name="area_by_name")
    try:
        warnings = migrate(now=now, directory=tmp_path).warnings
        assert len(warnings) == 1
        assert "area_by_name" in warnings[0]
    finally:
        db.areas.drop_index("area_by_name")
        Area.ensure_indexes()


def test_records_that_break_a_unique_index_are_told(db: Db, tmp_path: Path) -> None:
    db.areas.drop_index("area_by_name")
    db.areas.insert_many([{"name": "Huế"}, {"name": "Huế"}])
    try:
        with pytest.raises(MigrationRefused, match="areas"):
            migrate(now=now, directory=tmp_path)
    finally:
        db.areas.delete_many({})
        Area.ensure_indexes()


def test_it_ships_what_every_installation_starts_with(db: Db, tmp_path: Path) -> None:
    migrate(now=now, directory=tmp_path)
    assert Site.objects.count() == 1
    stored = {"section": "pick_lists", "key": "feedback"}
    assert ConfigurationItem.objects(**stored).count() == 1
    ConfigurationItem.objects(**stored).update(content__label_en="Mine")
    migrate(now=now, directory=tmp_path)
    assert ConfigurationItem.objects.get(**stored).content["label_en"] == "Mine"


def test_the_projects_own_migrations_say_why(db: Db) -> None:
    for known in migration.migrations_in(migration.MIGRATIONS):
        assert known.path.read_text().startswith('"""'), known.name
    assert mongo.database().name == db.name
