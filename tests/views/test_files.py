"""Files on the customer's page, the order's page and with a care entry (S2.5)."""

import io
import json
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bson import ObjectId
from werkzeug.datastructures import FileStorage

from models import Attachment, Interaction, TrashedRecord
from rules.scope import Actor
from tests.factories import make_customer, make_order
from tests.pictures import picture, sound
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("valkey")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/"}
TYPED = {
    "content": "Đã gửi báo giá",
    "feedback": "satisfied",
    "next_on": "30/11/2026",
    "count": "0",
    "entry_key": "k1",
}


@pytest.fixture
def customer(db: Any) -> ObjectId:
    return make_customer()


def sent(content: bytes = b"abc", name: str = "báo giá.txt") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def large(name: str, megabytes: int) -> FileStorage:
    return FileStorage(io.BytesIO(bytes(megabytes * 1024 * 1024)), name)


def newest() -> dict[str, Any]:
    found = Attachment.collection().find_one(sort=[("_id", -1)])
    assert found
    return found


def test_the_page_takes_several_files_and_lists_them(desk: Browser, customer: ObjectId) -> None:
    files = [sent(picture(), "ảnh.png"), sent(sound(), "ghi âm.wav"), sent(name="a.xlsx")]
    response = desk.send(f"/files/to/customers/{customer}", {"files": files})
    assert response.location == f"/customers/{customer}?tab=files"
    page = desk.get(response.location).text
    for text in ("ảnh.png", "ghi âm.wav", "a.xlsx", "/thumbnail", "<audio", "3 B"):
        assert text in page, text
    assert "media-src 'self'" in desk.get("/customers").headers["Content-Security-Policy"]


def test_scripts_get_the_row_and_an_error_as_a_toast(desk: Browser, customer: ObjectId) -> None:
    address = f"/files/to/customers/{customer}"
    response = desk.send(address, {"files": sent(), "upload_key": "x"}, headers=HTMX)
    assert response.status_code == 200
    assert f'id="file-{newest()["_id"]}"' in response.text
    assert "<html" not in response.text
    refused = desk.send(address, {"files": sent(b"")}, headers=HTMX)
    assert refused.status_code == 422
    assert "toast-text" in refused.text


def test_deleting_offers_undo(desk: Browser, customer: ObjectId) -> None:
    desk.send(f"/files/to/customers/{customer}", {"files": sent()})
    file_id = newest()["_id"]
    response = desk.send(f"/files/{file_id}/delete", headers=HTMX)
    shown = json.loads(response.headers["HX-Trigger"])["carebook:toast"]
    assert shown["undo"] == f"/files/{file_id}/restore"
    assert "báo giá.txt" not in desk.get(f"/customers/{customer}?tab=files").text
    assert desk.send(shown["undo"]).location == f"/customers/{customer}?tab=files"
    assert "báo giá.txt" in desk.get(f"/customers/{customer}?tab=files").text
    assert desk.send(f"/files/{file_id}/delete").status_code == 303
    assert TrashedRecord.collection().count_documents({"kind": "attachments"}) == 1


def test_an_order_has_files_and_its_customer_shows_them(desk: Browser, customer: ObjectId) -> None:
    order = make_order(customer, {}, code="DH-77")
    desk.send(f"/files/to/orders/{order}", {"files": sent()})
    assert "báo giá.txt" in desk.get(f"/orders/{order}?tab=files").text
    page = desk.get(f"/customers/{customer}?tab=files").text
    assert "báo giá.txt" in page
    assert "DH-77" in page


def test_files_sent_while_writing_go_with_the_entry(desk: Browser, customer: ObjectId) -> None:
    response = desk.send("/files/pending", {"files": sent()}, headers=HTMX)
    file_id = str(newest()["_id"])
    assert f'name="file" value="{file_id}"' in response.text
    address = f"/care/customers/{customer}"
    again = desk.send(address, TYPED | {"content": "", "file": file_id}, headers=HTMX)
    assert again.status_code == 422
    assert f'name="file" value="{file_id}"' in again.text
    assert desk.send(address, TYPED | {"file": file_id}, headers=HTMX).status_code == 200
    said = Interaction.collection().find_one({"kind": "care"})
    assert said
    assert said["attachments"][0]["name"] == "báo giá.txt"
    assert f"/files/{file_id}" in desk.get(f"/customers/{customer}").text
    assert f"/files/{file_id}" in desk.get(f"/care/customers/{customer}").text


def test_without_scripts_the_form_carries_its_files(desk: Browser, customer: ObjectId) -> None:
    address = f"/care/customers/{customer}"
    again = desk.send(address, TYPED | {"content": "", "files": sent()})
    assert again.status_code == 422
    file_id = str(newest()["_id"])
    assert f'name="file" value="{file_id}"' in again.text
    response = desk.send(address, TYPED | {"file": file_id, "files": sent(name="b.txt")})
    assert response.status_code == 303
    said = Interaction.collection().find_one({"kind": "care"})
    assert said
    assert {one["name"] for one in said["attachments"]} == {"báo giá.txt", "b.txt"}


def test_a_refused_file_keeps_what_was_typed(desk: Browser, customer: ObjectId) -> None:
    again = desk.send(f"/care/customers/{customer}", TYPED | {"files": sent(b"")})
    assert again.status_code == 422
    assert "Đã gửi báo giá" in again.text
    assert "tệp trống" in again.text
    assert Interaction.collection().count_documents({}) == 0


def test_a_file_that_is_far_too_large_keeps_what_was_typed_and_the_other_files(
    desk: Browser, customer: ObjectId
) -> None:
    files = [FileStorage(*sent()), large("quay phim.mp4", 30), FileStorage(*sent(name="c.txt"))]
    again = desk.send_large(f"/care/customers/{customer}", TYPED, "files", *files)
    assert again.status_code == 422
    assert "Đã gửi báo giá" in again.text
    assert "“quay phim.mp4” lớn hơn 20 MB" in unescape(again.text)
    assert Attachment.collection().count_documents({}) == 2
    for one in Attachment.collection().find():
        assert f'name="file" value="{one["_id"]}"' in again.text
    assert Interaction.collection().count_documents({}) == 0


def test_several_files_of_a_plain_form_may_be_large_together(
    desk: Browser, customer: ObjectId
) -> None:
    files = [large(name, 15) for name in ("a.bin", "b.bin")]
    page = desk.send_large(f"/files/to/customers/{customer}", {}, "files", *files)
    assert page.status_code == 303
    assert Attachment.collection().count_documents({"owner_id": customer}) == 2


def test_a_waiting_file_is_removed_for_good(desk: Browser, db: Any) -> None:
    desk.send("/files/pending", {"files": sent()}, headers=HTMX)
    response = desk.send(f"/files/{newest()['_id']}/delete", headers=HTMX)
    assert (response.status_code, response.text) == (200, "")
    assert Attachment.collection().count_documents({}) == 0
    assert db["files.files"].count_documents({}) == 0


def test_a_foreign_file_is_as_if_it_did_not_exist(
    desk: Browser,
    colleague: Actor,
    browser_of: Callable[[Actor], Browser],
    db: Any,
    agent: Actor,
    customer: ObjectId,
) -> None:
    desk.send(f"/files/to/customers/{customer}", {"files": sent(picture(), "a.png")})
    file_id = newest()["_id"]
    db.customers.update_one({"_id": customer}, {"$set": {"seen_by": [agent.staff_id]}})
    db.site.update_one(
        {"key": "site"}, {"$set": {"care_mode": "by_customer"}, "$inc": {"config_rev": 1}}
    )
    other = browser_of(colleague)
    assert desk.get(f"/files/{file_id}").status_code == 200
    for address in (f"/files/{file_id}", f"/files/{file_id}/thumbnail"):
        assert other.get(address).status_code == 404
    for address in (f"/files/{file_id}/delete", f"/files/{file_id}/restore"):
        assert other.send(address).status_code in (403, 404)
    assert other.send(f"/files/to/customers/{customer}", {"files": sent()}).status_code == 404
    assert Attachment.collection().count_documents({}) == 1
