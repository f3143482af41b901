"""Looking back: what was sent to whom, when, with which reply, and why nothing."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlmodel import Session, col

from newsletter.delivery.control import WAITING
from newsletter.delivery.models import Attempt, Delivery, Mailing, MailingStory
from newsletter.delivery.outcome import Reason, State, Verdict
from newsletter.storage.models import IssueRow

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt at a delivery; `ended_at` is None while it is in hand."""

    number: int
    started_at: datetime
    ended_at: datetime | None
    verdict: str | None
    stage: str | None
    code: int | None
    reply: str | None
    server: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One reader's part in one mailing: what was chosen (ids of stories under their topics), and what became of it.

    The mailing's `release` is the moment from which on its readers' hours count, `due` this reader's own.
    """

    delivery_id: int
    issue: str
    address: str | None
    state: str
    reason: str | None
    release: datetime
    due: datetime
    next_at: datetime
    settled_at: datetime | None
    code: int | None
    reply: str | None
    edition: list[list[object]]
    tries: tuple[Try, ...]


def entries(
    session: Session, *, slug: str = "", subscriber_id: int | None = None, state: str = "", limit: int | None = None
) -> Iterator[Entry]:
    """The newest entries first, of one issue, one subscriber or one state, read some hundred at a time."""
    readers = None if subscriber_id is None else (subscriber_id,)
    query, before, left = _query(slug, readers, state), None, limit
    while left is None or left > 0:
        page = query if before is None else query.where(col(Delivery.id) < before)
        rows = session.execute(page.limit(_PAGE if left is None else min(left, _PAGE))).all()
        tries = _tries(session, [row.Delivery.id for row in rows])
        for row in rows:
            yield _entry(row, _all_tries(row.Delivery, tries.get(row.Delivery.id, [])))
        if len(rows) < _PAGE:
            return
        before, left = rows[-1][0].id, None if left is None else left - len(rows)


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, the newest first, without their tries; whether there are older and newer ones."""

    entries: tuple[Entry, ...]
    older: bool
    newer: bool


def page(
    session: Session,
    *,
    slug: str = "",
    readers: Collection[int] | None = None,
    state: str = "",
    before: int | None = None,
    after: int | None = None,
    most: int,
) -> Page:
    """At most so many entries of one issue, some subscribers or one state: the newest, or those next to a delivery.

    `before` is the id of a delivery that older ones are wanted than; `after` one that newer ones are wanted than.
    """
    query, number = _query(slug, readers, state), col(Delivery.id)
    if after is not None:
        query = query.where(number > after).order_by(None).order_by(number)
    elif before is not None:
        query = query.where(number < before)
    rows = session.execute(query.limit(most + 1)).all()
    more, rows = len(rows) > most, rows[:most]
    found = tuple(_entry(row, ()) for row in (rows if after is None else rows[::-1]))
    return Page(found, older=more or after is not None, newer=before is not None if after is None else more)


def find(session: Session, delivery_id: int) -> tuple[Delivery, Mailing, Entry] | None:
    """A delivery with its mailing, and what the log says of it, tries and all; None where there is none."""
    row = session.execute(_query("", None, "").where(col(Delivery.id) == delivery_id)).first()
    if row is None:
        return None
    delivery = row.Delivery
    kept = _tries(session, [delivery_id]).get(delivery_id, [])
    mailing = session.get_one(Mailing, delivery.mailing_id)
    return delivery, mailing, _entry(row, _all_tries(delivery, kept))


def had_before(session: Session, subscriber_id: int, mailing: Mailing) -> Mapping[str, str]:
    """Which of a mailing's stories a subscriber had from mailings that began earlier, and in which issue.

    Gives slugs by story; whoever had a story that tells the same (see `StoryRow.root`) had this one.
    """
    of_mailing = select(col(MailingStory.root), col(MailingStory.story_id)).where(
        col(MailingStory.mailing_id) == mailing.id
    )
    own: dict[str, list[str]] = {}
    for root, story in session.execute(of_mailing):
        own.setdefault(root, []).append(story)
    shared = session.execute(
        select(col(MailingStory.mailing_id), col(MailingStory.story_id), col(MailingStory.root))
        .join(Mailing, col(Mailing.id) == col(MailingStory.mailing_id))
        .where(
            col(MailingStory.root).in_(own),
            col(Mailing.id) != mailing.id,
            col(Mailing.created_at) < mailing.created_at,
        )
    ).all()
    same = {(mailing_id, story): own[root] for mailing_id, story, root in shared}
    rows = session.execute(
        _query("", (subscriber_id,), "").where(
            col(Mailing.id).in_({mailing_id for mailing_id, _, _ in shared}),
            col(Delivery.state).in_((State.ACCEPTED, State.UNKNOWN, *WAITING, State.IN_HAND)),
        )
    ).all()
    had: dict[str, str] = {}
    for row in rows:
        for told in (story for _topic, stories in row.Delivery.edition for story in stories):
            had |= dict.fromkeys(same.get((row.Delivery.mailing_id, told), ()), row.slug)
    return had


def _entry(row: Row[Any], tries: tuple[Try, ...]) -> Entry:
    delivery: Delivery = row.Delivery
    return Entry(
        delivery_id=delivery.id or 0,
        issue=row.slug,
        address=delivery.address,
        state=delivery.state,
        reason=delivery.reason,
        release=row.release,
        due=delivery.due,
        next_at=delivery.next_at,
        settled_at=delivery.settled_at,
        code=delivery.code,
        reply=delivery.reply,
        edition=delivery.edition,
        tries=tries,
    )


def forget_reader(session: Session, subscriber_id: int) -> None:
    """Take out of the log what tells who a reader was; what became of their mail stays, under an opaque id."""
    session.execute(
        update(Delivery).where(col(Delivery.subscriber_id) == subscriber_id).values(address=None, slots={}, reply=None)
    )
    theirs = select(col(Delivery.id)).where(col(Delivery.subscriber_id) == subscriber_id)
    session.execute(update(Attempt).where(col(Attempt.delivery_id).in_(theirs)).values(reply=None))


def _query(slug: str, readers: Collection[int] | None, state: str) -> Select[Delivery, str, datetime]:
    query: Select[Delivery, str, datetime] = (
        select(Delivery, col(IssueRow.slug), col(Mailing.due).label("release"))
        .join(Mailing, col(Mailing.id) == Delivery.mailing_id)
        .join(IssueRow, col(IssueRow.id) == Mailing.issue_id)
        .order_by(col(Delivery.id).desc())
    )
    if slug:
        query = query.where(col(IssueRow.slug) == slug)
    if readers is not None:
        query = query.where(col(Delivery.subscriber_id).in_(readers))
    if state:
        query = query.where(col(Delivery.state) == state)
    return query


def _all_tries(row: Delivery, kept: list[Try]) -> tuple[Try, ...]:
    """The tries that were kept and the one in the delivery's own row, which is the truth about it once it is settled.

    While the row waits, that try was kept too, or there was none.
    """
    earlier = tuple(one for one in kept if one.number < row.attempts)
    if row.claimed_at is None or not row.attempts or (row.state in WAITING and len(earlier) < len(kept)):
        return tuple(kept)
    return (*earlier, _last_try(row, row.claimed_at))


def _last_try(row: Delivery, started_at: datetime) -> Try:
    in_hand = row.state == State.IN_HAND
    return Try(
        number=row.attempts,
        started_at=started_at,
        # when its sender died in the middle, or a person settled it, nobody knows when the attempt ended
        ended_at=None if in_hand or row.reason in (Reason.STOPPED, Reason.SETTLED) else row.settled_at,
        verdict=_verdict(row),
        stage=None if in_hand else row.stage,
        code=None if in_hand else row.code,
        reply=None if in_hand else row.reply,
        server="" if in_hand else row.server,
        size_bytes=None if in_hand else row.size_bytes,
    )


def _verdict(row: Delivery) -> Verdict | None:
    """What the last try came to, or None while it is in hand."""
    if row.state == State.UNKNOWN or row.reason == Reason.SETTLED:
        return Verdict.UNKNOWN
    if row.state == State.FAILED:
        by_reason: dict[str | None, Verdict] = {Reason.GAVE_UP: Verdict.LATER, Reason.NOT_MADE: Verdict.FAULT}
        return by_reason.get(row.reason, Verdict.REFUSED)
    return Verdict.ACCEPTED if row.state == State.ACCEPTED else None


def _tries(session: Session, deliveries: list[int]) -> dict[int, list[Try]]:
    rows = session.execute(
        select(Attempt)
        .where(col(Attempt.delivery_id).in_(deliveries))
        .order_by(col(Attempt.delivery_id), col(Attempt.number))
    ).scalars()
    found: dict[int, list[Try]] = {}
    for row in rows:
        found.setdefault(row.delivery_id, []).append(
            Try(
                number=row.number,
                started_at=row.started_at,
                ended_at=row.ended_at,
                verdict=row.verdict,
                stage=row.stage,
                code=row.code,
                reply=row.reply,
                server=row.server,
                size_bytes=row.size_bytes,
            )
        )
    return found
