"""What tests of moments need: a mailbox of the staff, hours of the sample issue's day, and what came of them."""

from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from sending import ISSUE, Clock
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment, Mailing
from newsletter.editorial.intake import read, take_in


class Mailbox:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken += [(address, envelope.original_content) for address in envelope.rcpt_tos]
        return "250 taken"

    def only(self) -> EmailMessage:
        """The one message there is, read as a mail reader would."""
        ((_, data),) = self.taken
        return message_from_bytes(data, policy=policy.default)


def clock(newsletter: Newsletter) -> Clock:
    assert isinstance(newsletter.clock, Clock)
    return newsletter.clock


def at(hour: float, day: int = 9) -> datetime:
    """An hour of a day of March 2026 in Shanghai."""
    return Clock().now + timedelta(days=day - 9, hours=hour - 8)


def begun(newsletter: Newsletter) -> int:
    with newsletter.reading() as session:
        return len(session.exec(select(Mailing)).all())


def states(newsletter: Newsletter) -> list[str]:
    with newsletter.reading() as session:
        return list(session.exec(select(Appointment.state).order_by(col(Appointment.id))).all())


def due(newsletter: Newsletter) -> datetime:
    """What stands in the Date of the mailing that was begun last."""
    with newsletter.reading() as session:
        return session.exec(select(Mailing.due).order_by(col(Mailing.id).desc())).first() or Clock().now


def change(newsletter: Newsletter, text: str = ISSUE) -> None:
    """Import another revision."""
    data = text.replace("细则写明", "细则没有写明").encode()
    take_in(newsletter, read(newsletter, data), data)
