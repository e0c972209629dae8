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
