"""Saved views: who sees and changes them, and that two people never overwrite each other."""

from typing import Any

import pytest
from bson import ObjectId

from models import AuditEntry, SavedView, Staff
from rules.errors import InvalidInput, NotAllowed, NotFound, StaleForm
from rules.saved_views import ALL, FOR_EVERYONE, FOR_ROLES, PRIVATE, differing, usual
from rules.scope import Actor
from services import saved_view_pins, saved_view_reading, saved_view_revisions, saved_views
from services.configuration import snapshot
from services.saved_view_pins import MOST_PINS
from services.saved_views import Content
from stores.mongo import in_transaction
from tests.factories import NOW

HOT = Content({"where": "relationship.in(hot)", "sort": "-name"}, [{"key": "name", "width": 200}])


def save(by: Actor, name: str = "Nóng", content: Content = HOT, **more: Any) -> Any:
    return saved_views.create("customers", name, content, by=by, at=NOW, **more)


def seen(by: Actor) -> list[str]:
    """What is stored; what is remembered from the time before must be the same."""
    found = saved_view_reading.of_screen("customers", by=by)
    staff = Staff.objects.get(pk=by.staff_id)
    now = {"by": by, "saved_at": staff.views_saved_at}
    assert saved_view_reading.kept_of_screen("customers", snapshot(), **now) == found
    return [one.name for one in found]


def pins(by: Actor) -> list[tuple[str, bool]]:
    staff = Staff.objects.get(pk=by.staff_id)
    return [(one.name, bool(one.is_gone)) for one in staff.pins]


def test_a_view_keeps_what_was_seen(agent: Actor) -> None:
    view = save(agent)
    found = saved_view_reading.of_screen("customers", by=agent)
    assert found == [view]
    assert view.arguments == {"where": "relationship.in(hot)", "sort": "-name"}
    assert view.columns == ({"key": "name", "width": 200},)
    assert saved_view_reading.of_screen("orders", by=agent) == []


def test_views_are_sorted_as_people_read(agent: Actor) -> None:
    for name in ("Zalo", "Ấm", "bình", "An"):
        save(agent, name)
    assert seen(agent) == ["Ấm", "An", "bình", "Zalo"]


def test_nobody_is_asked_while_nothing_changed(agent: Actor, colleague: Actor) -> None:
    """A change of somebody else's own views is none of mine."""
    save(agent, "An")
    assert seen(agent) == ["An"]
    save(colleague, "Bình")
    SavedView.collection().update_many({}, {"$set": {"name": "unnoticed"}})
    staff = Staff.objects.get(pk=agent.staff_id)
    kept = saved_view_reading.kept_of_screen(
        "customers", snapshot(), by=agent, saved_at=staff.views_saved_at
    )
    assert [one.name for one in kept] == ["An"]


def test_each_audience_sees_its_views(agent: Actor, colleague: Actor, manager: Actor) -> None:
    save(manager, "riêng")
    save(manager, "nhân viên", audience=FOR_ROLES, roles=["care_agent"])
    save(manager, "mọi người", audience=FOR_EVERYONE)
    save(colleague, "của Bình")
    assert seen(agent) == ["mọi người", "nhân viên"]
    assert seen(manager) == ["mọi người", "nhân viên", "riêng"]


def test_sharing_needs_the_ability(agent: Actor) -> None:
    for audience in (FOR_EVERYONE, FOR_ROLES):
        with pytest.raises(NotAllowed):
            save(agent, audience=audience, roles=["care_agent"])
    view = save(agent)
    with pytest.raises(NotAllowed):
        saved_views.describe(view.id, "x", version=1, by=agent, at=NOW, audience=FOR_EVERYONE)
    with pytest.raises(InvalidInput):
        save(agent, "y", audience="world")


def test_a_shared_view_is_changed_by_those_who_may_share(
    agent: Actor, manager: Actor, administrator: Actor
) -> None:
    view = save(manager, audience=FOR_EVERYONE)
    with pytest.raises(NotAllowed):
        saved_views.update(view.id, HOT, version=1, by=agent, at=NOW)
    with pytest.raises(NotAllowed):
        saved_views.delete(view.id, by=agent, at=NOW)
    changed = saved_views.describe(
        view.id, "Rất nóng", version=1, by=administrator, at=NOW, audience=FOR_EVERYONE
    )
    assert (changed.name, changed.version, changed.owner_id) == ("Rất nóng", 2, manager.staff_id)


def test_a_private_view_is_nothing_to_others(agent: Actor, administrator: Actor) -> None:
    view = save(agent)
    with pytest.raises(NotFound):
        saved_views.update(view.id, HOT, version=1, by=administrator, at=NOW)
    with pytest.raises(NotFound):
        saved_view_pins.pin(view.id, by=administrator)
    with pytest.raises(NotFound):
        saved_views.delete(view.id, by=administrator, at=NOW)


def test_two_people_do_not_overwrite_each_other(manager: Actor, administrator: Actor) -> None:
    view = save(manager, audience=FOR_EVERYONE)
    other = Content({"sort": "name"})
    saved_views.update(view.id, other, version=1, by=manager, at=NOW)
    with pytest.raises(StaleForm):
        saved_views.update(view.id, HOT, version=1, by=administrator, at=NOW)
    again = saved_views.update(view.id, other, version=1, by=administrator, at=NOW)
    assert again.version == 2, "the same once more is no conflict"


def test_saving_twice_is_one_view_and_a_name_is_taken_once(agent: Actor, manager: Actor) -> None:
    assert save(agent).id == save(agent).id
    with pytest.raises(InvalidInput, match="already"):
        save(agent, content=Content({}))
    save(manager)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81])
def test_a_view_needs_a_name(agent: Actor, name: str) -> None:
    with pytest.raises(InvalidInput):
        save(agent, name)


def test_a_filter_that_cannot_be_read_is_not_saved(agent: Actor) -> None:
    with pytest.raises(InvalidInput):
        save(agent, content=Content({"where": "and(("}))
    assert SavedView.objects.count() == 0


def test_a_deleted_view_comes_back_with_its_pins(agent: Actor, manager: Actor) -> None:
    view = save(manager, audience=FOR_EVERYONE)
    saved_view_pins.pin(view.id, by=agent)
    saved_views.delete(view.id, by=manager, at=NOW)
    saved_views.delete(view.id, by=manager, at=NOW)
    assert seen(agent) == []
    assert pins(agent) == [("Nóng", True)]
    saved_views.restore(view.id, by=manager, at=NOW)
    assert seen(agent) == ["Nóng"]
    assert pins(agent) == [("Nóng", False)]


def test_what_was_deleted_long_ago_goes(agent: Actor) -> None:
    old, new = save(agent), save(agent, "b")
    saved_views.delete(old.id, by=agent, at=NOW)
    saved_views.delete(new.id, by=agent, at=NOW + saved_views.KEPT_FOR * 2)
    with pytest.raises(NotFound):
        saved_views.restore(old.id, by=agent, at=NOW)


def test_pins_follow_name_and_audience(agent: Actor, colleague: Actor, manager: Actor) -> None:
    view = save(manager, audience=FOR_EVERYONE)
    for actor in (agent, manager):
        saved_view_pins.pin(view.id, by=actor)
        saved_view_pins.pin(view.id, by=actor)
    view = saved_views.describe(
        view.id, "Ấm", version=1, by=manager, at=NOW, audience=FOR_ROLES, roles=["manager"]
    )
    assert pins(agent) == [("Ấm", True)]
    assert pins(manager) == [("Ấm", False)]
    view = saved_views.describe(
        view.id, "Ấm", version=2, by=manager, at=NOW, audience=FOR_ROLES, roles=["care_agent"]
    )
    assert pins(agent) == [("Ấm", False)]
    assert pins(manager) == [("Ấm", False)], "its owner sees it always"
    saved_view_pins.unpin(view.id, by=agent)
    assert pins(agent) == []


def test_pins_are_limited(agent: Actor) -> None:
    for number in range(MOST_PINS):
        saved_view_pins.pin(save(agent, f"v{number}").id, by=agent)
    with pytest.raises(InvalidInput):
        saved_view_pins.pin(save(agent, "one more").id, by=agent)
    assert len(pins(agent)) == MOST_PINS


def test_a_list_opens_with_ones_own_choice_before_that_of_the_role(
    agent: Actor, manager: Actor
) -> None:
    shared = save(manager, "chung", audience=FOR_EVERYONE)
    shared = saved_views.describe(
        shared.id,
        "chung",
        version=1,
        by=manager,
        at=NOW,
        audience=FOR_EVERYONE,
        default_roles=["care_agent"],
    )
    own = save(agent, "riêng")
    views = saved_view_reading.of_screen("customers", by=agent)
    assert usual(views, None, agent) == shared
    assert usual(views, own.id, agent) == own
    assert usual(views, ALL, agent) is None
    assert usual(views, ObjectId(), agent) == shared
    assert usual(views, None, manager) is None


def test_a_role_opens_with_one_view_of_a_list(manager: Actor) -> None:
    first, second = (save(manager, name, audience=FOR_EVERYONE) for name in "ab")
    for view in (first, second):
        saved_views.describe(
            view.id,
            view.name,
            version=1,
            by=manager,
            at=NOW,
            audience=FOR_EVERYONE,
            default_roles=["care_agent"],
        )
    found = {
        one.name: one.default_roles for one in saved_view_reading.of_screen("customers", by=manager)
    }
    assert found == {"a": frozenset(), "b": frozenset({"care_agent"})}


def test_each_change_is_audited(manager: Actor) -> None:
    view = save(manager)
    saved_views.update(view.id, Content({}), version=1, by=manager, at=NOW)
    saved_views.delete(view.id, by=manager, at=NOW)
    saved_views.restore(view.id, by=manager, at=NOW)
    entries = AuditEntry.collection().find({"kind": "saved_views"}).sort("_id", 1)
    assert [one["action"] for one in entries] == ["create", "update", "delete", "restore"]


def test_shared_views_travel_and_private_ones_do_not(manager: Actor, administrator: Actor) -> None:
    view = save(manager, audience=FOR_EVERYONE)
    save(manager, "riêng")
    exported = saved_view_revisions.exported()
    assert list(exported) == [view.key]
    assert exported[view.key]["arguments"] == HOT.arguments
    SavedView.collection().delete_many({})
    for _ in range(2):
        in_transaction(
            lambda session: saved_views.put_exported(
                view.key, exported[view.key], by=administrator, at=NOW, session=session
            )
        )
    assert saved_view_revisions.exported() == exported
    assert seen(manager) == ["Nóng"]
    in_transaction(
        lambda session: saved_views.put_exported(
            view.key, None, by=administrator, at=NOW, session=session
        )
    )
    assert saved_view_revisions.exported() == {}


@pytest.mark.parametrize(
    ("wanted", "given", "usual_ones", "found"),
    [
        ({"q": "an"}, {}, {}, {"q": "an"}),
        ({"q": "an"}, {"q": "an"}, {}, {}),
        ({"q": None}, {"q": "an"}, {}, {"q": ""}),
        ({}, {"q": "an"}, {}, {"q": ""}),
        ({"state": "all"}, {"state": "new"}, {"state": "all"}, {"state": "all"}),
        ({"state": None}, {"state": "new"}, {"state": "all"}, {"state": "all"}),
        ({"state": "all"}, {}, {"state": "all"}, {}),
        ({"sort": ""}, {}, {"sort": "name"}, {}),
    ],
)
def test_an_address_says_what_differs_from_the_view(
    wanted: Any, given: Any, usual_ones: Any, found: Any
) -> None:
    assert differing(wanted, given, usual_ones) == found
    assert PRIVATE == "private"
