"""A test send: the real message to a few addresses, marked, its links inert, and nothing written down."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.delivery.transport import ServerRefused
from newsletter.editorial.outbox import routes
from newsletter.editorial.preview import preview_for, preview_topics
from newsletter.render.recipient import INERT_TOKEN, Message
from newsletter.staff.audit import Action, record
from newsletter.staff.models import AuditEntry
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import IssueRefused
from subscribers.addresses import parse_address

MOST_A_DAY = 300
"""Messages of tests from one person: they need neither approval nor the right to send, and are no way round that."""
DAY = timedelta(days=1)


class TooManyTests(Exception):
    """Somebody sent so many tests within a day that this one would be too many; `sent` is to how many addresses."""

    def __init__(self, sent: int) -> None:
        super().__init__(f"{sent} test messages within a day, and {MOST_A_DAY} is the most.")
        self.sent = sent


def send_trial(
    newsletter: Newsletter, slug: str, addresses: Sequence[str], within_seconds: float | None = None
) -> list[tuple[str, Outcome]]:
    """Send an issue as a test, in the order of the addresses; what became of each.

    A subscriber gets their own edition, anybody else all of the issue's topics. It differs from the real message in its
    Message-ID, the mark before the subject, and its links, which do nothing; and in its Date, while the time at which
    the issue goes out by itself is to come. Needs no approval. With `within_seconds`
    it ends by then, and what was not tried is to be tried later. Raises `IssueRefused`, `AddressRefused`, and
    `ServerRefused` when no server can be reached.
    """
    messages = [(address, _message(newsletter, slug, address)) for address in addresses]
    return asyncio.run(_in_time(newsletter, messages, within_seconds))


def order_trial(
    newsletter: Newsletter,
    slug: str,
    addresses: Sequence[str],
    actor: Actor = COMMAND_LINE,
    within_seconds: float | None = None,
) -> list[tuple[str, Outcome]]:
    """Send a test as `send_trial` does, and write down who did; to how many, but not to whom.

    Raises `TooManyTests` besides, for somebody of the staff who sent as many within a day as one may.
    """
    _require_room(newsletter, actor, len(addresses))
    outcomes = send_trial(newsletter, slug, addresses, within_seconds)
    accepted = sum(outcome.verdict is Verdict.ACCEPTED for _, outcome in outcomes)
    with newsletter.session() as session:
        now = newsletter.clock()
        record(session, actor, Action.TEST_SENT, slug, now, addresses=len(outcomes), accepted=accepted)
    return outcomes


def _require_room(newsletter: Newsletter, actor: Actor, more: int) -> None:
    if actor.id is None:  # whoever has the command line has the mail server's password too
        return
    with newsletter.reading() as session:
        since = newsletter.clock() - DAY
        tests = AuditEntry.staff_id == actor.id, AuditEntry.action == Action.TEST_SENT, col(AuditEntry.at) > since
        sent = sum(details["addresses"] for details in session.exec(select(AuditEntry.details).where(*tests)))
    if sent + more > MOST_A_DAY:
        raise TooManyTests(sent)


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
        date=min(preview.recipient.date, newsletter.now()),  # one to come would be taken for a forged one
        unsubscribe_token=INERT_TOKEN,
        preferences_token=INERT_TOKEN,
        view_token=INERT_TOKEN,
        test=True,
    )
    return replace(preview, recipient=recipient).message


async def _in_time(
    newsletter: Newsletter, messages: Sequence[tuple[str, Message]], within_seconds: float | None
) -> list[tuple[str, Outcome]]:
    outcomes: list[tuple[str, Outcome]] = []
    try:
        async with asyncio.timeout(within_seconds):
            await _hand_over(newsletter, messages, outcomes)
    except TimeoutError:
        if not outcomes:
            raise ServerRefused(f"no answer within {within_seconds:g} s") from None
    late = Outcome(Verdict.LATER, Stage.WRITE, 0, "not tried: the time for a test was over")
    return outcomes + [(address, late) for address, _ in messages[len(outcomes) :]]


async def _hand_over(
    newsletter: Newsletter, messages: Sequence[tuple[str, Message]], outcomes: list[tuple[str, Outcome]]
) -> None:
    """Hand the messages over through the first server that can be reached, noting what became of each."""
    trouble: ServerRefused | None = None
    for route in routes(newsletter):
        try:
            connection = await route.connect()
        except ServerRefused as refusal:
            trouble = refusal
            continue
        for address, message in messages:
            outcomes.append((address, await connection.hand_over(message)))
        await connection.quit()
        return
    raise trouble or ServerRefused("no server is set")
