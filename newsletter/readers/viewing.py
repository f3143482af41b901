"""A reader's own mail of an issue, shown again in the browser by the link that stands in it."""

from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.delivery.writer import edition_from_json
from newsletter.editorial.preview import writer_of
from newsletter.render.headers import MessageRefused
from newsletter.render.message import html_of
from subscribers.models import Subscriber
from subscribers.tokens import Purpose


def view(newsletter: Newsletter, token: str) -> str | None:
    """The HTML of the mail that a link was made for, as its reader got it.

    None for a link that we never made, and where nothing is left to show: the reader was forgotten or left out, or
    the mail was made by another version of this program.
    """
    subject = newsletter.tokens.read(Purpose.VIEW, token) or ""
    number, _, public_id = subject.partition("-")
    found = _find(newsletter, int(number), public_id) if number.isdecimal() else None
    if found is None:
        return None
    mailing, row = found
    try:
        writer = writer_of(newsletter, mailing)
    except MessageRefused:
        return None
    recipient = writer.recipient(row.subscriber_id, row.address or "", row.due, row.slots)
    return html_of(writer.assembled(row.language, edition_from_json(row.edition)), recipient)


def _find(newsletter: Newsletter, issue_id: int, public_id: str) -> tuple[Mailing, Delivery] | None:
    """The row that a mail is made from; forgetting empties its slots, and who was left out has nothing to look at."""
    query = (
        select(Mailing, Delivery)
        .join(Delivery)
        .join(Subscriber)
        .where(
            col(Mailing.issue_id) == issue_id,
            col(Subscriber.public_id) == public_id,
            col(Delivery.state) != State.EXCLUDED,
        )
    )
    with newsletter.reading() as session:
        found = session.exec(query).first()
    return (found[0], found[1]) if found and found[1].slots else None
