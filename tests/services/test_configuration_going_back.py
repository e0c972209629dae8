"""The configuration goes back to an earlier revision, as a whole (B.13)."""

import pytest

from models import Customer
from rules.errors import InvalidInput
from rules.scope import Actor
from services import (
    assignments,
    configuration_changes,
    configuration_file,
    configuration_parts,
    relationship_setup,
)
from services.configuration_changes import Change
from services.configuration_file import CannotApply
from tests.configuring import (
    back,
    changed,
    configure,
    data,
    revision,
    take,
)
from tests.factories import NOW, make_customer


@pytest.fixture
def configured(shipped: None, administrator: Actor, agent: Actor) -> Actor:
    """A site that configured a little of everything; the administrator of it."""
    configure(administrator, agent)
    return administrator


def test_it_goes_back_and_forth_with_all_sections(configured: Actor) -> None:
    first, before = revision(), configuration_parts.contents()
    have = data(configured)
    rules = have["relationship_rules"]["relationships"]
    rules["rules"][0]["label_vi"] = "Khác"
    have["schedules"]["purge_audit"]["at_time"] = "05:05"
    text = changed(
        configured,
        menus={},
        site={"site": {"care_mode": "unlimited", "audit_days": None}},
        schedules=have["schedules"],
        relationship_rules={"relationships": rules},
    )
    second = take(text, configured)
    after = configuration_parts.contents()
    assert after != before
    back(first, configured)
    assert configuration_parts.contents() == before
    back(second, configured)
    assert configuration_parts.contents() == after


def test_each_screen_of_settings_makes_a_revision(configured: Actor) -> None:
    first, before = revision(), configuration_parts.contents()
    setup = relationship_setup.load()
    document = relationship_setup.checked(setup.stored_rules[:1], ["care"], [])
    relationship_setup.save(document, version=setup.version, by=configured, at=NOW)
    assignments.set_care_mode("by_customer", by=configured, at=NOW)
    assert revision() == first + 2
    back(first, configured)
    assert configuration_parts.contents() == before


def test_going_back_refuses_what_would_lose_data_too(shipped: None, administrator: Actor) -> None:
    configuration_changes.apply(
        [Change("menus", "all", {"sections": []})], says="x", by=administrator, at=NOW
    )
    first = revision()
    configuration_changes.apply(
        [Change("fields", "customers.memo", {"type": "text", "label_vi": "Ghi chú"})],
        says="x",
        by=administrator,
        at=NOW,
    )
    Customer.collection().update_one(
        {"_id": make_customer()}, {"$set": {"custom": {"memo": "quý"}}}
    )
    with pytest.raises(CannotApply) as caught:
        back(first, administrator)
    assert "1 records" in str(caught.value)
    assert configuration_changes.items("fields").keys() == {"customers.memo"}


def test_a_revision_that_never_was_is_refused(shipped: None, administrator: Actor) -> None:
    with pytest.raises(InvalidInput):
        configuration_file.planned_back(999, by=administrator)
