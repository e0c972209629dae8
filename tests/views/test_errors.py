"""Every error as a page, a toast or JSON, in the reader's language."""

from datetime import date
from typing import Any

import pytest
from bson import ObjectId
from flask import Flask, abort
from pymongo.errors import ServerSelectionTimeoutError

from config import Settings
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound, StaleForm
from tests.views.conftest import Browser, make_app
from views.context import public


class Late(CareError):
    status = 409
    message = N_("from %(start)s to %(end)s")


RAISED = {
    "missing": NotFound(),
    "forbidden": NotAllowed(),
    "stale": StaleForm(),
    "invalid": InvalidInput(),
    "late": Late(start=date(2026, 2, 28), end=date(2028, 2, 29)),
    "away": ServerSelectionTimeoutError("no server at 10.0.0.1"),
    "broken": ZeroDivisionError("secret detail"),
}


@pytest.fixture(scope="module")
def failing(settings: Settings) -> Flask:
    made = make_app(settings)

    @made.get("/fail/<how>")
    @public
    def fail(how: str) -> Any:
        if how == "id":
            return str(ObjectId("no id at all"))
        if how.isdigit():
            abort(int(how))
        raise RAISED[how]

    return made


@pytest.fixture
def browser(failing: Flask, db: Any) -> Browser:
    return failing.test_client()


@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("missing", 404, "Bản ghi này không tồn tại"),
        ("forbidden", 403, "Bạn không có quyền"),
        ("stale", 409, "Nội dung của bạn vẫn còn"),
        ("invalid", 422, "Một số ô cần xem lại"),
        ("late", 409, "từ 28/02/2026 đến 29/02/2028"),
        ("id", 404, "Bản ghi này không tồn tại"),
        ("away", 503, "Hiện không kết nối được cơ sở dữ liệu"),
        ("broken", 500, "Mã lỗi:"),
        ("403", 403, "Không được phép"),
        ("404", 404, "Không có trang này"),
        ("405", 405, "Không mở được theo cách này"),
        ("413", 413, "Quá lớn"),
        ("418", 418, "Yêu cầu chưa đúng"),
        ("429", 429, "Quá nhiều lần thử"),
    ],
)
def test_it_is_a_page_in_the_readers_language(
    browser: Browser, how: str, status: int, said: str
) -> None:
    response = browser.get(f"/fail/{how}")
    assert response.status_code == status
    assert said in response.text
    assert '<html lang="vi">' in response.text


@pytest.mark.parametrize("how", ["broken", "away"])
def test_it_tells_nobody_the_inner_cause(browser: Browser, how: str) -> None:
    page = browser.get(f"/fail/{how}").text
    assert "secret detail" not in page
    assert "10.0.0.1" not in page
    assert "Traceback" not in page


def test_it_is_a_toast_for_htmx(browser: Browser) -> None:
    response = browser.get("/fail/stale", headers={"HX-Request": "true"})
    assert response.status_code == 409
    assert response.headers["HX-Retarget"] == "#toasts"
    assert response.headers["HX-Reswap"] == "beforeend"
    assert "toast-error" in response.text
    assert "<html" not in response.text


def test_it_is_json_for_programs(browser: Browser) -> None:
    response = browser.get("/fail/missing", headers={"Accept": "application/json"})
    assert response.status_code == 404
    assert response.json is not None
    assert response.json["error"].startswith("Bản ghi này không tồn tại")


def test_it_speaks_english_to_who_reads_english(browser: Browser) -> None:
    browser.set_cookie("locale", "en")
    assert "This record does not exist" in browser.get("/fail/missing").text


def test_it_has_a_page_when_the_database_is_away(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Any) -> None:
        raise ServerSelectionTimeoutError("away")

    monkeypatch.setattr("stores.mongo.connect", away)
    response = browser.get("/")
    assert response.status_code == 503
    assert "Không kết nối được cơ sở dữ liệu" in response.text
