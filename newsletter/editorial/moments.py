"""What all moments have in common at which something goes out by itself: when one is too late, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment
from newsletter.delivery.plan import Approved
from newsletter.editorial.alert import tell_staff
from newsletter.editorial.opening import CALENDAR, open_in_public
from newsletter.editorial.timetable import AppointmentState
from newsletter.setting_values import MOST_MINUTES_LATE
from newsletter.staff.audit import Action, record


@dataclass(frozen=True, slots=True)
class Unsent:
    """What was not sent in time, and what to do now.

    `slug` is empty where it is no certain issue; `why` is `missed` or the code of a `NotReady`, which `facts` fill.
    """

    name: str
    reason: str
    advice: str
    slug: str = ""
    why: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def told(self) -> tuple[str, str, str]:
        """The paragraphs of the word to the staff."""
        return f"{self.name} was not sent.", self.reason, self.advice


def is_too_late(newsletter: Newsletter, at: datetime) -> bool:
    """Whether a moment is past by more than the limit, so that nothing is begun for it any more."""
    return newsletter.clock() > limit_of(newsletter, at)


def limit_of(newsletter: Newsletter, at: datetime) -> datetime:
    """Until when something may still begin that was to begin at a moment."""
    return at + timedelta(minutes=min(newsletter.settings.too_late_minutes, MOST_MINUTES_LATE))


def begin_at(newsletter: Newsletter, appointment: Appointment, ready: Approved) -> None:
    """Open the mailing that an appointment is for, unless that was called off or kept elsewhere meanwhile.

    Raises `NotReady` when the issue was changed this very moment; then the appointment waits as before.
    """
    with newsletter.session() as session:  # both or neither
        if mark(session, appointment, AppointmentState.STARTED):
            open_in_public(session, ready, newsletter.clock(), CALENDAR, at=appointment.at)


def settle(
    newsletter: Newsletter, appointment: Appointment, state: AppointmentState, unsent: Unsent | None = None
) -> None:
    """Write down what came of an appointment, and tell the staff where something is wrong: once, whoever is first."""
    with newsletter.session() as session:
        ours = mark(session, appointment, state, " ".join(unsent.told) if unsent else "")
        if ours and unsent and unsent.slug:
            at, now = appointment.at.isoformat(), newsletter.clock()
            record(session, CALENDAR, Action.NOT_SENT, unsent.slug, now, at=at, reason=unsent.why, **unsent.facts)
    if ours and unsent:
        tell_staff(newsletter, f"{unsent.name} was not sent", unsent.told)


def mark(session: Session, appointment: Appointment, state: AppointmentState, note: str = "") -> bool:
    """Write down what came of an appointment that still waits; whether it did. The caller commits."""
    waiting = col(Appointment.id) == appointment.id, col(Appointment.state) == AppointmentState.WAITING
    marked = update(Appointment).where(*waiting).values(state=state, note=note).returning(col(Appointment.id))
    return bool(session.execute(marked).all())


def may_remind(session: Session, appointment: Appointment, now: datetime) -> bool:
    """Take it on to remind the staff of an appointment that waits; False when somebody did. The caller commits."""
    unasked = (
        col(Appointment.id) == appointment.id,
        col(Appointment.state) == AppointmentState.WAITING,
        col(Appointment.reminded_at).is_(None),
    )
    taken = update(Appointment).where(*unasked).values(reminded_at=now).returning(col(Appointment.id))
    return bool(session.execute(taken).all())
