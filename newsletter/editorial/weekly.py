"""The weekly digest by itself: on every day that is not off, at the hour of the slot, behind the issue of the day.

| at its moment | what follows |
|---|---|
| nobody reads weekly on the days it covers, or no issue went out in their week | nothing, and nothing is built |
| a person built and approved the digest of the day | that is sent as it is |
| anything else | it is built and approved here, of stories that were approved, and begins |
| the digest of the day was begun by hand | nothing: it was sent |
| the slot was moved, or the day became a day off | nothing; the next digest covers the day too |
| no sender was running until later than the limit | the same, and the staff are told where somebody would have got it |

Which days a digest covers is in `newsletter.editorial.week`.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment
from newsletter.delivery.plan import Approved, find_mailing
from newsletter.delivery.slot import Schedule
from newsletter.editorial.approval import NotReady, approve, approved
from newsletter.editorial.digest import build, is_wanted
from newsletter.editorial.moments import Unsent, begin_at, is_too_late, settle
from newsletter.editorial.opening import CALENDAR
from newsletter.editorial.timetable import AppointmentState
from newsletter.editorial.week import MOST_DAYS, digest_slug
from newsletter.storage.chosen_settings import changed_at
from newsletter.storage.digests import find_digest
from newsletter.storage.issues import IssueRefused
from newsletter.storage.witness import held

_OF_SCHEDULE = ("slot", "days_off")
"""The settings that say when the moments of the digest are."""
_PASSING = ("changed", "held")
"""Why it cannot begin at this moment, and can at the next look or when a person says so."""


def keep_digests(newsletter: Newsletter, now: datetime) -> None:
    """Begin the digest that is due now, and say of one that cannot be begun why not.

    `now` is a moment before the appointments were looked at, so that the issue of a moment is begun before its digest,
    which tells of it.
    """
    with newsletter.reading() as session:
        if held(session):
            return
    write_down(newsletter)
    with newsletter.reading() as session:
        waiting = Appointment.state == AppointmentState.WAITING, Appointment.at <= now
        due = session.exec(select(Appointment).where(col(Appointment.is_digest), *waiting)).all()
    for appointment in due:
        _keep(newsletter, appointment)


def write_down(newsletter: Newsletter) -> None:
    """Write the latest moment of the digest down, once; nobody is to be told of one that was past before it was set."""
    schedule = newsletter.settings.schedule
    at = _last_moment(schedule, newsletter.clock()) if schedule else None
    if at is None:
        return
    of_digest = col(Appointment.is_digest)
    with newsletter.reading() as session:
        known = select(Appointment.id).where(of_digest, Appointment.at >= at)  # a later one: the clock went back
        if session.exec(known.limit(1)).first() is not None:
            return
    with suppress(IntegrityError), newsletter.session() as session:  # another worker may write it at this moment
        set_later = is_too_late(newsletter, at) and _was_set_later(session, at)
        state = AppointmentState.CANCELLED if set_later else AppointmentState.WAITING
        key = f"digest {at.isoformat()}"
        session.add(Appointment(key=key, at=at, is_digest=True, state=state, made_at=newsletter.clock()))


def comes_now(newsletter: Newsletter, session: Session) -> datetime | None:
    """The moment of a digest that has come, is not too late, and was not written down yet; None where there is none."""
    schedule = newsletter.settings.schedule
    at = _last_moment(schedule, newsletter.clock()) if schedule else None
    if at is None or is_too_late(newsletter, at):
        return None
    known = select(Appointment.id).where(col(Appointment.is_digest), Appointment.at >= at)
    return None if session.exec(known.limit(1)).first() is not None else at


def _last_moment(schedule: Schedule, now: datetime) -> datetime | None:
    """The latest moment that is not after `now`; None where the days of a week were off."""
    today = now.astimezone(schedule.zone).date()
    days = (today - timedelta(days=back) for back in range(MOST_DAYS + 1))
    moments = (schedule.hour_on(day) for day in days if not schedule.is_off(day))
    return next((at for at in moments if at.timestamp() <= now.timestamp()), None)


def _was_set_later(session: Session, at: datetime) -> bool:
    """Whether a moment was over before anybody could have kept it: there was no slot then, or another one."""
    earlier = session.exec(select(Appointment.id).where(col(Appointment.is_digest)).limit(1)).first()
    chosen = changed_at(session, _OF_SCHEDULE)
    return earlier is None or (chosen is not None and chosen > at)


def _keep(newsletter: Newsletter, appointment: Appointment) -> None:
    schedule = newsletter.settings.schedule
    at = appointment.at.astimezone(newsletter.settings.time_zone)
    on = at.date()
    with newsletter.reading() as session:
        saved = find_digest(session, digest_slug(on))
        begun = saved is not None and find_mailing(session, saved.issue_id) is not None
    if begun:
        settle(newsletter, appointment, AppointmentState.STARTED)  # a person was earlier
    elif schedule is None or schedule.is_off(on) or schedule.hour_on(on).timestamp() != at.timestamp():
        settle(newsletter, appointment, AppointmentState.CANCELLED)
    elif is_too_late(newsletter, at):
        unsent = _missed(at) if is_wanted(newsletter, on) else None
        settle(newsletter, appointment, AppointmentState.MISSED, unsent)
    elif not is_wanted(newsletter, on):
        settle(newsletter, appointment, AppointmentState.NOTHING)
    else:
        _begin(newsletter, appointment, at)


def _begin(newsletter: Newsletter, appointment: Appointment, at: datetime) -> None:
    slug = digest_slug(at.date())
    try:
        begin_at(newsletter, appointment, _ready(newsletter, at))
    except IssueRefused as refusal:
        code, facts = (refusal.code, refusal.facts) if isinstance(refusal, NotReady) else ("", {})
        if code in _PASSING:
            return
        reason = f"It was refused: {refusal}"
        unsent = Unsent(slug, reason, _ADVICE.format(on=at.date(), slug=slug), slug if code else "", code, facts)
        settle(newsletter, appointment, AppointmentState.REFUSED, unsent)


def _ready(newsletter: Newsletter, at: datetime) -> Approved:
    """What a person approved for this day, where that holds; else the digest built and approved now."""
    slug = digest_slug(at.date())
    with suppress(IssueRefused):
        return approved(newsletter, slug)
    approve(newsletter, build(newsletter, at.date()).saved.slug, CALENDAR)
    return approved(newsletter, slug)


_ADVICE = (
    "The next digest brings its stories to its readers. `newsletter issue digest {on}` builds it all the same; approve "
    "it with `newsletter issue approve {slug}`, and send it with `newsletter issue send {slug}`."
)


def _missed(at: datetime) -> Unsent:
    slug = digest_slug(at.date())
    reason = f"At {at:%H:%M} on {at:%Y-%m-%d} no sender was running, and now it is too late to send it by itself."
    return Unsent(slug, reason, _ADVICE.format(on=at.date(), slug=slug))
