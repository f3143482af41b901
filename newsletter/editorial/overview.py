"""What the staff should know at a glance: what comes next, what went out, who reads, and what needs a person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.content.diagnostics import Severity
from newsletter.delivery.control import MailingState
from newsletter.delivery.counts import Counts, count
from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.delivery.outcome import State as DeliveryState
from newsletter.delivery.slot import Slot
from newsletter.editorial.appointments import AppointmentState
from newsletter.editorial.approval import unfit_for_real_mail
from newsletter.storage.issues import IssueStore, Saved
from newsletter.storage.models import IssueRow
from newsletter.storage.seat import is_anybody_there
from subscribers.growth import Change, changes, readers_by_topic
from subscribers.models import State, Subscriber

_SENT_SHOWN = 6
_COMING_SHOWN = 4
_WEEKS = 12
_RECENT = timedelta(days=3)
"""Appointments that came to nothing are told of for so long."""


@dataclass(frozen=True, slots=True)
class Coming:
    """An issue that has not gone out; `at` is when it goes out by itself once it is approved, if it does."""

    saved: Saved
    errors: int
    is_asked: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A mailing and how it stands."""

    slug: str
    title: str
    begun_at: datetime
    state: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that needs a person: `kind` is a word that the page explains, `slug` the issue, if it is one's."""

    kind: str
    slug: str = ""
    number: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it; `slot_at` is the next moment of the daily slot, `readers` how many there are in each state."""

    coming: tuple[Coming, ...]
    sent: tuple[Sent, ...]
    slot_at: datetime | None
    readers: dict[str, int]
    by_topic: tuple[tuple[str, int], ...]
    weeks: tuple[Change, ...]
    problems: tuple[Problem, ...]


def overview(newsletter: Newsletter) -> Overview:
    """Look over the newsletter as it is now."""
    with newsletter.reading() as session:
        slot_at = _slot_at(newsletter)
        sent = tuple(_sent(session))
        coming = tuple(_coming(newsletter, session, slot_at))
        topics = readers_by_topic(session)
        return Overview(
            coming=coming,
            sent=sent,
            slot_at=slot_at,
            readers=_readers(session),
            by_topic=tuple((topic.slug, topics[topic.slug]) for topic in newsletter.topics(session).all()),
            weeks=tuple(changes(session, _weeks(newsletter.now()))),
            problems=tuple(_problems(newsletter, session, sent, coming)),
        )


def _slot_at(newsletter: Newsletter) -> datetime | None:
    settings = newsletter.settings
    return Slot.parse(settings.slot).next_after(newsletter.clock(), settings.time_zone) if settings.slot else None


def _sent(session: Session) -> Iterator[Sent]:
    query = (
        select(Mailing, IssueRow.slug, IssueRow.title)
        .join(IssueRow, col(IssueRow.id) == Mailing.issue_id)
        .order_by(col(Mailing.id).desc())
        .limit(_SENT_SHOWN)
    )
    for mailing, slug, title in session.exec(query):
        counts = count(session, mailing.id or 0)
        yield Sent(slug, title, mailing.created_at, _state(mailing, counts), counts)


def _state(mailing: Mailing, counts: Counts) -> str:
    if mailing.state in (MailingState.PAUSED, MailingState.CANCELLED):
        return mailing.state
    left = counts.queued + counts.deferred or mailing.planned_through < mailing.audience_through
    return "sending" if left else "sent"


def _coming(newsletter: Newsletter, session: Session, slot_at: datetime | None) -> Iterator[Coming]:
    """The issues of today and later that were not begun, the nearest first; without any, the latest of all."""
    store, today = IssueStore(session), newsletter.today()
    rows = _unsent(session, today) or _unsent(session, None)
    for row in rows:
        saved = store.newest(row.id or 0)
        errors = sum(found.severity is Severity.ERROR for found in saved.diagnostics)
        is_asked = row.asked_revision_id == saved.revision_id
        yield Coming(saved, errors, is_asked, _at(newsletter, session, row, slot_at))


def _unsent(session: Session, since: date | None) -> Sequence[IssueRow]:
    query = select(IssueRow).where(col(IssueRow.id).not_in(select(Mailing.issue_id)))
    if since is None:
        return session.exec(query.order_by(col(IssueRow.date).desc()).limit(1)).all()
    return session.exec(
        query.where(col(IssueRow.date) >= since).order_by(col(IssueRow.date)).limit(_COMING_SHOWN)
    ).all()


def _at(newsletter: Newsletter, session: Session, row: IssueRow, slot_at: datetime | None) -> datetime | None:
    appointed = select(Appointment.at).where(
        Appointment.issue_id == row.id, Appointment.state == AppointmentState.WAITING
    )
    own = session.exec(appointed.order_by(col(Appointment.at)).limit(1)).first()
    if own or slot_at is None:
        return own
    return slot_at if slot_at.astimezone(newsletter.settings.time_zone).date() == row.date else None


def _readers(session: Session) -> dict[str, int]:
    states = select(Subscriber.state, func.count()).group_by(Subscriber.state)
    found: dict[str, int] = dict(session.exec(states).all())
    return {state.value: found.get(state, 0) for state in State}


def _weeks(now: datetime) -> list[datetime]:
    """The beginnings of the last weeks, on Mondays, and now."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0)
    return [*(monday - timedelta(weeks=back) for back in range(_WEEKS - 1, -1, -1)), now]


def _problems(
    newsletter: Newsletter, session: Session, sent: Sequence[Sent], coming: Sequence[Coming]
) -> Iterator[Problem]:
    """What needs a person, the most pressing first."""
    waiting = sum(one.counts.queued + one.counts.deferred for one in sent if one.state == "sending")
    if waiting and not is_anybody_there(session, newsletter.database_file):
        yield Problem("nobody-sends", number=waiting)
    paused = select(IssueRow.slug, Mailing.why).join(Mailing, col(Mailing.issue_id) == IssueRow.id)
    for slug, why in session.exec(paused.where(Mailing.state == MailingState.PAUSED)):
        yield Problem("paused", slug, detail=why)
    for slug, number in session.execute(_unknown()):
        yield Problem("unknown", slug, number)
    since = newsletter.clock() - _RECENT
    failed = col(Appointment.state).in_((AppointmentState.REFUSED, AppointmentState.MISSED))
    for note in session.exec(select(Appointment.note).where(failed, Appointment.at >= since)):
        yield Problem("appointment", detail=note)
    for one in coming:
        if one.is_asked:
            yield Problem("asked", one.saved.slug)
        if one.errors and one.saved.issue.date == newsletter.today():
            yield Problem("errors", one.saved.slug, one.errors)
    for words in unfit_for_real_mail(newsletter):
        yield Problem("unfit", detail=words)


def _unknown() -> Select[str, int]:
    """How many messages of which issue nobody knows the fate of; an index on the state's rows finds them."""
    return (
        sql_select(col(IssueRow.slug), func.count())
        .join(Mailing, col(Mailing.issue_id) == IssueRow.id)
        .join(Delivery, col(Delivery.mailing_id) == Mailing.id)
        .where(col(Delivery.state) == DeliveryState.UNKNOWN)
        .group_by(col(IssueRow.slug))
    )
