"""What the schedule brings: the moments to come with their issues, the days off, and at which hour readers read."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.content.issue import DIGEST
from newsletter.delivery.plan import find_mailing
from newsletter.editorial.approval import approved
from newsletter.editorial.daily_slot import waits_until
from newsletter.editorial.timetable import appointed_for
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.witness import held
from subscribers.hours import hours_spread

_MOMENTS = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of the slot with the issue of its day.

    `state` is `approved`, `draft` or `none`; `sent` where it was begun by hand, `own time` where it waits for one.
    """

    at: datetime
    state: str
    slug: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """All of it; `waiting` is the moment that has come and waits for an approval, and `until` when it does.

    `days_off` are those of a year, as spans; `at_slot` and `at_own_hour` count the active readers; `held` is the code
    of why nothing is sent, empty as a rule.
    """

    moments: tuple[Moment, ...]
    waiting: Moment | None
    until: datetime | None
    days_off: tuple[tuple[date, date], ...]
    at_slot: int
    at_own_hour: int
    held: str


def outlook(newsletter: Newsletter) -> Outlook:
    """Look ahead from now."""
    schedule = newsletter.settings.schedule
    with newsletter.reading() as session:
        waiting = waits_until(newsletter, session)
        at_slot, at_own_hour = hours_spread(session)
        why_held = held(session)
    return Outlook(
        moments=tuple(_moment(newsletter, at) for at in next_moments(newsletter, _MOMENTS)),
        waiting=_moment(newsletter, waiting[0]) if waiting else None,
        until=waiting[1] if waiting else None,
        days_off=schedule.days_off.coming(newsletter.today()) if schedule else (),
        at_slot=at_slot,
        at_own_hour=at_own_hour,
        held=why_held,
    )


def next_moments(newsletter: Newsletter, most: int) -> list[datetime]:
    """The next moments of the slot, the nearest first; fewer where every day of the next year is off."""
    schedule, found = newsletter.settings.schedule, list[datetime]()
    at: datetime | None = newsletter.clock()
    while schedule and at and len(found) < most and (at := schedule.next_after(at)):
        found.append(at)
    return found


def _moment(newsletter: Newsletter, at: datetime) -> Moment:
    with newsletter.reading() as session:
        those = [one for one in newsletter.issues(session).of_date(at.date()) if one.issue.format != DIGEST]
        stands = [(_state(newsletter, session, saved), saved) for saved in those]
    if not stands:
        return Moment(at, "none")
    state, saved = min(stands, key=lambda stand: ("approved", "draft", "own time", "sent").index(stand[0]))
    return Moment(at, state, saved.slug, saved.issue.title)


def _state(newsletter: Newsletter, session: Session, saved: Saved) -> str:
    """How an issue of the day stands, with the eyes of the slot."""
    if find_mailing(session, saved.issue_id):
        return "sent"
    if appointed_for(session, saved.issue_id):
        return "own time"
    try:
        approved(newsletter, saved.slug)
    except IssueRefused:
        return "draft"
    return "approved"
