"""Mail is written with the change, sent by a job, tried again, and never lost."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pydantic import SecretStr, ValidationError

from config import Settings
from jobs import runner
from jobs.topics import TOPICS
from models import JobRun, MailMessage, OutboxMessage, Staff
from rules.errors import InvalidInput
from rules.scope import CARE_AGENT, SYSTEM, Actor
from services import accounts, credentials, invitations, leaving, mail, outbox
from services.mail import MailRefused, MailServerAway
from stores.mongo import in_transaction
from tests.mailing import Mailbox, mail_server

NOW = datetime.now(UTC)
SENDER = "Carebook <care@example.com>"


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[tuple[Mailbox, Settings]]:
    with mail_server() as (mailbox, url):
        monkeypatch.setenv("CAREBOOK_MAIL_URL", url)
        monkeypatch.setenv("CAREBOOK_MAIL_FROM", SENDER)
        yield mailbox, settings.model_copy(update={"mail_url": SecretStr(url), "mail_from": SENDER})


@pytest.fixture
def chi(db: Any) -> Staff:
    return accounts.create_staff("chi@example.com", "Lê Thị Chi", [CARE_AGENT], SYSTEM)


def written(to_name: str = "Chi", key: str = "k", at: datetime = NOW) -> ObjectId:
    return in_transaction(
        lambda session: mail.write(
            key=key,
            to="chi@example.com",
            to_name=to_name,
            subject="Chào Chi",
            text="Nội dung\nhai dòng",
            at=at,
            session=session,
        )
    )


def stored(message_id: ObjectId) -> dict[str, Any]:
    found = MailMessage.collection().find_one({"_id": message_id})
    assert found
    return found


def test_it_sends_text_with_accents(db: Any, post: tuple[Mailbox, Settings]) -> None:
    mailbox, settings = post
    message_id = written("Lê Thị Chi")
    mail.send_waiting(settings, message_id=message_id)
    (got,) = mailbox.messages
    assert got["To"] == "Lê Thị Chi <chi@example.com>"
    assert got["From"] == SENDER
    assert got["Subject"] == "Chào Chi"
    assert got.get_content().splitlines() == ["Nội dung", "hai dòng"]
    assert stored(message_id)["state"] == "sent"


def test_it_sends_a_message_once(db: Any, post: tuple[Mailbox, Settings]) -> None:
    mailbox, settings = post
    message_id = written()
    for _ in range(3):
        mail.send_waiting(settings, message_id=message_id)
    mail.send_waiting(settings)
    assert len(mailbox.messages) == 1


def test_it_drops_the_text_of_what_was_sent(db: Any, post: tuple[Mailbox, Settings]) -> None:
    message_id = written()
    mail.send_waiting(post[1], message_id=message_id)
    assert "text" not in stored(message_id)


def test_it_tries_again_when_the_server_is_busy(db: Any, post: tuple[Mailbox, Settings]) -> None:
    mailbox, settings = post
    mailbox.answers = ["451 busy, come back"]
    message_id = written()
    with pytest.raises(MailServerAway) as error:
        mail.send_waiting(settings)
    assert "busy" in str(error.value)
    assert stored(message_id)["state"] == "waiting"
    mail.send_waiting(settings)
    assert len(mailbox.messages) == 1


def test_it_gives_up_what_the_server_will_never_take(
    db: Any, post: tuple[Mailbox, Settings]
) -> None:
    mailbox, settings = post
    mailbox.answers = ["550 no such person"]
    message_id = written()
    with pytest.raises(MailRefused):
        mail.send_waiting(settings)
    assert stored(message_id)["state"] == "failed"
    mail.send_waiting(settings)
    assert mailbox.messages == []


def test_it_sends_the_others_when_one_is_refused(db: Any, post: tuple[Mailbox, Settings]) -> None:
    mailbox, settings = post
    mailbox.answers = ["550 no such person"]
    written(key="a"), written(key="b", at=NOW + timedelta(seconds=1))
    with pytest.raises(MailRefused):
        mail.send_waiting(settings)
    assert len(mailbox.messages) == 1


def test_it_takes_up_what_a_killed_worker_left(db: Any, post: tuple[Mailbox, Settings]) -> None:
    mailbox, settings = post
    message_id = written()
    held = {"lease_until": datetime.now(UTC) + timedelta(minutes=1)}
    MailMessage.collection().update_one({"_id": message_id}, {"$set": held})
    mail.send_waiting(settings)
    assert mailbox.messages == []
    lapsed = {"lease_until": datetime.now(UTC) - timedelta(seconds=1)}
    MailMessage.collection().update_one({"_id": message_id}, {"$set": lapsed})
    mail.send_waiting(settings)
    assert len(mailbox.messages) == 1


def test_it_gives_up_after_days(db: Any, settings: Settings) -> None:
    away = settings.model_copy(
        update={"mail_url": SecretStr("smtp://127.0.0.1:9"), "mail_from": SENDER}
    )
    message_id = written(at=NOW - timedelta(days=4))
    with pytest.raises(MailServerAway):
        mail.send_waiting(away)
    assert stored(message_id)["state"] == "failed"


def delivered(at: datetime | None = None) -> int:
    return outbox.deliver(TOPICS, "w", now=lambda: at or datetime.now(UTC))


def test_the_outbox_sends_it_and_tries_again_later(
    db: Any, post: tuple[Mailbox, Settings], valkey: Any
) -> None:
    mailbox, _ = post
    mailbox.answers = ["451 busy"]
    written(at=datetime.now(UTC))
    assert delivered() == 0
    assert delivered() == 0
    assert mailbox.messages == []
    assert delivered(datetime.now(UTC) + outbox.FIRST_RETRY) == 1
    assert len(mailbox.messages) == 1


def test_what_is_refused_is_set_aside_with_the_server_s_reason(
    db: Any, post: tuple[Mailbox, Settings], valkey: Any
) -> None:
    mailbox, _ = post
    mailbox.answers = ["550 no such person"]
    written(at=datetime.now(UTC))
    delivered()
    (aside,) = outbox.set_aside()
    assert "no such person" in aside["error_params"]["reason"]
    OutboxMessage.collection().update_one({}, {"$set": {"state": "waiting"}})
    delivered()
    (aside,) = outbox.set_aside()
    assert "given up" in aside["error"]
    assert mailbox.messages == []


def test_it_lets_no_name_add_headers(db: Any, post: tuple[Mailbox, Settings]) -> None:
    mailbox, settings = post
    message_id = written("Chi\r\nBcc: thief@example.com")
    mail.send_waiting(settings, message_id=message_id)
    (got,) = mailbox.messages
    assert got["Bcc"] is None


def test_it_sends_no_password_over_an_open_line(db: Any, settings: Settings) -> None:
    with mail_server("127.0.0.2") as (mailbox, url):
        url = url.replace("//", "//user:secret@")
        chosen = {"mail_url": SecretStr(url), "mail_from": SENDER}
        written()
        with pytest.raises(MailServerAway):
            mail.send_waiting(settings.model_copy(update=chosen))
        assert mailbox.messages == []


def test_it_invites_in_the_transaction_of_the_link(
    chi: Staff, post: tuple[Mailbox, Settings], administrator: Actor, valkey: Any
) -> None:
    mailbox, settings = post
    made = invitations.send_link(chi.pk, settings=settings, by=administrator, now=NOW)
    assert made.is_mailed
    assert delivered() == 1
    (got,) = mailbox.messages
    assert made.link in got.get_content()
    assert "Phạm Văn Dũng đã tạo tài khoản" in got.get_content()
    assert delivered() == 0
    assert len(mailbox.messages) == 1


def test_it_shows_the_link_alone_without_a_mail_server(
    chi: Staff, settings: Settings, administrator: Actor
) -> None:
    made = invitations.send_link(chi.pk, settings=settings, by=administrator, now=NOW)
    assert not made.is_mailed
    assert MailMessage.objects.count() == 0
    assert credentials.staff_behind_link(made.link.rsplit("/", 1)[1], NOW).pk == chi.pk


def test_it_mails_a_forgotten_password_once_for_each_request(
    chi: Staff, post: tuple[Mailbox, Settings], valkey: Any
) -> None:
    mailbox, _ = post
    invitations.ask_for_link(" Chi@Example.com", by=Actor(None, ""), now=NOW)
    run = JobRun.objects(name="send_reset_link").get()
    runner.run(str(run.pk))
    JobRun.collection().update_one({"_id": run.pk}, {"$set": {"state": "queued"}})
    runner.run(str(run.pk))
    delivered()
    (got,) = mailbox.messages
    secret = re.search(r"/link/([\w-]+)", got.get_content())
    assert secret
    assert credentials.staff_behind_link(secret.group(1), NOW).pk == chi.pk


@pytest.mark.parametrize("who", ["nobody@example.com", "inactive@example.com"])
def test_it_mails_nothing_to_who_may_not_log_in(
    db: Any, post: tuple[Mailbox, Settings], administrator: Actor, valkey: Any, who: str
) -> None:
    gone = accounts.create_staff("inactive@example.com", "Đã Nghỉ", [CARE_AGENT], SYSTEM)
    leaving.deactivate_staff(gone.pk, administrator, NOW)
    invitations.ask_for_link(who, by=Actor(None, ""), now=NOW)
    runner.run(str(JobRun.objects(name="send_reset_link").get().pk))
    delivered()
    assert post[0].messages == []
    assert MailMessage.objects.count() == 0


def test_it_gives_no_link_to_the_deactivated(
    chi: Staff, settings: Settings, administrator: Actor
) -> None:
    leaving.deactivate_staff(chi.pk, administrator, NOW)
    with pytest.raises(InvalidInput):
        invitations.send_link(chi.pk, settings=settings, by=administrator, now=NOW)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("http://mail.example.com", SENDER),
        ("smtp://", SENDER),
        ("smtp://mail.example.com:99999", SENDER),
        ("smtp://mail.example.com", None),
        ("smtp://mail.example.com", "not an address"),
        ("smtp://mail.example.com", "A <a@b.vn>\r\nBcc: c@d.vn"),
    ],
)
def test_it_refuses_settings_that_cannot_work(url: str, sender: str | None) -> None:
    with pytest.raises(ValidationError):
        Settings(mail_url=SecretStr(url), mail_from=sender)
