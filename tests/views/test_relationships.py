"""The screen of relationship rules, and what a customer's page says about its status (S3.3)."""

import re
from datetime import timedelta

import pytest

from models import Customer, Interaction, JobRun
from services import relationship_setup, relationships
from tests.factories import NOW, make_customer, make_order

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")
ADDRESS = "/settings/relationships/"
FIELD = re.compile(r"<(input|select)\b([^>]*)>(.*?)(?=<(?:input|select)\b|</form>)", re.S)


def page(browser, address=ADDRESS):
    response = browser.get(address)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def fields(html):
    """What the form of the page would send."""
    form = html[html.index('<form class="rules"') :]
    sent = {}

    def add(name, value):
        sent.setdefault(name, []).append(value)

    for kind, attributes, rest in FIELD.findall(form):
        name = re.search(r'name="([^"]+)"', attributes)
        value = re.search(r'value="([^"]*)"', attributes)
        if not name or name.group(1) == "csrf_token":
            continue
        if kind == "select":
            chosen = re.search(r'<option value="([^"]*)" selected', rest)
            first = re.search(r'<option value="([^"]*)"', rest)
            add(name.group(1), (chosen or first).group(1))
        elif 'type="checkbox"' not in attributes or " checked" in attributes:
            add(name.group(1), value.group(1) if value else "")
    return sent


def send(browser, form, do):
    return browser.send(ADDRESS, form | {"do": do})


@pytest.fixture
def browser(administrator, browser_of):
    return browser_of(administrator)


def said(customer_id, days_ago):
    Interaction.collection().insert_one(
        {"customer_id": customer_id, "kind": "care", "at": NOW - timedelta(days=days_ago)}
    )


def test_it_is_for_administrators(agent, manager, browser_of):
    for person in (agent, manager):
        assert browser_of(person).get(ADDRESS).status_code == 403
        assert browser_of(person).send(ADDRESS, {"do": "save"}).status_code == 403


def test_it_shows_the_shipped_rules_in_words(browser):
    html = page(browser)
    assert "Đừng quên: lâu chưa liên hệ" in html
    assert "số ngày từ lần liên hệ cuối: ít nhất 30" in html
    assert "mối quan hệ hiện tại: không phải Mất" in html


def test_saving_the_form_as_it_stands_changes_nothing(browser):
    before = relationship_setup.load()
    assert send(browser, fields(page(browser)), "save").status_code == 303
    assert relationship_setup.load() == before
    assert JobRun.collection().count_documents({}) == 0


def test_a_dry_run_counts_and_names_customers_and_writes_nothing(browser):
    for days in (20, 20, 40):
        said(make_customer(name="Phạm Quốc Bảo"), days)
    relationships.recompute(at=NOW)
    before = list(Customer.collection().find())
    form = fields(page(browser)) | {"r0.c0.number": "15"}
    html = send(browser, form, "try").get_data(as_text=True)
    assert "2 khách hàng" in html
    assert "Đừng quên" in html
    assert "Phạm Quốc Bảo" in html
    assert "20 (ít nhất 15)" in html
    assert list(Customer.collection().find()) == before
    assert relationship_setup.load().version == 1


def test_a_dry_run_follows_what_counts_as_a_contact(browser):
    one = make_customer()
    said(one, 40)
    make_order(one)
    relationships.recompute(at=NOW)
    form = fields(page(browser)) | {"contact_kinds": ["care"]}
    assert "1 khách hàng" in send(browser, form, "try").get_data(as_text=True)


def test_saving_puts_the_rules_in_force_and_starts_the_job(browser):
    form = fields(page(browser)) | {"r0.c0.number": "15", "r0.c0.group.vip": "7"}
    assert send(browser, form, "save").status_code == 303
    condition = relationship_setup.load().rules[0].conditions[0]
    assert (condition.number, condition.by_group) == (15, {"vip": 7})
    assert JobRun.collection().find_one()["name"] == "recompute_relationships"
    assert "VIP: 7" in page(browser)


def test_rules_move_appear_and_go_without_being_saved(browser):
    form = fields(page(browser))
    moved = fields(send(browser, form, "down:0").get_data(as_text=True))
    assert moved["r1.key"] == ["do_not_forget"]
    fewer = fields(send(browser, moved, "drop:1").get_data(as_text=True))
    assert fewer["rules"] == ["4"]
    more = fields(send(browser, fewer, "add").get_data(as_text=True))
    assert more["rules"] == ["5"]
    more |= {"r0.label_vi": "Khách lớn", "r0.status": "hot", "r0.new_fact": "revenue"}
    asked = fields(send(browser, more, "condition:0").get_data(as_text=True))
    asked |= {"r0.c0.number": "1.000.000"}
    assert relationship_setup.load().version == 1
    assert send(browser, asked, "save").status_code == 303
    first = relationship_setup.load().rules[0]
    assert (first.status, first.conditions[0].number) == ("hot", 1_000_000)
    gone = fields(send(browser, fields(page(browser)), "uncondition:0:0").get_data(as_text=True))
    assert gone["r0.conditions"] == ["0"]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"r0.c0.number": "nhiều"}, "số nguyên"),
        ({"r0.label_vi": " "}, "đặt tên"),
        ({"r0.status": "nonsense"}, "chọn mối quan hệ"),
        ({"r0.hold_days": "x"}, "số nguyên"),
        ({"contact_kinds": []}, "ít nhất một loại"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(browser, typed, says):
    response = send(browser, fields(page(browser)) | typed, "save")
    assert response.status_code == 422
    html = response.get_data(as_text=True)
    assert says in html
    assert all(
        value in html for value in typed.values() if isinstance(value, str) and value.strip()
    )


def test_a_colleague_who_saved_first_is_not_written_over(browser):
    form = fields(page(browser))
    assert send(browser, form | {"r0.c0.number": "15"}, "save").status_code == 303
    late = send(browser, form | {"r0.c0.number": "20"}, "save")
    assert late.status_code == 409
    assert 'value="20"' in late.get_data(as_text=True)
    again = fields(late.get_data(as_text=True))
    assert send(browser, again, "save").status_code == 303
    assert relationship_setup.load().rules[0].conditions[0].number == 20


@pytest.mark.parametrize(
    "nonsense", [{}, {"rules": "99999"}, {"rules": "-1"}, {"rules": "x", "version": "y"}]
)
@pytest.mark.parametrize(
    "do", ["up:99", "drop:x", "uncondition:0", "condition:0:0:0", "add", "try"]
)
def test_forms_that_no_page_sends_do_no_harm(browser, nonsense, do):
    assert send(browser, nonsense, do).status_code in (200, 422)
    assert relationship_setup.load().version == 1


def test_the_customer_s_page_says_why(agent, browser_of):
    one = make_customer(relationship="approached")
    said(one, 42)
    relationships.recompute(at=NOW)
    html = page(browser_of(agent), f"/customers/{one}")
    assert "Quy tắc “Đừng quên: lâu chưa liên hệ”: số ngày từ lần liên hệ cuối: 42" in html
    assert "Mối quan hệ: Tiếp cận → Đừng quên" in html


def test_a_choice_in_the_edit_form_has_its_reason_in_the_history(agent, browser_of):
    one = make_customer()
    browser = browser_of(agent)
    html = page(browser, f"/customers/{one}/edit")
    assert "theo quy tắc" in html
    form = {
        "name": "Nguyễn Thị Bích Ngọc",
        "relationship": "hot",
        "relationship_reason": "Hỏi giá sỉ",
        "version": "1",
    }
    assert browser.send(f"/customers/{one}/edit", form).status_code == 303
    shown = page(browser, f"/customers/{one}")
    assert "Mối quan hệ: Mới → Nóng" in shown
    assert f"{agent.name} chọn ngày 21/11/2026: Hỏi giá sỉ" in shown
