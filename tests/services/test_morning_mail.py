"""The morning mail: one's own due work, once a day, in one's language, and never for nobody."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from config import Settings
from jobs.topics import TOPICS
from models import Customer, MailMessage, Site, Staff
from models.base import stored_date
from rules.scope import Actor
from services import morning_mail, outbox
from services.progress import Cancelled, NoProgress
from tests.factories import NOW, TODAY, make_customer
from tests.mailing import Mailbox, mail_server

pytestmark = pytest.mark.usefixtures("shipped", "valkey")


class Counts(NoProgress):
    """Keeps the results; `stop_after` people it says that it was cancelled."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.counts: dict[str, int] = {}
        self.stop_after = stop_after
        self.done = 0

    def count(self, name: str, number: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def advance(self, done: int = 1) -> None:
        self.done += done

    def is_cancelled(self) -> bool:
        return self.stop_after is not None and self.done >= self.stop_after


@pytest.fixture
def post(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Mailbox, Settings]]:
    with mail_server() as (mailbox, url):
        sender = "Carebook <care@example.com>"
        monkeypatch.setenv("CAREBOOK_MAIL_URL", url)  # the workers of the outbox read it there
        monkeypatch.setenv("CAREBOOK_MAIL_FROM", sender)
        update = {
            "mail_url": SecretStr(url),
            "mail_from": sender,
            "public_url": "https://care.example.com",
        }
        yield mailbox, settings.model_copy(update=update)


@pytest.fixture
def team(agent: Actor, colleague: Actor) -> tuple[Actor, Actor]:
    """Two care agents who can log in, each with customers of their own."""
    Staff.collection().update_many({}, {"$set": {"password": "x"}})
    Site.collection().update_one({"key": "site"}, {"$set": {"care_mode": "by_customer"}})
    return agent, colleague


def due(who: Actor, name: str, days: int = 0, **values: Any) -> Any:
    care = {"state": "suggested", "due_on": stored_date(TODAY + timedelta(days=days))}
    return make_customer(name=name, care=care, carers=[who.staff_id], **values)


def send(settings: Settings, now: Any = NOW, stop_after: int | None = None) -> dict[str, int]:
    """Writes the mails and has the outbox deliver them; the results of the job."""
    progress = Counts(stop_after)
    try:
        morning_mail.write_all(settings, now=now, progress=progress)
    finally:
        deliver()
    return progress.counts


def deliver(hours: int = 0) -> int:
    later = datetime.now(UTC) + timedelta(hours=hours)
    return outbox.deliver(TOPICS, "w", now=lambda: later)


def received(mailbox: Mailbox) -> dict[str, Any]:
    return {message["To"].addresses[0].addr_spec: message for message in mailbox.messages}


def test_everybody_gets_their_own_due_work(post: Any, team: Any) -> None:
    mailbox, settings = post
    an, binh = team
    due(an, "Đặng Thu Thảo", code="KH-7")
    due(an, "Vũ Đức Minh", days=-3, code="KH-8")
    due(an, "Someone later", days=1)
    due(binh, "Bùi Gia Bảo")
    done = send(settings)
    mails = received(mailbox)
    assert set(mails) == {"agent@example.com", "colleague@example.com"}
    first = mails["agent@example.com"]
    assert first["Subject"] == "Hôm nay: 2 khách hàng cần chăm sóc, trong đó 1 quá hạn"
    text = first.get_content()
    assert "18/11/2026  Vũ Đức Minh (KH-8), quá hạn\n21/11/2026  Đặng Thu Thảo (KH-7)\n" in text
    assert "later" not in text
    assert "Bùi" not in text
    assert "https://care.example.com/queue" in text
    assert "https://care.example.com/account" in text
    assert mails["colleague@example.com"]["Subject"] == "Hôm nay: 1 khách hàng cần chăm sóc"
    assert done == {"mails_written": 2}


def test_each_in_their_language(post: Any, team: Any) -> None:
    mailbox, settings = post
    an, binh = team
    Staff.collection().update_one({"_id": binh.staff_id}, {"$set": {"locale": "en"}})
    due(an, "A"), due(binh, "B")
    send(settings)
    mails = received(mailbox)
    assert "Hello Trần Văn Bình" in mails["colleague@example.com"].get_content()
    assert "Bắt đầu với" in mails["agent@example.com"].get_content()


def test_who_has_nothing_due_or_does_not_want_it_gets_none(post: Any, team: Any) -> None:
    mailbox, settings = post
    _, binh = team
    due(binh, "B")
    morning_mail.choose(Staff.objects.get(pk=binh.staff_id), is_wanted=False)
    assert send(settings) == {}
    assert mailbox.messages == []
    morning_mail.choose(Staff.objects.get(pk=binh.staff_id), is_wanted=True)
    send(settings)
    assert set(received(mailbox)) == {"colleague@example.com"}


@pytest.mark.parametrize("values", [{"active": False}, {"password": None}])
def test_who_cannot_log_in_gets_none(values: dict[str, Any], post: Any, team: Any) -> None:
    mailbox, settings = post
    due(team[0], "A")
    Staff.collection().update_one({"_id": team[0].staff_id}, {"$set": values})
    send(settings)
    assert mailbox.messages == []


def test_once_a_day_however_often_it_runs(post: Any, team: Any) -> None:
    mailbox, settings = post
    due(team[0], "A")
    for hour in range(3):
        send(settings, NOW + timedelta(hours=hour))
    assert len(mailbox.messages) == 1
    send(settings, NOW + timedelta(days=1))
    deliver(hours=24)
    assert len(mailbox.messages) == 2


def test_after_a_stop_half_way_nobody_gets_it_twice_and_nobody_is_left_out(
    post: Any, team: Any
) -> None:
    mailbox, settings = post
    for who in team:
        due(who, who.name)
    with pytest.raises(Cancelled):
        send(settings, stop_after=1)
    assert len(mailbox.messages) == 1
    send(settings)
    assert len(mailbox.messages) == 2
    assert len(received(mailbox)) == 2


def test_while_the_server_is_away_the_mails_wait_and_are_taken_up(post: Any, team: Any) -> None:
    mailbox, settings = post
    for who in team:
        due(who, who.name, days=-1)
    mailbox.answers = ["451 busy, come back", "451 busy, come back"]
    assert send(settings, datetime.now(UTC)) == {"mails_written": 2}
    assert MailMessage.collection().count_documents({"state": "waiting"}) == 2
    assert deliver(hours=1) == 2
    assert len(mailbox.messages) == 2


def test_an_address_that_is_refused_does_not_hold_up_the_others(post: Any, team: Any) -> None:
    mailbox, settings = post
    for who in team:
        due(who, who.name)
    mailbox.answers = ["550 no such person"]
    send(settings)
    assert len(mailbox.messages) == 1
    (refused,) = outbox.set_aside()
    assert "550 no such person" in refused["error_params"]["reason"]


def test_without_a_mail_server_nothing_is_written(settings: Settings, team: Any) -> None:
    due(team[0], "A")
    assert send(settings) == {}
    assert MailMessage.collection().count_documents({}) == 0


def test_who_stands_in_gets_the_work_and_who_is_away_none(post: Any, team: Any) -> None:
    mailbox, settings = post
    an, binh = team
    due(an, "A's customer"), due(binh, "B's customer")
    absence = {
        "absence_id": an.staff_id,
        "staff_id": an.staff_id,
        "name": an.name,
        "from_on": stored_date(TODAY),
        "until_on": stored_date(TODAY),
        "from_at": NOW - timedelta(hours=1),
        "until_at": NOW + timedelta(hours=1),
    }
    Staff.collection().update_one({"_id": binh.staff_id}, {"$set": {"stands_in": [absence]}})
    send(settings)
    (message,) = mailbox.messages
    assert message["To"].addresses[0].addr_spec == "colleague@example.com"
    text = message.get_content()
    assert "A's customer" in text
    assert "B's customer" in text
    assert "khách hàng của Nguyễn Thị An" in text


def test_many_are_counted_to_a_thousand_and_ten_are_named(post: Any, team: Any) -> None:
    mailbox, settings = post
    care = {"state": "suggested", "due_on": stored_date(TODAY)}
    rows = [
        {"code": f"K{n}", "name": f"Người {n}", "care": care, "carers": [team[0].staff_id]}
        for n in range(1001)
    ]
    Customer.collection().insert_many(rows)
    send(settings)
    (message,) = mailbox.messages
    assert message["Subject"] == "Hôm nay: 1.000+ khách hàng cần chăm sóc"
    assert message.get_content().count("Người") == 10


def test_a_name_cannot_add_lines(post: Any, team: Any) -> None:
    mailbox, settings = post
    due(team[0], "A\nBcc: everybody@example.com")
    send(settings)
    assert "A Bcc: everybody@example.com" in mailbox.messages[0].get_content()
