"""`/metrics` tells an operator how requests, jobs, schedules and stores are doing, and nobody else."""

import re
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from config import Settings
from models import JobRun, Schedule
from rules.scope import Actor
from services import job_runs, monitoring, readiness, schedules
from stores.errors import StoreError
from tests.factories import NOW
from tests.views.conftest import Browser, make_app

TOKEN = "open sesame, says Ali Baba"


def numbers(text: str) -> dict[str, float]:
    """{"name{label=value,...}": value} of an answer."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def asked(browser: Browser) -> dict[str, float]:
    response = browser.get("/metrics")
    assert response.status_code == 200, response.text
    return numbers(response.text)


def test_requests_are_counted_by_route_and_not_by_address(stranger: Browser, valkey: Any) -> None:
    before = asked(stranger)
    for address in ("/login", "/login?next=/a", "/no/such/page", "/wp-login.php"):
        stranger.get(address)
    stranger.open("/no/such/page", method="BREW")
    text = stranger.get("/metrics").text
    after = numbers(text)

    def more(labels: str) -> float:
        name = f"carebook_request_seconds_count{{{labels}}}"
        return after.get(name, 0) - before.get(name, 0)

    assert more("method=GET,route=/login,status=2xx") == 2
    assert more("method=GET,route=none,status=4xx") == 2
    assert more("method=other,route=none,status=4xx") == 1
    assert "wp-login" not in text
    assert 'carebook_request_seconds_bucket{le="0.25",' in text


def test_jobs_are_counted_by_state(stranger: Browser, valkey: Any, administrator: Actor) -> None:
    job_runs.create("send_mail", {}, administrator, at=NOW)
    failed = job_runs.create("send_mail", {}, administrator)
    JobRun.collection().update_one({"_id": failed}, {"$set": {"state": "failed"}})
    job_runs.enqueue(failed)
    found = asked(stranger)
    assert found["carebook_jobs{state=queued}"] == 1
    assert found["carebook_jobs{state=failed}"] == 1
    assert found["carebook_jobs{state=running}"] == 0
    assert found["carebook_oldest_waiting_job_seconds"] != 0
    assert found["carebook_queue_length{queue=carebook}"] == 1
    assert found["carebook_workers"] == 0
    assert found["carebook_outbox_messages{state=set_aside}"] == 0
    assert found["carebook_scheduler_up"] == 0


@pytest.mark.usefixtures("morning", "shipped")
def test_a_schedule_that_nobody_starts_is_late(
    stranger: Browser, valkey: Any, settings: Settings
) -> None:
    name = "carebook_schedule_late_seconds{schedule=recompute_care}"
    # 10:00 now, due at 02:00.
    assert asked(stranger)[name] == pytest.approx(8 * 3600, abs=60)
    schedules.start_due(NOW, settings.zone)
    assert asked(stranger)[name] == 0
    Schedule.collection().update_one({"key": "recompute_care"}, {"$set": {"is_paused": True}})
    assert name not in asked(stranger)


@pytest.mark.usefixtures("morning", "shipped")
def test_a_schedule_whose_newest_run_failed_is_told(
    stranger: Browser, valkey: Any, settings: Settings
) -> None:
    name = "carebook_schedule_failed{schedule=purge_audit}"
    assert asked(stranger)[name] == 0
    for minutes, state, expected in ((1, "failed", 1), (2, "queued", 1), (3, "done", 0)):
        run = {"schedule": "purge_audit", "state": state, "name": "purge_audit"}
        JobRun.collection().insert_one({**run, "created_at": NOW + timedelta(minutes=minutes)})
        assert asked(stranger)[name] == expected


def test_the_stores_are_reported_and_the_version(stranger: Browser, valkey: Any) -> None:
    found = asked(stranger)
    assert found["carebook_store_up{store=mongodb}"] == 1
    assert found["carebook_store_up{store=valkey}"] == 1
    assert any(re.fullmatch(r"carebook_build_info\{.*version=\d.*\}", name) for name in found)


def test_a_store_that_is_away_does_not_take_the_answer_away(
    stranger: Browser, db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Settings) -> None:
        raise StoreError("Valkey is away.", "Start it.")

    monkeypatch.setattr(readiness.valkey, "connect", away)
    found = asked(stranger)
    assert found["carebook_store_up{store=valkey}"] == 0
    assert "carebook_jobs{state=queued}" in found
    assert "carebook_queue_length{queue=carebook}" not in found
    monkeypatch.setattr(readiness.mongo, "connect", away)
    found = asked(stranger)
    assert found["carebook_store_up{store=mongodb}"] == 0
    assert "carebook_jobs{state=queued}" not in found


@pytest.fixture
def no_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other settings would connect the process anew, which these tests are not about."""
    monkeypatch.setattr(monitoring, "gauges", lambda *_: iter(()))


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=127.0.0.1"},
        {"REMOTE_ADDR": ""},
    ],
)
@pytest.mark.parametrize("public_url", [None, "https://care.example.com"])
def test_without_a_token_only_this_machine_may_ask(
    environ: dict[str, str], public_url: str | None, settings: Settings, no_stores: None
) -> None:
    app = make_app(settings, public_url=public_url)
    refused = app.test_client().get("/metrics", environ_overrides=environ)
    assert refused.status_code == 403
    assert "carebook_request" not in refused.text
    assert "CAREBOOK_METRICS_TOKEN" in refused.text
    here = app.test_client().get("/metrics", environ_overrides={"REMOTE_ADDR": "::1"})
    assert here.status_code == 200


def test_with_a_token_it_alone_counts(settings: Settings, no_stores: None) -> None:
    browser = make_app(settings, metrics_token=SecretStr(TOKEN)).test_client()
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        refused = browser.get("/metrics", headers=header)
        assert refused.status_code == 401
        assert "carebook_request" not in refused.text
    right = {"Authorization": f"Bearer {TOKEN}"}
    answer = browser.get("/metrics", headers=right, environ_overrides={"REMOTE_ADDR": "10.0.0.7"})
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
