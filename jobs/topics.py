"""Who acts on what the outbox holds, by the topic under which it was put there."""

from config import Settings
from services import follow_ups, mail
from services.outbox import Message, Outside, Topics


def _send_mail(message: Message) -> None:
    mail.deliver(message, Settings())


TOPICS: Topics = {
    mail.TOPIC: Outside(_send_mail, attempts=mail.ATTEMPTS),
    follow_ups.IMPORTED: Outside(follow_ups.after_import),
}
