"""Issues that are sent by themselves: at an appointed time, or as the issue of the day in the daily slot.

| state | meaning |
|---|---|
| waiting | its time has not come |
| started | the issue was begun, and goes on like any other |
| nothing | no approved issue of that day was there; the staff were told |
| refused | the issue was changed after the appointment was made; the staff were told |
| missed | nobody was there within the limit; the staff were told |
| cancelled | a person called it off |

An appointment has a key that is unique, and an issue one mailing, so nothing is begun twice whoever looks how often.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment
from newsletter.delivery.plan import find_mailing
from newsletter.delivery.slot import Slot
from newsletter.editorial.alert import tell_staff
from newsletter.editorial.approval import NotReady, approved
from newsletter.editorial.dispatch import require_readers
from newsletter.editorial.opening import CALENDAR, open_in_public
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import IssueRefused, Saved


class AppointmentState(StrEnum):
    """What came of an appointment."""

    WAITING = "waiting"
    STARTED = "started"
    NOTHING = "nothing"
    REFUSED = "refused"
    MISSED = "missed"
    CANCELLED = "cancelled"


def appoint(newsletter: Newsletter, slug: str, at: datetime, actor: Actor = COMMAND_LINE) -> None:
    """Have an approved issue sent at a time to come, instead of any time that was appointed for it before.

    Raises `NotReady` when it is not approved, was begun already, or the time is past.
    """
    if at <= newsletter.clock():
        raise NotReady("past", f"{at:%Y-%m-%d %H:%M %Z} is past; `newsletter issue send {slug}` sends it now.")
    approved(newsletter, slug)
    with newsletter.session() as session:
        saved = newsletter.issues(session).find(slug)
        _call_off(session, saved)
        if find_mailing(session, saved.issue_id):
            raise NotReady("begun", f"{slug} was begun already; `newsletter issue status {slug}` shows how it stands.")
        record(session, actor, Action.SEND_SCHEDULED, slug, newsletter.clock(), at=at.isoformat())
        session.add(
            Appointment(
                key=f"{slug} {at.isoformat()} {newsletter.clock().isoformat()}",
                at=at,
                issue_id=saved.issue_id,
                approved_hash=saved.approved_hash or "",
                state=AppointmentState.WAITING,
                made_at=newsletter.clock(),
            )
        )


def call_off(newsletter: Newsletter, slug: str, actor: Actor = COMMAND_LINE) -> bool:
    """Call off what was appointed for an issue; whether there was something."""
    with newsletter.session() as session:
        called_off = _call_off(session, newsletter.issues(session).find(slug))
        if called_off:
            record(session, actor, Action.SEND_UNSCHEDULED, slug, newsletter.clock())
    return called_off


def _call_off(session: Session, saved: Saved) -> bool:
    waiting = col(Appointment.issue_id) == saved.issue_id, col(Appointment.state) == AppointmentState.WAITING
    called_off = update(Appointment).where(*waiting).values(state=AppointmentState.CANCELLED)
    return bool(session.execute(called_off.returning(col(Appointment.id))).all())


def appointed_for(session: Session, issue_id: int) -> datetime | None:
    """When an issue is to be sent by itself, or None."""
    waiting = Appointment.issue_id == issue_id, Appointment.state == AppointmentState.WAITING
    return session.exec(select(Appointment.at).where(*waiting).order_by(col(Appointment.at))).first()


def keep_appointments(newsletter: Newsletter) -> None:
    """Begin what is due, and say of what cannot be begun why not."""
    _write_slot(newsletter)
    with newsletter.reading() as session:
        due = session.exec(
            select(Appointment).where(
                Appointment.state == AppointmentState.WAITING, Appointment.at <= newsletter.clock()
            )
        ).all()
    for appointment in due:
        _keep(newsletter, appointment)


def _write_slot(newsletter: Newsletter) -> None:
    """Write the latest moment of the daily slot down, once.

    The first moment ever is not missed when it is long past: nobody had set a slot then.
    """
    settings = newsletter.settings
    if not settings.slot:
        return
    at = Slot.parse(settings.slot).last_before(newsletter.clock(), settings.time_zone)
    key = f"slot {at.isoformat()}"
    with suppress(IntegrityError), newsletter.session() as session:  # another worker may write it at this moment
        if session.exec(select(Appointment.id).where(Appointment.key == key)).first() is None:
            made_at = newsletter.clock()
            first = session.exec(
                select(Appointment.id).where(col(Appointment.key).startswith("slot ")).limit(1)
            ).first()
            too_late = first is None and _is_too_late(newsletter, at)
            state = AppointmentState.CANCELLED if too_late else AppointmentState.WAITING
            session.add(Appointment(key=key, at=at, state=state, made_at=made_at))


def _is_too_late(newsletter: Newsletter, at: datetime) -> bool:
    return newsletter.clock() - at > timedelta(minutes=newsletter.settings.too_late_minutes)


def _keep(newsletter: Newsletter, appointment: Appointment) -> None:
    at = appointment.at.astimezone(newsletter.settings.time_zone)
    ready, begun = _due_issue(newsletter, appointment, at)
    name = ready.slug if ready else f"The issue of {at:%Y-%m-%d}"
    if ready is None and begun:
        _settle(newsletter, appointment, AppointmentState.STARTED)  # a person was earlier
    elif _is_too_late(newsletter, appointment.at):
        _settle(
            newsletter,
            appointment,
            AppointmentState.MISSED,
            f"{name} was not sent",
            f"At {at:%H:%M} on {at:%Y-%m-%d} no sender was running, and now it is too late to send it by itself.",
            f"`newsletter issue send {ready.slug if ready else 'SLUG'}` sends it all the same.",
        )
    elif ready is None:
        _settle(
            newsletter,
            appointment,
            AppointmentState.NOTHING,
            f"{name} was not sent",
            f"At {at:%H:%M} on {at:%Y-%m-%d} no approved issue of that day was there.",
            "Approve it with `newsletter issue approve` and send it with `newsletter issue send`; it does not go out "
            "by itself any more.",
        )
    else:
        _begin(newsletter, appointment, ready)


def _begin(newsletter: Newsletter, appointment: Appointment, saved: Saved) -> None:
    if appointment.approved_hash and saved.approved_hash != appointment.approved_hash:
        reason = "It was changed, or approved anew, after the time was set."
    else:
        try:
            require_readers(newsletter)
            ready = approved(newsletter, saved.slug)
        except IssueRefused as refusal:
            reason = f"It was refused: {refusal}"
        else:
            with newsletter.session() as session:  # both or neither: it may be called off, or kept elsewhere, meanwhile
                if _mark(session, appointment, AppointmentState.STARTED):
                    open_in_public(session, ready, newsletter.clock(), CALENDAR)
            return
    advice = f"Look at `newsletter issue preview {saved.slug}`, approve it, and send it with `newsletter issue send`."
    _settle(newsletter, appointment, AppointmentState.REFUSED, f"{saved.slug} was not sent", reason, advice)


def _due_issue(newsletter: Newsletter, appointment: Appointment, at: datetime) -> tuple[Saved | None, bool]:
    """The issue of an appointment, unless it was begun; for the slot the first approved one of that day.

    And whether there is one that was begun.
    """
    with newsletter.reading() as session:
        issues = newsletter.issues(session)
        one = appointment.issue_id
        those = issues.of_date(at.date()) if one is None else (issues.newest(one),)
        begun = [saved for saved in those if find_mailing(session, saved.issue_id)]
    left = (saved for saved in those if saved not in begun and (saved.approved_hash or one is not None))
    return next(left, None), bool(begun)


def _settle(
    newsletter: Newsletter, appointment: Appointment, state: AppointmentState, subject: str = "", *told: str
) -> None:
    """Write down what came of an appointment, and tell the staff where something is wrong: once, whoever is first."""
    with newsletter.session() as session:
        ours = _mark(session, appointment, state, ". ".join([subject, " ".join(told)]) if subject else "")
    if ours and subject:
        tell_staff(newsletter, subject, (f"{subject}.", *told))


def _mark(session: Session, appointment: Appointment, state: AppointmentState, note: str = "") -> bool:
    """Write down what came of an appointment that still waits; whether it did."""
    waiting = col(Appointment.id) == appointment.id, col(Appointment.state) == AppointmentState.WAITING
    marked = update(Appointment).where(*waiting).values(state=state, note=note).returning(col(Appointment.id))
    return bool(session.execute(marked).all())
