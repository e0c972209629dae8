"""Layouts of record pages: tolerant reading, and the items that the editor sends."""

from dataclasses import replace
from typing import Any

import pytest

from rules import layouts
from rules.built_in_fields import BUILT_IN_KINDS
from rules.fields import Field, Kind
from rules.layouts import Layout, compile_layout, default, moved, read_items

CUSTOMERS = BUILT_IN_KINDS["customers"]
PANELS = dict.fromkeys(("history", "orders", "files", "changes"), False)


def kind(**fields: Field) -> Kind:
    return replace(CUSTOMERS, fields={**CUSTOMERS.fields, **fields})


def own(key: str, **more: Any) -> Field:
    return Field(key, "text", f"custom.{key}", label_vi=key, **more)


def compiled(content: Any, of: Kind = CUSTOMERS) -> Layout:
    return compile_layout(of, content, PANELS)


@pytest.mark.parametrize("key", ["customers", "orders", "products"])
def test_the_first_layout_places_every_field_once(key: str) -> None:
    of = BUILT_IN_KINDS[key]
    found = compile_layout(of, default(key), {**PANELS, "lines": False})
    assert found.problems == ()
    placed = (*found.fields, *found.hidden)
    assert sorted(placed) == sorted(of.fields)


def test_a_new_field_stands_in_the_last_tab_of_fields() -> None:
    found = compiled(default("customers"), kind(level=own("level")))
    details = next(tab for tab in found.tabs if tab.key == "details")
    assert details.sections[-1].fields[-1] == "level"


def test_a_layout_without_such_a_tab_gets_one() -> None:
    found = compiled({"tabs": [{"key": "history", "panel": "history"}]})
    assert [tab.key for tab in found.tabs][-1] == "details"
    assert "phones" in found.fields


def test_what_is_gone_is_left_out_and_said() -> None:
    of = kind(old=own("old", is_retired=True))
    content = {
        "summary": ["phones", "gone", "old", "phones"],
        "tabs": [
            {"key": "history", "panel": "history"},
            {"key": "history", "panel": "history"},
            {"key": "weather", "panel": "weather"},
            {"key": "T!", "sections": []},
            "nonsense",
        ],
    }
    found = compiled(content, of)
    assert found.summary == ("phones",)
    assert [tab.key for tab in found.tabs if tab.is_on] == ["history", "details"]
    assert len(found.problems) == 6


@pytest.mark.parametrize("content", [{}, {"summary": 5, "tabs": "x"}, {"tabs": [{"key": None}, 7]}])
def test_whatever_is_stored_a_page_comes_of_it(content: Any) -> None:
    found = compiled(content)
    assert sorted(found.fields) == sorted(CUSTOMERS.fields)


def test_a_panel_that_no_layout_names_is_off() -> None:
    found = compiled({"tabs": []})
    assert {tab.key for tab in found.tabs if not tab.is_on} == set(PANELS)


def test_a_role_has_a_layout_of_its_own() -> None:
    stored = {"customers@care_agent": {"summary": ["note"]}, "customers": {"summary": ["phones"]}}
    assert layouts.chosen("customers", {"care_agent", "z"}, stored)[0] == "customers@care_agent"
    assert layouts.chosen("customers", {"manager"}, stored)[1] == {"summary": ["phones"]}
    assert layouts.chosen("orders", {"manager"}, stored)[1] == default("orders")


ITEMS = [
    *("summary", "field:phones", "tab:history", "tab:own", "section:s1", "field:debt"),
    *("section:s2", "field:vip", "hidden", "field:code"),
]


def test_the_editors_items_become_a_layout() -> None:
    texts = {
        "tab.own.label_vi": "Hợp  đồng",
        "tab.own.is_on": "1",
        "section.s1.label_vi": "Tiền",
        "section.s2.label_en": "x" * 500,
    }
    found = read_items(ITEMS, texts, PANELS)
    assert found["summary"] == ["phones"]
    assert found["hidden"] == ["code"]
    history, mine = found["tabs"]
    assert (history["panel"], history["is_on"]) == ("history", False)
    assert (mine["label_vi"], mine["is_on"], "panel" in mine) == ("Hợp đồng", True, False)
    assert [one["fields"] for one in mine["sections"]] == [["debt"], ["vip"]]
    assert len(mine["sections"][1]["label_en"]) == layouts.LABEL_LENGTH


def test_fields_in_a_tab_without_a_section_get_one() -> None:
    found = read_items(["tab:own", "field:debt"], {}, PANELS)
    assert found["tabs"][0]["sections"] == [{"fields": ["debt"]}]


@pytest.mark.parametrize(
    ("item", "direction", "expected"),
    [
        ("field:debt", "down", ["section:s1", "section:s2", "field:debt", "field:vip"]),
        ("field:vip", "up", ["section:s1", "field:debt", "field:vip", "section:s2"]),
        ("section:s2", "up", ["section:s2", "field:vip", "section:s1", "field:debt"]),
        ("section:s1", "down", ["section:s2", "field:vip", "section:s1", "field:debt"]),
    ],
)
def test_an_item_moves_with_what_is_in_it(item: str, direction: str, expected: list[str]) -> None:
    assert moved(ITEMS, item, direction)[4:8] == expected


def test_tabs_move_and_stay_between_summary_and_what_is_hidden() -> None:
    assert moved(ITEMS, "tab:own", "up")[2:4] == ["tab:own", "section:s1"]
    assert moved(ITEMS, "tab:history", "up") == ITEMS
    assert moved(ITEMS, "tab:own", "down") == ITEMS
    assert moved(ITEMS, "tab:history", "down")[-3:] == ["tab:history", "hidden", "field:code"]
    assert moved(ITEMS, "field:phones", "up") == ITEMS
    assert moved(ITEMS, "field:gone", "up") == ITEMS
    for item in ITEMS[1:]:
        for direction in ("up", "down"):
            after = moved(ITEMS, item, direction)
            assert sorted(after) == sorted(ITEMS)
            assert after[0] == "summary"


AREAS = [
    *("summary", "field:phones", "tab:history", "tab:own", "section:1", "field:debt"),
    *("section:2", "tab:orders", "tab:more", "section:3", "field:vip", "tab:changes"),
    *("hidden", "field:code"),
]


def stations(item: str, direction: str) -> list[tuple[str, str]]:
    """(what stands before the item, what behind it) after each step, until it moves no more."""
    items, found = AREAS, []
    for _ in range(50):
        after = moved(items, item, direction, PANELS)
        if after == items:
            return found
        items, at = after, after.index(item)
        assert sorted(items) == sorted(AREAS)
        found.append((items[at - 1], items[at + 1] if at + 1 < len(items) else ""))
    raise AssertionError("it goes round and round")


def test_a_field_steps_down_through_every_area_and_past_every_panel() -> None:
    assert stations("field:phones", "down") == [
        ("section:1", "field:debt"),
        ("field:debt", "section:2"),
        ("section:2", "tab:orders"),
        ("section:3", "field:vip"),
        ("field:vip", "tab:changes"),
        ("hidden", "field:code"),
        ("field:code", ""),
    ]


def test_a_field_steps_up_through_every_area_and_past_every_panel() -> None:
    assert stations("field:code", "up") == [
        ("field:vip", "tab:changes"),
        ("section:3", "field:vip"),
        ("section:2", "tab:orders"),
        ("field:debt", "section:2"),
        ("section:1", "field:debt"),
        ("field:phones", "tab:history"),
        ("summary", "field:phones"),
    ]


def test_a_section_steps_from_tab_to_tab() -> None:
    before = [before for before, _ in stations("section:1", "down")]
    assert before == ["section:2", "tab:more", "field:vip"]
    assert moved(AREAS, "section:2", "down", PANELS)[6:10] == [
        "tab:orders",
        "tab:more",
        "section:2",
        "section:3",
    ]
    assert moved(AREAS, "section:3", "up", PANELS)[6:10] == [
        "section:2",
        "section:3",
        "field:vip",
        "tab:orders",
    ]


def test_what_stands_in_a_panel_stays_in_the_area_before_it() -> None:
    items = ["summary", "field:phones", "tab:history", "field:debt", "tab:own", "field:vip"]
    found = read_items([*items, "tab:orders", "field:note", "hidden"], {}, PANELS)
    assert found["summary"] == ["phones", "debt"]
    assert found["tabs"][1]["sections"] == [{"fields": ["vip", "note"]}]
