"""A file of a system that is broken as a live one can be is taken elsewhere, and says so (B.13)."""

from typing import Any

import pytest

from rules.scope import Actor
from services import (
    configuration,
    configuration_changes,
    configuration_parts,
    relationship_setup,
    saved_views,
)
from services import shipped as shipped_data
from services.configuration_changes import Change
from services.saved_views import Content
from tests.configuring import changed, data, plan, problems, take, written
from tests.conftest import empty
from tests.factories import NOW

BASE = {"type": "integer", "label_vi": "Gốc"}
FIELDS: list[tuple[str, dict[str, Any]]] = [
    ("base", BASE),
    ("double", {"type": "computed", "label_vi": "Gấp đôi", "expression": "base * 2"}),
    ("four", {"type": "computed", "label_vi": "Gấp bốn", "expression": "double * 2"}),
    ("why", {"type": "text", "label_vi": "Lý do", "visible_when": "base.ge(1)"}),
]
LAYOUT = {"summary": ["base", "double"], "hidden": ["why"], "tabs": []}
LIST = {
    "columns": [{"key": "base"}],
    "row_colours": [{"where": "base.ge(1)", "colour": "red"}],
}


@pytest.fixture
def broken(shipped: None, administrator: Actor) -> Actor:
    """A site that retired a field on which everything else builds; the administrator of it."""
    fields = [Change("fields", f"customers.{key}", content) for key, content in FIELDS]
    more = [Change("layouts", "customers", LAYOUT), Change("lists", "customers", LIST)]
    configuration_changes.apply([*fields, *more], says="x", by=administrator, at=NOW)
    setup = relationship_setup.load()
    rule = {
        **setup.stored_rules[0],
        "key": "own",
        "conditions": [{"fact": "custom.base", "operator": "at_least", "number": 1}],
    }
    rules = [*setup.stored_rules, rule]
    document = relationship_setup.checked(rules, ["care"], [])
    relationship_setup.save(document, version=setup.version, by=administrator, at=NOW)
    view = Content({"where": "base.ge(1)"}, [{"key": "base"}])
    saved_views.create("customers", "Gốc lớn", view, by=administrator, at=NOW, audience="everyone")
    retired = Change("fields", "customers.base", BASE | {"is_retired": True})
    configuration_changes.apply([retired], says="x", by=administrator, at=NOW)
    return administrator


def test_an_empty_system_takes_it_and_is_told_what_will_be_broken(broken: Actor, db: Any) -> None:
    text, stored = written(broken), configuration_parts.contents()
    people = list(db["staff"].find())
    empty(db)
    configuration.forget()
    db["staff"].insert_many(people)
    shipped_data.ensure()
    made = plan(text, broken)
    assert made.problems == ()
    told = {(item.section, item.key) for item, said in made.remarks if "broken" in str(said)}
    assert {
        ("fields", "customers.double"),
        ("fields", "customers.four"),
        ("relationship_rules", "relationships"),
    } <= told
    take(text, broken)
    assert configuration_parts.contents() == stored
    assert configuration.snapshot().kinds["customers"].fields["double"].problem


def test_what_is_broken_here_already_is_not_told_again(broken: Actor) -> None:
    assert plan(written(broken), broken).remarks == ()


@pytest.mark.parametrize(
    "content",
    [
        {"type": "computed", "label_vi": "x", "expression": "base *"},
        {"type": "computed", "label_vi": "x", "expression": "bass * 2"},
        {"type": "computed", "label_vi": "x", "expression": "more + double"},
        {"type": "computed", "label_vi": "x", "expression": "base", "visible_when": "and("},
    ],
)
def test_what_no_system_can_have_in_force_is_refused(broken: Actor, content: Any) -> None:
    fields = {**data(broken)["fields"], "customers.more": content}
    assert "customers.more" in problems(changed(broken, fields=fields), broken)[0]


def test_rules_that_ask_for_what_never_was_are_refused(broken: Actor) -> None:
    text = written(broken).replace("fact: custom.base", "fact: custom.bass")
    assert "cannot be read" in problems(text, broken)[0]


def test_a_kind_does_not_go_while_its_fields_stay(broken: Actor) -> None:
    kinds = {"slip": {"label_vi": "Phiếu"}}
    fields = {**data(broken)["fields"], "slip.note": {"type": "text", "label_vi": "Ghi"}}
    take(changed(broken, kinds=kinds, fields=fields), broken)
    assert "slip.note" in problems(changed(broken, kinds={}), broken)[0]


def test_a_role_does_not_go_while_it_needs_a_second_factor(broken: Actor) -> None:
    roles = {**data(broken)["roles"], "helper": {"label_vi": "Phụ việc"}}
    site = {"site": {"second_factor_roles": ["helper"]}}
    take(changed(broken, roles=roles, site=site), broken)
    assert "no role “helper”" in problems(changed(broken, roles={}), broken)[0]
