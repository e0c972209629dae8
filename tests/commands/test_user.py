"""`carebook user create` makes a login that waits for its person to choose a password."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pymongo.database import Database

from commands import cli, first_login
from config import Settings
from models import Staff
from rules.errors import NotFound
from services import accounts, credentials

Db = Database[dict[str, Any]]


@pytest.fixture
def call(db: Db, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Calls the command line on the test database."""
    monkeypatch.setattr("commands.Settings", lambda: settings)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments)

    return run


def test_it_prints_the_link(call: Any, settings: Settings) -> None:
    result = call("user", "create", "Chi@Example.com", "--name", "Lê Thị Chi", "--role", "manager")
    assert result.exit_code == 0
    assert f"{settings.address}/link/" in result.stdout
    staff = accounts.find_staff("chi@example.com")
    assert staff is not None
    assert (staff.name, staff.roles, staff.password) == ("Lê Thị Chi", ["manager"], None)


def test_it_makes_care_agents_by_default(call: Any) -> None:
    call("user", "create", "an@example.com", "--name", "An")
    assert Staff.objects.get().roles == ["care_agent"]


def test_the_same_address_twice_is_told(call: Any) -> None:
    call("user", "create", "an@example.com", "--name", "An")
    result = call("user", "create", "an@example.com", "--name", "An")
    assert result.exit_code == 1
    assert "an@example.com" in result.stderr
    assert Staff.objects.count() == 1


def test_an_unknown_role_is_told(call: Any) -> None:
    result = call("user", "create", "an@example.com", "--name", "An", "--role", "boss")
    assert result.exit_code == 1
    assert "care_agent" in result.stderr
    assert Staff.objects.count() == 0


def test_the_first_administrator_gets_one_login_and_a_new_link_until_it_is_used(
    db: Db, settings: Settings
) -> None:
    first, second = (first_login.first_administrator(settings) for _ in range(2))
    assert Staff.objects.count() == 1
    assert Staff.objects.get().roles == ["administrator"]
    assert "/link/" in first[1]
    assert first[1] != second[1]
    Staff.objects.update(password="chosen")
    assert first_login.first_administrator(settings) == []


def test_a_shell_statement_sees_the_documents(call: Any, tmp_path: Path) -> None:
    call("user", "create", "an@example.com", "--name", "An")
    result = call("shell", "-c", "print(Staff.objects.count(), db.name, valkey.ping())")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split() == ["1", result.stdout.split()[1], "True"]


def test_status_names_stores_versions_places_and_jobs(call: Any, settings: Settings) -> None:
    result = call("status")
    assert result.exit_code == 0, result.stderr
    for words in ("MongoDB:", "Valkey:", "Cập nhật dữ liệu:", "Việc nền:", settings.mongo_database):
        assert words in result.stdout
    for secret in (settings.data / "mongo" / "password", settings.data / "valkey" / "password"):
        if secret.exists():
            assert secret.read_text() not in result.stdout


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("vi", ("nhúng tại", "không còn gì chờ", "đang chạy")),
        ("en", ("embedded at", "none pending", "running")),
    ],
)
def test_status_and_links_speak_the_language_of_the_site(
    call: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch, language: str, words: Any
) -> None:
    from services import migration

    monkeypatch.setattr(settings, "locale", language)
    monkeypatch.setattr(migration, "pending", list)
    said = call("status").stdout
    if settings.mongo_url is None:
        assert all(word in said for word in words), said
    shown = call("user", "create", "an@example.com", "--name", "An").stdout
    assert ("chọn mật khẩu tại đây" in shown) == (language == "vi")
    assert "An <an@example.com>" in shown


def test_a_new_link_replaces_the_first_one(call: Any, settings: Settings) -> None:
    first = call("user", "create", "an@example.com", "--name", "An").stdout.split()[-1]
    second = call("user", "link", "AN@example.com").stdout.split()[-1]
    now = datetime.now(UTC)
    with pytest.raises(NotFound):
        credentials.staff_behind_link(first.rpartition("/")[2], now)
    assert credentials.staff_behind_link(second.rpartition("/")[2], now).email == "an@example.com"


@pytest.mark.parametrize("is_known", [True, False])
def test_there_is_no_link_for_somebody_who_may_not_log_in(call: Any, is_known: bool) -> None:
    if is_known:
        call("user", "create", "an@example.com", "--name", "An")
        Staff.objects.update(active=False)
    result = call("user", "link", "an@example.com")
    assert result.exit_code == 1
    assert "an@example.com" in result.stderr


def test_an_operator_lets_in_who_lost_the_second_factor(call: Any) -> None:
    call("user", "create", "an@example.com", "--name", "An", "--role", "administrator")
    Staff.objects.update(totp_secret="A" * 32, recovery_hashes=["x"])
    result = call("user", "reset-second-factor", "an@example.com")
    assert result.exit_code == 0, result.stderr
    assert Staff.objects.get().totp_secret is None
    assert Staff.objects.get().recovery_hashes == []
    assert call("user", "reset-second-factor", "nobody@example.com").exit_code == 1
