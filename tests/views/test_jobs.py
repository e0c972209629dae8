"""The job pages: whose runs, in plain words, live, stopped and started again (B.11)."""

import csv
import io
import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from jobs import registry, runner
from models import JobRun, Site
from rules.errors import CareError
from rules.scope import SYSTEM
from services import job_runs, outbox
from services.progress import Cancelled
from stores.mongo import in_transaction
from tests.factories import NOW, make_customer

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")


def a_run(by, name="recompute_care", **values):
    run_id = job_runs.create(name, {}, by, at=NOW)
    if values:
        JobRun.collection().update_one({"_id": run_id}, {"$set": values})
    return run_id


def running(by, **values):
    started = datetime.now(UTC) - timedelta(seconds=30)
    return a_run(
        by,
        **{"state": "running", "started_at": started, "progress": 15_799, "total": 25_900} | values,
    )


def page(browser, address):
    response = browser.get(address)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_everybody_sees_their_own_runs_and_administrators_all(
    agent, colleague, administrator, browser_of
):
    mine, other = a_run(agent), a_run(colleague, name="recompute_scope")
    seen = page(browser_of(agent), "/jobs/")
    assert str(mine) in seen
    assert str(other) not in seen
    for path in ("", "/live"):
        assert browser_of(agent).get(f"/jobs/{other}{path}").status_code == 404
    assert browser_of(agent).get(f"/jobs/rows/{other}").status_code == 404
    for act in ("cancel", "retry"):
        assert browser_of(agent).send(f"/jobs/{other}/{act}").status_code == 404
    everything = page(browser_of(administrator), "/jobs/")
    assert str(mine) in everything
    assert str(other) in everything


def test_a_running_job_says_how_far_it_is_and_how_long_it_takes(agent, browser_of):
    run_id = running(agent)
    html = page(browser_of(agent), f"/jobs/{run_id}")
    said = text_of(html)
    assert "Đang tính lại ngày chăm sóc của 25.900 đơn hàng và khách hàng: 61 %" in said
    assert re.search(r"còn khoảng (15|20) giây", said)
    assert re.search(r"5\d\d mỗi giây", said)
    assert 'hx-trigger="every 1s"' in html


def test_the_page_stops_asking_when_the_run_has_ended(agent, browser_of):
    run_id = a_run(agent, state="done", started_at=NOW, ended_at=NOW, counts={"orders_changed": 7})
    part = page(browser_of(agent), f"/jobs/{run_id}/live")
    assert "<html" not in part
    assert "every 1s" not in part
    assert "đơn đổi ngày chăm sóc" in part


def test_an_error_is_in_the_reader_s_language_with_its_parameters(agent, browser_of):
    run_id = a_run(
        agent,
        state="failed",
        error="This version of Carebook does not know the job “%(name)s”.",
        error_params={"name": "tương lai"},
        log=["Traceback", "<b>ValueError</b>"],
    )
    html = page(browser_of(agent), f"/jobs/{run_id}")
    assert "tương lai" in html
    assert "This version" not in html
    assert "&lt;b&gt;ValueError" in html
    assert "Chạy lại" in html


def test_records_that_were_set_aside_are_listed_with_their_reason(agent, browser_of):
    aside = [{"kind": "customers", "record_id": agent.staff_id, "reason": "TypeError: x"}]
    run_id = a_run(agent, state="done", set_aside=aside, set_aside_count=1)
    assert "TypeError: x" in page(browser_of(agent), f"/jobs/{run_id}")


def test_a_failed_run_starts_again(agent, browser_of):
    run_id = a_run(agent, state="failed", error="x", position={"orders": agent.staff_id})
    response = browser_of(agent).send(f"/jobs/{run_id}/retry", headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "HX-Trigger" in response.headers
    stored = JobRun.collection().find_one({"_id": run_id})
    assert stored["state"] == "queued"
    assert "error" not in stored
    assert "position" not in stored
    assert browser_of(agent).send(f"/jobs/{run_id}/retry").status_code == 422


def test_a_waiting_run_is_stopped_by_a_plain_form_too(agent, browser_of):
    run_id = a_run(agent)
    assert browser_of(agent).send(f"/jobs/{run_id}/cancel").status_code == 303
    assert JobRun.collection().find_one({"_id": run_id})["state"] == "cancelled"


def test_a_running_job_stops_within_two_seconds(agent, browser_of, monkeypatch):
    began = threading.Event()

    def endless(progress):
        while True:
            began.set()
            time.sleep(0.05)
            progress.advance()
            if progress.is_cancelled():
                raise Cancelled

    monkeypatch.setitem(registry.JOBS, "endless", endless)
    run_id = a_run(agent, name="endless")
    worker = threading.Thread(target=runner.run, args=(str(run_id),))
    worker.start()
    assert began.wait(5)
    asked = time.monotonic()
    browser_of(agent).send(f"/jobs/{run_id}/cancel")
    worker.join(5)
    assert time.monotonic() - asked < 2
    assert JobRun.collection().find_one({"_id": run_id})["state"] == "cancelled"


def test_the_top_of_the_page_shows_my_jobs_and_asks_only_while_there_are_any(
    agent, colleague, browser_of
):
    assert "every" not in page(browser_of(agent), "/jobs/mine")
    running(colleague)
    assert "every" not in page(browser_of(agent), "/jobs/mine")
    running(agent)
    a_run(agent)
    html = page(browser_of(agent), "/jobs/mine")
    assert "every 2s" in html
    assert "61 %" in html
    assert "+1" in html


def test_my_jobs_cost_one_query_along_an_index(agent, browser_of, queries):
    running(agent)
    browser = browser_of(agent)
    page(browser, "/jobs/mine")
    queries.clear()
    page(browser, "/jobs/mine")
    assert [query for query in queries if "job_runs" in query] == ["find job_runs"]
    criteria = {"started_by": agent.staff_id, "state": {"$in": ["queued", "running"]}}
    database = JobRun.collection().database
    plan = str(database.command("explain", {"find": "job_runs", "filter": criteria}))
    assert "active_runs_of_staff" in plan


def test_somebody_without_a_role_is_not_asked_for_jobs(outsider, browser_of):
    assert "my-jobs" not in browser_of(outsider).get("/account/").get_data(as_text=True)


def test_the_list_looks_again_only_while_something_is_under_way(administrator, browser_of):
    a_run(SYSTEM, state="done")
    assert "every 3s" not in page(browser_of(administrator), "/jobs/")
    a_run(SYSTEM)
    assert "every 3s" in page(browser_of(administrator), "/jobs/")


def cells(response):
    text = response.get_data(as_text=True)
    assert text.startswith("\ufeff"), "spreadsheets would take it for something else than UTF-8"
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def aside(kind, record_id, reason="ValueError: kaputt", **more):
    return {"kind": kind, "record_id": record_id, "reason": reason, **more}


def test_the_error_file_names_what_was_set_aside_and_why(administrator, browser_of):
    customer = make_customer(code="KH-1", name="=HYPERLINK(1)")
    text = "The database cannot be reached right now. Try again in a moment."
    run_id = a_run(
        administrator,
        state="failed",
        error="This version of Carebook does not know the job “%(name)s”.",
        error_params={"name": "fly"},
        set_aside=[
            aside("customers", customer, text, reason_params={}),
            aside("orders", ObjectId("6b0211ab48b9f14429e87fc6"), "-1 is odd"),
        ],
        set_aside_count=2,
    )
    browser = browser_of(administrator)
    assert f"/jobs/{run_id}/errors.csv" in page(browser, f"/jobs/{run_id}")
    response = browser.get(f"/jobs/{run_id}/errors.csv")
    assert response.mimetype == "text/csv"
    assert response.headers["Content-Disposition"].startswith("attachment; ")
    head, whole, first, second = cells(response)
    assert head == ["Loại", "Mã", "Tên", "Lý do", "Số của bản ghi"]
    assert whole[0] == "Toàn bộ công việc"
    assert "fly" in whole[3]
    assert first[:3] == ["Khách hàng", "KH-1", "'=HYPERLINK(1)"]
    assert "thử lại" in first[3]
    assert second[0] == "Đơn hàng"
    assert second[3:] == ["'-1 is odd", "6b0211ab48b9f14429e87fc6"]


def test_the_error_file_is_for_those_who_may_see_the_run(agent, colleague, manager, browser_of):
    run_id = a_run(agent, state="failed", error="Something unexpected happened.")
    address = f"/jobs/{run_id}/errors.csv"
    assert browser_of(agent).get(address).status_code == 200
    for person in (colleague, manager):
        assert browser_of(person).get(address).status_code == 404


def test_records_that_the_owner_may_not_see_have_a_number_only(agent, browser_of):
    Site.collection().update_one({"key": "site"}, {"$set": {"care_mode": "by_customer"}})
    mine, other = make_customer(name="Mine", seen_by=[agent.staff_id]), make_customer(name="Other")
    run_id = a_run(agent, set_aside=[aside("customers", mine), aside("customers", other)])
    text = browser_of(agent).get(f"/jobs/{run_id}/errors.csv").get_data(as_text=True)
    assert "Mine" in text
    assert "Other" not in text
    assert str(other) in text


def test_without_errors_there_is_no_file(agent, browser_of):
    run_id = a_run(agent, state="done")
    assert "errors.csv" not in page(browser_of(agent), f"/jobs/{run_id}")
    assert browser_of(agent).get(f"/jobs/{run_id}/errors.csv").status_code == 404


def test_an_administrator_sees_what_was_set_aside_and_tries_again(administrator, agent, browser_of):
    def refused(message):
        raise CareError("No customer %(name)s.", name="<b>An</b>")

    in_transaction(lambda session: outbox.put(session, "mail", "k", {}, at=NOW))
    outbox.deliver({"mail": outbox.Outside(refused)}, "w", now=lambda: NOW)
    message_id = outbox.set_aside()[0]["_id"]
    browser = browser_of(administrator)
    assert "/jobs/aside" in page(browser, "/jobs/")
    shown = page(browser, "/jobs/aside")
    assert "No customer &lt;b&gt;An&lt;/b&gt;." in shown
    assert browser.send(f"/jobs/aside/{message_id}/again").status_code == 303
    assert outbox.set_aside() == []
    assert browser.send(f"/jobs/aside/{message_id}/drop").status_code == 404
    assert "/jobs/aside" not in page(browser_of(agent), "/jobs/")
    assert browser_of(agent).get("/jobs/aside").status_code == 403
    assert browser_of(agent).send(f"/jobs/aside/{message_id}/again").status_code == 403
