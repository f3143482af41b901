"""The days that a weekly digest covers: whose day it is, and since when it tells.

| case | rule |
|---|---|
| every day that is not off | a digest for those whose day of the week it is |
| a day was off, or its moment was missed | the next digest is for its readers too, and tells that much more |
| no digest went out for a week or longer | the next one is for everybody who reads weekly |
| the first digest ever | for those whose day it is |
| the slot moved to a later hour, or a digest was built before its hour | the next one of that day tells since then |
| no slot is set, so that only a person sends any | for all whose day was not covered within a week; tells of a week |

A moment is kept when its digest was begun, or when there was nobody to get one or nothing to tell.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.content.issue import Issue
from newsletter.delivery.models import Appointment, Mailing
from newsletter.editorial.timetable import AppointmentState
from newsletter.storage.models import IssueRow, RevisionRow
from subscribers.audience import weekly_on
from subscribers.models import State, Subscriber
from subscribers.preferences import DAYS

MOST_DAYS = 7
"""Days that a digest covers at most: with seven it is for every day of the week."""

OVERLAP = timedelta(hours=2)
"""So much more than the week is looked back: an issue that began some minutes after the slot, or an hour earlier by the
change to summer time, is in one of two digests at least. Who had its stories does not get them again."""

_KEPT = (AppointmentState.STARTED, AppointmentState.NOTHING)


@dataclass(frozen=True, slots=True)
class Week:
    """What a digest is of: the dates it covers, in their order and its own date last, and what it tells of.

    It tells of issues that began from `since` on, and before `until`.
    """

    covered: tuple[date, ...]
    since: datetime
    until: datetime

    def days(self, weekly_day: int) -> tuple[int | None, ...]:
        """The days of the week of its readers (0 is Monday); None among them is for those who chose none."""
        days = sorted({day.weekday() for day in self.covered})
        return (*days, None) if weekly_day in days else tuple(days)


def digest_slug(on: date) -> str:
    """What the digest of a date is known by."""
    return f"digest-{on.isoformat()}"


def week_of(newsletter: Newsletter, session: Session, on: date) -> Week:
    """What the digest of a date is of."""
    zone, schedule = newsletter.settings.time_zone, newsletter.settings.schedule
    midnight = datetime.combine(on, time(), zone)
    last, earliest = _last_kept(session, midnight), on - timedelta(days=MOST_DAYS - 1)
    first = max(last + timedelta(days=1), earliest) if last else on if schedule else earliest
    covered = tuple(first + timedelta(days=n) for n in range((on - first).days + 1))
    moment = schedule.hour_on(on) if schedule else midnight
    # by the calendar: a day of the change of clocks is a day
    back = timedelta(days=MOST_DAYS + (len(covered) - 1 if schedule else 0))
    since = moment - back - OVERLAP
    if schedule and (told := _told_until(session, datetime.combine(first - timedelta(days=MOST_DAYS), time(), zone))):
        since = min(since, told)
    return Week(covered, since, datetime.combine(on + timedelta(days=1), time(), zone))


def days_of(newsletter: Newsletter, session: Session, on: date) -> tuple[int | None, ...]:
    """The days of the week of those who get the digest of a date (see `Mailing.days`)."""
    return week_of(newsletter, session, on).days(DAYS.index(newsletter.settings.weekly_day))


def days_for(newsletter: Newsletter, session: Session, issue: Issue) -> tuple[int | None, ...] | None:
    """The same for an issue: None for one that goes to everybody."""
    return days_of(newsletter, session, issue.date) if issue.is_digest and issue.date else None


def readers_on(days: tuple[int | None, ...]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Make the SQL conditions on `Subscriber` of who is a candidate for a digest of these days."""
    return col(Subscriber.state).in_((State.ACTIVE, State.PAUSED)), weekly_on(days)


def _told_until(session: Session, midnight: datetime) -> datetime | None:
    """Until when the digest of the day that begins at a midnight told; None where none of that day was kept.

    That is its moment as it was then, for the slot may have moved since, or when a person built it before that.
    """
    appointed = select(func.min(Appointment.at)).where(
        col(Appointment.is_digest),
        col(Appointment.state).in_(_KEPT),
        Appointment.at >= midnight,
        Appointment.at < midnight + timedelta(days=1),
    )
    built = (
        select(RevisionRow.created_at)
        .join(Mailing, col(Mailing.revision_id) == RevisionRow.id)
        .join(IssueRow, col(IssueRow.id) == Mailing.issue_id)
        .where(IssueRow.slug == digest_slug(midnight.date()))
    )
    return min(filter(None, (session.exec(appointed).one(), session.exec(built).first())), default=None)


def _last_kept(session: Session, before: datetime) -> date | None:
    """The date of the latest digest before a midnight that was kept, by itself or by a person; None for none."""
    kept = col(Appointment.state).in_(_KEPT)
    appointed = select(func.max(Appointment.at)).where(col(Appointment.is_digest), kept, Appointment.at < before)
    begun = (
        select(func.max(IssueRow.date))
        .join(Mailing, col(Mailing.issue_id) == IssueRow.id)
        .where(col(IssueRow.is_digest), IssueRow.date < before.date())
    )
    at, on = session.exec(appointed).one(), session.exec(begun).one()
    return max(filter(None, (at and at.astimezone(before.tzinfo).date(), on)), default=None)
