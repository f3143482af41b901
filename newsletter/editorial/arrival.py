"""Why a message comes at the hour it comes: the reader's own hour, the release, or what held it up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.delivery.control import WAITING, MailingState
from newsletter.delivery.local_hour import LATEST, due_for
from newsletter.delivery.models import Attempt, Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.staff.audit import Action
from newsletter.staff.models import AuditEntry
from newsletter.storage.models import IssueRow
from subscribers.models import Subscriber

LATE = timedelta(minutes=10)
"""What comes so soon after its hour is on time: some minutes pass while many are handed over."""


class Hour(StrEnum):
    """Which hour a message was due at."""

    OWN = "own"
    """The reader's own, the first after the release."""
    WITHIN = "within"
    """The release, which fell into the reader's own hour."""
    CAPPED = "capped"
    """A day after the release: nobody waits longer for their own."""
    NONE = "none"
    """The release: the reader chose no hour."""
    AT_ONCE = "at once"
    """The moment at which somebody sent it to everybody at once, as a rule the release."""
    AGAIN = "again"
    """The moment at which somebody had it sent again."""
    THEN = "then"
    """An hour of then: the reader has chosen another since, or none, or chose while it waited."""


class Late(StrEnum):
    """What held a message up past its hour."""

    DEFERRED = "deferred"
    """The mail server took it only at a later try, or has not yet."""
    PAUSED = "paused"
    """The mailing was paused, until somebody had it go on."""
    BUSY = "busy"
    """Many were due at once, and others went first."""
    DOWN = "down"
    """No sender was running, or none that could use a mail server."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When one message was due and why then, and why it came later where it did.

    `zone` and `own_hour` are the reader's of now, of which `hour` says whether they explain the moment. `at` is when
    the server took it, or when it is to go out next; `late` is empty while it is on time.
    """

    due: datetime
    hour: Hour
    zone: str | None = None
    own_hour: int | None = None
    at: datetime | None = None
    late: Late | None = None


def arrival_at(newsletter: Newsletter, delivery_id: int) -> Arrival | None:
    """When one delivery reaches its reader, and why then; None for who was left out, or is forgotten."""
    with newsletter.reading() as session:
        row = session.get(Delivery, delivery_id)
        if row is None or row.state == State.EXCLUDED:
            return None
        reader = session.get_one(Subscriber, row.subscriber_id)
        if reader.address is None:
            return None
        mailing = session.get_one(Mailing, row.mailing_id)
        return arrival_of(session, reader, mailing, row, newsletter.clock())


def arrival_of(session: Session, reader: Subscriber, mailing: Mailing, row: Delivery, now: datetime) -> Arrival:
    """When a delivery that was not left out reaches its reader, and why then."""
    at = row.settled_at if row.state not in WAITING else row.next_at if row.next_at > now else None
    held_up = (at or now) - row.due > LATE
    return Arrival(
        due=row.due,
        hour=_hour(session, reader, mailing, row),
        zone=reader.zone,
        own_hour=reader.hour,
        at=at,
        late=_late(session, mailing, row, now) if held_up else None,
    )


def _hour(session: Session, reader: Subscriber, mailing: Mailing, row: Delivery) -> Hour:
    release, due = mailing.due, row.due
    if due > release and _was_done(session, mailing, Action.SENT_AGAIN, due, due + LATE):
        return Hour.AGAIN
    own = due_for(release, reader.zone, reader.hour)
    if mailing.at_once and (due == release or due != own):  # who had it before that was ordered had their own hour
        return Hour.AT_ONCE
    if reader.zone is None or reader.hour is None:
        return Hour.NONE if due == release else Hour.THEN
    if due != own:
        return Hour.THEN
    if due == release:
        return Hour.WITHIN
    is_a_day_later = due - release == LATEST and due.astimezone(ZoneInfo(reader.zone)).hour != reader.hour
    return Hour.CAPPED if is_a_day_later else Hour.OWN


def _late(session: Session, mailing: Mailing, row: Delivery, now: datetime) -> Late:
    first = _first_try(session, row)
    if first and first - row.due <= LATE:
        return Late.DEFERRED
    began = first or now
    if mailing.state == MailingState.PAUSED or _was_done(session, mailing, Action.SEND_RESUMED, row.due, began):
        return Late.PAUSED
    # others of this mailing were handed over then: looked through for a late message only, for no index leads there
    meanwhile = col(Delivery.settled_at).between(row.due, row.due + LATE)
    others = select(Delivery.id).where(
        Delivery.mailing_id == mailing.id, Delivery.state == State.ACCEPTED, meanwhile, Delivery.id != row.id
    )
    return Late.BUSY if session.exec(others.limit(1)).first() else Late.DOWN


def _first_try(session: Session, row: Delivery) -> datetime | None:
    """When a delivery was first tried since it was due; None before that."""
    earlier = select(func.min(Attempt.started_at)).where(Attempt.delivery_id == row.id, Attempt.started_at >= row.due)
    kept = session.exec(earlier).one()
    last = row.claimed_at if row.attempts and row.claimed_at and row.claimed_at >= row.due else None
    return kept or last


def _was_done(session: Session, mailing: Mailing, action: Action, begin: datetime, end: datetime) -> bool:
    """Whether somebody did something to a mailing between two moments."""
    slug = select(IssueRow.slug).where(IssueRow.id == mailing.issue_id).scalar_subquery()
    done = select(AuditEntry.id).where(
        AuditEntry.subject == slug, AuditEntry.action == action, col(AuditEntry.at).between(begin, end)
    )
    return session.exec(done.limit(1)).first() is not None
