"""Kinds and their fields, from what is built in and what a site configured."""

from typing import Any

from rules.kinds import compile_kinds

LISTS = frozenset({"vip"})


def kinds(**sections: Any) -> Any:
    return compile_kinds(sections, LISTS)


def test_a_site_adds_fields_behind_the_built_in_ones() -> None:
    fields = kinds(fields={"customers.vip": {"type": "choice", "pick_list": "vip"}})[
        "customers"
    ].fields
    assert list(fields)[-1] == "vip"
    assert (fields["vip"].path, fields["vip"].is_usable) == ("custom.vip", True)


def test_a_position_orders_built_in_and_own_fields_alike() -> None:
    fields = kinds(
        fields={
            "products.maker": {"type": "text", "position": 5},
            "products.name": {"position": 1},
        }
    )["products"].fields
    assert list(fields)[:3] == ["name", "maker", "code"]


def test_a_built_in_field_is_renamed_and_retired_but_keeps_its_type() -> None:
    changed = {"label_vi": "Ngày sinh nhật", "is_retired": True, "type": "text", "path": "name"}
    field = kinds(fields={"customers.birthday": changed})["customers"].fields["birthday"]
    assert (field.own_label("vi"), field.is_usable) == ("Ngày sinh nhật", False)
    assert (field.type, field.path) == ("date", "birthday")


def test_a_field_that_screens_live_on_cannot_be_retired() -> None:
    fields = kinds(fields={"customers.name": {"is_retired": True}})["customers"].fields
    assert fields["name"].is_usable


def test_a_broken_definition_carries_its_problem_and_is_nobodys_field() -> None:
    fields = kinds(
        fields={
            "customers.a": {"type": "teleport"},
            "customers.b": {"type": "choice", "pick_list": "gone"},
            "customers.C!": {"type": "text"},
            "customers.d": {"type": "staff_list"},
        }
    )["customers"].fields
    for key in ("a", "b", "C!", "d"):
        assert fields[key].problem, key
        assert not fields[key].is_usable, key


def test_a_kind_of_the_site_has_the_fields_of_every_record_and_its_own() -> None:
    ticket = kinds(
        kinds={"warranty_ticket": {"label_vi": "Phiếu bảo hành"}},
        fields={"warranty_ticket.serial": {"type": "text", "label_vi": "Số máy"}},
    )["warranty_ticket"]
    assert {"title", "code", "customer", "serial"} <= ticket.fields.keys()
    assert ticket.base == {"kind": "warranty_ticket"}


def test_fields_of_a_kind_that_is_gone_are_left_alone() -> None:
    assert "gone" not in kinds(fields={"gone.serial": {"type": "text"}})


def named_by(**fields: dict[str, Any]) -> Any:
    defined = {f"customers.{key}": {"type": "text"} | one for key, one in fields.items()}
    return kinds(fields=defined)["customers"].fields


def test_a_field_is_broken_while_its_condition_cannot_be_asked() -> None:
    reason = {"visible_when": "stage.is(lost)"}
    assert named_by(stage={}, reason=reason)["reason"].is_usable
    assert named_by(reason=reason)["reason"].problem
    assert named_by(stage={"is_retired": True}, reason=reason)["reason"].problem
    assert named_by(stage={"type": "integer"}, reason=reason)["reason"].problem
    assert named_by(stage={}, reason={"visible_when": "reason.is(x)"})["reason"].problem
    assert named_by(stage={}, reason={"visible_when": "or(name.filled(),gone.yes())"})[
        "reason"
    ].problem


def test_what_is_broken_breaks_what_names_it() -> None:
    fields = named_by(
        stage={"is_retired": True},
        reason={"visible_when": "stage.is(lost)"},
        size={"type": "computed", "expression": "length(reason)"},
        note2={"visible_when": "size.gt(3)"},
        apart={"visible_when": "name.is(x)"},
    )
    assert [key for key in ("reason", "size", "note2", "apart") if fields[key].problem] == [
        "reason",
        "size",
        "note2",
    ]
    back = named_by(
        stage={},
        reason={"visible_when": "stage.is(lost)"},
        size={"type": "computed", "expression": "length(reason)"},
        note2={"visible_when": "size.gt(3)"},
    )
    assert all(back[key].is_usable for key in ("reason", "size", "note2"))


def test_what_is_retired_is_not_broken_too() -> None:
    fields = named_by(reason={"visible_when": "gone.is(x)", "is_retired": True})
    assert fields["reason"].problem is None
