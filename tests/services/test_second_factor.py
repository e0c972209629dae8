"""The second factor: codes of the telephone and recovery codes, each usable once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from pydantic import SecretStr

from config import PROJECT_ROOT
from models import AuditEntry, Staff
from rules.errors import InvalidInput, NotAllowed
from rules.scope import ADMINISTRATOR, CARE_AGENT, SYSTEM, Actor
from rules.second_factor import step_of_code
from services import access_settings, accounts, second_factor, staff, staff_sessions
from services.login_attempts import LockedOut
from services.migration import migrations_in
from stores import mongo, sealing

NOW = datetime(2026, 11, 21, 8, 0, 5, tzinfo=UTC)
PASSWORD = "trời hôm nay đẹp"


@pytest.fixture
def chi(db: Any) -> Staff:
    return accounts.create_staff("chi@example.com", "Lê Thị Chi", [CARE_AGENT], SYSTEM, PASSWORD)


def stored(person: Staff) -> Staff:
    return Staff.objects.get(pk=person.pk)


def me(person: Staff) -> Actor:
    return Actor(person.pk, person.name, frozenset(person.roles), "account")


def code(person: Staff, at: datetime) -> str:
    sealed = stored(person).totp_secret or stored(person).totp_pending
    return pyotp.TOTP(sealing.unseal(sealed, owner=f"second factor of {person.pk}")).at(at)


def switch_on(person: Staff, at: datetime = NOW) -> list[str]:
    second_factor.begin(person)
    return second_factor.confirm(stored(person), code(person, at), me(person), at)


def test_it_is_on_only_after_a_right_code(chi: Staff) -> None:
    secret = second_factor.begin(chi)
    assert second_factor.begin(chi) == secret
    with pytest.raises(InvalidInput):
        second_factor.confirm(stored(chi), "000000", me(chi), NOW)
    assert not second_factor.is_on(stored(chi))
    assert len(second_factor.confirm(stored(chi), code(chi, NOW), me(chi), NOW)) == 10
    assert second_factor.is_on(stored(chi))
    with pytest.raises(InvalidInput):
        second_factor.begin(stored(chi))


@pytest.mark.parametrize(("seconds", "is_right"), [(-30, True), (0, True), (30, True), (90, False)])
def test_it_forgives_a_clock_that_is_a_little_off(seconds: int, is_right: bool) -> None:
    secret = pyotp.random_base32()
    typed = pyotp.TOTP(secret).at(NOW + timedelta(seconds=seconds))
    assert (step_of_code(secret, typed, NOW) is not None) == is_right


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "1234567", "１２３４５６", "12 34"])
def test_it_refuses_what_is_no_code(typed: str) -> None:
    assert step_of_code(pyotp.random_base32(), typed, NOW) is None


def test_it_takes_no_code_twice(chi: Staff) -> None:
    switch_on(chi)
    assert not second_factor.check(stored(chi), code(chi, NOW), NOW), "the code of the set-up"
    later = NOW + timedelta(seconds=60)
    typed = code(chi, later)
    assert second_factor.check(stored(chi), typed, later)
    assert not second_factor.check(stored(chi), typed, later)
    earlier = code(chi, later - timedelta(seconds=30))
    assert not second_factor.check(stored(chi), earlier, later), "an older one that was skipped"


def test_it_takes_one_of_many_uses_at_once(chi: Staff) -> None:
    recovery = switch_on(chi)[0]
    later = NOW + timedelta(seconds=60)
    person, typed = stored(chi), code(chi, later)
    for what in (typed, recovery):
        with ThreadPoolExecutor(8) as pool:
            used = pool.map(lambda _, what=what: second_factor.check(person, what, later), range(8))
        assert sum(used) == 1


def test_it_takes_recovery_codes_once_as_people_type_them(chi: Staff) -> None:
    codes = switch_on(chi)
    assert second_factor.check(stored(chi), f" {codes[0].upper()} ", NOW)
    assert not second_factor.check(stored(chi), codes[0], NOW)
    assert second_factor.check(stored(chi), codes[1].replace("-", " "), NOW)
    assert len(stored(chi).recovery_hashes) == 8


def test_it_stores_no_recovery_code(chi: Staff) -> None:
    codes = switch_on(chi)
    document = str(Staff.collection().find_one({"_id": chi.pk}))
    assert not any(one in document or one.replace("-", "") in document for one in codes)


def test_it_renews_recovery_codes_after_the_password(chi: Staff) -> None:
    old = switch_on(chi)
    with pytest.raises(InvalidInput):
        second_factor.renew_recovery_codes(stored(chi), "wrong", me(chi), NOW)
    new = second_factor.renew_recovery_codes(stored(chi), PASSWORD, me(chi), NOW)
    assert not second_factor.check(stored(chi), old[0], NOW)
    assert second_factor.check(stored(chi), new[0], NOW)


def test_it_is_no_place_to_guess_the_password(chi: Staff) -> None:
    switch_on(chi)
    for _ in range(5):
        with pytest.raises(InvalidInput):
            second_factor.switch_off(stored(chi), "wrong", me(chi), NOW)
    with pytest.raises(LockedOut):
        second_factor.switch_off(stored(chi), PASSWORD, me(chi), NOW)


def test_it_is_switched_off_by_the_person_unless_the_role_needs_it(
    chi: Staff, administrator: Actor
) -> None:
    switch_on(chi)
    require(CARE_AGENT, administrator)
    with pytest.raises(NotAllowed):
        second_factor.switch_off(stored(chi), PASSWORD, me(chi), NOW)
    require("", administrator)
    second_factor.switch_off(stored(chi), PASSWORD, me(chi), NOW)
    assert not second_factor.is_on(stored(chi))
    assert stored(chi).recovery_hashes == []


def test_it_is_reset_by_administrators_only_and_written(
    chi: Staff, manager: Actor, administrator: Actor
) -> None:
    switch_on(chi)
    staff_sessions.open_session(chi, NOW, address="", agent="")
    with pytest.raises(NotAllowed):
        second_factor.reset(chi.pk, manager, NOW)
    second_factor.reset(chi.pk, administrator, NOW)
    assert not second_factor.is_on(stored(chi))
    assert stored(chi).sessions == []
    entry = AuditEntry.objects(record_id=chi.pk, action="second factor reset").get()
    assert entry.staff_id == administrator.staff_id


def require(role: str, by: Actor) -> None:
    version = access_settings.read().version
    roles = [role] if role else []
    access_settings.save(roles, "", version=version, by=by, at=NOW)


def test_it_is_missing_as_soon_as_the_role_needs_it(chi: Staff, administrator: Actor) -> None:
    assert not second_factor.is_missing(stored(chi))
    require(CARE_AGENT, administrator)
    assert second_factor.is_missing(stored(chi))
    new = accounts.create_staff("moi@example.com", "Người Mới", [CARE_AGENT], SYSTEM)
    assert second_factor.is_missing(new)
    switch_on(chi)
    assert not second_factor.is_missing(stored(chi))


def test_it_follows_a_change_of_roles(chi: Staff, administrator: Actor) -> None:
    require(ADMINISTRATOR, administrator)
    assert not second_factor.is_missing(stored(chi))
    staff.update(
        chi.pk,
        name="Chi",
        roles=[ADMINISTRATOR],
        must_change_password=False,
        version=stored(chi).version,
        by=administrator,
        at=NOW,
    )
    assert second_factor.is_missing(stored(chi))


def test_it_is_set_by_administrators_only(manager: Actor) -> None:
    with pytest.raises(NotAllowed):
        require(CARE_AGENT, manager)


# Sealed at rest


def test_the_database_alone_opens_no_secret(chi: Staff) -> None:
    secret = second_factor.begin(chi)
    assert secret not in str(Staff.collection().find_one({"_id": chi.pk}))
    switch_on(chi)
    raw = Staff.collection().find_one({"_id": chi.pk}) or {}
    assert sealing.is_sealed(raw["totp_secret"])
    assert secret not in str(raw)
    assert second_factor.check(
        stored(chi), code(chi, NOW + timedelta(minutes=1)), NOW + timedelta(minutes=1)
    )


def test_a_secret_opens_nothing_on_another_person(chi: Staff) -> None:
    """Whoever may write to the database cannot put the own telephone on somebody's account."""
    switch_on(chi)
    other = accounts.create_staff("b@example.com", "Bình", [CARE_AGENT], SYSTEM, PASSWORD)
    Staff.collection().update_one(
        {"_id": other.pk}, {"$set": {"totp_secret": stored(chi).totp_secret}}
    )
    later = NOW + timedelta(minutes=1)
    assert not second_factor.check(stored(other), code(chi, later), later)


def test_without_the_key_recovery_codes_still_open(
    chi: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = switch_on(chi)
    later = NOW + timedelta(minutes=1)
    typed = code(chi, later)
    lost = mongo.settings().model_copy(
        update={"secret_key": SecretStr("k" * 40), "data": Path("/nowhere")}
    )
    monkeypatch.setattr(mongo, "settings", lambda: lost)
    assert not second_factor.check(stored(chi), typed, later)
    assert second_factor.check(stored(chi), codes[0], later)


def test_going_over_to_one_key_for_all_hosts_loses_nothing(
    chi: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_on(chi)
    given = mongo.settings().model_copy(update={"secret_key": SecretStr("k" * 40)})
    monkeypatch.setattr(mongo, "settings", lambda: given)
    later = NOW + timedelta(minutes=1)
    assert second_factor.check(stored(chi), code(chi, later), later)
    assert sealing.unseal(sealing.seal("x", owner="a"), owner="a") == "x"


def test_a_secret_whose_key_is_gone_is_made_anew_while_it_is_not_confirmed(chi: Staff) -> None:
    Staff.collection().update_one({"_id": chi.pk}, {"$set": {"totp_pending": "v1:AAAA"}})
    assert second_factor.pending_secret(stored(chi)) is None
    assert second_factor.begin(stored(chi)) == second_factor.pending_secret(stored(chi))


@pytest.mark.parametrize("sealed", ["", "v1:", "v1:!!", "v1:AAAA", "A" * 32])
def test_what_was_not_sealed_here_does_not_open(db: Any, sealed: str) -> None:
    with pytest.raises(sealing.CannotUnseal):
        sealing.unseal(sealed, owner="a")


def test_the_key_is_readable_for_its_owner_only(chi: Staff) -> None:
    second_factor.begin(chi)
    path = mongo.settings().data / sealing.FILE
    assert path.stat().st_mode & 0o077 == 0


def test_secrets_from_before_are_sealed_once_and_keep_working(chi: Staff) -> None:
    readable = pyotp.random_base32()
    other = accounts.create_staff("b@example.com", "Bình", [CARE_AGENT], SYSTEM, PASSWORD)
    Staff.collection().update_one({"_id": chi.pk}, {"$set": {"totp_secret": readable}})
    Staff.collection().update_one({"_id": other.pk}, {"$set": {"totp_pending": readable}})
    found = {one.name: one for one in migrations_in(PROJECT_ROOT / "migrations")}
    for _ in range(2):
        found["2026-11-22-seal-secrets-of-second-factors"].run()
        assert readable not in str(list(Staff.collection().find()))
        assert second_factor.pending_secret(stored(other)) == readable
    assert second_factor.check(stored(chi), pyotp.TOTP(readable).at(NOW), NOW)
