"""Issues that are sent by themselves: at an appointed time, or as the issue of the day in the daily slot.

An appointment has a key that is unique, and an issue one mailing, so nothing is begun twice whoever looks how often.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
from newsletter.editorial.timetable import AppointmentState, appointed_for
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.models import IssueRow


@dataclass(frozen=True, slots=True)
class _Unsent:
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


def appoint(newsletter: Newsletter, slug: str, at: datetime, actor: Actor = COMMAND_LINE) -> None:
    """Have an approved issue sent at a time to come, instead of any time that was appointed for it before.

    Raises `NotReady` when it is not approved, was begun already, or the time is past.
    """
    if at <= newsletter.clock():
        raise NotReady("past", f"{at:%Y-%m-%d %H:%M %Z} is past; `newsletter issue send {slug}` sends it now.")
    approved(newsletter, slug)
    with newsletter.session() as session:
        row = session.get_one(IssueRow, newsletter.issues(session).find(slug).issue_id)
        session.refresh(row, with_for_update={"key_share": True})  # no approval passes it by
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
    ready, begun, has_own_time = _due_issue(newsletter, appointment, at)
    slug = ready.slug if ready else ""
    name = slug or f"The issue of {at:%Y-%m-%d}"
    if ready is None and begun:
        _settle(newsletter, appointment, AppointmentState.STARTED)  # a person was earlier
    elif ready is None and has_own_time:
        _settle(newsletter, appointment, AppointmentState.NOTHING)
    elif _is_too_late(newsletter, appointment.at):
        reason = f"At {at:%H:%M} on {at:%Y-%m-%d} no sender was running, and now it is too late to send it by itself."
        advice = f"`newsletter issue send {slug or 'SLUG'}` sends it all the same."
        _settle(newsletter, appointment, AppointmentState.MISSED, _Unsent(name, reason, advice, slug, "missed"))
    elif ready is None:
        reason = f"At {at:%H:%M} on {at:%Y-%m-%d} no approved issue of that day was there."
        advice = (
            "Approve it with `newsletter issue approve` and send it with `newsletter issue send`; it does not go out "
            "by itself any more."
        )
        _settle(newsletter, appointment, AppointmentState.NOTHING, _Unsent(name, reason, advice))
    else:
        _begin(newsletter, appointment, ready)


def _begin(newsletter: Newsletter, appointment: Appointment, saved: Saved) -> None:
    why, facts = "", dict[str, object]()
    if appointment.approved_hash and saved.approved_hash != appointment.approved_hash:
        why, reason = "changed", "It was changed after the time was set, and not approved again before."
    else:
        try:
            require_readers(newsletter)
            ready = approved(newsletter, saved.slug)
            with newsletter.session() as session:  # both or neither: it may be called off, or kept elsewhere, meanwhile
                if _mark(session, appointment, AppointmentState.STARTED):
                    open_in_public(session, ready, newsletter.clock(), CALENDAR, at=appointment.at)
            return
        except IssueRefused as refusal:
            reason = f"It was refused: {refusal}"
            if isinstance(refusal, NotReady):
                why, facts = refusal.code, refusal.facts
    advice = f"Look at `newsletter issue preview {saved.slug}`, approve it, and send it with `newsletter issue send`."
    unsent = _Unsent(saved.slug, reason, advice, saved.slug, why, facts)
    _settle(newsletter, appointment, AppointmentState.REFUSED, unsent)


def _due_issue(newsletter: Newsletter, appointment: Appointment, at: datetime) -> tuple[Saved | None, bool, bool]:
    """The issue of an appointment, unless it was begun; for the slot the first approved one of that day.

    Those that wait for a time of their own are none of the slot's. And whether there is one that was begun, and one
    that waits so.
    """
    with newsletter.reading() as session:
        issues = newsletter.issues(session)
        one = appointment.issue_id
        those = issues.of_date(at.date()) if one is None else (issues.newest(one),)
        begun = [saved for saved in those if find_mailing(session, saved.issue_id)]
        waiting = [saved for saved in those if one is None and appointed_for(session, saved.issue_id)]
    left = (saved for saved in those if saved not in begun + waiting and (saved.approved_hash or one is not None))
    return next(left, None), bool(begun), bool(waiting)


def _settle(
    newsletter: Newsletter, appointment: Appointment, state: AppointmentState, unsent: _Unsent | None = None
) -> None:
    """Write down what came of an appointment, and tell the staff where something is wrong: once, whoever is first."""
    with newsletter.session() as session:
        ours = _mark(session, appointment, state, " ".join(unsent.told) if unsent else "")
        if ours and unsent and unsent.slug:
            at, now = appointment.at.isoformat(), newsletter.clock()
            record(session, CALENDAR, Action.NOT_SENT, unsent.slug, now, at=at, reason=unsent.why, **unsent.facts)
    if ours and unsent:
        tell_staff(newsletter, f"{unsent.name} was not sent", unsent.told)


def _mark(session: Session, appointment: Appointment, state: AppointmentState, note: str = "") -> bool:
    """Write down what came of an appointment that still waits; whether it did."""
    waiting = col(Appointment.id) == appointment.id, col(Appointment.state) == AppointmentState.WAITING
    marked = update(Appointment).where(*waiting).values(state=state, note=note).returning(col(Appointment.id))
    return bool(session.execute(marked).all())
