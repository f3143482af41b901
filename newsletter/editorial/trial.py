"""A test send: the real message to a few addresses, marked, its links inert, and nothing written down."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace

from newsletter.app import Newsletter
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.transport import ServerRefused
from newsletter.editorial.outbox import routes
from newsletter.editorial.preview import preview_for, preview_topics
from newsletter.render.recipient import INERT_TOKEN, Message
from newsletter.storage.issues import IssueRefused
from subscribers.addresses import parse_address


def send_trial(newsletter: Newsletter, slug: str, addresses: Sequence[str]) -> list[tuple[str, Outcome]]:
    """Send an issue as a test, in the order of the addresses; what became of each.

    A subscriber gets their own edition, anybody else all of the issue's topics. It differs from the real message in its
    Message-ID, the mark before the subject, and its links, which do nothing. Needs no approval. Raises `IssueRefused`,
    `AddressRefused`, and `ServerRefused` when no server can be reached.
    """
    messages = [(address, _message(newsletter, slug, address)) for address in addresses]
    return asyncio.run(_hand_over(newsletter, messages))


def _message(newsletter: Newsletter, slug: str, address: str) -> Message:
    wanted = parse_address(address)
    try:
        preview = preview_for(newsletter, slug, address)
    except IssueRefused:
        preview = preview_topics(newsletter, slug)
    recipient = replace(
        preview.recipient,
        key=f"test.{secrets.token_hex(8)}",
        address=wanted.ascii,
        unsubscribe_token=INERT_TOKEN,
        preferences_token=INERT_TOKEN,
        view_token=INERT_TOKEN,
        test=True,
    )
    return replace(preview, recipient=recipient).message


async def _hand_over(newsletter: Newsletter, messages: Sequence[tuple[str, Message]]) -> list[tuple[str, Outcome]]:
    trouble: ServerRefused | None = None
    for route in routes(newsletter):
        try:
            connection = await route.connect()
        except ServerRefused as refusal:
            trouble = refusal
            continue
        outcomes = [(address, await connection.hand_over(message)) for address, message in messages]
        await connection.quit()
        return outcomes
    raise trouble or ServerRefused("no server is set")
