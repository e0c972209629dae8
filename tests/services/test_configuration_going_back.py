"""The configuration goes back to an earlier revision, as a whole (B.13)."""

from typing import Any

import pytest

from rules.errors import InvalidInput
from rules.scope import Actor
from services import (
    assignments,
    configuration,
    configuration_changes,
    configuration_file,
    configuration_parts,
    relationship_setup,
)
from services.configuration_changes import Change
from services.configuration_file import CannotApply
from tests.configuring import (
    RANK,
    RANKS,
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


def change(by: Actor, *changes: tuple[str, str, Any]) -> int:
    return configuration_changes.apply([Change(*one) for one in changes], says="x", by=by, at=NOW)


@pytest.fixture
def first(shipped: None, administrator: Actor) -> int:
    """A revision with hardly anything in it."""
    return change(administrator, ("menus", "all", {"sections": []}))


def said(number: int, by: Actor) -> list[str]:
    return [str(one) for _, one in configuration_file.planned_back(number, by=by).remarks]


def test_what_records_have_of_later_fields_lists_and_kinds_stays_retired(
    first: int, administrator: Actor, db: Any
) -> None:
    kind = {"label_vi": "Phiếu", "has_customer": True}
    second = change(
        administrator,
        ("pick_lists", "rank", RANKS),
        ("fields", "customers.rank", RANK),
        ("fields", "customers.empty", {"type": "text", "label_vi": "Trống"}),
        ("kinds", "warranty", kind),
        ("fields", "warranty.serial", {"type": "text", "label_vi": "Số máy"}),
        ("kinds", "unused", {"label_vi": "Không ai dùng"}),
    )
    after = configuration_parts.contents()
    make_customer(custom={"rank": "gold"})
    db["records"].insert_one({"kind": "warranty", "code": "W1", "title": "x"})
    assert [one for one in said(first, administrator) if "1 " not in one] == []
    back(first, administrator)
    config = configuration.snapshot()
    fields = config.kinds["customers"].fields
    assert (fields["rank"].is_retired, fields["rank"].problem) == (True, None)
    assert config.pick_lists["rank"].keys() == {"gold"}
    assert config.pick_lists["rank"]["gold"].retired
    assert config.kinds["warranty"].is_retired
    assert config.kinds["warranty"].fields["serial"].is_usable
    assert "empty" not in fields
    assert "unused" not in config.kinds
    back(second, administrator)
    assert configuration_parts.contents() == after


def test_a_value_that_stays_keeps_what_it_stands_under(first: int, administrator: Actor) -> None:
    values = [
        {"key": "gold", "label_vi": "Vàng"},
        {"key": "top", "label_vi": "Cao"},
        {"key": "low", "label_vi": "Thấp", "parent": "top"},
    ]
    early = RANKS | {"values": values[:1]}
    second = change(
        administrator, ("pick_lists", "rank", early), ("fields", "customers.rank", RANK)
    )
    change(administrator, ("pick_lists", "rank", RANKS | {"values": values}))
    make_customer(custom={"rank": "low"})
    assert said(second, administrator) == [
        "the value “Thấp” stays, retired, because 1 records have it."
    ]
    back(second, administrator)
    picked = configuration.snapshot().pick_lists["rank"].values()
    assert [(one.key, one.retired) for one in picked] == [
        ("gold", False),
        ("low", True),
        ("top", True),
    ]


def test_a_field_with_values_keeps_its_type_and_all_else_goes_back(
    first: int, administrator: Actor
) -> None:
    was = {"type": "integer", "label_vi": "Số", "minimum": "1"}
    second = change(administrator, ("fields", "customers.memo", was))
    change(administrator, ("fields", "customers.memo", {"type": "text", "label_vi": "Chữ"}))
    make_customer(custom={"memo": "quý"})
    assert "keeps its type" in said(second, administrator)[0]
    back(second, administrator)
    stored = configuration_changes.items("fields")["customers.memo"]
    assert stored == {"type": "text", "label_vi": "Số"}


def test_a_field_comes_back_without_unique_where_records_have_the_same_value(
    first: int, administrator: Actor
) -> None:
    field = {"type": "text", "label_vi": "Mã thẻ"}
    second = change(administrator, ("fields", "customers.card", field | {"is_unique": True}))
    change(administrator, ("fields", "customers.card", field))
    for _ in range(2):
        make_customer(custom={"card": "A1"})
    assert "without “unique”" in said(second, administrator)[0]
    back(second, administrator)
    assert not configuration.snapshot().kinds["customers"].fields["card"].is_unique


def test_a_role_that_people_have_stays(first: int, administrator: Actor, db: Any) -> None:
    role = {"label_vi": "Phụ việc", "kinds": {}, "abilities": []}
    change(administrator, ("roles", "helper", role), ("roles", "nobody", role))
    db["staff"].update_many({}, {"$push": {"roles": "helper"}})
    assert "people or programs have this role" in said(first, administrator)[0]
    back(first, administrator)
    roles = configuration.snapshot().roles
    assert not roles["helper"].is_retired
    assert "nobody" not in roles


def test_what_was_broken_then_comes_back_as_broken_as_it_was(
    first: int, administrator: Actor
) -> None:
    base = {"type": "integer", "label_vi": "Gốc"}
    double = {"type": "computed", "label_vi": "Gấp đôi", "expression": "base * 2"}
    change(administrator, ("fields", "customers.base", base))
    change(administrator, ("fields", "customers.double", double))
    broken = change(administrator, ("fields", "customers.base", base | {"is_retired": True}))
    before = configuration_parts.contents()
    change(administrator, ("fields", "customers.double", double | {"expression": "1 + 1"}))
    assert "will be broken" in said(broken, administrator)[0]
    back(broken, administrator)
    assert configuration_parts.contents() == before
    assert configuration.snapshot().kinds["customers"].fields["double"].problem


def test_nobody_widens_rights_of_their_own_by_going_back(
    first: int, administrator: Actor, manager: Actor
) -> None:
    small = {"label_vi": "Cài đặt", "abilities": ["configure"], "kinds": {}}
    large = small | {"abilities": ["configure", "accounts"]}
    second = change(administrator, ("roles", "setter", large))
    change(administrator, ("roles", "setter", small))
    granted = configuration.snapshot().access(["setter"])
    by = Actor(manager.staff_id, "Chi", roles=frozenset({"setter"}), screen="test", granted=granted)
    with pytest.raises(CannotApply):
        back(second, by)


def test_a_revision_that_never_was_is_refused(shipped: None, administrator: Actor) -> None:
    with pytest.raises(InvalidInput):
        configuration_file.planned_back(999, by=administrator)
