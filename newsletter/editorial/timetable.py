"""The timetable: when an issue goes out by itself, and which moment stands in the Date of its messages.

| state of an appointment | meaning |
|---|---|
| waiting | its time has not come |
| started | the issue was begun, and goes on like any other |
| nothing | no issue of that day was approved up to the limit; the staff were told, unless one has a time of its own |
| refused | the issue had no approval that held, or no readers; the staff were told |
| missed | nobody was there within the limit; the staff were told |
| cancelled | a person called it off, moved the slot, or made the day a day off |

Of a time of its own and the daily slot, the time of its own holds: the slot leaves an issue alone that waits for one.
"""

from datetime import datetime, timedelta, tzinfo
from enum import StrEnum

from sqlalchemy import update
from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.content.issue import DIGEST
from newsletter.delivery.models import Appointment
from newsletter.delivery.plan import find_mailing
from newsletter.storage.issues import Saved

MAY_BEGIN_LATE = timedelta(minutes=10)
"""A send that begins so long after the moment it was meant for still bears that one: long enough to look at a preview
of it, or for a process that starts anew, and no more than a message may take on its way anyhow."""
_FIRST_YEAR, _LAST_YEAR = 1971, 9998
"""Signatures count seconds from 1970 (RFC 6376 §3.5), and another zone must not lead out of the calendar."""
SLOT_KEY = "slot "
"""With this the keys of the daily slot's appointments begin."""


class AppointmentState(StrEnum):
    """What came of an appointment."""

    WAITING = "waiting"
    STARTED = "started"
    NOTHING = "nothing"
    REFUSED = "refused"
    MISSED = "missed"
    CANCELLED = "cancelled"


def slot_key(at: datetime) -> str:
    """The key of the daily slot's appointment at a moment, so that each is written down once."""
    return f"{SLOT_KEY}{at.isoformat()}"


def appointed_for(session: Session, issue_id: int) -> datetime | None:
    """When an issue is to be sent by itself, or None."""
    waiting = Appointment.issue_id == issue_id, Appointment.state == AppointmentState.WAITING
    return session.exec(select(Appointment.at).where(*waiting).order_by(col(Appointment.at))).first()


def keep_time(session: Session, issue_id: int, approved_hash: str, now: datetime) -> datetime | None:
    """Bind the time that was appointed for an issue to its new approval; that time, None where there is none to come.

    A time that is over stays with the old approval: what was not approved by then is not sent by itself.
    """
    waiting = col(Appointment.issue_id) == issue_id, col(Appointment.state) == AppointmentState.WAITING
    bind = update(Appointment).where(*waiting, col(Appointment.at) > now).values(approved_hash=approved_hash)
    return min(session.execute(bind.returning(col(Appointment.at))).scalars(), default=None)


def slot_of(newsletter: Newsletter, session: Session, saved: Saved) -> datetime | None:
    """When the daily slot sends an issue that has no time of its own, once it is approved; None where it does not."""
    schedule = newsletter.settings.schedule
    if schedule is None or saved.issue.date is None:
        return None
    on = saved.issue.date
    is_digest = saved.issue.format == DIGEST  # which comes on every day that is not off
    at = schedule.hour_on(on) if is_digest and not schedule.is_off(on) else schedule.on(on)
    return at if at and at > newsletter.clock() and not sent_instead(newsletter, session, saved) else None


def sent_instead(newsletter: Newsletter, session: Session, saved: Saved) -> str:
    """The slug of the other issue of its date that the daily slot leaves this one out for; empty when there is none.

    It sends one a day: none beside one that was begun or has a time of its own, and of several that are approved the
    one that was made first.
    """
    if saved.issue.date is None or saved.issue.format == DIGEST:
        return ""
    for other in newsletter.issues(session).of_date(saved.issue.date):
        if other.issue_id == saved.issue_id or other.issue.format == DIGEST:
            continue
        goes_first = bool(other.approved_hash) and other.issue_id < saved.issue_id
        if goes_first or find_mailing(session, other.issue_id) or appointed_for(session, other.issue_id):
            return other.slug
    return ""


def goes_out_at(newsletter: Newsletter, session: Session, saved: Saved) -> datetime | None:
    """When an issue goes out by itself as it was approved; None where nothing was appointed for this very approval."""
    if not saved.approved_hash:
        return None
    waiting = Appointment.issue_id == saved.issue_id, Appointment.state == AppointmentState.WAITING
    own = session.exec(select(Appointment).where(*waiting).order_by(col(Appointment.at))).first()
    if own is None:
        return slot_of(newsletter, session, saved)
    return own.at if own.approved_hash == saved.approved_hash else None


def moment_from(text: str, zone: tzinfo) -> datetime:
    """The moment, in whole seconds, that is written as in `2026-03-09T08:00`, in `zone` where it names no offset.

    Raises ValueError for what is none, and in years that no mail is sent in.
    """
    at = datetime.fromisoformat(text).replace(microsecond=0)
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"no mail is sent in the year {at.year}")
    return at if at.tzinfo else at.replace(tzinfo=zone)


def dated(at: datetime | None, now: datetime) -> datetime:
    """What stands in the Date of a send that was meant to begin `at` a moment, and begins now or then.

    In whole seconds, because that is all a Date header holds (RFC 5322 §3.3).
    """
    meant = at if at and now - at <= MAY_BEGIN_LATE else now
    return meant.replace(microsecond=0)
