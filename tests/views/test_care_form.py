"""The care entry form: panel and page, errors, double clicks, colleagues, deleted orders (S1.18)."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from bson import ObjectId
from werkzeug.test import TestResponse

from models import Customer, Interaction, Order, Product
from models.base import stored_date
from rules.scope import Actor
from services import care, recompute
from services.care import CareEntry
from tests.factories import (
    NOW,
    TODAY,
    change_pick_list,
    make_area,
    make_customer,
    make_order,
    make_product,
)
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("desk")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/orders/due"}
NEXT = f"{TODAY + timedelta(days=7):%d/%m/%Y}"
TYPED = {
    "content": "Khách <hẹn> #tuvan\nthứ Hai",
    "feedback": "satisfied",
    "next_on": NEXT,
    "entry_key": "the-key-of-this-form",
    "count": "0",
}


@pytest.fixture
def customer() -> ObjectId:
    return make_customer(name="Lê Hoà", code="KH-7", area_id=make_area())


@pytest.fixture
def order(customer: ObjectId) -> ObjectId:
    made = make_order(customer, {make_product(interval=3): 1}, code="DH-7", due_on=TODAY)
    recompute.recompute_customers([customer])
    return made


def save(desk: Browser, order: ObjectId, *, htmx: bool = True, **form: str) -> TestResponse:
    headers = HTMX if htmx else {}
    return desk.send(f"/care/orders/{order}", TYPED | form, headers=headers)


def entries() -> list[dict[str, Any]]:
    """What was written; a status that changed by itself is no entry."""
    return list(Interaction.collection().find({"event": None}))


def fields(page: str) -> dict[str, str]:
    """The values that the form would send."""
    form = re.search(r'<form class="care-form".*?</form>', page, re.S)
    assert form
    found = {
        unescape(name): unescape(value)
        for name, value in re.findall(r'name="([^"]+)"[^>]*? value="([^"]*)"', form.group())
        if name not in ("feedback", "ended")
    }
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", form.group(), re.S)
    assert text
    found["content"] = unescape(text.group(1))
    for name in ("feedback", "ended"):
        for box in re.findall(rf'<input[^>]*name="{name}"[^>]*>', form.group()):
            if " checked" in box:
                found[name] = re.search(r'value="([^"]*)"', box).group(1)  # type: ignore[union-attr]
    return found


def test_the_panel_is_a_fragment_and_the_page_a_page(desk: Browser, order: ObjectId) -> None:
    panel = desk.get(f"/care/orders/{order}", headers=HTMX).text
    assert panel.lstrip().startswith('<div class="care"')
    page = desk.get(f"/care/orders/{order}").text
    assert "<html" in page
    for one in (panel, page):
        assert "Lê Hoà" in one
        assert "DH-7" in one
        assert f'action="/care/orders/{order}"' in one
        assert fields(one)["count"] == "0"


def test_each_form_has_a_key_of_its_own(desk: Browser, order: ObjectId) -> None:
    keys = [fields(desk.get(f"/care/orders/{order}").text)["entry_key"] for _ in range(2)]
    assert len(set(keys)) == 2
    assert all(len(key) > 15 for key in keys)


def test_saving_in_the_panel_tells_the_page_what_to_do(
    desk: Browser, customer: ObjectId, order: ObjectId
) -> None:
    response = save(desk, order)
    assert (response.status_code, response.text) == (200, "")
    detail = json.loads(response.headers["HX-Trigger"])["care-saved"]
    assert detail == {
        "text": "Đã ghi.",
        "customer": str(customer),
        "order": str(order),
        "written": True,
        "url": f"/customers/{customer}",
    }
    [entry] = entries()
    assert entry["content"] == "Khách <hẹn> #tuvan\nthứ Hai"
    assert entry["next_on"] == stored_date(TODAY + timedelta(days=7))


def test_saving_without_scripts_leads_to_the_customer_with_a_word(
    desk: Browser, customer: ObjectId, order: ObjectId
) -> None:
    response = save(desk, order, htmx=False)
    assert (response.status_code, response.location) == (303, f"/customers/{customer}")
    page = desk.get(response.location).text
    assert "Đã ghi." in page
    assert "Khách &lt;hẹn&gt; #tuvan" in page


def test_saving_in_the_queue_without_scripts_leads_to_the_next(
    desk: Browser, order: ObjectId
) -> None:
    assert save(desk, order, htmx=False, queue="1").location == "/queue"


def test_no_more_care_needs_no_date(desk: Browser, order: ObjectId) -> None:
    assert save(desk, order, next_on="", ended="1").status_code == 200
    [entry] = entries()
    assert entry["ended"]
    stored = Order.collection().find_one({"_id": order})
    assert stored
    assert stored["care"]["state"] == "ended"


@pytest.mark.parametrize("htmx", [True, False])
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"content": "  "}, "Hãy ghi nội dung"),
        ({"content": "x" * 10_001}, "10.001 ký tự"),
        ({"feedback": ""}, "Hãy chọn loại phản hồi"),
        ({"feedback": "nonsense"}, "Hãy chọn loại phản hồi trong danh sách"),
        ({"next_on": ""}, "Hãy chọn ngày CS kế tiếp"),
        ({"next_on": "31/02/2027"}, "“31/02/2027” không phải là ngày"),
        ({"next_on": "20/11/2026"}, "20/11/2026 đã qua"),
        ({"ended": "1"}, "Chỉ chọn một"),
        ({"ended": "1", "next_on": "nonsense"}, "“nonsense” không phải là ngày"),
    ],
)
def test_a_mistake_is_named_and_nothing_typed_is_lost(
    desk: Browser, order: ObjectId, wrong: dict[str, str], says: str, htmx: bool
) -> None:
    typed = TYPED | wrong
    response = save(desk, order, htmx=htmx, **wrong)
    assert response.status_code == 422
    assert says in unescape(response.text)
    assert ("<html" in response.text) is not htmx
    shown = fields(response.text)
    expected = {name: typed.get(name, "") for name in ("content", "next_on", "entry_key", "count")}
    assert {name: shown[name] for name in expected} == expected
    assert shown.get("ended") == typed.get("ended")
    if typed["feedback"] != "nonsense":
        assert shown.get("feedback", "") == typed["feedback"]
    assert entries() == []


def test_all_mistakes_are_named_at_once(desk: Browser, order: ObjectId) -> None:
    page = unescape(save(desk, order, content="", feedback="", next_on="").text)
    for says in ("Hãy ghi nội dung", "Hãy chọn loại phản hồi", "Hãy chọn ngày CS kế tiếp"):
        assert says in page


def test_a_form_with_nothing_in_it_is_refused_with_words(desk: Browser, order: ObjectId) -> None:
    response = desk.send(f"/care/orders/{order}", {})
    assert response.status_code in (409, 422)
    assert entries() == []


def test_the_corrected_form_saves_once(desk: Browser, order: ObjectId) -> None:
    shown = fields(save(desk, order, feedback="").text)
    assert desk.send(f"/care/orders/{order}", shown | {"feedback": "neutral"}).status_code == 303
    assert len(entries()) == 1


def test_a_double_click_saves_once(desk: Browser, order: ObjectId) -> None:
    save(desk, order)
    again = save(desk, order)
    assert again.status_code == 200
    assert (
        "Nội dung này đã được ghi trước đó"
        in json.loads(again.headers["HX-Trigger"])["care-saved"]["text"]
    )
    assert len(entries()) == 1


def test_a_reload_of_the_saved_page_saves_once(desk: Browser, order: ObjectId) -> None:
    save(desk, order, htmx=False)
    assert save(desk, order, htmx=False).status_code == 303
    assert len(entries()) == 1


def overtake(order: ObjectId, colleague: Actor) -> None:
    entry = CareEntry("Tôi nhanh hơn", "call_back", TODAY + timedelta(days=2))
    care.log_order_care(
        order, entry, by=colleague, at=NOW, today=TODAY, entry_key="faster", expected_count=0
    )


@pytest.mark.parametrize("htmx", [True, False])
def test_a_colleague_who_was_faster_is_shown_and_the_text_is_kept(
    desk: Browser, colleague: Actor, order: ObjectId, htmx: bool
) -> None:
    overtake(order, colleague)
    response = save(desk, order, htmx=htmx)
    assert response.status_code == 409
    assert 'class="notice notice-warn"' in response.text
    assert "Tôi nhanh hơn" in response.text
    shown = fields(response.text)
    assert shown["content"] == TYPED["content"]
    assert (shown["feedback"], shown["next_on"]) == ("satisfied", NEXT)
    assert shown["count"] == "1"
    assert len(entries()) == 1
    assert desk.send(f"/care/orders/{order}", shown).status_code == 303
    assert len(entries()) == 2


@pytest.mark.parametrize("count", ["", "x", "-1", "9" * 400, "٠"])
def test_a_form_without_a_right_count_counts_as_stale(
    desk: Browser, order: ObjectId, count: str
) -> None:
    response = save(desk, order, count=count)
    if count == "٠":  # a zero in another script is a zero
        assert response.status_code == 200
    else:
        assert response.status_code == 409
        assert fields(response.text)["content"] == TYPED["content"]


def test_the_text_about_a_deleted_order_can_be_copied(desk: Browser, order: ObjectId) -> None:
    Order.collection().delete_one({"_id": order})
    response = save(desk, order, htmx=False)
    assert response.status_code == 404
    assert "Đơn hàng này vừa bị xóa" in response.text
    assert "Khách &lt;hẹn&gt; #tuvan\nthứ Hai" in response.text
    assert "the-key-of-this-form" not in response.text


def test_a_deleted_order_leaves_the_panel_and_its_text_alone(
    desk: Browser, order: ObjectId
) -> None:
    Order.collection().delete_one({"_id": order})
    response = save(desk, order)
    assert response.status_code == 404
    assert response.headers["HX-Retarget"] == "#toasts"
    assert "Đơn hàng này vừa bị xóa" in response.text


def test_the_panel_of_a_deleted_order_says_so(desk: Browser) -> None:
    response = desk.get(f"/care/orders/{ObjectId()}", headers=HTMX)
    assert response.status_code == 404
    assert "Bản ghi này không tồn tại" in response.text
    assert desk.get("/care/orders/nonsense").status_code == 404


def test_an_order_without_customer_says_that_there_is_nobody(desk: Browser) -> None:
    response = desk.get(f"/care/orders/{make_order(None)}")
    assert response.status_code == 404
    assert "không có khách hàng" in response.text


def test_it_shows_what_was_said_before_newest_first(
    desk: Browser, colleague: Actor, customer: ObjectId, order: ObjectId
) -> None:
    """S1.18: the grid of this order's earlier care; what was said elsewhere comes after it."""
    for number, content in enumerate(["Lần đầu", "Lần hai"]):
        entry = CareEntry(content, "satisfied", TODAY + timedelta(days=1))
        care.log_order_care(
            order,
            entry,
            by=colleague,
            at=NOW + timedelta(minutes=number),
            today=TODAY,
            entry_key=content,
            expected_count=number,
        )
    other = make_order(customer, code="DH-8")
    entry = CareEntry("Ở đơn khác", "neutral", None, ended=True)
    care.log_order_care(
        other, entry, by=colleague, at=NOW, today=TODAY, entry_key="x", expected_count=0
    )
    page = desk.get(f"/care/orders/{order}").text
    places = [page.index(text) for text in ("Lần hai", "Lần đầu", "Ở đơn khác")]
    assert places == sorted(places)
    assert page.count("Lần đầu") == 1
    assert "Trần Văn Bình" in page
    assert "DH-8" in page


def test_it_suggests_how_many_contacts(desk: Browser, customer: ObjectId) -> None:
    """S1.8."""
    code = make_product(interval=3, care_min=2, care_max=4)
    page = desk.get(f"/care/orders/{make_order(customer, {code: 1})}").text
    assert "Gợi ý 2–4 lần · đã CS 0" in page
    Product.collection().update_one({"code": code}, {"$unset": {"care_max": ""}})
    order = Order.collection().find_one({"care_items.code": code})
    assert order
    assert "Gợi ý 2–… lần" in desk.get(f"/care/orders/{order['_id']}").text


def test_it_offers_the_feedback_types_in_use(desk: Browser, order: ObjectId) -> None:
    change_pick_list(
        "feedback", where={"content.values.key": "neutral"}, set={"values.$.retired": True}
    )
    from services import configuration

    configuration.forget()
    page = desk.get(f"/care/orders/{order}").text
    assert 'value="satisfied"' in page
    assert 'value="neutral"' not in page


def test_it_offers_other_open_orders_of_the_customer(
    desk: Browser, customer: ObjectId, order: ObjectId
) -> None:
    """S1.7: content is recorded per order."""
    other = make_order(customer, {}, code="DH-8", due_on=TODAY + timedelta(days=3))
    page = desk.get(f"/care/orders/{order}").text
    assert f'href="/care/orders/{other}"' in page
    assert f'href="/care/customers/{customer}?for=customer"' in page


def test_a_customers_square_opens_the_order_that_is_due(
    desk: Browser, customer: ObjectId, order: ObjectId
) -> None:
    page = desk.get(f"/care/customers/{customer}", headers=HTMX).text
    assert f'action="/care/orders/{order}"' in page
    page = desk.get(f"/care/customers/{customer}?for=customer", headers=HTMX).text
    assert f'action="/care/customers/{customer}"' in page


def test_a_prospect_can_be_cared_for(desk: Browser, customer: ObjectId) -> None:
    """S1.16."""
    response = desk.send(f"/care/customers/{customer}", TYPED, headers=HTMX)
    detail = json.loads(response.headers["HX-Trigger"])["care-saved"]
    assert (detail["customer"], detail["order"]) == (str(customer), None)
    stored = Customer.collection().find_one({"_id": customer})
    assert stored
    assert stored["own_care"]["state"] == "appointed"
    response = desk.send(f"/care/customers/{customer}", TYPED | {"entry_key": "b"}, headers=HTMX)
    assert response.status_code == 409
    response = desk.send(f"/care/customers/{ObjectId()}", TYPED | {"entry_key": "c"}, headers=HTMX)
    assert response.status_code == 404


def postpone(desk: Browser, order: ObjectId, **form: str) -> TestResponse:
    sent = {"count": "0", "entry_key": "k-later"} | form
    return desk.send(f"/care/orders/{order}/postpone", sent, headers=HTMX)


def test_postponing_moves_to_tomorrow_and_keeps_the_draft(desk: Browser, order: ObjectId) -> None:
    response = postpone(desk, order)
    detail = json.loads(response.headers["HX-Trigger"])["care-saved"]
    assert (detail["text"], detail["written"]) == ("Đã hoãn đến mai.", False)
    stored = Order.collection().find_one({"_id": order})
    assert stored
    assert stored["care"]["due_on"] == stored_date(TODAY + timedelta(days=1))
    postpone(desk, order)
    assert len(entries()) == 1


def test_postponing_what_a_colleague_cared_for_is_refused(
    desk: Browser, colleague: Actor, order: ObjectId
) -> None:
    overtake(order, colleague)
    assert postpone(desk, order).status_code == 409
    assert postpone(desk, ObjectId()).status_code == 404


def test_nobody_is_chosen_at_the_bare_address(desk: Browser) -> None:
    assert desk.get("/care").location == "/queue"


def test_the_queue_gives_one_customer_after_the_other(
    agent: Actor, desk: Browser, colleague: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    names = ["Anh Một", "Anh Hai", "Anh Ba"]
    for days, name in enumerate(names):
        customer = make_customer(name=name)
        make_order(customer, {}, due_on=TODAY - timedelta(days=9 - days))
        recompute.recompute_customers([customer])
    page = desk.get("/queue").text
    assert names[0] in page
    assert names[1] in browser_of(colleague).get("/queue").text
    left = re.search(r'href="(/queue\?skip=[0-9a-f]{24})"', page)
    assert left
    response = desk.get(left.group(1), follow_redirects=True)
    assert response.request.path == "/queue"
    assert names[2] in response.text
    assert names[2] in desk.get("/queue").text


def test_an_empty_queue_says_so(desk: Browser) -> None:
    assert desk.get("/queue").status_code == 200
    assert desk.get("/queue?skip=nonsense").status_code == 404


def test_the_first_page_counts_what_waits_and_what_was_done(desk: Browser, order: ObjectId) -> None:
    page = desk.get("/").text
    assert re.search(r'class="today-number">1<', page)
    save(desk, order)
    page = desk.get("/").text
    assert re.search(r'class="today-number">0<', page)
    assert "Khách &lt;hẹn&gt; #tuvan" in page
