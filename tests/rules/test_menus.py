"""The sidebar is arranged and hidden by a configured menu, and never by a broken one."""

from typing import Any

import pytest

from rules import menus
from rules.menus import MenuSection

SHIPPED = [
    MenuSection("today", ("today",)),
    MenuSection("care", ("orders", "history")),
    MenuSection("views", ("view:a", "view:b")),
    MenuSection("settings", ("menu_settings", "staff")),
]


def shown(sections: list[MenuSection]) -> dict[str, tuple[str, ...]]:
    return {one.key: one.shown for one in sections if one.shown}


def menu(*sections: Any) -> dict[str, Any]:
    return {
        "sections": [
            {
                "key": key,
                "entries": [
                    {"endpoint": one.strip("-"), "is_hidden": one.startswith("-")}
                    for one in entries
                ],
            }
            for key, *entries in sections
        ]
    }


def test_without_a_menu_all_stands_where_it_ships() -> None:
    assert shown(menus.arranged(SHIPPED, None)) == {
        "today": ("today",),
        "care": ("orders", "history"),
        "settings": ("menu_settings", "staff"),
    }


def test_order_hiding_and_own_sections() -> None:
    content = menu(("own", "history", "view:b"), ("care", "-orders"), ("today", "today"))
    found = menus.arranged(SHIPPED, content)
    assert shown(found) == {
        "own": ("history", "view:b"),
        "today": ("today",),
        "settings": ("menu_settings", "staff"),
    }
    assert [one.key for one in found] == ["own", "care", "views", "settings", "today"]


def test_what_the_menu_does_not_name_stands_where_it_ships() -> None:
    found = menus.arranged(SHIPPED, menu(("care", "history")))
    assert shown(found)["care"] == ("history", "orders")
    assert [one.key for one in found] == ["today", "care", "views", "settings"]


def test_the_way_back_is_never_hidden() -> None:
    assert (
        "menu_settings"
        in shown(menus.arranged(SHIPPED, menu(("settings", "-menu_settings"))))["settings"]
    )


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"sections": 7},
        {"sections": [7, {"entries": 7}, {"key": 7, "entries": [7, {}, {"endpoint": 7}]}]},
        menu(("care", "gone", "orders", "orders"), ("care", "orders")),
    ],
)
def test_a_broken_menu_loses_no_entry(content: Any) -> None:
    found = shown(menus.arranged(SHIPPED, content))
    entries = [entry for part in found.values() for entry in part]
    assert sorted(entries) == ["history", "menu_settings", "orders", "staff", "today"]


def test_an_entry_is_hidden_only_when_every_role_hides_it() -> None:
    stored = {
        "all": menu(("care", "-history")),
        "agent": menu(("care", "-history", "-orders")),
        "boss": menu(("care", "-orders", "history")),
    }
    assert "care" not in shown(menus.for_roles(SHIPPED, stored, ["agent"]))
    assert shown(menus.for_roles(SHIPPED, stored, ["agent", "boss"]))["care"] == ("history",)
    assert shown(menus.for_roles(SHIPPED, stored, ["other"]))["care"] == ("orders",)
    assert shown(menus.for_roles(SHIPPED, stored, ["agent", "other"]))["care"] == ("orders",)


def test_it_is_stored_and_read_alike() -> None:
    found = menus.arranged(SHIPPED, menu(("own", "history", "view:b"), ("care", "-orders")))
    assert menus.arranged(SHIPPED, menus.content_of(found)) == found


def test_steps_go_through_all_sections_and_back() -> None:
    found = menus.arranged(SHIPPED, None)
    down = menus.moved(found, "entry:today", is_up=False)
    assert shown(down)["care"] == ("today", "orders", "history")
    assert menus.moved(down, "entry:today", is_up=True) == found
    swapped = menus.moved(found, "section:care", is_up=True)
    assert [one.key for one in swapped][:2] == ["care", "today"]
    for nothing in ("section:today", "entry:gone", "x", "section:gone"):
        assert menus.moved(found, nothing, is_up=True) == found
