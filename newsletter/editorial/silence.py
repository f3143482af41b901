"""Why nothing went out on a day, or has not yet: told by the appointments of the slot, and by the schedule as it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlmodel import Session, col, exists, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment, Mailing
from newsletter.delivery.slot import Schedule, day_of_week
from newsletter.editorial.moments import limit_of
from newsletter.editorial.timetable import SLOT_KEY, AppointmentState, appointed_for
from newsletter.storage.models import IssueRow
from subscribers.preferences import DAYS, Preferences

_A_YEAR_DAYS = 366


class What(StrEnum):
    """What did not go out."""

    ISSUE = "issue"
    DIGEST = "digest"


class Silence(StrEnum):
    """Why nothing went out."""

    TO_COME = "to come"
    """Its time has not come."""
    APPROVED = "approved"
    """An issue of that day is approved and was not begun, and nothing sends it by itself."""
    JOINED = "joined later"
    """The reader was none yet."""
    UNRECORDED = "not recorded"
    """Nothing was sent, and nothing was written down that tells why."""
    WAITS = "waits"
    """Its time has come: it waits for an approval, or for a sender, and may still go out."""
    OFF = "day off"
    NO_DAY = "no day of the slot"
    NO_SLOT = "no slot"
    """Nothing goes out by itself, and nobody sent anything."""
    OWN_TIME = "own time"
    """The issue of that day has a time of its own, on another one."""
    SKIPPED = "skipped"
    """Nothing was approved in time; of a digest: there was nothing to send."""
    MISSED = "missed"
    """No sender was running."""
    REFUSED = "refused"
    """It could not be sent as it was."""
    CALLED_OFF = "called off"
    """The slot was moved, or somebody called off the time that an issue had of its own."""


@dataclass(frozen=True, slots=True)
class Silent:
    """What did not go out on a day, and why.

    `at` is the moment it was meant for (of `JOINED` when they joined), `until` when the wait for an approval ends,
    `slug` the issue where it is a certain one, and `note` what the staff were told, in English.
    """

    what: What
    why: Silence
    at: datetime | None = None
    until: datetime | None = None
    slug: str = ""
    note: str = ""


_BY_STATE = {
    AppointmentState.NOTHING: Silence.SKIPPED,
    AppointmentState.REFUSED: Silence.REFUSED,
    AppointmentState.MISSED: Silence.MISSED,
    AppointmentState.CANCELLED: Silence.CALLED_OFF,
}


class Silences:
    """Looks up why nothing went out, for some days one after the other, from `first` to `last`."""

    def __init__(self, newsletter: Newsletter, session: Session, first: date, last: date) -> None:
        self._newsletter = newsletter
        self._now = newsletter.clock()
        self._schedule = newsletter.settings.schedule
        zone = newsletter.settings.time_zone
        begin, end = day_bounds(newsletter, first)[0], day_bounds(newsletter, last)[1]
        rows = session.exec(
            select(Appointment, IssueRow.slug)
            .outerjoin(IssueRow, col(IssueRow.id) == Appointment.issue_id)
            .where(col(Appointment.at) >= begin, col(Appointment.at) < end)
            .order_by(col(Appointment.id))
        ).all()
        self._rows = [(row.at.astimezone(zone).date(), row, slug) for row, slug in rows]
        self._unsent = _unsent(session, first, last)
        self._today = self._now.astimezone(zone).date()

    def of_issue(self, day: date) -> tuple[Silent, ...]:
        """Why no issue went out on a day on which none did."""
        theirs = [(row, slug) for on, row, slug in self._rows if on == day and not row.is_digest]
        timed = tuple(self._told(What.ISSUE, row, slug) for row, slug in theirs if row.issue_id)
        slots = [row for row, _ in theirs if row.issue_id is None and row.key.startswith(SLOT_KEY)]
        if timed and not any(row.note for row in slots):  # what the slot left to a time of its own
            return timed
        return (*timed, self._of_slot(day, slots))

    def of_digest(self, day: date) -> Silent:
        """Why no digest went out on a day that is a reader's day for it."""
        rows = [row for on, row, _ in self._rows if on == day and row.is_digest]
        if rows:
            return self._told(What.DIGEST, rows[-1])
        if self._schedule is None:
            return Silent(What.DIGEST, self._unless_past(day, Silence.NO_SLOT))
        return self._unwritten(What.DIGEST, self._schedule.hour_on(day))

    def _of_slot(self, day: date, rows: Sequence[Appointment]) -> Silent:
        is_off = self._schedule is not None and self._schedule.is_off(day)
        if rows and not (is_off and rows[-1].state == AppointmentState.CANCELLED):
            told = self._told(What.ISSUE, rows[-1])
            return replace(told, why=Silence.OWN_TIME) if told.why is Silence.SKIPPED and not told.note else told
        at = None if self._schedule is None or is_off else self._schedule.on(day)
        found = self._unwritten(What.ISSUE, at) if at else self._by_schedule(day, is_off, bool(rows))
        return found if found.why in (Silence.TO_COME, Silence.WAITS) else self._unsent.get(day, found)

    def _by_schedule(self, day: date, is_off: bool, is_written: bool) -> Silent:
        """A day on which the schedule, as it is now, sends nothing; a day off that was kept was written down."""
        if is_off:
            return Silent(What.ISSUE, Silence.OFF if is_written else self._unless_past(day, Silence.OFF))
        return Silent(What.ISSUE, self._unless_past(day, Silence.NO_SLOT) if self._schedule is None else Silence.NO_DAY)

    def _unless_past(self, day: date, why: Silence) -> Silence:
        """What the schedule says of a day, unless that is over: what the schedule was then is not known."""
        return Silence.UNRECORDED if day < self._today else why

    def _told(self, what: What, row: Appointment, slug: str | None = None) -> Silent:
        state = AppointmentState(row.state)
        if state in _BY_STATE:
            return Silent(what, _BY_STATE[state], row.at, slug=slug or "", note=row.note)
        if state == AppointmentState.STARTED or row.at > self._now:
            return Silent(what, Silence.TO_COME, row.at, slug=slug or "")
        return Silent(what, Silence.WAITS, row.at, limit_of(self._newsletter, row.at), slug or "")

    def _unwritten(self, what: What, at: datetime) -> Silent:
        """A moment that nobody wrote down: it is to come, or nothing tells whether there was one."""
        if at > self._now:
            return Silent(what, Silence.TO_COME, at)
        until = limit_of(self._newsletter, at)
        return Silent(what, Silence.UNRECORDED) if until < self._now else Silent(what, Silence.WAITS, at, until)


def _unsent(session: Session, first: date, last: date) -> dict[date, Silent]:
    """Of each day the approved issue that was not begun, with the time of its own that it waits for."""
    rows = session.exec(
        select(IssueRow)
        .where(col(IssueRow.date) >= first, col(IssueRow.date) <= last, ~col(IssueRow.is_digest))
        .where(col(IssueRow.approved_hash).is_not(None))
        .where(~exists().where(col(Mailing.issue_id) == col(IssueRow.id)))
        .order_by(col(IssueRow.id).desc())
    ).all()
    found = {}
    for row in rows:
        at = appointed_for(session, row.id or 0)
        found[row.date] = Silent(What.ISSUE, Silence.TO_COME if at else Silence.APPROVED, at, slug=row.slug)
    return found


def day_bounds(newsletter: Newsletter, day: date) -> tuple[datetime, datetime]:
    """Where a date begins and ends in the newsletter's zone."""
    zone = newsletter.settings.time_zone
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def weekly_day_of(newsletter: Newsletter, preferences: Preferences) -> int:
    """The day of the week (0 is Monday) on which a reader has their digest."""
    return day_of_week(newsletter.settings.weekly_day) if preferences.day is None else preferences.day


def next_digest(newsletter: Newsletter, preferences: Preferences, day: date) -> date | None:
    """When a weekly reader's digest comes next, that day or later; None where nothing goes out by itself.

    One whose day is off is merged into that of the next day that is not.
    """
    schedule = newsletter.settings.schedule
    if schedule is None or not preferences.is_weekly:
        return None
    meant = _weekly_from(day - timedelta(days=len(DAYS)), weekly_day_of(newsletter, preferences))
    moved = (_not_off(schedule, one) for one in meant)
    return next((one for one in moved if one is None or one >= day), None)


def _weekly_from(day: date, weekday: int) -> Iterator[date]:
    """The dates of a day of the week, for a year from some day on."""
    first = day + timedelta(days=(weekday - day.weekday()) % len(DAYS))
    return (first + timedelta(days=distance) for distance in range(0, _A_YEAR_DAYS, len(DAYS)))


def _not_off(schedule: Schedule, day: date) -> date | None:
    days = (day + timedelta(days=distance) for distance in range(_A_YEAR_DAYS))
    return next((one for one in days if not schedule.is_off(one)), None)
