"""Previews: one reader's mail, or that of a set of topics, as it would be sent; and which editions there are."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import String, cast
from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.compose.coverage import Coverage, cover
from newsletter.compose.edition import Edition
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Reason, State
from newsletter.delivery.plan import ROWS_PER_COMMIT, decide, edition_to_json, find_mailing
from newsletter.delivery.writer import Writer, edition_from_json, signed
from newsletter.editorial.approval import compile_now
from newsletter.render.assemble import Assembled, assemble
from newsletter.render.dkim import Signer
from newsletter.render.message import fill, html_of, subject_of, text_of
from newsletter.render.recipient import Message, Recipient
from newsletter.render.size import largest_html_bytes
from newsletter.storage.issues import IssueRefused, Saved
from subscribers.audience import AudienceMember, audience_page, candidate
from subscribers.models import Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

JOINED_LATER = "joined later"
"""Why a reader gets nothing who was no candidate yet when the mailing was planned."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail before it is sent.

    `planned` says that these are the very bytes of a planned delivery; `left_out` why planning now would not send it.
    """

    assembled: Assembled
    recipient: Recipient
    edition: Edition
    signer: Signer | None = None
    planned: bool = False
    left_out: str = ""

    @property
    def subject(self) -> str:
        """The decoded subject line."""
        return subject_of(self.assembled, self.recipient)

    @property
    def html(self) -> str:
        """The decoded HTML part."""
        return html_of(self.assembled, self.recipient)

    @property
    def text(self) -> str:
        """The decoded text part."""
        return text_of(self.assembled, self.recipient)

    @property
    def message(self) -> Message:
        """The whole message."""
        return signed(fill(self.assembled, self.recipient), self.signer, self.recipient.date)


@dataclass(frozen=True, slots=True)
class EditionShare:
    """One distinct edition in one language of labels: how many readers get it, and the address of one of them.

    `key` stands for it in links; the address is empty where everybody who got it was forgotten.
    """

    key: str
    edition: Edition
    language: str
    readers: int
    address: str


def preview_for(newsletter: Newsletter, slug: str, address: str) -> Preview:
    """The mail of one subscriber: the planned one, byte for byte, or what planning now would choose.

    Raises `IssueRefused` when there is no such subscriber, or nothing in this issue for them, with the reason.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        person = newsletter.people(session).get(address)
        if person is None or person.id is None:
            raise IssueRefused(f"{address} is no subscriber; `newsletter subscriber list` shows who is.")
        mailing = find_mailing(session, saved.issue_id)
        row = mailing and _row_of(session, mailing, person.id)
        member = candidate(session, person.id)
        chooser = Chooser(saved.issue)
        decided = decide(session, [member] if member else [], chooser, saved.issue_id, newsletter.clock())
    if mailing and row and row.slots:
        return _planned(newsletter, mailing, row)
    reason, edition = (decided[0][1], decided[0][2]) if decided else (str(person.state), Edition())
    if row or reason in (Reason.NO_MATCH, Reason.ALREADY_HAD):
        raise IssueRefused(f"{address} gets nothing of {slug}: {row.reason if row else reason}.")
    # somebody who is paused, say, is shown what they would get otherwise, and the reason beside it
    edition = edition or chooser.choose(preferences_of(person))
    if not edition:
        raise IssueRefused(f"{address} gets nothing of {slug}: {Reason.NO_MATCH}.")
    left_out = reason or (JOINED_LATER if mailing else "")
    recipient = _recipient(newsletter, person)
    assembled = _assembled(newsletter, saved, person.language, edition)
    return Preview(assembled, recipient, edition, newsletter.signer, left_out=left_out)


def preview_topics(
    newsletter: Newsletter, slug: str, topics: tuple[str, ...] = (), language: str = "zh", saved: Saved | None = None
) -> Preview:
    """The mail of nobody in particular with these topics (none: all of the issue's), marked as a test, its links inert.

    `saved` is the newest revision where that was read this moment. Raises `IssueRefused` for an unknown topic, or when
    the issue has nothing for these.
    """
    with newsletter.reading() as session:
        saved = saved or newsletter.issues(session).find(slug)
        known = [topic.slug for topic in newsletter.topics(session).all()] if topics else []
    unknown = [topic for topic in topics if topic not in known]
    if unknown:
        raise IssueRefused(f"there is no topic {unknown[0]!r}; there are {', '.join(known)}.")
    topics = topics or tuple(dict.fromkeys(topic for story in saved.issue.stories for topic in story.topics))
    recipient = Recipient(key="preview", address="reader@example.org", date=newsletter.now(), topics=topics, test=True)
    edition = Chooser(saved.issue).choose(Preferences(topics=topics))
    if not edition:
        raise IssueRefused(f"{slug} has no story for these topics: {', '.join(topics) or 'none'}.")
    return Preview(_assembled(newsletter, saved, language, edition), recipient, edition, newsletter.signer)


def coverage(newsletter: Newsletter, slug: str) -> tuple[Coverage, dict[str, int], int]:
    """How many readers would get how much of an issue now, how many are left out and why, and its most HTML bytes."""
    left_out: Counter[str] = Counter()
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        covered = cover(edition for _, edition in _chosen(newsletter, session, saved, left_out))
    largest = max(largest_html_bytes(one) for one in compile_now(newsletter, saved).values())
    return covered, dict(left_out), largest


def editions(newsletter: Newsletter, slug: str) -> Sequence[EditionShare]:
    """All distinct editions, that of the most readers first: those planned, or what planning now would choose.

    Memory grows with the editions, not with the readers. Raises `IssueRefused` for an unknown issue.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        mailing = find_mailing(session, saved.issue_id)
        found = _planned_shares(session, mailing) if mailing else _shares_now(newsletter, session, saved)
        return sorted(found, key=lambda share: (-share.readers, share.key))


def _planned_shares(session: Session, mailing: Mailing) -> Iterator[EditionShare]:
    edition = cast(col(Delivery.edition), String)  # as text, which every database can group
    query = (
        select(Delivery.language, edition, func.count(), func.min(Delivery.address))
        .where(Delivery.mailing_id == mailing.id, Delivery.state != State.EXCLUDED)
        .group_by(col(Delivery.language), edition)
    )
    for language, groups, readers, address in session.exec(query):
        yield _share(edition_from_json(json.loads(groups)), language, readers, address or "")


def _shares_now(newsletter: Newsletter, session: Session, saved: Saved) -> Iterator[EditionShare]:
    readers: Counter[tuple[Edition, str]] = Counter()
    first: dict[tuple[Edition, str], str] = {}
    for member, edition in _chosen(newsletter, session, saved, Counter()):
        if edition:
            place = edition, member.preferences.language
            readers[place] += 1
            first[place] = min(first.get(place, member.ascii_address), member.ascii_address)
    for (edition, language), many in readers.items():
        yield _share(edition, language, many, first[edition, language])


def _share(edition: Edition, language: str, readers: int, address: str) -> EditionShare:
    named = json.dumps([language, edition_to_json(edition)]).encode()
    return EditionShare(hashlib.sha256(named).hexdigest()[:12], edition, language, readers, address)


def _chosen(
    newsletter: Newsletter, session: Session, saved: Saved, left_out: Counter[str]
) -> Iterator[tuple[AudienceMember, Edition]]:
    """The edition of every reader whom planning now would not leave out; the others are counted by their reason."""
    chooser, after = Chooser(saved.issue), 0
    while page := audience_page(session, after, None, ROWS_PER_COMMIT):
        for member, reason, edition in decide(session, page, chooser, saved.issue_id, newsletter.clock()):
            if reason in (None, Reason.NO_MATCH):
                yield member, edition
            else:
                left_out[str(reason)] += 1
        after = page[-1].id


def message_of(newsletter: Newsletter, delivery_id: int) -> Preview | None:
    """The message of a delivery, built again byte for byte as it was sent, or is going to be.

    None where there is no such delivery, or nothing to build it from: the reader was left out from the start, or is
    forgotten. Raises `MessageRefused` when it was made by another version of this program.
    """
    with newsletter.reading() as session:
        row = session.get(Delivery, delivery_id)
        mailing = row and session.get_one(Mailing, row.mailing_id)
    return _planned(newsletter, mailing, row) if row and mailing and row.slots else None


def writer_of(newsletter: Newsletter, mailing: Mailing) -> Writer:
    """What writes the messages of a mailing, from what was approved."""
    with newsletter.reading() as session:
        compiled = newsletter.issues(session).compiled(mailing.revision_id, mailing.theme, mailing.compiled_hashes)
    return Writer.of(mailing.key, compiled, newsletter.signer)


def _row_of(session: Session, mailing: Mailing, subscriber_id: int) -> Delivery | None:
    query = select(Delivery).where(Delivery.mailing_id == mailing.id, Delivery.subscriber_id == subscriber_id)
    return session.exec(query).first()


def _recipient(newsletter: Newsletter, person: Subscriber) -> Recipient:
    """A subscriber as the mail of an issue that is not planned yet sees them; there is nothing to view before that."""
    return Recipient(
        key="preview",
        address=person.ascii_address or "",
        date=newsletter.now(),
        topics=tuple(person.topics),
        unsubscribe_token=newsletter.tokens.make(Purpose.UNSUBSCRIBE, person.public_id),
        preferences_token=newsletter.tokens.make(Purpose.PREFERENCES, person.public_id),
        name=person.name,
        format=str(person.format),
    )


def _planned(newsletter: Newsletter, mailing: Mailing, row: Delivery) -> Preview:
    writer = writer_of(newsletter, mailing)
    edition = edition_from_json(row.edition)
    recipient = writer.recipient(row.id or 0, row.address or "", row.due, row.slots)
    left_out = row.reason or "" if row.state == State.EXCLUDED else ""
    assembled = writer.assembled(row.language, edition)
    return Preview(assembled, recipient, edition, newsletter.signer, planned=True, left_out=left_out)


def _assembled(newsletter: Newsletter, saved: Saved, language: str, edition: Edition) -> Assembled:
    return assemble(compile_now(newsletter, saved, [language])[language], edition)
