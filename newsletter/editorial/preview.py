"""Previews: one reader's mail, or that of a set of topics, as it would be sent."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, select

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.compose.coverage import Coverage, cover
from newsletter.compose.edition import Edition
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Reason, State
from newsletter.delivery.plan import ROWS_PER_COMMIT, decide, find_mailing
from newsletter.delivery.writer import Writer, edition_from_json, signed
from newsletter.editorial.approval import compile_now
from newsletter.render.assemble import Assembled, assemble
from newsletter.render.dkim import Signer
from newsletter.render.message import fill, html_of, subject_of, text_of
from newsletter.render.recipient import Message, Recipient
from newsletter.render.size import largest_html_bytes
from newsletter.storage.issues import IssueRefused, Saved
from subscribers.audience import audience_page, candidate
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


def preview_topics(newsletter: Newsletter, slug: str, topics: tuple[str, ...] = (), language: str = "zh") -> Preview:
    """The mail of nobody in particular with these topics (none: all of the issue's), marked as a test, its links inert.

    Raises `IssueRefused` for an unknown topic, or when the issue has nothing for these.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        catalogue = newsletter.topics(session).catalogue()
    unknown = [topic for topic in topics if catalogue.get(topic) is None]
    if unknown:
        known = ", ".join(topic.slug for topic in catalogue.topics)
        raise IssueRefused(f"there is no topic {unknown[0]!r}; there are {known}.")
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
        covered = cover(_chosen(newsletter, session, saved, left_out))
    largest = max(largest_html_bytes(one) for one in compile_now(newsletter, saved).values())
    return covered, dict(left_out), largest


def _chosen(newsletter: Newsletter, session: Session, saved: Saved, left_out: Counter[str]) -> Iterator[Edition]:
    """The edition of every reader whom planning now would not leave out; the others are counted by their reason."""
    chooser, after = Chooser(saved.issue), 0
    while page := audience_page(session, after, None, ROWS_PER_COMMIT):
        for _, reason, edition in decide(session, page, chooser, saved.issue_id, newsletter.clock()):
            if reason in (None, Reason.NO_MATCH):
                yield edition
            else:
                left_out[str(reason)] += 1
        after = page[-1].id


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
