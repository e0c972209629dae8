"""[Nhân viên]: administrators invite, change, deactivate and log out staff."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask

from models import AuditEntry, Staff
from rules.scope import ADMINISTRATOR, CARE_AGENT, MANAGER, SYSTEM, Actor
from services import accounts, credentials, login_attempts, staff_sessions
from tests.views.conftest import Browser

PASSWORD = "trời hôm nay đẹp"
LINK = re.compile(r'value="http://[^"/]+(/link/[A-Za-z0-9_-]{20,})"')


@pytest.fixture
def admin(administrator: Actor, browser_of: Callable[[Actor], Browser], shipped: None) -> Browser:
    return browser_of(administrator)


@pytest.fixture
def chi(db: Any) -> Staff:
    return accounts.create_staff("chi@example.com", "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD)


def form_of(staff: Staff, **changes: Any) -> dict[str, Any]:
    stored = Staff.objects.get(pk=staff.pk)
    form = {"name": stored.name, "roles": list(stored.roles), "version": str(stored.version)}
    return form | changes


def actions(staff: Staff) -> list[str]:
    return [one.action for one in AuditEntry.objects(record_id=staff.pk).order_by("id")]


def test_it_lists_staff_with_roles_state_and_finds_them_without_accents(
    admin: Browser, chi: Staff
) -> None:
    page = admin.get("/staff?q=thi+chi").text
    assert "Lê Thị Chi" in page
    assert "chi@example.com" in page
    assert "Nhân viên chăm sóc" in page
    assert "Lê Thị Chi" not in admin.get("/staff?q=nobody").text
    assert "Lê Thị Chi" not in admin.get("/staff?state=inactive").text


@pytest.mark.parametrize("address", ["/staff", "/staff/new", "/audit", "/settings/access"])
def test_it_is_for_administrators_only(
    agent: Actor, manager: Actor, browser_of: Callable[[Actor], Browser], address: str
) -> None:
    for actor in (agent, manager):
        assert browser_of(actor).get(address).status_code == 403


def test_it_refuses_every_change_by_others(
    manager: Actor, chi: Staff, browser_of: Callable[[Actor], Browser]
) -> None:
    browser = browser_of(manager)
    for what in ("", "/link", "/deactivate", "/activate", "/unlock", "/sessions/close"):
        assert browser.send(f"/staff/{chi.pk}{what}", form_of(chi)).status_code == 403
    assert Staff.objects.get(pk=chi.pk).version == chi.version


def test_it_creates_a_login_and_shows_the_link_once(admin: Browser, app: Flask, db: Any) -> None:
    form = {"name": "Người Mới", "email": "Moi@Example.com", "roles": [CARE_AGENT, MANAGER]}
    page = admin.send("/staff/new", form)
    assert page.status_code == 200
    link = LINK.search(page.text)
    assert link
    made = Staff.objects.get(email="moi@example.com")
    assert made.roles == [CARE_AGENT, MANAGER]
    assert link.group(1).rsplit("/", 1)[1] not in admin.get(f"/staff/{made.pk}").text
    new_one = app.test_client()
    assert new_one.send(link.group(1), {"password": PASSWORD}).status_code == 303
    assert new_one.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"email": "chi@example.com"}, "Đã có người"),
        ({"email": "not an address"}, "email"),
        ({"name": " "}, "tên"),
        ({"roles": []}, "vai trò"),
        ({"roles": ["god"]}, "vai trò"),
    ],
)
def test_it_keeps_what_was_typed_when_something_is_wrong(
    admin: Browser, chi: Staff, form: dict[str, Any], said: str
) -> None:
    typed = {"name": "Tên Đã Gõ", "email": "go@example.com", "roles": [CARE_AGENT]} | form
    page = admin.send("/staff/new", typed)
    assert page.status_code == 422
    assert said in page.text
    if "name" not in form:
        assert 'value="Tên Đã Gõ"' in page.text
    assert Staff.objects(email="go@example.com").count() == 0


def test_an_empty_form_says_beside_each_field_what_is_missing(admin: Browser) -> None:
    page = admin.send("/staff/new", {"name": "", "email": "", "roles": []})
    assert page.status_code == 422
    assert all(f'id="{name}-error"' in page.text for name in ("name", "email", "roles"))
    assert "Chọn ít nhất một vai trò." in page.text


def test_it_changes_name_and_roles(admin: Browser, chi: Staff) -> None:
    response = admin.send(f"/staff/{chi.pk}", form_of(chi, name="Lê Chi", roles=[MANAGER]))
    assert response.status_code == 303
    stored = Staff.objects.get(pk=chi.pk)
    assert (stored.name, stored.roles, stored.search) == (
        "Lê Chi",
        [MANAGER],
        "le chi chi@example.com",
    )
    assert actions(chi) == ["create", "update"]
    entry = AuditEntry.objects(record_id=chi.pk, action="update").get()
    assert {change.field for change in entry.changes} == {"name", "roles"}
    assert entry.address == "127.0.0.1"


def test_it_refuses_a_stale_form_and_keeps_the_text(admin: Browser, chi: Staff) -> None:
    old = form_of(chi, name="Tên của tôi")
    admin.send(f"/staff/{chi.pk}", form_of(chi, name="Tên người khác"))
    page = admin.send(f"/staff/{chi.pk}", old)
    assert page.status_code == 409
    assert 'value="Tên của tôi"' in page.text
    assert "Tên người khác" in page.text
    again = re.search(r'name="version" value="(\d+)"', page.text)
    assert again
    assert admin.send(f"/staff/{chi.pk}", old | {"version": again.group(1)}).status_code == 303


def test_it_never_takes_the_last_administrator_away(admin: Browser, administrator: Actor) -> None:
    me = Staff.objects.get(pk=administrator.staff_id)
    page = admin.send(f"/staff/{me.pk}", form_of(me, roles=[MANAGER]))
    assert page.status_code == 422
    assert "quản trị" in page.text
    accounts.create_staff("d2@example.com", "Dũng Hai", [ADMINISTRATOR], SYSTEM, PASSWORD)
    assert admin.send(f"/staff/{me.pk}", form_of(me, roles=[MANAGER])).status_code == 303
    assert admin.get("/staff").status_code == 403


def test_it_deactivates_at_once_and_activates_again(admin: Browser, app: Flask, chi: Staff) -> None:
    browser = app.test_client()
    browser.log_in(chi)
    admin.send(f"/staff/{chi.pk}/deactivate")
    assert browser.get("/account").status_code == 303
    assert "Lê Thị Chi" in admin.get("/staff?state=inactive").text
    admin.send(f"/staff/{chi.pk}/activate")
    assert credentials.authenticate("chi@example.com", PASSWORD)


def test_it_does_not_deactivate_oneself(admin: Browser, administrator: Actor) -> None:
    admin.send(f"/staff/{administrator.staff_id}/deactivate")
    assert "không thể" in admin.get("/account").text
    assert Staff.objects.get(pk=administrator.staff_id).active


def test_it_shows_browsers_without_their_keys_and_ends_one_or_all(
    admin: Browser, app: Flask, chi: Staff
) -> None:
    browsers = [app.test_client() for _ in range(3)]
    keys = [browser.log_in(chi) for browser in browsers]
    page = admin.get(f"/staff/{chi.pk}").text
    assert page.count("Firefox · Linux") >= 3
    assert not any(key in page for key in keys)
    name = staff_sessions.session_name(keys[0])
    admin.send(f"/staff/{chi.pk}/sessions/close", {"name": name})
    assert [one.get("/account").status_code for one in browsers] == [303, 200, 200]
    admin.send(f"/staff/{chi.pk}/sessions/close")
    assert [one.get("/account").status_code for one in browsers] == [303, 303, 303]
    assert actions(chi)[-2:] == ["end sessions", "end sessions"]


def test_it_gives_a_new_link_that_replaces_the_old_one(admin: Browser, chi: Staff) -> None:
    first, second = (
        LINK.search(admin.send(f"/staff/{chi.pk}/link").text).group(1)  # type: ignore[union-attr]
        for _ in range(2)
    )
    assert admin.get(first).status_code == 404
    assert admin.get(second).status_code == 200
    assert actions(chi) == ["create", "new link", "new link"]


def test_it_gives_no_link_to_the_deactivated(admin: Browser, chi: Staff) -> None:
    admin.send(f"/staff/{chi.pk}/deactivate")
    response = admin.send(f"/staff/{chi.pk}/link")
    assert response.status_code == 303
    assert Staff.objects.get(pk=chi.pk).link_hash is None


def test_it_makes_a_person_choose_a_new_password_before_anything_else(
    admin: Browser, app: Flask, chi: Staff
) -> None:
    browser = app.test_client()
    browser.log_in(chi)
    admin.send(f"/staff/{chi.pk}", form_of(chi, must_change_password="1"))
    for address in ("/", "/customers", "/account/keys", "/nowhere-else"):
        response = browser.get(address)
        if address != "/nowhere-else":
            assert (response.status_code, response.location) == (303, "/account/"), address
    part = browser.get("/customers", headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["HX-Redirect"]) == (403, "/account/")
    here = {"HX-Request": "true", "HX-Current-URL": "http://localhost/account/"}
    assert browser.get("/customers", headers=here).status_code == 204, (
        "or the page reloads for ever"
    )
    assert "mật khẩu mới trước khi" in browser.get("/account").text
    same = {"current": PASSWORD, "new": PASSWORD}
    assert browser.send("/account/password", same).status_code == 422
    assert browser.get("/customers").status_code == 303
    changed = browser.send("/account/password", {"current": PASSWORD, "new": "một câu khác hẳn"})
    assert changed.status_code == 303
    assert browser.get("/customers").status_code == 200


def test_it_shows_a_locked_person_and_unlocks(admin: Browser, chi: Staff) -> None:
    now = datetime.now(UTC)
    for _ in range(5):
        login_attempts.claim(chi.email, now)
    assert "đang khóa" in admin.get(f"/staff/{chi.pk}").text
    admin.send(f"/staff/{chi.pk}/unlock")
    assert "đang khóa" not in admin.get(f"/staff/{chi.pk}").text
    assert login_attempts.seconds_locked(chi.email, now) == 0


@pytest.mark.parametrize("bad", ["x", "0" * 24, "$ne", "../audit"])
def test_it_answers_a_person_that_does_not_exist(admin: Browser, bad: str) -> None:
    assert admin.get(f"/staff/{bad}").status_code == 404


def test_it_escapes_what_was_typed(admin: Browser, db: Any) -> None:
    form = {"name": "<script>x</script>", "email": "x@example.com", "roles": [CARE_AGENT]}
    assert "<script>x" not in admin.send("/staff/new", form).text
    assert "<script>x" not in admin.get("/staff").text
    assert "<script>x" not in admin.get("/audit").text
