"""Configuration changes all or nothing and is audited."""

from typing import Any

import pytest

from models import AuditEntry, ConfigurationItem, ConfigurationRevision
from rules.errors import NotAllowed, StaleForm
from rules.scope import Actor
from services import configuration, configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW

FIELD = {"type": "text", "label_vi": "Hạng"}


def apply(by: Actor, *changes: Change) -> int:
    return configuration_changes.apply(changes, says="test", by=by, at=NOW)


def field(key: str, content: Any = FIELD, version: int | None = None) -> Change:
    return Change("fields", f"customers.{key}", content, version)


def test_the_next_snapshot_shows_the_change(shipped: None, administrator: Actor) -> None:
    before = configuration.snapshot()
    revision = apply(administrator, field("rank"))
    after = configuration.snapshot()
    assert after.revision == revision
    assert after.kinds["customers"].fields["rank"].own_label("vi") == "Hạng"
    assert "rank" not in before.kinds["customers"].fields


def test_every_change_is_in_the_change_log(shipped: None, administrator: Actor) -> None:
    apply(administrator, field("rank"))
    apply(administrator, field("rank", FIELD | {"label_vi": "Bậc"}))
    entry = AuditEntry.collection().find_one(sort=[("_id", -1)])
    assert entry
    assert entry["record_label"] == "fields: customers.rank"
    assert entry["changes"] == [{"field": "label_vi", "old": "Hạng", "new": "Bậc"}]


def test_nothing_is_written_when_nothing_differs(shipped: None, administrator: Actor) -> None:
    apply(administrator, field("rank"))
    assert apply(administrator, field("rank")) == 0
    assert ConfigurationRevision.collection().count_documents({}) == 1


def test_one_stale_item_refuses_the_whole_change(shipped: None, administrator: Actor) -> None:
    apply(administrator, field("rank"))
    with pytest.raises(StaleForm):
        apply(administrator, field("other"), field("rank", FIELD | {"label_vi": "X"}, version=0))
    assert configuration_changes.items("fields").keys() == {"customers.rank"}


def test_only_those_who_may_configure_change_it(shipped: None, manager: Actor) -> None:
    with pytest.raises(NotAllowed):
        apply(manager, field("rank"))
    assert ConfigurationItem.collection().count_documents({"section": "fields"}) == 0
