"""What becomes of the roles as a site stores them, broken items included."""

from typing import Any

import pytest

from rules.permissions import (
    ABILITIES,
    ALL,
    EDIT,
    EDITED,
    HIDDEN,
    OWN,
    SEE,
    SEEN,
    SHIPPED_ROLES,
    Access,
    union,
)
from rules.roles import compile_roles, role_content
from rules.teams import compile_teams, teams_of


def test_it_reads_what_it_has_written() -> None:
    stored = {key: role_content(role) for key, role in SHIPPED_ROLES.items()}
    assert compile_roles(stored) == SHIPPED_ROLES


@pytest.mark.parametrize("broken", [None, [], "x", {"kinds": 3}, {"kinds": {"customers": []}}, {}])
def test_the_administrator_cannot_be_taken_apart(broken: Any) -> None:
    role = compile_roles({"administrator": broken})["administrator"]
    assert role.abilities == frozenset(ABILITIES)
    assert union([role]).may("customers", "delete")
    assert union([role]).level("customers", "phones") == EDITED


def test_the_administrator_may_be_renamed() -> None:
    role = compile_roles({"administrator": {"label_vi": "Sếp", "kinds": {}}})["administrator"]
    assert (role.label("vi"), role.label("en")) == ("Sếp", "Administrator")


def test_a_shipped_role_that_cannot_be_read_stays_as_it_is_shipped() -> None:
    role = compile_roles({"manager": "???"})["manager"]
    assert role.problem is not None
    assert role.kinds == SHIPPED_ROLES["manager"].kinds
    assert role.abilities == SHIPPED_ROLES["manager"].abilities


def access(content: Any) -> Access:
    return union([compile_roles({"helper": content})["helper"]])


@pytest.mark.parametrize(
    "content",
    [
        None,
        7,
        {"kinds": {"customers": "all"}},
        {"kinds": {"customers": {"actions": "see"}}},
        {"kinds": {"customers": {"actions": ["SEE", "$where"]}}},
        {"abilities": ["root"]},
        {"other_kinds": 3},
    ],
)
def test_what_cannot_be_read_grants_nothing_and_says_so(content: Any) -> None:
    role = compile_roles({"helper": content})["helper"]
    assert role.problem is not None
    assert not union([role]).may("customers", SEE)
    assert not union([role]).can("root")


def test_a_broken_kind_does_not_fall_back_to_what_holds_for_others() -> None:
    everything = {"actions": ["see", "edit"], "reach": "all"}
    found = access({"kinds": {"customers": 3}, "other_kinds": everything})
    assert not found.may("customers", SEE)
    assert found.may("orders", SEE)


def test_an_unknown_reach_is_the_narrowest_one_and_an_unknown_level_hides() -> None:
    found = access(
        {
            "kinds": {
                "customers": {
                    "actions": ["see", "edit"],
                    "reach": "galaxy",
                    "fields": {"note": "sometimes", "phones": "see"},
                }
            }
        }
    )
    assert [one.reach for one in found.on("customers")] == [OWN]
    assert found.level("customers", "note") == HIDDEN
    assert found.level("customers", "phones") == SEEN


def test_what_a_record_is_called_by_cannot_be_hidden() -> None:
    hidden = {"name": "hidden", "title": "hidden", "note": "hidden"}
    kinds = {"customers": {"actions": ["see"], "reach": "all", "fields": hidden}}
    found = access({"kinds": kinds})
    assert found.level("customers", "name") == SEEN
    assert found.level("customers", "title") == HIDDEN, "a field that the site calls so"
    assert found.level("customers", "note") == HIDDEN


def test_a_retired_role_grants_nothing() -> None:
    content = role_content(SHIPPED_ROLES["manager"]) | {"is_retired": True}
    found = compile_roles({"manager": content})["manager"]
    assert not union([found]).may("customers", SEE)


def test_nobody_hands_on_more_than_they_have() -> None:
    mine = union(
        [
            compile_roles(
                {
                    "lead": {
                        "kinds": {
                            "customers": {
                                "actions": ["see", "edit"],
                                "reach": "team",
                                "fields": {"phones": "masked"},
                            }
                        },
                        "abilities": ["accounts"],
                    }
                }
            )["lead"]
        ]
    )

    def may_give(actions: list[str], reach: str, levels: Any = None, **more: Any) -> bool:
        levels = {"phones": "masked"} if levels is None else levels
        customers = {"actions": actions, "reach": reach, "fields": levels} | more
        role = compile_roles({"helper": {"kinds": {"customers": customers}}})["helper"]
        return mine.covers(role)

    assert may_give([SEE], "team")
    assert may_give([SEE, EDIT], "own")
    assert not may_give([SEE], ALL)
    assert not may_give([SEE, "export"], "own")
    assert not may_give([SEE], "own", {})
    assert not may_give([SEE], "own", where="relationship.eq(new)")
    assert not mine.covers(SHIPPED_ROLES["care_agent"])
    assert not mine.covers(SHIPPED_ROLES["administrator"])
    assert union([SHIPPED_ROLES["administrator"]]).covers(SHIPPED_ROLES["manager"])


def test_teams_leave_out_what_is_nobody() -> None:
    stored: dict[str, Any] = {
        "north": {"label_vi": "Bắc", "members": ["1", "2", "x"], "leads": ["3"]},
        "odd": {"members": "123"},
        "broken": [],
    }
    teams = compile_teams(stored, lambda text: int(text) if text.isdigit() else None)
    assert teams["north"].everybody == {1, 2, 3}
    assert teams["odd"].everybody == frozenset()
    assert "broken" not in teams
    assert [team.key for team in teams_of(teams.values(), 3)] == ["north"]
    assert teams_of(teams.values(), None) == ()
