"""Many rows changed at once: seen beforehand, done once, refused where it must be, taken back."""

from typing import Any

import pytest

from jobs import registry
from models import AuditEntry, BulkEdit, Customer, JobRun
from rules.scope import Actor
from services import bulk_edits
from services.progress import NoProgress
from tests.factories import NOW, make_customer
from tests.views.conftest import Browser


def of(customer_id: Any) -> dict[str, Any]:
    found = Customer.collection().find_one({"_id": customer_id})
    assert found
    return found


def change(desk: Browser, ids: list[Any], field: str, value: str, **more: Any) -> Any:
    form = {"ids": [str(one) for one in ids], "field": field, "shown_field": field}
    return desk.send("/customers/bulk", {**form, field: value, "way": "set", **more})


def test_a_preview_says_what_would_change_and_writes_nothing(desk: Browser) -> None:
    first, second = make_customer(name="Ân"), make_customer(name="Bình", channel="shop")
    page = change(desk, [first, second], "channel", "shop", step="preview").text
    assert "Ân" in page
    assert "1 dòng sẽ thay đổi" in page
    assert of(first).get("channel") is None


def test_ticked_rows_change_and_all_of_it_is_undone(desk: Browser) -> None:
    ids = [make_customer(name=f"Khách {number}") for number in range(10)]
    other = make_customer()
    answer = change(desk, ids, "channel", "shop", step="apply")
    assert answer.status_code == 200
    assert {of(one)["channel"] for one in ids} == {"shop"}
    assert of(other).get("channel") is None
    assert AuditEntry.collection().count_documents({"action": "update"}) == 10
    batch = BulkEdit.objects.get()
    assert desk.send(f"/bulk-edits/{batch.pk}/undo").status_code == 303
    assert {of(one).get("channel") for one in ids} == {None}
    assert desk.send(f"/bulk-edits/{batch.pk}/undo").status_code == 303  # a double click
    assert BulkEdit.objects.get().state == "undone"


def test_what_somebody_changed_since_stays(desk: Browser) -> None:
    ids = [make_customer(), make_customer()]
    change(desk, ids, "channel", "shop", step="apply")
    Customer.collection().update_one({"_id": ids[0]}, {"$set": {"channel": "online"}})
    desk.send(f"/bulk-edits/{BulkEdit.objects.get().pk}/undo")
    assert [of(one).get("channel") for one in ids] == ["online", None]


def test_lists_gain_and_lose_values(desk: Browser) -> None:
    customer = make_customer(groups=["vip"])
    change(desk, [customer], "groups", "retail", way="add", step="apply")
    assert of(customer)["groups"] == ["vip", "retail"]
    change(desk, [customer], "groups", "vip", way="remove", step="apply")
    assert of(customer)["groups"] == ["retail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("due", "2026-11-30"), ("code", "X"), ("$where", "1"), ("channel", "nonsense"), ("name", "")],
)
def test_wrong_fields_and_values_are_refused_and_nothing_is_written(
    desk: Browser, field: str, value: str
) -> None:
    customer = make_customer()
    before = of(customer)
    assert change(desk, [customer], field, value, step="apply").status_code in (403, 422)
    assert of(customer) == before
    assert BulkEdit.objects.count() == 0


def test_rows_out_of_sight_are_not_changed(
    desk: Browser, agent: Actor, administrator: Actor
) -> None:
    from models import Site

    mine, foreign = (
        make_customer(carers=[agent.staff_id], seen_by=[agent.staff_id]),
        make_customer(),
    )
    Site.collection().update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    change(desk, [mine, foreign], "channel", "shop", step="apply")
    assert of(mine)["channel"] == "shop"
    assert of(foreign).get("channel") is None


def test_many_rows_are_changed_by_a_job_that_may_be_killed(
    desk: Browser, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_edits, "AT_ONCE", 2)
    ids = [make_customer() for _ in range(5)]
    answer = change(desk, [], "channel", "shop", step="apply", all="1")
    assert "HX-Redirect" in answer.headers
    run = JobRun.objects.get(name="bulk_edit")
    save = bulk_edits.record_saving.save
    done = []

    def killed(*args: Any, **options: Any) -> Any:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return save(*args, **options)

    monkeypatch.setattr(bulk_edits.record_saving, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        registry.JOBS["bulk_edit"](NoProgress(), **run.arguments)
    monkeypatch.setattr(bulk_edits.record_saving, "save", save)
    for _ in range(2):
        registry.JOBS["bulk_edit"](NoProgress(), **run.arguments)
    assert {of(one)["channel"] for one in ids} == {"shop"}
    assert BulkEdit.objects.get().changed == 5
    assert AuditEntry.collection().count_documents({"action": "update"}) == 5
    desk.send(f"/bulk-edits/{BulkEdit.objects.get().pk}/undo")
    undo = JobRun.objects.get(name="undo_bulk_edit")
    registry.JOBS["undo_bulk_edit"](NoProgress(), **undo.arguments)
    assert {of(one).get("channel") for one in ids} == {None}


def test_somebody_elses_batch_cannot_be_taken_back(
    desk: Browser, colleague: Actor, browser_of: Any
) -> None:
    customer = make_customer()
    change(desk, [customer], "channel", "shop", step="apply")
    batch = BulkEdit.objects.get()
    browser_of(colleague).send(f"/bulk-edits/{batch.pk}/undo")
    assert of(customer)["channel"] == "shop"
    assert "shop" not in browser_of(colleague).get("/bulk-edits/").text


def test_a_batch_is_too_old_after_thirty_days(db: Any) -> None:
    from datetime import timedelta

    batch = {"state": "done", "at": NOW}
    assert bulk_edits.may_undo(batch, NOW + timedelta(days=29))
    assert not bulk_edits.may_undo(batch, NOW + timedelta(days=31))


def test_a_kill_before_the_job_is_written_leaves_no_batch_under_way(
    desk: Browser, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: Any, **options: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(bulk_edits, "AT_ONCE", 1)
    ids = [make_customer(), make_customer()]
    with monkeypatch.context() as broken:
        broken.setattr(bulk_edits.job_runs, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            change(desk, ids, "channel", "shop", step="apply")
    assert BulkEdit.objects.count() == 0
    change(desk, ids, "channel", "shop", step="apply")
    run = JobRun.objects.get(name="bulk_edit")
    registry.JOBS["bulk_edit"](NoProgress(), **run.arguments)
    batch = BulkEdit.objects.get()
    with monkeypatch.context() as broken:
        broken.setattr(bulk_edits.job_runs, "create", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.send(f"/bulk-edits/{batch.pk}/undo")
    assert BulkEdit.objects.get().state == "done"
