"""Files in fields on the screens: forms with and without scripts, the page, lists, who sees them."""

import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from bson import ObjectId
from werkzeug.datastructures import FileStorage

from models import Attachment, Customer, Product, Staff
from rules.scope import SYSTEM, Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW, make_customer, make_product
from tests.pictures import pdf, picture
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("valkey")
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://localhost/"}
NAME = "bí mật.pdf"


@pytest.fixture(autouse=True)
def fields(shipped: None) -> None:
    define("customers.contract", type="file", label_vi="Hợp đồng")
    define("customers.photos", type="picture", label_vi="Ảnh cửa hàng")


@pytest.fixture
def customer(db: Any) -> ObjectId:
    return make_customer(name="Bích Ngọc")


def define(key: str, **content: Any) -> None:
    change = Change("fields", key, content)
    configuration_changes.apply([change], says="f", by=SYSTEM, at=NOW)


def sent(content: bytes = b"", name: str = NAME) -> tuple[io.BytesIO, str]:
    return io.BytesIO(content or pdf()), name


def newest() -> dict[str, Any]:
    return Attachment.collection().find_one(sort=[("_id", -1)]) or {}


def names(customer: ObjectId, key: str = "contract") -> list[str]:
    record = Customer.collection().find_one({"_id": customer}) or {}
    ids = (record.get("custom") or {}).get(key, [])
    return [(Attachment.collection().find_one({"_id": one}) or {})["name"] for one in ids]


def fill(desk: Browser, customer: ObjectId, content: bytes = b"", name: str = NAME) -> str:
    """A customer with a file in its field; the file's id."""
    form = {"was.contract": "", "contract": "", "files.contract": sent(content, name)}
    assert desk.send(f"/customers/{customer}/edit", form).status_code == 303
    return str(newest()["_id"])


def test_a_plain_form_carries_its_files(desk: Browser, customer: ObjectId) -> None:
    page = desk.get(f"/customers/{customer}/edit").text
    assert 'enctype="multipart/form-data"' in page
    assert 'name="files.contract" multiple' in page
    first = fill(desk, customer)
    form = {
        "was.contract": first,
        "contract": ["", first],
        "files.contract": [sent(name="hai.pdf"), sent(name="ba.pdf")],
        "was.photos": "",
        "photos": "",
        "files.photos": sent(picture(), "ảnh.png"),
    }
    assert desk.send(f"/customers/{customer}/edit", form).status_code == 303
    assert names(customer) == ["ba.pdf", "hai.pdf", NAME]
    assert names(customer, "photos") == ["ảnh.png"]


def test_a_refused_form_keeps_files_and_texts(desk: Browser, customer: ObjectId) -> None:
    address = f"/customers/{customer}/edit"
    form = {
        "was.name": "Bích Ngọc",
        "name": "Bích Ngọc Hai",
        "was.contract": "",
        "contract": "",
        "was.photos": "",
        "photos": "",
        "files.photos": sent(name="không phải ảnh.png"),
    }
    form["files.contract"] = [sent(), (io.BytesIO(b""), "rỗng.txt")]
    again = desk.send(address, form)
    text = unescape(again.text)
    assert again.status_code == 422
    assert 'value="Bích Ngọc Hai"' in text
    assert "“rỗng.txt” là tệp trống" in text
    assert "“không phải ảnh.png” không phải là ảnh" in text
    kept = str(newest()["_id"])
    assert re.search(rf'name="contract" value="{kept}" checked', text)
    form = {"was.name": "Bích Ngọc", "name": "", "was.contract": "", "contract": ["", kept]}
    again = desk.send(address, form)
    assert again.status_code == 422
    assert re.search(rf'name="contract" value="{kept}" checked', again.text)
    assert desk.send(address, form | {"name": "Mới"}).status_code == 303
    assert names(customer) == [NAME]


def test_a_form_with_a_file_that_is_far_too_large_comes_back_as_it_was_typed(
    desk: Browser, customer: ObjectId
) -> None:
    """Without scripts nothing says so before the whole form was sent."""
    form = {
        "was.name": "Bích Ngọc",
        "name": "Bích Ngọc Hai",
        "was.contract": "",
        "contract": "",
    }
    large = FileStorage(io.BytesIO(bytes(30 * 1024 * 1024)), "quay phim.mp4")
    files = ("files.contract", FileStorage(*sent()), large)
    again = desk.send_large(f"/customers/{customer}/edit", form, *files)
    text = unescape(again.text)
    assert again.status_code == 422
    assert 'value="Bích Ngọc Hai"' in text
    assert "“quay phim.mp4” lớn hơn 20 MB" in text
    kept = str(newest()["_id"])
    assert re.search(rf'name="contract" value="{kept}" checked', text)
    assert names(customer) == []


def test_a_script_sends_files_before_the_form(desk: Browser, customer: ObjectId) -> None:
    address = "/files/field/customers/contract"
    response = desk.send(address, {"files": sent(), "upload_key": "k"}, headers=HTMX)
    one = str(newest()["_id"])
    assert re.search(rf'name="contract" value="{one}" checked', response.text)
    refused = desk.send("/files/field/customers/photos", {"files": sent()}, headers=HTMX)
    assert refused.status_code == 422
    assert "không phải là ảnh" in refused.text
    for missing, status in (
        ("customers/name", 403),
        ("customers/nope", 403),
        ("nope/contract", 404),
    ):
        sending = desk.send(f"/files/field/{missing}", {"files": sent()}, headers=HTMX)
        assert sending.status_code == status
    form = {"was.contract": "", "contract": ["", one]}
    assert desk.send(f"/customers/{customer}/edit", form).status_code == 303
    assert names(customer) == [NAME]


def test_what_is_unticked_is_taken_out_and_can_be_ticked_again(
    desk: Browser, customer: ObjectId
) -> None:
    one = fill(desk, customer)
    address = f"/customers/{customer}/edit"
    page = desk.get(address).text
    assert re.search(rf'name="contract" value="{one}" checked', page)
    again = desk.send(address, {"was.contract": one, "contract": "", "was.name": "x", "name": ""})
    assert re.search(rf'name="contract" value="{one}" aria-label', again.text)
    assert desk.send(address, {"was.contract": one, "contract": ""}).status_code == 303
    assert names(customer) == []
    assert desk.get(f"/files/{one}").status_code == 404


def test_a_field_of_one_file_has_it_replaced(desk: Browser, customer: ObjectId) -> None:
    define("customers.contract", type="file", label_vi="Hợp đồng", maximum="1")
    one = fill(desk, customer)
    page = desk.get(f"/customers/{customer}/edit").text
    assert 'name="files.contract">' in page
    form = {"was.contract": one, "contract": ["", one], "files.contract": sent(name="mới.pdf")}
    assert desk.send(f"/customers/{customer}/edit", form).status_code == 303
    assert names(customer) == ["mới.pdf"]


def test_a_new_record_begins_with_its_files(desk: Browser) -> None:
    define("customers.contract", type="file", label_vi="Hợp đồng", is_required=True)
    form = {"record_id": str(ObjectId()), "name": "Cửa hàng", "contract": ""}
    again = desk.send("/customers/new", form)
    assert again.status_code == 422
    assert 'id="contract-error"' in again.text
    response = desk.send("/customers/new", form | {"files.contract": sent()})
    assert response.status_code == 303, response.text
    assert names(ObjectId(response.location.rsplit("/", 1)[1])) == [NAME]


def test_it_is_changed_on_the_page_itself(desk: Browser, customer: ObjectId) -> None:
    address = f"/record/customers/{customer}/photos"
    form = desk.get(address, headers=HTMX).text
    assert 'enctype="multipart/form-data"' in form
    assert "/files/field/customers/photos" in form
    shown = desk.send(
        address,
        {"was.photos": "", "photos": "", "files.photos": sent(picture(), "ảnh.png")},
        headers=HTMX,
    )
    assert shown.status_code == 200
    one = newest()["_id"]
    assert f'<img src="/files/{one}/thumbnail" alt="ảnh.png"' in shown.text
    refused = desk.send(
        address, {"was.photos": str(one), "photos": str(one), "files.photos": sent()}, headers=HTMX
    )
    assert refused.status_code == 422
    assert f'value="{one}" checked' in refused.text
    assert "không phải là ảnh" in refused.text


def test_each_refused_file_is_named(desk: Browser, customer: ObjectId) -> None:
    """Sent with the form itself; the one that can be taken is kept."""
    files = [sent(name="một.png"), sent(picture(), "ảnh.png"), sent(name="hai.png")]
    form = {"was.photos": "", "photos": "", "files.photos": files}
    refused = desk.send(f"/record/customers/{customer}/photos", form, headers=HTMX)
    assert refused.status_code == 422
    assert "một.png" in refused.text
    assert "hai.png" in refused.text
    assert f'value="{newest()["_id"]}" checked' in refused.text


def test_page_list_filter_and_history_show_it(desk: Browser, customer: ObjectId) -> None:
    one = fill(desk, customer)
    other = make_customer(name="Không Tệp")
    page = desk.get(f"/customers/{customer}?tab=details").text
    assert f'href="/files/{one}"' in page
    assert NAME in page
    for tree, found in (("contract.filled()", True), ("contract.empty()", False)):
        listed = desk.get(f"/customers/?where={tree}").text
        assert (f"row-{customer}" in listed, f"row-{other}" in listed) == (found, not found)
    history = desk.get(f"/changes/customers/{customer}").text
    assert "Hợp đồng" in history
    assert NAME in history
    compared = desk.get(f"/changes/customers/{customer}/compare?left=first&right=now").text
    assert NAME in compared


def test_a_list_shows_pictures_small_and_files_by_name(
    desk: Browser, customer: ObjectId, agent: Actor
) -> None:
    fill(desk, customer)
    form = {
        "was.photos": "",
        "photos": "",
        "files.photos": [sent(picture(), f"{number}.png") for number in range(5)],
    }
    desk.send(f"/customers/{customer}/edit", form)
    shown = [{"key": "name"}, {"key": "contract"}, {"key": "photos"}]
    Staff.collection().update_one(
        {"_id": agent.staff_id}, {"$set": {"lists.customers.columns": shown}}
    )
    listed = desk.get("/customers/").text
    assert listed.count('class="cell-picture"') == 3
    assert "+2" in listed
    assert f">{NAME}</a>" in listed


@pytest.mark.parametrize("level", ["hidden", "masked"])
def test_a_role_that_does_not_see_the_field_finds_the_file_nowhere(
    desk: Browser,
    customer: ObjectId,
    agent: Actor,
    colleague: Actor,
    browser_of: Callable[[Actor], Browser],
    level: str,
) -> None:
    one = fill(desk, customer, picture(), NAME)
    desk.send(f"/customers/{customer}/edit", {"was.contract": one, "contract": ""})
    two = fill(desk, customer, picture(), NAME)
    kinds = {
        key: {"actions": ["see", "edit", "create", "delete", "export"], "reach": "all"}
        for key in ("customers", "entries", "attachments")
    }
    kinds["customers"]["fields"] = {"contract": level}  # type: ignore[assignment]
    role = {"label_vi": "x", "kinds": kinds, "abilities": ["reveal"]}
    configuration_changes.apply([Change("roles", "op", role)], says="x", by=SYSTEM, at=NOW)
    Staff.collection().update_one({"_id": colleague.staff_id}, {"$set": {"roles": ["op"]}})
    theirs = browser_of(colleague)
    for address in (f"/files/{two}", f"/files/{two}/thumbnail", f"/files/{two}?download"):
        assert desk.get(address).status_code == 200
        assert theirs.get(address).status_code == 404
    for address in (
        "/customers/",
        f"/customers/{customer}",
        f"/customers/{customer}?tab=details",
        f"/customers/{customer}?tab=files",
        f"/customers/{customer}/edit",
        f"/changes/customers/{customer}",
        f"/changes/customers/{customer}/compare",
        f"/care/customers/{customer}",
        f"/record/customers/{customer}/contract?show",
        "/trash/",
        "/customers/export?format=csv",
        "/lookup/condition/files/1?q=bi",
    ):
        page = theirs.get(address).text
        assert NAME not in page, address
        assert two not in page, address
    assert (
        theirs.send(f"/record/customers/{customer}/contract", {"contract": ""}).status_code == 403
    )
    assert theirs.send(f"/reveal/customers/{customer}/contract").status_code == 404
    assert theirs.send(f"/files/{two}/delete").status_code in (403, 404)
    assert theirs.send(f"/files/{one}/restore").status_code in (403, 404)
    sending = theirs.send("/files/field/customers/contract", {"files": sent()}, headers=HTMX)
    assert sending.status_code == 403
    assert names(customer) == [NAME]


def test_the_trash_of_a_record_does_not_name_hidden_files(
    desk: Browser,
    customer: ObjectId,
    manager: Actor,
    administrator: Actor,
    browser_of: Callable[[Actor], Browser],
) -> None:
    fill(desk, customer)
    office = browser_of(administrator)
    assert office.send(f"/customers/{customer}/delete").status_code == 303
    batch = desk_batch(office)
    assert NAME in office.get(f"/trash/{batch}").text
    kinds = {"*": {"actions": ["see", "edit", "delete"], "reach": "all"}}
    kinds["customers"] = kinds["*"] | {"fields": {"contract": "hidden"}}  # type: ignore[operator]
    role = {"label_vi": "x", "kinds": kinds, "abilities": []}
    configuration_changes.apply([Change("roles", "op", role)], says="x", by=SYSTEM, at=NOW)
    Staff.collection().update_one({"_id": manager.staff_id}, {"$set": {"roles": ["op"]}})
    page = browser_of(manager).get(f"/trash/{batch}")
    assert page.status_code == 200
    assert NAME not in page.text


def desk_batch(browser: Browser) -> str:
    found = re.search(r'href="/trash/([0-9a-f]{24})"', browser.get("/trash/").text)
    assert found
    return found.group(1)


def test_a_product_has_files_in_fields_and_no_documents(
    manager: Actor, morning: None, browser_of: Callable[[Actor], Browser], db: Any
) -> None:
    define("products.leaflet", type="file", label_vi="Tờ rơi")
    product = (Product.collection().find_one({"code": make_product("SP1")}) or {})["_id"]
    boss = browser_of(manager)
    form = {"was.leaflet": "", "leaflet": "", "files.leaflet": sent()}
    answer = boss.send(f"/products/{product}/edit", form)
    assert answer.status_code == 303, answer.text
    one = newest()["_id"]
    assert boss.get(f"/files/{one}").status_code == 200
    for page in (f"/products/{product}/edit", f"/products/{product}?tab=details"):
        assert f"/files/{one}" in boss.get(page).text
    assert boss.send(f"/files/to/products/{product}", {"files": sent()}).status_code == 404


def test_the_number_of_documents_is_asked_for(
    desk: Browser, customer: ObjectId, colleague: Actor
) -> None:
    fill(desk, customer)
    page = desk.get(f"/customers/{customer}?tab=files").text
    assert f'data-files-count="/files/count/customers/{customer}"' in page
    assert '<span data-tab-count="files">0</span>' in page
    desk.send(f"/files/to/customers/{customer}", {"files": sent()})
    assert desk.get(f"/files/count/customers/{customer}").text == "1"
    for address in (f"/files/count/customers/{ObjectId()}", f"/files/count/staff/{customer}"):
        assert desk.get(address).status_code == 404


def test_a_draft_gets_its_own_waiting_files_back(
    desk: Browser, colleague: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    address = "/files/field/customers/contract"
    desk.send(address, {"files": sent()}, headers=HTMX)
    asked = f"{address}?file={newest()['_id']},nonsense,{ObjectId()}"
    assert desk.get(asked).text.count("file-keep-box") == 1
    assert NAME not in browser_of(colleague).get(asked).text


def test_two_people_at_one_field_are_told(
    desk: Browser, customer: ObjectId, colleague: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    theirs = browser_of(colleague)
    fill(desk, customer)
    photos = {"was.photos": "", "photos": "", "files.photos": sent(picture(), "ảnh.png")}
    assert desk.send(f"/customers/{customer}/edit", photos).status_code == 303
    mine = {"was.contract": "", "contract": "", "files.contract": sent(name="của tôi.pdf")}
    again = theirs.send(f"/customers/{customer}/edit", mine)
    assert again.status_code == 409
    stored = re.search(r'class="field-stored">[^<]*<b>([^<]*)</b>', again.text)
    assert stored
    assert unescape(stored.group(1)) == NAME
    assert "của tôi.pdf" in again.text
    assert names(customer) == [NAME]
