"""Telling the people who run the newsletter what they should know, by mail."""

import asyncio
import logging
import secrets
from collections.abc import Sequence

from newsletter.app import Newsletter
from newsletter.delivery.outcome import Verdict
from newsletter.delivery.transport import ServerRefused
from newsletter.editorial.outbox import routes
from newsletter.render.notice import notice
from newsletter.render.recipient import Message

_log = logging.getLogger(__name__)


def tell_staff(newsletter: Newsletter, subject: str, paragraphs: Sequence[str]) -> bool:
    """Mail everybody of the setting STAFF, through the first server that takes it; whether all were reached.

    What could not be mailed stands in the process's log.
    """
    settings = newsletter.settings
    messages = [
        notice(
            settings.publication,
            address,
            f"[{newsletter.name}] {subject}",
            paragraphs,
            newsletter.now(),
            f"notice.{secrets.token_hex(8)}",
        )
        for address in settings.staff
    ]
    reached = bool(messages) and asyncio.run(hand_over_all(newsletter, messages)) == len(messages)
    if not reached:
        _log.warning("%s %s", subject, " ".join(paragraphs))
    return reached


async def hand_over_all(newsletter: Newsletter, messages: Sequence[Message]) -> int:
    """Hand over messages that belong to no mailing, one after the other; how many were accepted.

    They go through the first server that can be reached; one that was not accepted is not tried again.
    """
    for route in routes(newsletter):
        try:
            connection = await route.connect()
        except ServerRefused:
            continue
        outcomes = [await connection.hand_over(message) for message in messages if connection.is_open]
        await connection.quit()
        return sum(outcome.verdict is Verdict.ACCEPTED for outcome in outcomes)
    return 0
