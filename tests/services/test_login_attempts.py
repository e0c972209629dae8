"""Wrong logins lock an account for longer each time, whoever tries and whether or not it exists."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models import AuditEntry, LoginAttempts, Staff
from rules.logins import FREE_ATTEMPTS, LOCK_LONGEST, LOCK_SHORTEST
from rules.scope import CARE_AGENT, SYSTEM, Actor
from services import accounts, credentials, login_attempts, logins
from services.login_attempts import LockedOut

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
EMAIL = "chi@example.com"
PASSWORD = "trời hôm nay đẹp"
VISITOR = Actor(None, "", screen="login", address="10.0.0.7")


@pytest.fixture
def chi(db: Any) -> Staff:
    return accounts.create_staff(EMAIL, "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD, at=NOW)


def use_up(email: str = EMAIL, at: datetime = NOW) -> None:
    for _ in range(FREE_ATTEMPTS):
        login_attempts.claim(email, at)


def test_it_locks_after_some_attempts_and_says_for_how_long(db: Any) -> None:
    use_up()
    with pytest.raises(LockedOut) as refused:
        login_attempts.claim(EMAIL, NOW + timedelta(seconds=10))
    assert refused.value.seconds == LOCK_SHORTEST.total_seconds() - 10


def test_it_doubles_the_lock_up_to_a_limit(db: Any) -> None:
    use_up()
    at, locks = NOW, []
    for _ in range(10):
        seconds = login_attempts.seconds_locked(EMAIL, at)
        locks.append(seconds)
        at += timedelta(seconds=seconds)
        login_attempts.claim(EMAIL, at)
    assert locks[:4] == [30, 60, 120, 240]
    assert locks[-1] == LOCK_LONGEST.total_seconds()


def test_it_does_not_lengthen_a_lock_by_trying_during_it(db: Any) -> None:
    use_up()
    for _ in range(5):
        with pytest.raises(LockedOut):
            login_attempts.claim(EMAIL, NOW)
    assert login_attempts.seconds_locked(EMAIL, NOW) == 30


def test_it_forgets_after_a_day(db: Any) -> None:
    use_up()
    later = NOW + timedelta(days=1, minutes=1)
    assert not login_attempts.claim(EMAIL, later)
    assert LoginAttempts.collection().find_one({})["count"] == 1


def test_it_lets_no_more_through_when_many_try_at_once(db: Any) -> None:
    def attempt(_: int) -> bool:
        try:
            login_attempts.claim(EMAIL, NOW)
        except LockedOut:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        let_through = sum(pool.map(attempt, range(64)))
    assert let_through == FREE_ATTEMPTS


def test_it_treats_an_unknown_address_alike_and_stores_no_addresses(db: Any, chi: Staff) -> None:
    for email in (EMAIL, "nobody@example.com"):
        for _ in range(FREE_ATTEMPTS):
            assert logins.check_password(email, "wrong", by=VISITOR, now=NOW) is None
        with pytest.raises(LockedOut):
            logins.check_password(email, PASSWORD, by=VISITOR, now=NOW)
    assert "example.com" not in str(list(LoginAttempts.collection().find()))


def test_it_refuses_even_the_right_password_while_locked(db: Any, chi: Staff) -> None:
    use_up()
    with pytest.raises(LockedOut):
        logins.check_password(EMAIL, PASSWORD, by=VISITOR, now=NOW)
    after = NOW + LOCK_SHORTEST
    assert logins.check_password(EMAIL, PASSWORD, by=VISITOR, now=after)


def test_it_starts_anew_after_a_login_and_after_a_new_password(db: Any, chi: Staff) -> None:
    use_up()
    logins.note_success(chi, VISITOR, NOW, how="password")
    assert login_attempts.seconds_locked(EMAIL, NOW) == 0
    use_up()
    link = credentials.one_time_link(chi, "", datetime.now(UTC))
    credentials.use_link(link.rsplit("/", 1)[1], "một câu khác hẳn", datetime.now(UTC))
    assert login_attempts.seconds_locked(EMAIL, NOW) == 0


def test_it_writes_wrong_logins_and_the_lock_with_where_from(db: Any, chi: Staff) -> None:
    for _ in range(FREE_ATTEMPTS):
        logins.check_password(EMAIL, "wrong", by=VISITOR, now=NOW)
    entries = list(AuditEntry.objects(record_id=chi.pk, action__ne="create").order_by("id"))
    assert [one.action for one in entries] == ["login failed"] * FREE_ATTEMPTS + ["lock"]
    assert {one.address for one in entries} == {"10.0.0.7"}


def test_it_never_writes_what_may_be_a_password(db: Any) -> None:
    logins.check_password("hunter2 is my password", "x", by=VISITOR, now=NOW)
    assert "hunter2" not in str(list(AuditEntry.collection().find()))
