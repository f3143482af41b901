"""Previews: one reader's mail, or that of a set of topics, as it would be sent."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, select

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.compose.edition import Edition
from newsletter.delivery.local_hour import due_for
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Reason, State
from newsletter.delivery.plan import decide, find_mailing, mailing_key, view_subject
from newsletter.delivery.writer import Writer, edition_from_json, message_key, signed
from newsletter.editorial.approval import compile_now, is_approved
from newsletter.editorial.timetable import dated, goes_out_at
from newsletter.editorial.week import days_for
from newsletter.render.assemble import Assembled, assemble
from newsletter.render.dkim import Signer
from newsletter.render.glance import Glance, glance
from newsletter.render.message import fill, html_of, subject_of, text_of
from newsletter.render.recipient import Message, Recipient
from newsletter.storage.issues import IssueRefused, Saved
from subscribers.audience import audience_page, candidate
from subscribers.models import Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import LANGUAGES, Frequency, Preferences
from subscribers.tokens import Purpose

JOINED_LATER = "joined later"
"""Why a reader gets nothing who was no candidate yet when the mailing was planned."""

OTHER_DAY = "other day"
"""Why a reader gets nothing of a digest that does not cover their day of the week."""


class Exact(StrEnum):
    """How far the bytes of a preview are those that are sent."""

    PLANNED = "planned"
    """They are: the delivery is planned."""
    APPOINTED = "appointed"
    """They are, when it goes out by itself at the moment in its Date."""
    THEN = "then"
    """They are, if it is sent at the moment in its Date."""
    DRAFT = "draft"
    """It is not approved, and what changes until then shows."""
    SAMPLE = "sample"
    """They are nobody's: marked as a test, with links that do nothing."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A mail before it is sent.

    `exact` says how far its bytes are those that are sent, `left_out` why planning then would not send it.
    """

    assembled: Assembled
    recipient: Recipient
    edition: Edition
    signer: Signer | None = None
    exact: Exact = Exact.SAMPLE
    left_out: str = ""

    @property
    def subject(self) -> str:
        """The decoded subject line."""
        return subject_of(self.assembled, self.recipient)

    @property
    def preheader(self) -> str:
        """What an inbox shows beside the subject."""
        return self.assembled.preheader

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


class NoMail(IssueRefused):
    """There is no mail to look at.

    `code` names why, for pages that say it in words of their own, which `facts` fill:

    | code | facts | what is wrong |
    |---|---|---|
    | reader | address | they are no subscriber |
    | match | address, reason | they get nothing of this issue |
    | topic | slug | there is no such topic |
    | topics | topics | the issue has no story for any of them; none means that no story has a topic |
    """

    def __init__(self, code: str, message: str, **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


def preview_for(newsletter: Newsletter, slug: str, address: str, at: datetime | None = None) -> Preview:
    """The mail of one subscriber: the planned one, or what a send would bring that begins `at` a moment.

    That is in whole seconds; None is the moment at which the issue goes out by itself, else now. Where it is approved,
    these are the very bytes that are sent then, unless the reader chooses otherwise before. Raises `IssueRefused` when
    there is no such subscriber, or nothing in this issue for them, with the reason.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        person = newsletter.people(session).get(address)
        if person is None or person.id is None:
            message = f"{address} is no subscriber; `newsletter subscriber list` shows who is."
            raise NoMail("reader", message, address=address)
        mailing = find_mailing(session, saved.issue_id)
        row = mailing and _row_of(session, mailing, person.id)
        member = candidate(session, person.id)
        chooser = Chooser(saved.issue, saved.issue.is_digest)
        meant = _meant(newsletter, session, saved, mailing, at)
        decided = decide(session, [member] if member else [], chooser, saved.issue_id, meant.due)
        days = mailing.days if mailing else days_for(newsletter, session, saved.issue)
        not_theirs = days is not None and not audience_page(session, person.id - 1, person.id, 1, days)
    if mailing and row and row.slots:
        return _planned(newsletter, mailing, row)
    reason, edition = (decided[0][1], decided[0][2]) if decided else (str(person.state), Edition())
    if row or reason in (Reason.NO_MATCH, Reason.ALREADY_HAD):
        raise _no_match(slug, address, str(row.reason if row else reason))
    # somebody who is paused, say, is shown what they would get otherwise, and the reason beside it
    edition = edition or chooser.choose(preferences_of(person))
    meant = replace(meant, due=due_for(meant.due, person.zone, person.hour))
    if not edition:
        raise _no_match(slug, address, str(Reason.NO_MATCH))
    joined_later = mailing is not None and person.id > mailing.audience_through
    left_out = reason or (JOINED_LATER if joined_later else OTHER_DAY if not_theirs else "")
    return _unplanned(newsletter, saved, person, edition, meant, left_out)


def preview_topics(newsletter: Newsletter, slug: str, topics: tuple[str, ...] = (), language: str = "zh") -> Preview:
    """The mail of nobody in particular with these topics (none: all of the issue's), marked as a test, its links inert.

    Raises `IssueRefused` for an unknown topic, or when the issue has nothing for these.
    """
    saved, recipient, edition = _sample(newsletter, slug, topics)
    return Preview(_assembled(newsletter, saved, language, edition), recipient, edition, newsletter.signer)


def glance_topics(newsletter: Newsletter, slug: str, topics: tuple[str, ...] = (), language: str = "zh") -> Glance:
    """What is seen of that mail, sooner than the mail is made; raises as `preview_topics` does."""
    saved, recipient, edition = _sample(newsletter, slug, topics)
    return glance(compile_now(newsletter, saved, [language], with_text=False)[language], edition, recipient)


def _sample(newsletter: Newsletter, slug: str, topics: tuple[str, ...]) -> tuple[Saved, Recipient, Edition]:
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        known = [topic.slug for topic in newsletter.topics(session).all()] if topics else []
    unknown = [topic for topic in topics if topic not in known]
    if unknown:
        raise NoMail("topic", f"there is no topic {unknown[0]!r}; there are {', '.join(known)}.", slug=unknown[0])
    topics = topics or tuple(dict.fromkeys(topic for story in saved.issue.stories for topic in story.topics))
    recipient = Recipient(key="preview", address="reader@example.org", date=newsletter.now(), topics=topics, test=True)
    wanted = Preferences(topics=topics, frequency=Frequency.WEEKLY if saved.issue.is_digest else Frequency.DAILY)
    edition = Chooser(saved.issue, saved.issue.is_digest).choose(wanted)
    if not edition:
        message = f"{slug} has no story for these topics: {', '.join(topics) or 'none'}."
        raise NoMail("topics", message, topics=topics)
    return saved, recipient, edition


def _no_match(slug: str, address: str, reason: str) -> NoMail:
    return NoMail("match", f"{address} gets nothing of {slug}: {reason}.", address=address, reason=reason)


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


@dataclass(frozen=True, slots=True)
class _Meant:
    """The send that a mail is shown of: its key, what stands in its Date, and whether it begins by itself."""

    key: str
    due: datetime
    by_itself: bool = False


def _meant(
    newsletter: Newsletter, session: Session, saved: Saved, mailing: Mailing | None, at: datetime | None
) -> _Meant:
    if mailing:  # it is being planned, or the reader joined later
        return _Meant(mailing.key, mailing.due)
    key = mailing_key(session, saved.issue_id, newsletter.address_key)
    by_itself = None if at else goes_out_at(newsletter, session, saved)
    due = at or dated(by_itself, newsletter.clock())
    return _Meant(key, due, due == by_itself)


def _unplanned(
    newsletter: Newsletter, saved: Saved, person: Subscriber, edition: Edition, meant: _Meant, left_out: str
) -> Preview:
    # approval is bound to every language, and while there is none the others need not be looked at
    compiled = compile_now(newsletter, saved, LANGUAGES if saved.approved_hash else [person.language])
    exact = Exact.DRAFT
    if is_approved(saved, compiled):
        exact = Exact.APPOINTED if meant.by_itself else Exact.THEN
    assembled = assemble(compiled[person.language], edition)
    recipient = _recipient(newsletter, saved, person, meant)
    return Preview(assembled, recipient, edition, newsletter.signer, exact, left_out)


def _recipient(newsletter: Newsletter, saved: Saved, person: Subscriber, meant: _Meant) -> Recipient:
    """A subscriber as the mail of an issue that is not planned yet sees them; its view shows nothing before that."""
    return Recipient(
        key=message_key(meant.key, person.id or 0),
        address=person.ascii_address or "",
        date=meant.due.astimezone(newsletter.settings.time_zone),
        topics=tuple(person.topics),
        unsubscribe_token=newsletter.tokens.make(Purpose.UNSUBSCRIBE, person.public_id),
        preferences_token=newsletter.tokens.make(Purpose.PREFERENCES, person.public_id),
        view_token=newsletter.tokens.make(Purpose.VIEW, view_subject(saved.issue_id, person.public_id)),
        name=person.name,
        format=str(person.format),
    )


def _planned(newsletter: Newsletter, mailing: Mailing, row: Delivery) -> Preview:
    writer = writer_of(newsletter, mailing)
    edition = edition_from_json(row.edition)
    recipient = writer.recipient(row.subscriber_id, row.address or "", row.due, row.slots)
    left_out = row.reason or "" if row.state == State.EXCLUDED else ""
    assembled = writer.assembled(row.language, edition)
    return Preview(assembled, recipient, edition, newsletter.signer, Exact.PLANNED, left_out)


def _assembled(newsletter: Newsletter, saved: Saved, language: str, edition: Edition) -> Assembled:
    return assemble(compile_now(newsletter, saved, [language])[language], edition)
