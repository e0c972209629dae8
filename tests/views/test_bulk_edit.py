"""Many rows changed at once: seen beforehand, done once, refused where it must be, taken back."""

from typing import Any

import pytest

from jobs import registry
from models import AuditEntry, BulkEdit, Customer, JobRun
from rules.scope import Actor
from services import bulk_batches, bulk_edits, bulk_records
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
    save = bulk_records.record_saving.save
    done = []

    def killed(*args: Any, **options: Any) -> Any:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return save(*args, **options)

    monkeypatch.setattr(bulk_records.record_saving, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        registry.JOBS["bulk_edit"](NoProgress(), **run.arguments)
    monkeypatch.setattr(bulk_records.record_saving, "save", save)
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
    assert bulk_batches.may_undo(batch, NOW + timedelta(days=29))
    assert not bulk_batches.may_undo(batch, NOW + timedelta(days=31))


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


def kill_at(monkeypatch: pytest.MonkeyPatch, number: int, error: type[BaseException]) -> None:
    save, done = bulk_records.record_saving.save, []

    def killed(*args: Any, **options: Any) -> Any:
        done.append(1)
        if len(done) > number:
            raise error
        return save(*args, **options)

    monkeypatch.setattr(bulk_records.record_saving, "save", killed)


@pytest.fixture
def broken_off(desk: Browser, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Five ticked rows of which three changed before the process was killed."""
    ids = [make_customer(name=f"Khách {number}") for number in range(5)]
    with monkeypatch.context() as broken:
        kill_at(broken, 3, KeyboardInterrupt)
        # A killed process does not tidy up either.
        broken.setattr(bulk_batches, "let_go", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            change(desk, ids, "channel", "shop", step="apply")
    assert [of(one).get("channel") for one in ids] == ["shop"] * 3 + [None] * 2
    return ids


def later() -> None:
    """The page that was killed would have ended by now."""
    BulkEdit.collection().update_many({}, {"$set": {"busy_until": NOW - bulk_batches.BUSY}})


def test_a_page_killed_half_way_leaves_a_batch_that_can_be_undone(
    desk: Browser, broken_off: list[Any]
) -> None:
    batch = BulkEdit.objects.get()
    desk.send(f"/bulk-edits/{batch.pk}/undo")  # it may still be at work
    assert of(broken_off[0])["channel"] == "shop"
    assert f"/bulk-edits/{batch.pk}/undo" not in desk.get("/bulk-edits/").text
    later()
    page = desk.get("/bulk-edits/").text
    assert "Bị gián đoạn" in page
    assert "Làm tiếp" in page
    desk.send(f"/bulk-edits/{batch.pk}/undo")
    assert {of(one).get("channel") for one in broken_off} == {None}
    assert BulkEdit.objects.get().state == "undone"
    assert "Bị gián đoạn" not in desk.get("/bulk-edits/").text


def test_a_page_killed_half_way_leaves_a_batch_that_a_job_goes_on_with(
    desk: Browser, broken_off: list[Any], valkey: Any
) -> None:
    later()
    Customer.collection().update_one({"_id": broken_off[0]}, {"$set": {"channel": "online"}})
    batch = BulkEdit.objects.get()
    for _ in range(2):  # a double click
        assert desk.send(f"/bulk-edits/{batch.pk}/go-on").status_code == 303
    run = JobRun.objects.get(name="bulk_edit")
    registry.JOBS["bulk_edit"](NoProgress(), **run.arguments)
    assert [of(one)["channel"] for one in broken_off] == ["online", *["shop"] * 4]
    assert BulkEdit.objects.get().state == "done"


def test_an_undo_killed_half_way_is_undone_again(
    desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [make_customer() for _ in range(4)]
    change(desk, ids, "channel", "shop", step="apply")
    batch = BulkEdit.objects.get()
    with monkeypatch.context() as broken:
        kill_at(broken, 2, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            desk.send(f"/bulk-edits/{batch.pk}/undo")
    assert BulkEdit.objects.get().state == "undoing"
    page = desk.get("/bulk-edits/").text  # what only failed is let go of at once
    assert "Bị gián đoạn" in page
    assert "Làm tiếp" not in page
    desk.send(f"/bulk-edits/{batch.pk}/undo")
    assert {of(one).get("channel") for one in ids} == {None}


def test_a_page_that_was_taken_over_stops(desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_edits, "PER_RANGE_OF_PAGE", 1)
    ids = [make_customer() for _ in range(3)]
    save = bulk_records.record_saving.save

    def taken(*args: Any, **options: Any) -> Any:
        BulkEdit.collection().update_many({}, {"$set": {"state": "undoing"}})
        return save(*args, **options)

    monkeypatch.setattr(bulk_records.record_saving, "save", taken)
    assert change(desk, ids, "channel", "shop", step="apply").status_code == 200
    assert [of(one).get("channel") for one in ids] == ["shop", None, None]


def test_a_job_that_was_stopped_leaves_a_batch_that_can_be_undone(
    desk: Browser, valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_edits, "AT_ONCE", 1)
    change(desk, [make_customer(), make_customer()], "channel", "shop", step="apply")
    assert "Bị gián đoạn" not in desk.get("/bulk-edits/").text
    JobRun.collection().update_many({}, {"$set": {"state": "cancelled"}})
    assert "Bị gián đoạn" in desk.get("/bulk-edits/").text


def test_reasons_are_said_in_the_readers_language(desk: Browser, valkey: Any) -> None:
    from rules.errors import N_, CareError

    first, second = make_customer(name="Ân"), make_customer(name="Bình")
    save = bulk_records.record_saving.save

    def refused(kind: str, record_id: Any, *args: Any, **options: Any) -> Any:
        if record_id == first:
            raise CareError(N_("A list has at most %(limit)s parts."), limit=3)
        return save(kind, record_id, *args, **options)

    with pytest.MonkeyPatch.context() as broken:
        broken.setattr(bulk_records.record_saving, "save", refused)
        change(desk, [first, second], "channel", "shop", step="apply")
    page = desk.get("/bulk-edits/").text
    assert "Ân" in page
    assert "Một danh sách có tối đa 3 mục." in page
    assert "A list has" not in page


def test_what_fails_unexpectedly_counts_as_refused(desk: Browser) -> None:
    ids = [make_customer(), make_customer()]
    with pytest.MonkeyPatch.context() as broken:
        kill_at(broken, 0, RuntimeError)
        change(desk, ids, "channel", "shop", step="apply")
    assert (BulkEdit.objects.get().changed, BulkEdit.objects.get().refused) == (0, 2)
    assert "RuntimeError" in desk.get("/bulk-edits/").text
