"""What the staff should know at a glance: what comes next, what went out, who reads, and what needs a person."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
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
from newsletter.editorial.approval import approved, unfit_for_real_mail
from newsletter.editorial.daily_slot import waits_for, waits_until
from newsletter.editorial.timetable import AppointmentState, slot_of
from newsletter.storage.issues import IssueRefused, IssueStore, Saved
from newsletter.storage.models import IssueRow
from newsletter.storage.seat import is_anybody_there
from newsletter.storage.witness import held
from subscribers.growth import Change, changes, readers_by_topic
from subscribers.models import State, Subscriber

_SENT_SHOWN = 6
_COMING_SHOWN = 4
_WEEKS = 12
_RECENT = timedelta(days=3)
"""Appointments that came to nothing are told of for so long."""
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Coming:
    """An issue that has not gone out; `at` is when it goes out by itself once it is approved, if it does.

    `is_own` says that this is a time of its own, `is_lapsing` that it has one and no approval that holds. `until` is
    how long the slot that has come waits for it.
    """

    saved: Saved
    errors: int
    is_asked: bool
    at: datetime | None
    is_own: bool = False
    is_lapsing: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """The next moment at which something may go out by itself; without a `slug` that is the daily slot's."""

    at: datetime
    slug: str = ""


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
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it; `next` is when something may go out by itself, `readers` how many there are in each state.

    `off` are the first and the last of the days off that the slot passes over before then.
    """

    coming: tuple[Coming, ...]
    sent: tuple[Sent, ...]
    next: Next | None
    off: tuple[date, date] | None
    readers: dict[str, int]
    by_topic: tuple[tuple[str, int], ...]
    weeks: tuple[Change, ...]
    problems: tuple[Problem, ...]


def overview(newsletter: Newsletter) -> Overview:
    """Look over the newsletter as it is now."""
    with newsletter.reading() as session:
        sent = tuple(_sent(session))
        coming = tuple(_coming(newsletter, session))
    coming = tuple(replace(one, is_lapsing=one.is_own and not _is_approved(newsletter, one.saved)) for one in coming)
    with newsletter.reading() as session:
        topics, schedule = readers_by_topic(session), newsletter.settings.schedule
        return Overview(
            coming=coming,
            sent=sent,
            next=_next(newsletter, coming),
            off=schedule.off_after(newsletter.clock()) if schedule else None,
            readers=_readers(session),
            by_topic=tuple((topic.slug, topics[topic.slug]) for topic in newsletter.topics(session).all()),
            weeks=tuple(changes(session, _weeks(newsletter.now()))),
            problems=tuple(_problems(newsletter, session, sent, coming)),
        )


def _next(newsletter: Newsletter, coming: Sequence[Coming]) -> Next | None:
    """The earliest of the daily slot and of the times that issues have of their own."""
    schedule, now = newsletter.settings.schedule, newsletter.clock()
    moments = [Next(one.at, one.saved.slug) for one in coming if one.at and one.is_own and one.at > now]
    if schedule and (at := schedule.next_after(now)):
        moments.append(Next(at))
    return min(moments, key=lambda moment: moment.at, default=None)


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


def _coming(newsletter: Newsletter, session: Session) -> Iterator[Coming]:
    """The issues of today and later that were not begun, the nearest first; without any, the latest of all.

    One that waits for a time of its own is among them whatever its date.
    """
    store, waiting = IssueStore(session), _waiting(session)
    rows = _unsent(session, newsletter.today(), waiting) or _unsent(session, None, waiting)
    for row in rows:
        saved = store.newest(row.id or 0)
        errors = sum(found.severity is Severity.ERROR for found in saved.diagnostics)
        own = waiting.get(saved.issue_id)
        yield Coming(
            saved,
            errors,
            is_asked=row.asked_revision_id == saved.revision_id,
            at=own or slot_of(newsletter, session, saved),
            is_own=own is not None,
            until=waits_for(newsletter, session, saved),
        )


def _is_approved(newsletter: Newsletter, saved: Saved) -> bool:
    """Whether an issue would be sent as it is now."""
    try:
        approved(newsletter, saved.slug)
    except IssueRefused:
        return False
    return True


def _waiting(session: Session) -> dict[int, datetime]:
    """When issues go out at a time of their own, by their ids."""
    query = select(Appointment.issue_id, Appointment.at).where(
        col(Appointment.issue_id).is_not(None), Appointment.state == AppointmentState.WAITING
    )
    latest_first = session.exec(query.order_by(col(Appointment.at).desc()))
    return {issue_id: at for issue_id, at in latest_first if issue_id is not None}


def _unsent(session: Session, since: date | None, waiting: Iterable[int]) -> Sequence[IssueRow]:
    query = select(IssueRow).where(col(IssueRow.id).not_in(select(Mailing.issue_id)), ~col(IssueRow.is_digest))
    if since is None:
        return session.exec(query.order_by(col(IssueRow.date).desc()).limit(1)).all()
    timed = session.exec(query.where(col(IssueRow.id).in_(waiting))).all()
    others = query.where(col(IssueRow.date) >= since, col(IssueRow.id).not_in(waiting))
    rows = [*timed, *session.exec(others.order_by(col(IssueRow.date)).limit(_COMING_SHOWN)).all()]
    return sorted(rows, key=lambda row: row.date)


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
    if why := held(session):
        yield Problem("held", detail=why)
    waiting = sum(one.counts.queued + one.counts.deferred for one in sent if one.state == "sending")
    if waiting and not why and not is_anybody_there(session, newsletter.database_file):
        yield Problem("nobody-sends", number=waiting)
    paused = select(IssueRow.slug, Mailing.why).join(Mailing, col(Mailing.issue_id) == IssueRow.id)
    for slug, why in session.exec(paused.where(Mailing.state == MailingState.PAUSED)):
        yield Problem("paused", slug, detail=why)
    for slug, number in session.execute(_unknown()):
        yield Problem("unknown", slug, number)
    since = newsletter.clock() - _RECENT
    failed = col(Appointment.state).in_((AppointmentState.REFUSED, AppointmentState.MISSED)), Appointment.at >= since
    unsent = select(IssueRow.slug, Appointment.at, Appointment.is_digest).join_from(
        Appointment, IssueRow, col(IssueRow.id) == Appointment.issue_id, isouter=True
    )
    # a digest that nobody would have got is missed without a word
    for slug, at, is_digest in session.exec(unsent.where(*failed, Appointment.note != "")):
        yield Problem("digest-missed" if is_digest else "appointment" if slug else "slot-missed", slug or "", at=at)
    yield from _of_slot(newsletter, session)
    for one in coming:
        if one.is_lapsing:
            yield Problem("lapsing", one.saved.slug, at=one.at)
        if one.is_asked:
            yield Problem("asked", one.saved.slug)
        if one.errors and one.saved.issue.date == newsletter.today():
            yield Problem("errors", one.saved.slug, one.errors)
    for words in unfit_for_real_mail(newsletter):
        yield Problem("unfit", detail=words)


def _of_slot(newsletter: Newsletter, session: Session) -> Iterator[Problem]:
    """The slot that waits for an approval, and those of the last day that waited for nothing."""
    waits = waits_until(newsletter, session)
    if waits and not _is_any_begun(session, waits[0].date()):
        yield Problem("slot-waits", at=waits[1])
    since = newsletter.clock() - _A_DAY
    skipped = Appointment.state == AppointmentState.NOTHING, Appointment.note != "", Appointment.at >= since
    of_slot = col(Appointment.issue_id).is_(None), col(Appointment.is_digest).is_(False)
    for at in session.exec(select(Appointment.at).where(*skipped, *of_slot)):
        if not _is_any_begun(session, at.astimezone(newsletter.settings.time_zone).date()):
            yield Problem("slot-skipped", at=at)


def _is_any_begun(session: Session, on: date) -> bool:
    """Whether an issue of that date was begun."""
    begun = select(Mailing.id).join(IssueRow, col(IssueRow.id) == Mailing.issue_id)
    daily = begun.where(IssueRow.date == on, col(IssueRow.is_digest).is_(False))
    return session.exec(daily.limit(1)).first() is not None


def _unknown() -> Select[str, int]:
    """How many messages of which issue nobody knows the fate of; an index on the state's rows finds them."""
    return (
        sql_select(col(IssueRow.slug), func.count())
        .join(Mailing, col(Mailing.issue_id) == IssueRow.id)
        .join(Delivery, col(Delivery.mailing_id) == Mailing.id)
        .where(col(Delivery.state) == DeliveryState.UNKNOWN)
        .group_by(col(IssueRow.slug))
    )
