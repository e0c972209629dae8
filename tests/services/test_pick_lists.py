"""Pick lists as administrators shape them, and merges of two values (S3.1 to S3.4, B.5)."""

from datetime import timedelta
from typing import Any

import pytest
from bson import ObjectId

from jobs import runner
from models import Customer, Interaction, JobRun, ValueMove
from rules import pick_lists as rules
from rules.errors import InvalidInput, NotAllowed, StaleForm
from rules.scope import Actor
from services import configuration, job_runs, pick_lists, value_merges
from services.configuration_changes import Change, apply
from tests.factories import NOW, make_customer

pytestmark = pytest.mark.usefixtures("shipped", "queue")


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> list[ObjectId]:
    handed: list[ObjectId] = []
    monkeypatch.setattr(job_runs, "enqueue", handed.append)
    return handed


def rows(key: str) -> list[dict[str, str]]:
    """The list as its form would send it."""
    return [
        {
            name: str(one.get(name) or "")
            for name in ("key", "label_vi", "label_en", "colour", "parent")
        }
        | {"retired": "1" if one.get("retired") else ""}
        for one in pick_lists.stored(key)[0]["values"]
    ]


def save(by: Actor, key: str, values: list[dict[str, str]], **typed: str) -> None:
    content, version = pick_lists.stored(key)
    pick_lists.save(
        key,
        {"label_vi": content["label_vi"]} | typed,
        values,
        version=version,
        config=configuration.snapshot(),
        by=by,
        at=NOW,
    )


def keys(key: str) -> list[str]:
    return [one["key"] for one in pick_lists.stored(key)[0]["values"]]


def test_values_are_added_named_ordered_and_retired(administrator: Actor) -> None:
    sent = rows("channel")[::-1]
    sent[0]["label_vi"] = "Đại lý cấp 1"
    sent[1]["retired"] = "1"
    save(administrator, "channel", [*sent, {"label_vi": "Hội chợ", "colour": "blue"}, {}])
    assert keys("channel") == ["agent", "online", "shop", "hoi_cho"]
    values = configuration.snapshot().pick_lists["channel"]
    assert values["agent"].label_vi == "Đại lý cấp 1"
    assert values["online"].retired
    assert values["hoi_cho"].colour == "blue"


def test_a_value_in_use_is_never_lost(administrator: Actor) -> None:
    make_customer(channel="online")
    without = [one for one in rows("channel") if one["key"] != "online"]
    with pytest.raises(InvalidInput, match="stands in 1 records"):
        save(administrator, "channel", without)
    Customer.collection().update_many({}, {"$set": {"channel": "shop"}})
    save(administrator, "channel", without)
    assert keys("channel") == ["shop", "agent"]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ([{"key": "shop", "label_vi": ""}], {"0.label_vi"}),
        ([{"label_vi": "A"}, {"label_vi": "a"}], {"1.label_vi"}),
        ([{"label_vi": "x" * 501}], {"0.label_vi"}),
        ([{"label_vi": "A", "parent": "nowhere"}], {"0.parent"}),
        ([{"key": "shop", "label_vi": "A", "parent": "shop"}], {"0.parent"}),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(
    administrator: Actor, values: list[dict[str, str]], wrong: set[str]
) -> None:
    with pytest.raises(InvalidInput) as error:
        save(administrator, "channel", values)
    assert set(error.value.fields) == wrong


def test_a_name_may_be_anything(administrator: Actor) -> None:
    save(administrator, "channel", [*rows("channel"), {"label_vi": "<script>", "key": "$where"}])
    assert keys("channel")[-1] == "script"


def test_groups_stand_under_each_other() -> None:
    """S3.1."""
    values = [
        {"key": "b", "parent": "a"},
        {"key": "a"},
        {"key": "c", "parent": "b"},
        {"key": "d", "parent": "gone"},
        {"key": "e", "parent": "f"},
        {"key": "f", "parent": "e"},
    ]
    assert [(one["key"], depth) for one, depth in rules.as_tree(values)] == [
        ("a", 0), ("b", 1), ("c", 2), ("d", 0), ("e", 0), ("f", 0),
    ]  # fmt: skip


def test_two_administrators_at_one_list(administrator: Actor, manager: Actor) -> None:
    arguments: dict[str, Any] = {"config": configuration.snapshot(), "at": NOW}
    typed = {"label_vi": "Kênh"}
    pick_lists.save("channel", typed, rows("channel"), version=1, by=administrator, **arguments)
    with pytest.raises(StaleForm):
        pick_lists.save(
            "channel", {"label_vi": "K"}, rows("channel"), version=1, by=administrator, **arguments
        )
    with pytest.raises(NotAllowed):
        pick_lists.save("channel", typed, rows("channel"), version=2, by=manager, **arguments)


def test_a_list_is_added_and_taken_away_while_no_field_uses_it(administrator: Actor) -> None:
    arguments: dict[str, Any] = {"by": administrator, "at": NOW}
    key = pick_lists.add("Hạng thẻ", "Card", config=configuration.snapshot(), **arguments)
    assert key == "hang_the"
    pick_lists.remove(key, config=configuration.snapshot(), **arguments)
    assert key not in configuration.snapshot().pick_lists
    with pytest.raises(InvalidInput):
        pick_lists.remove("channel", config=configuration.snapshot(), **arguments)


# Merging


def merge(by: Actor, list_key: str, old: str, new: str) -> dict[str, Any]:
    version = pick_lists.stored(list_key)[1]
    return run(value_merges.merge(list_key, old, new, version=version, by=by, at=NOW))


def run(run_id: ObjectId) -> dict[str, Any]:
    runner.run(str(run_id))
    found = JobRun.collection().find_one({"_id": run_id}) or {}
    assert found["state"] == "done", found
    return found


def groups() -> list[list[str]]:
    return [one["groups"] for one in Customer.collection().find().sort("code", 1)]


def define_cards(by: Actor) -> None:
    """A field of the site over the list of groups, beside the built-in one."""
    content = {
        "label_vi": "Thẻ",
        "type": "choice",
        "pick_list": "group",
        "default": "vip",
    }
    shown = {"label_vi": "Quà", "type": "text", "visible_when": "groups.in(vip,retail)"}
    changes = [
        Change("fields", "customers.card", content),
        Change("fields", "customers.gift", shown),
    ]
    apply(changes, says="x", by=by, at=NOW)


def test_every_record_and_definition_follows_a_merge(administrator: Actor) -> None:
    define_cards(administrator)
    make_customer(code="1", groups=["vip", "retail"], custom={"card": "vip"})
    make_customer(code="2", groups=["wholesale", "vip"])
    make_customer(code="3", groups=["retail"])
    found = value_merges.preview(configuration.snapshot(), "group", "vip", "wholesale")
    assert {use.field.key: number for use, number in found.records} == {"groups": 2, "card": 1}
    assert (found.total, found.definitions) == (3, 2)
    merge(administrator, "group", "vip", "wholesale")
    assert groups() == [["wholesale", "retail"], ["wholesale"], ["retail"]]
    config = configuration.snapshot()
    assert config.pick_lists["group"]["vip"].retired
    fields = config.kinds["customers"].fields
    assert fields["card"].default == "wholesale"
    assert fields["gift"].visible_when == "and(groups.in(wholesale,retail))"


def test_a_merge_is_taken_back_where_nobody_chose_another_since(administrator: Actor) -> None:
    for code, chosen in (("1", ["vip"]), ("2", ["vip", "retail"]), ("3", ["wholesale"])):
        make_customer(code=code, groups=chosen)
    merge(administrator, "group", "vip", "wholesale")
    Customer.collection().update_one({"code": "1"}, {"$set": {"groups": ["retail"]}})
    version = pick_lists.stored("group")[1]
    run(value_merges.undo("group", "vip", version=version, by=administrator, at=NOW))
    assert groups() == [["retail"], ["vip", "retail"], ["wholesale"]]
    assert not configuration.snapshot().pick_lists["group"]["vip"].retired
    assert ValueMove.collection().count_documents({}) == 0


def test_running_again_moves_nothing_twice(administrator: Actor) -> None:
    make_customer(code="1", groups=["vip"])
    done = merge(administrator, "group", "vip", "wholesale")
    value_merges.move(**done["arguments"], at=NOW)
    assert groups() == [["wholesale"]]
    assert ValueMove.collection().count_documents({}) == 1


def test_a_job_that_comes_late_moves_nothing_that_was_taken_back(administrator: Actor) -> None:
    make_customer(code="1", groups=["vip"])
    version = pick_lists.stored("group")[1]
    late = value_merges.merge(
        "group", "vip", "wholesale", version=version, by=administrator, at=NOW
    )
    value_merges.undo("group", "vip", version=version + 1, by=administrator, at=NOW)
    run(late)
    assert groups() == [["vip"]]


def test_after_the_time_is_over_it_stays(administrator: Actor) -> None:
    merge(administrator, "group", "vip", "wholesale")
    with pytest.raises(InvalidInput):
        value_merges.undo("group", "vip", version=2, by=administrator, at=NOW + timedelta(days=31))


@pytest.mark.parametrize(("old", "new"), [("vip", "vip"), ("vip", "gone"), ("gone", "vip")])
def test_what_cannot_be_merged_is_refused(administrator: Actor, old: str, new: str) -> None:
    with pytest.raises(InvalidInput):
        value_merges.merge("group", old, new, version=1, by=administrator, at=NOW)


def test_a_status_of_the_rules_is_not_merged_away(administrator: Actor) -> None:
    with pytest.raises(InvalidInput, match="rules"):
        value_merges.merge(
            "relationship", "do_not_forget", "lost", version=1, by=administrator, at=NOW
        )


def test_care_entries_follow_too(administrator: Actor) -> None:
    Interaction.collection().insert_one({"kind": "care", "feedback": "neutral", "at": NOW})
    merge(administrator, "feedback", "neutral", "satisfied")
    found = Interaction.collection().find_one() or {}
    assert found["feedback"] == "satisfied"


def test_the_copies_of_entries_in_their_customer_follow_and_come_back(
    administrator: Actor,
) -> None:
    entries = Interaction.collection()
    customer, other = make_customer(), make_customer()
    kept = [
        {"kind": "care", "feedback": value, "at": NOW, "customer_id": customer}
        for value in ("neutral", "satisfied", "neutral")
    ]
    ids = entries.insert_many(kept).inserted_ids
    history = [
        {"interaction_id": entry_id, "feedback": one["feedback"], "kind": "care", "at": NOW}
        for entry_id, one in zip(ids, kept, strict=True)
    ]
    Customer.collection().update_one({"_id": customer}, {"$set": {"history": history}})

    def copies() -> list[str]:
        found = Customer.collection().find_one({"_id": customer})
        assert found
        return [one["feedback"] for one in found["history"]]

    merge(administrator, "feedback", "neutral", "satisfied")
    assert copies() == ["satisfied"] * 3
    version = pick_lists.stored("feedback")[1]
    run(value_merges.undo("feedback", "neutral", version=version, by=administrator, at=NOW))
    assert copies() == ["neutral", "satisfied", "neutral"]
    untouched = Customer.collection().find_one({"_id": other})
    assert untouched
    assert untouched["version"] == 1
