"""What a configuration file may not do: nothing of it is taken, and why is said (B.13)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from rules import config_text
from rules.errors import CareError, InvalidInput, NotAllowed, StaleForm
from rules.scope import Actor
from services import (
    configuration,
    configuration_changes,
    configuration_file,
    configuration_parts,
)
from services.configuration_changes import Change
from services.configuration_file import CannotApply
from tests.configuring import (
    RANKS,
    changed,
    configure,
    data,
    plan,
    problems,
    take,
    written,
)
from tests.factories import NOW, make_customer


@pytest.fixture
def configured(shipped: None, administrator: Actor, agent: Actor) -> Actor:
    """A site that configured a little of everything; the administrator of it."""
    configure(administrator, agent)
    return administrator


def test_a_file_cut_anywhere_is_refused(configured: Actor) -> None:
    raw, before = written(configured).encode(), configuration_parts.contents()
    lines = [at + 1 for at, byte in enumerate(raw) if byte == 10][:-1]
    for end in [*(len(raw) * part // 10 for part in range(10)), *lines]:
        with pytest.raises(InvalidInput):
            configuration_file.planned(raw[:end], by=configured)
    assert configuration_parts.contents() == before


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1,1]\nb: *a\n",
        "a: &a ['x','x']\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n",
        "a: !!python/object/apply:os.system ['true']\n",
        "a: !!binary aGk=\n",
        "? [a, b]\n: c\n",
        "a: 1\na: 2\n",
        "a: " + "[" * 200,
        "a: " + "[" * 100_000,
        "a: " + "{b: " * 100_000,
        "--- 1\n--- 2\n",
        "a: 99999999999999999999\n",
        "a: \x00\n",
        "a: \ud800\n".encode("utf-8", "surrogatepass").decode("utf-8", "replace") + "\t- x: [",
        "just words",
        "",
        "- 1\n- 2\n",
    ],
)
def test_hostile_files_are_refused_in_words(administrator: Actor, text: str) -> None:
    for whole in (text, f"carebook_configuration: 1\n{text}\nend: true\n"):
        if text == "" and whole:
            continue
        with pytest.raises(InvalidInput) as caught:
            configuration_file.planned(whole.encode(), by=administrator)
        assert len(str(caught.value)) < 600


def test_a_file_too_large_is_refused_before_it_is_read(administrator: Actor) -> None:
    with pytest.raises(InvalidInput, match="larger than 5 MB"):
        configuration_file.planned(b"#" * (config_text.SIZE_LIMIT + 1), by=administrator)


def test_what_is_not_known_is_named_with_its_line(configured: Actor) -> None:
    text = written(configured).replace("label_en: Rank", "labell: Rank")
    number = text.splitlines().index("    labell: Rank") + 1
    assert problems(text, configured)[0].startswith(
        f"Line {number}, fields › customers.rank › labell: “labell” is not known here"
    )
    assert "“feelds” is not known" in problems(changed(configured, feelds={}), configured)[0]


@pytest.mark.parametrize(
    ("section", "key", "content"),
    [
        ("pick_lists", "rank", {"label_vi": "x", "values": {}}),
        ("pick_lists", "rank", {"label_vi": "x", "values": [{"key": 1, "label_vi": "x"}]}),
        ("pick_lists", "rank", None),
        ("fields", "customers.rank", {"type": "magic", "label_vi": "x"}),
        ("fields", "customers.rank", {"type": "text", "is_required": "yes"}),
        ("fields", "nowhere.rank", {"type": "text", "label_vi": "x"}),
        ("fields", "customers.$rank", {"type": "text", "label_vi": "x"}),
        ("fields", "customers.a", {"type": "choice", "label_vi": "x", "pick_list": "nowhere"}),
        ("fields", "customers.a", {"type": "text", "label_vi": "x", "visible_when": "and("}),
        ("kinds", "Bad Key", {"label_vi": "x"}),
        ("layouts", "customers", {"summary": "name"}),
        ("lists", "customers", {"page_size": 0}),
        ("lists", "customers", {"row_colours": [{"where": "and(", "colour": "red"}]}),
        ("menus", "all", {"sections": [{"entries": [{}]}]}),
        ("roles", "helper", {"label_vi": "x", "abilities": ["fly"]}),
        ("roles", "helper", {"label_vi": "x", "kinds": {"customers": {"reach": "galaxy"}}}),
        ("teams", "north", {"members": "agent@example.com"}),
        ("relationship_rules", "relationships", {"rules": [], "contact_kinds": []}),
        ("schedules", "purge_audit", {"at_time": "25:00", "weekdays": [1], "is_paused": False}),
        ("schedules", "purge_audit", {"at_time": 120, "weekdays": [9], "is_paused": False}),
        ("site", "site", {"care_mode": "by_magic"}),
        ("site", "site", {"second_factor_roles": ["nobody"]}),
    ],
)
def test_wrong_content_is_refused_with_its_place(
    configured: Actor, section: str, key: str, content: Any
) -> None:
    before = configuration_parts.contents()
    items = {**data(configured)[section], key: content}
    text = changed(configured, **{section: items})
    found = problems(text, configured)
    assert found
    assert found[0].startswith("Line ")
    assert section in found[0]
    with pytest.raises(CannotApply):
        take(text, configured)
    assert configuration_parts.contents() == before


def test_fields_computed_from_each_other_are_refused(configured: Actor) -> None:
    fields = data(configured)["fields"] | {
        "customers.a": {"type": "computed", "label_vi": "A", "expression": "b + 1"},
        "customers.b": {"type": "computed", "label_vi": "B", "expression": "a + 1"},
    }
    found = problems(changed(configured, fields=fields), configured)
    assert any("computed from itself" in one for one in found)


def without(items: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: one for name, one in items.items() if name != key}


def test_what_would_lose_data_is_refused_with_the_number_of_records(
    configured: Actor, agent: Actor, db: Any
) -> None:
    for _ in range(3):
        make_customer(custom={"rank": "gold"})
    db["records"].insert_one({"kind": "warranty", "code": "W1", "title": "x"})
    db["staff"].update_one({"_id": agent.staff_id}, {"$set": {"roles": ["helper"]}})
    have = data(configured)
    other = {**have["fields"], "customers.rank": {"type": "text", "label_vi": "Hạng"}}
    fewer = RANKS | {"values": RANKS["values"][1:]}
    for sections, number in (
        ({"fields": without(have["fields"], "customers.rank")}, 3),
        ({"fields": other}, 3),
        ({"pick_lists": {**have["pick_lists"], "rank": fewer}}, 3),
        ({"kinds": {}, "fields": without(have["fields"], "warranty.serial")}, 1),
        ({"roles": {}}, 1),
    ):
        found = problems(changed(configured, **sections), configured)
        assert len(found) == 1, found
        assert f"{number} " in found[0]
        assert "Retire" in found[0] or "“Fields”" in found[0]


def test_what_nobody_uses_may_go(configured: Actor) -> None:
    have = data(configured)
    fields = without(have["fields"], "customers.rank")
    lists = without(have["pick_lists"], "rank")
    take(changed(configured, fields=fields, pick_lists=lists, layouts={}, lists={}), configured)
    assert "rank" not in configuration.snapshot().kinds["customers"].fields
    assert "rank" not in configuration.snapshot().pick_lists


def test_a_change_in_between_asks_to_look_again(configured: Actor) -> None:
    made = plan(changed(configured, menus={}), configured)
    configuration_changes.apply(
        [Change("layouts", "orders", {"summary": ["code"]})], says="x", by=configured, at=NOW
    )
    with pytest.raises(StaleForm):
        configuration_file.apply(made, revision=made.revision, says="file", by=configured, at=NOW)
    assert "all" in configuration_changes.items("menus")


def test_of_two_at_once_one_wins_and_one_looks_again(configured: Actor) -> None:
    plans = [
        plan(changed(configured, menus={}), configured),
        plan(changed(configured, layouts={}), configured),
    ]

    def go(made: configuration_file.Plan) -> str:
        try:
            configuration_file.apply(
                made, revision=made.revision, says="file", by=configured, at=NOW
            )
        except CareError as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, plans)) == ["StaleForm", "done"]


def test_only_those_who_may_configure_see_or_change_it(shipped: None, manager: Actor) -> None:
    for action in (
        lambda: written(manager),
        lambda: configuration_file.planned(b"", by=manager),
        lambda: configuration_file.planned_back(1, by=manager),
    ):
        with pytest.raises(NotAllowed):
            action()


def test_nobody_gains_or_loses_rights_of_their_own_by_a_file(
    configured: Actor, manager: Actor
) -> None:
    setter = {"label_vi": "Cài đặt", "abilities": ["configure"], "kinds": {}}
    configuration_changes.apply(
        [Change("roles", "setter", setter)], says="x", by=configured, at=NOW
    )
    config = configuration.snapshot()
    by = Actor(
        manager.staff_id,
        "Chi",
        roles=frozenset({"setter"}),
        screen="test",
        granted=config.access(["setter"]),
    )
    roles = data(configured)["roles"]
    grown = {**roles, "setter": setter | {"abilities": ["configure", "accounts"]}}
    assert "do not have the right" in problems(changed(configured, roles=grown), by)[0]
    site = {"site": {"second_factor_roles": []}}
    assert "do not have the right" in problems(changed(configured, site=site), by)[0]
