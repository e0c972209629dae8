"""The screen of schedules: next run, times, pause, run now."""

import pytest

from models import JobRun, Schedule

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")


def page(browser):
    response = browser.get("/settings/schedules/")
    assert response.status_code == 200
    return response.get_data(as_text=True)


def save(browser, **form):
    values = {"at_time": "03:15", "weekdays": ["0", "4"], "is_active": "1", "version": "1"} | form
    return browser.send("/settings/schedules/recompute_care", values)


def test_it_is_for_administrators(agent, manager, browser_of):
    for person in (agent, manager):
        assert browser_of(person).get("/settings/schedules/").status_code == 403
        assert save(browser_of(person)).status_code == 403
        ran = browser_of(person).send("/settings/schedules/recompute_care/run")
        assert ran.status_code == 403


def test_it_shows_the_next_run_in_the_site_s_time(administrator, browser_of):
    html = page(browser_of(administrator))
    assert "Asia/Ho_Chi_Minh" in html
    assert "22/11/2026 02:00" in html


def test_time_weekdays_and_pause_are_saved(administrator, browser_of):
    browser = browser_of(administrator)
    assert save(browser).status_code == 303
    stored = Schedule.collection().find_one({"key": "recompute_care"})
    assert (stored["at_time"], stored["weekdays"], stored["is_paused"]) == ("03:15", [0, 4], False)
    assert "23/11/2026 03:15" in page(browser)
    form = {"at_time": "03:15", "weekdays": ["0", "4"], "version": "2"}
    assert browser.send("/settings/schedules/recompute_care", form).status_code == 303
    assert "tạm dừng" in page(browser)


def test_what_is_wrong_is_said_and_what_was_typed_is_kept(administrator, browser_of):
    browser = browser_of(administrator)
    response = save(browser, at_time="25:99")
    assert response.status_code == 422
    assert "02:30" in response.get_data(as_text=True)
    assert "25:99" in response.get_data(as_text=True)
    assert save(browser).status_code == 303
    assert save(browser, at_time="04:00").status_code == 409


def test_run_now_leads_to_the_run_and_a_second_click_to_the_same(administrator, browser_of):
    browser = browser_of(administrator)
    first = browser.send("/settings/schedules/recompute_relationships/run")
    again = browser.send("/settings/schedules/recompute_relationships/run")
    assert first.status_code == again.status_code == 303
    assert first.location == again.location
    assert JobRun.collection().count_documents({}) == 1
    assert browser.get(first.location).status_code == 200


def test_an_unknown_schedule_is_not_found(administrator, browser_of):
    assert browser_of(administrator).send("/settings/schedules/nonsense/run").status_code == 404


def test_a_job_may_run_every_few_minutes_within_a_window(administrator, browser_of):
    browser = browser_of(administrator)
    html = page(browser)
    assert '<option value="15" selected>mỗi 15 phút</option>' in html, "end_viewers, as shipped"
    form = {"at_time": "8h30", "every_minutes": "60", "until_time": "17:30"}
    assert save(browser, **form).status_code == 303
    stored = Schedule.collection().find_one({"key": "recompute_care"})
    assert (stored["every_minutes"], stored["until_time"]) == (60, "17:30")
    assert '<option value="60" selected>mỗi 1 giờ</option>' in page(browser)


def test_a_window_that_ends_before_it_begins_is_told(administrator, browser_of):
    browser = browser_of(administrator)
    response = save(browser, every_minutes="30", until_time="03:00")
    assert response.status_code == 422
    html = response.get_data(as_text=True)
    assert "cùng ngày" in html
    assert 'value="03:00"' in html
    assert '<option value="30" selected>' in html
    assert save(browser, every_minutes="9999999999999").status_code == 422
