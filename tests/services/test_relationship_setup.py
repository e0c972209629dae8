"""The rules of relationships are a setting: who saves them, what they may ask (S3.3, S3.4)."""

from datetime import timedelta

import pytest

from models import Site
from models.base import stored_date
from rules.errors import InvalidInput, NotAllowed, StaleForm
from rules.fields import Field
from services import relationship_preview, relationship_setup
from tests.factories import NOW, TODAY, make_customer, make_order
from tests.relating import recompute, said, stored

pytestmark = pytest.mark.usefixtures("shipped")


def setup_document(**changes):
    return {
        name: relationship_setup.shipped()[name]
        for name in ("rules", "contact_kinds", "unanswered")
    } | changes


def save(by, document, version=1):
    return relationship_setup.save(document, version=version, by=by, at=NOW)


def test_saving_rules_raises_the_revision_and_starts_a_job(administrator, db, valkey):
    revision = Site.collection().find_one()["config_rev"]
    document = setup_document(contact_kinds=["care"])
    run_id = save(administrator, document)
    assert db.job_runs.find_one({"_id": run_id})["name"] == "recompute_relationships"
    assert Site.collection().find_one()["config_rev"] == revision + 1
    assert relationship_setup.load().version == 2
    assert db.audit_entries.count_documents({"kind": "relationship_setup"}) == 1
    assert save(administrator, document, version=2) is None
    with pytest.raises(StaleForm):
        save(administrator, setup_document(), version=1)


def test_only_administrators_save_rules(manager, agent):
    for by in (manager, agent):
        with pytest.raises(NotAllowed):
            save(by, setup_document(contact_kinds=["care"]))


def a_rule(**changes):
    return relationship_setup.shipped()["rules"][0] | changes


@pytest.mark.parametrize(
    ("rules", "kinds", "says"),
    [
        ([a_rule(label_vi="")], ["care"], "name"),
        ([a_rule(status="nonsense")], ["care"], "choose a status"),
        ([a_rule(hold_days=-1)], ["care"], "whole number"),
        ([a_rule(conditions=[{"fact": "x", "operator": "known"}])], ["care"], "cannot be read"),
        (
            [a_rule(conditions=[{"fact": "order_count", "operator": "at_least"}])],
            ["care"],
            "whole number",
        ),
        (
            [a_rule(conditions=[{"fact": "tags", "operator": "one_of", "values": []}])],
            ["care"],
            "tick at least one",
        ),
        ([a_rule(), a_rule()], ["care"], "same key"),
        ([a_rule()], [], "counts as a contact"),
        ([a_rule(key=str(n)) for n in range(50)], ["care"], "at most"),
    ],
)
def test_bad_rules_are_refused_with_what_to_do(rules, kinds, says):
    with pytest.raises(InvalidInput, match=says):
        relationship_setup.checked(rules, kinds, [])


def test_what_counts_as_a_contact_is_a_setting(administrator):
    one = make_customer()
    make_order(one, placed_on=TODAY - timedelta(days=3))
    said(one, 40)
    said(one, 20, kind="note", feedback=None)
    days = []
    for version, kinds in enumerate((["care"], ["care", "note"], ["order"]), start=1):
        save(administrator, setup_document(contact_kinds=kinds), version=version)
        recompute()
        days.append((stored_date(TODAY) - stored(one)["facts"]["last_contact_on"]).days)
    assert days == [40, 20, 3]


def test_rules_ask_for_fields_that_the_site_added(administrator, monkeypatch):
    points = relationship_setup.of_field(
        Field("points", "integer", "custom.points", label_vi="Điểm tích lũy")
    )
    known = relationship_setup.FACTS | {points.key: points}
    monkeypatch.setattr(relationship_setup, "facts", lambda: known)
    rich, poor = make_customer(custom={"points": 120}), make_customer(custom={"points": 3})
    condition = {"fact": "custom.points", "operator": "at_least", "number": 100}
    rule = a_rule(key="rich", status="potential", conditions=[condition])
    document = setup_document(rules=[rule, *relationship_setup.shipped()["rules"]])
    save(administrator, relationship_setup.checked(document["rules"], ["care"], []))
    assert relationship_preview.preview(document, at=NOW).becomes == {"potential": 1}
    recompute()
    assert [stored(one)["relationship"] for one in (rich, poor)] == ["potential", "new"]
    assert stored(rich)["relationship_set"]["because"] == [
        {
            "fact": "custom.points",
            "operator": "at_least",
            "value": 100,
            "actual": 120,
            "label": "Điểm tích lũy",
        }
    ]


def test_a_rule_over_a_field_that_is_gone_holds_for_nobody(administrator):
    one = make_customer(custom={"points": 120})
    condition = {"fact": "custom.points", "operator": "at_least", "number": 100}
    relationship_setup.RelationshipSetup.collection().update_one(
        {}, {"$set": {"rules.0": a_rule(status="hot", conditions=[condition])}}
    )
    recompute()
    assert stored(one)["relationship"] == "new"


def test_the_days_of_do_not_forget_may_be_others_for_a_group(administrator):
    vip, retail = make_customer(groups=["vip"]), make_customer(groups=["retail"])
    for one in (vip, retail):
        said(one, 20)
    rules = relationship_setup.shipped()["rules"]
    rules[0]["conditions"][0]["by_group"] = {"vip": 14}
    save(administrator, relationship_setup.checked(rules, ["care"], []))
    recompute()
    assert stored(vip)["relationship"] == "do_not_forget"
    assert stored(retail)["relationship"] == "approached"
