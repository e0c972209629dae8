"""The configuration as one immutable snapshot per revision."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from models import ConfigurationItem, Site
from services import configuration
from services import shipped as shipped_data
from tests.factories import change_pick_list


def change_label(label: str) -> None:
    change_pick_list(
        "feedback",
        where={"content.values.key": "satisfied"},
        set={"values.$.label_vi": label},
    )


def new_revision() -> None:
    Site.collection().update_one({"key": "site"}, {"$inc": {"config_rev": 1}})


def label(locale: str = "vi") -> str:
    value = configuration.snapshot().value("feedback", "satisfied")
    assert value
    return value.label(locale)


def test_it_knows_the_shipped_lists_in_their_order(shipped: None) -> None:
    lists = configuration.snapshot().pick_lists
    assert list(lists["feedback"]) == [
        "satisfied",
        "neutral",
        "dissatisfied",
        "no_answer",
        "call_back",
    ]
    assert (label("vi"), label("en")) == ("Hài lòng", "Satisfied")
    assert configuration.snapshot().care_mode == "unlimited"


def test_a_change_is_seen_with_the_next_revision(shipped: None) -> None:
    before = configuration.snapshot()
    change_label("Rất hài lòng")
    assert configuration.snapshot() is before
    new_revision()
    assert label() == "Rất hài lòng"
    assert before.value("feedback", "satisfied").label("vi") == "Hài lòng"  # type: ignore[union-attr]


def test_a_change_of_the_care_mode_is_seen(shipped: None) -> None:
    configuration.snapshot()
    Site.collection().update_one({"key": "site"}, {"$set": {"care_mode": "by_product"}})
    assert configuration.snapshot().care_mode == "by_product"


def test_nobody_can_change_a_snapshot(shipped: None) -> None:
    found = configuration.snapshot()
    with pytest.raises(FrozenInstanceError):
        found.care_mode = "by_customer"  # type: ignore[misc]
    with pytest.raises(TypeError):
        found.pick_lists["feedback"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        found.pick_lists["feedback"]["satisfied"] = None  # type: ignore[index]


def test_it_shows_values_that_no_list_knows_any_more(shipped: None) -> None:
    found = configuration.snapshot()
    unknown = found.value("feedback", "gone")
    assert unknown
    assert (unknown.label("vi"), unknown.retired) == ("gone", True)
    assert found.value("nowhere", "x")
    assert found.value("feedback", None) is None
    assert found.value("feedback", "") is None


def test_a_label_in_one_language_serves_both(shipped: None) -> None:
    value = {"key": "only", "label_vi": "Chỉ tiếng Việt"}
    change_pick_list("feedback", push={"values": value})
    new_revision()
    found = configuration.snapshot().value("feedback", "only")
    assert found
    assert (found.label("en"), found.colour, found.retired) == ("Chỉ tiếng Việt", "gray", False)


def test_an_empty_database_has_a_configuration(db: Any) -> None:
    found = configuration.snapshot()
    assert (found.revision, dict(found.pick_lists)) == (0, {})


def test_kinds_stand_in_the_same_order_whichever_came_first(shipped: None) -> None:
    for key in ("ticket", "contract"):
        ConfigurationItem.collection().insert_one(
            {"section": "kinds", "key": key, "content": {"label_vi": key}, "version": 1}
        )
    new_revision()
    assert list(configuration.snapshot().kinds)[-2:] == ["contract", "ticket"]


def test_threads_may_ask_at_once(shipped: None) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in range(6):
            new_revision()
            assert len(list(pool.map(lambda _: label(), range(40)))) == 40


def test_start_up_changes_nothing_that_a_site_changed(shipped: None) -> None:
    change_label("Của tôi")
    ConfigurationItem.collection().delete_one({"section": "pick_lists", "key": "source"})

    shipped_data.ensure()
    new_revision()
    assert label() == "Của tôi"
    assert "source" in configuration.snapshot().pick_lists
