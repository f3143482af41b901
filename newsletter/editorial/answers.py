"""What a reader got on a day, at which hour and why, or why nothing: facts that each front door says in its own words.

A day is one of the newsletter's zone. It has the issues and digests that were released on it, and the mail of earlier
ones that comes on it, because a reader's own hour lies past midnight or something was late.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.sql.expression import SQLColumnExpression
from sqlmodel import Session, col

from newsletter.app import Newsletter
from newsletter.delivery.control import WAITING, MailingState
from newsletter.delivery.local_hour import due_for
from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.delivery.outcome import Reason, State
from newsletter.editorial.arrival import Arrival, arrival_of
from newsletter.editorial.log_entry import Told, tell
from newsletter.editorial.opening import CALENDAR
from newsletter.editorial.preview import message_of
from newsletter.editorial.silence import Silence, Silences, Silent, What, day_bounds, next_digest, weekly_day_of
from newsletter.editorial.timetable import AppointmentState, moment_from
from newsletter.render.headers import MessageRefused
from newsletter.staff.audit import Action
from newsletter.staff.models import AuditEntry
from newsletter.storage.models import IssueRow
from subscribers.consent import consents_of
from subscribers.models import Consent, Subscriber
from subscribers.models import State as PersonState
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Preferences
from subscribers.standing import became_active, stood

_CHOSEN = "preferences"
"""The kind of consent row that a change of choices leaves."""


class Absent(StrEnum):
    """Why somebody has no row in a mailing at all."""

    JOINED = "joined later"
    UNCONFIRMED = "not confirmed"
    """They were asked to confirm, and had not yet."""
    UNSUBSCRIBED = "unsubscribed"
    PLANNING = "being planned"
    CANCELLED = "cancelled"
    """The send was, before they were listed."""
    NOT_WEEKLY = "nothing weekly"
    """A digest, and they read nothing once a week."""
    OTHER_DAY = "another day"
    """A digest, and theirs comes on another day of the week."""
    UNLISTED = "not listed"
    """They were no candidate when it was planned, and nothing tells why any more."""


class Began(StrEnum):
    """What began a mailing."""

    SLOT = "slot"
    TIME = "time"
    """A time that was appointed for the issue alone."""
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class Part:
    """A reader's part in one mailing.

    `state` and `reason` are those of the delivery; without one `state` is empty and `reason` an `Absent`. `since` is
    the moment that the reason rests on (they joined, confirmed, left), `digest_on` the day of the digest that a weekly
    reader gets instead. `arrival` is None for who was left out. `stories` is their number; `subject` and `told` (the
    stories and why each) are there in the answer about one day only.
    """

    slug: str
    title: str
    is_digest: bool
    release: datetime
    began: Began
    state: str
    reason: str = ""
    since: datetime | None = None
    digest_on: date | None = None
    arrival: Arrival | None = None
    delivery_id: int | None = None
    stories: int = 0
    subject: str = ""
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A reader's day: their parts in what was released on it, and in earlier mailings that come on it; the silences.

    `expected_at` is their own hour for what is to come, `weekly_day` the day of the week of their digest (0 is Monday)
    where they have one, and `changed_at` when they last chose otherwise since: hours are told by their choices of now.
    """

    day: date
    parts: tuple[Part, ...]
    earlier: tuple[Part, ...] = ()
    silent: tuple[Silent, ...] = ()
    expected_at: datetime | None = None
    weekly_day: int | None = None
    changed_at: datetime | None = None


def day_from(text: str) -> date:
    """The date that is written as in `2026-03-09`; raises ValueError for none, and in years that no mail is sent in."""
    day = date.fromisoformat(text)
    return moment_from(day.isoformat(), UTC).date()


def answer(newsletter: Newsletter, reader_id: int, day: date) -> Answer:
    """All about a reader and one day, with subjects and stories."""
    (found,) = answers(newsletter, reader_id, day, day)
    with newsletter.reading() as session:
        asked = _Asked(newsletter, session, reader_id)
        earlier = tuple(asked.part(row) for row in asked.arriving(day))
    whole = partial(_whole, newsletter)
    return replace(found, parts=tuple(map(whole, found.parts)), earlier=tuple(map(whole, earlier)))


def answers(newsletter: Newsletter, reader_id: int, first: date, last: date) -> tuple[Answer, ...]:
    """A reader's days from the last to the first, in short."""
    days = [last - timedelta(days=distance) for distance in range((last - first).days + 1)]
    with newsletter.reading() as session:
        asked = _Asked(newsletter, session, reader_id)
        silences = Silences(newsletter, session, first, last)
        parts = [(asked.day_of(row.Mailing.due), asked.part(row)) for row in asked.released(first, last)]
        return tuple(asked.answer(day, [part for on, part in parts if on == day], silences) for day in days)


class _Asked:
    """One reader that is asked about, with what the answers to all days rest on."""

    def __init__(self, newsletter: Newsletter, session: Session, reader_id: int) -> None:
        self._newsletter = newsletter
        self._session = session
        self._reader = session.get_one(Subscriber, reader_id)
        self._consents: Sequence[Consent] = consents_of(session, reader_id)
        self._preferences: Preferences = preferences_of(self._reader)
        self._now = newsletter.clock()

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self._newsletter.settings.time_zone).date()

    def released(self, first: date, last: date) -> Sequence[Row[Mailing, IssueRow, Delivery]]:
        """The mailings that were released on these days, with the reader's row where there is one."""
        begin, end = day_bounds(self._newsletter, first)[0], day_bounds(self._newsletter, last)[1]
        theirs = and_(col(Delivery.mailing_id) == col(Mailing.id), col(Delivery.subscriber_id) == self._reader.id)
        query = (
            select(Mailing, IssueRow, Delivery)
            .join(IssueRow, col(IssueRow.id) == col(Mailing.issue_id))
            .outerjoin(Delivery, theirs)
            .where(col(Mailing.due) >= begin, col(Mailing.due) < end)
            .order_by(col(Mailing.due), col(Mailing.id))
        )
        return self._session.execute(query).all()

    def arriving(self, day: date) -> Sequence[Row[Mailing, IssueRow, Delivery]]:
        """The reader's mail that comes, or came, on a day, of mailings that were released before it."""
        begin, end = day_bounds(self._newsletter, day)
        query = (
            select(Mailing, IssueRow, Delivery)
            .join(Delivery, col(Delivery.mailing_id) == col(Mailing.id))
            .join(IssueRow, col(IssueRow.id) == col(Mailing.issue_id))
            .where(col(Delivery.subscriber_id) == self._reader.id, col(Mailing.due) < begin)
            .where(
                and_(col(Delivery.state) == State.ACCEPTED, _within(col(Delivery.settled_at), begin, end))
                | and_(col(Delivery.state).in_(WAITING), _within(col(Delivery.next_at), begin, end))
            )
            .order_by(col(Mailing.due))
        )
        return self._session.execute(query).all()

    def answer(self, day: date, parts: Sequence[Part], silences: Silences) -> Answer:
        """The day, told in short."""
        is_weekly = self._preferences.is_weekly
        silent = self._silent(day, parts, silences)
        to_come = next((one.at for one in silent if one.why is Silence.TO_COME and one.at), None)
        return Answer(
            day=day,
            parts=tuple(part for part in parts if is_weekly or part.reason != Absent.NOT_WEEKLY),
            silent=silent,
            expected_at=to_come and due_for(to_come, self._reader.zone, self._reader.hour),
            weekly_day=weekly_day_of(self._newsletter, self._preferences) if is_weekly else None,
            changed_at=self._changed_after(day),
        )

    def _silent(self, day: date, parts: Sequence[Part], silences: Silences) -> tuple[Silent, ...]:
        """What did not go out to the reader on a day."""
        has_issue = any(not part.is_digest for part in parts)
        if day < self.day_of(self._reader.created_at):
            return () if has_issue else (Silent(What.ISSUE, Silence.JOINED, self._reader.created_at),)
        silent = () if has_issue else silences.of_issue(day)
        theirs = any(part.is_digest and part.reason != Absent.OTHER_DAY for part in parts)
        if not theirs and next_digest(self._newsletter, self._preferences, day) == day:
            of_digest = silences.of_digest(day)
            is_said = of_digest.why is Silence.UNRECORDED and any(one.why is Silence.UNRECORDED for one in silent)
            silent = silent if is_said else (*silent, of_digest)
        return silent

    def part(self, row: Row[Mailing, IssueRow, Delivery]) -> Part:
        """The reader's part in a mailing."""
        mailing, issue, delivery = row
        absent, since = ("", None) if delivery else self._absent(mailing)
        part = Part(
            slug=issue.slug,
            title=issue.title,
            is_digest=mailing.days is not None,
            release=mailing.due,
            began=self._began(mailing, issue),
            state=delivery.state if delivery else "",
            reason=(delivery.reason or "") if delivery else absent,
            since=since,
        )
        if delivery is None:
            return replace(part, digest_on=self._digest_after(mailing) if absent == Absent.OTHER_DAY else None)
        excluded = delivery.state == State.EXCLUDED
        return replace(
            part,
            since=self._since(delivery) if excluded else None,
            digest_on=self._digest_after(mailing) if delivery.reason == Reason.WEEKLY else None,
            arrival=None if excluded else arrival_of(self._session, self._reader, mailing, delivery, self._now),
            delivery_id=delivery.id,
            stories=sum(len(stories) for _topic, stories in delivery.edition),
        )

    def _since(self, delivery: Delivery) -> datetime | None:
        """The moment of what took somebody out of a mailing."""
        if delivery.reason == Reason.UNSUBSCRIBED:
            state, since = stood(self._consents, delivery.settled_at or self._now)
            return since if state is PersonState.UNSUBSCRIBED else delivery.settled_at
        return delivery.settled_at

    def _digest_after(self, mailing: Mailing) -> date | None:
        return next_digest(self._newsletter, self._preferences, self.day_of(mailing.due))

    def _absent(self, mailing: Mailing) -> tuple[Absent, datetime | None]:
        """Why the reader has no row in a mailing, and the moment that rests on."""
        reader, begun = self._reader, mailing.created_at
        state, since = stood(self._consents, begun)
        if state is PersonState.PENDING:
            return Absent.UNCONFIRMED, became_active(self._consents, begun)
        if state is PersonState.UNSUBSCRIBED:
            return Absent.UNSUBSCRIBED, since
        if reader.created_at > begun or (reader.id or 0) > mailing.audience_through:
            return Absent.JOINED, reader.created_at
        if mailing.planned_through < min(reader.id or 0, mailing.audience_through):
            return Absent.CANCELLED if mailing.state == MailingState.CANCELLED else Absent.PLANNING, None
        if mailing.days is not None and not self._preferences.is_weekly:
            return Absent.NOT_WEEKLY, None
        if mailing.days is not None and self._preferences.day not in mailing.days:
            return Absent.OTHER_DAY, None
        return Absent.UNLISTED, None

    def _began(self, mailing: Mailing, issue: IssueRow) -> Began:
        began = select(col(AuditEntry.who)).where(
            col(AuditEntry.subject) == issue.slug, col(AuditEntry.action) == Action.SEND_BEGUN
        )
        if self._session.execute(began.limit(1)).scalar() != CALENDAR.name:
            return Began.HAND
        timed = col(Appointment.issue_id) == issue.id, col(Appointment.state) == AppointmentState.STARTED
        return Began.TIME if self._session.execute(select(col(Appointment.id)).where(*timed)).first() else Began.SLOT

    def _changed_after(self, day: date) -> datetime | None:
        begin = day_bounds(self._newsletter, day)[0]
        return next((said.at for said in reversed(self._consents) if said.kind == _CHOSEN and said.at > begin), None)


def _within(column: SQLColumnExpression[Any], begin: datetime, end: datetime) -> ColumnElement[bool]:
    return and_(column >= begin, column < end)


def _whole(newsletter: Newsletter, part: Part) -> Part:
    """The same with its subject and its stories."""
    if part.delivery_id is None:
        return part
    try:
        made = message_of(newsletter, part.delivery_id)
    except MessageRefused:  # another version of this program made it
        made = None
    return replace(part, subject=made.subject if made else "", told=tell(newsletter, part.delivery_id))
