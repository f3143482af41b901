"""Issues that are sent by themselves: at an appointed time, or as the issue of the day in the daily slot.

An appointment has a key that is unique, and an issue one mailing, so nothing is begun twice whoever looks how often.
"""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment
from newsletter.delivery.plan import find_mailing
from newsletter.editorial import daily_slot
from newsletter.editorial.approval import NotReady, approved
from newsletter.editorial.dispatch import require_readers
from newsletter.editorial.moments import Unsent, begin_at, is_too_late, settle
from newsletter.editorial.timetable import AppointmentState
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.models import IssueRow
from newsletter.storage.witness import held


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
    """Begin what is due, and say of what cannot be begun why not; weekly digests are looked after elsewhere.

    While the database is held, nothing is written down, asked or settled: afterwards it is as if no sender had run.
    """
    with newsletter.reading() as session:
        if held(session):
            return
    daily_slot.write_down(newsletter)
    with newsletter.reading() as session:
        due = session.exec(
            select(Appointment).where(
                Appointment.state == AppointmentState.WAITING,
                Appointment.at <= newsletter.clock(),
                col(Appointment.is_digest).is_(False),
            )
        ).all()
    for appointment in due:
        if appointment.issue_id is None:
            daily_slot.keep(newsletter, appointment)
        else:
            _keep(newsletter, appointment, appointment.issue_id)


def _keep(newsletter: Newsletter, appointment: Appointment, issue_id: int) -> None:
    at = appointment.at.astimezone(newsletter.settings.time_zone)
    with newsletter.reading() as session:
        saved, begun = newsletter.issues(session).newest(issue_id), find_mailing(session, issue_id)
    if begun:
        settle(newsletter, appointment, AppointmentState.STARTED)  # a person was earlier
    elif is_too_late(newsletter, appointment.at):
        reason = f"At {at:%H:%M} on {at:%Y-%m-%d} no sender was running, and now it is too late to send it by itself."
        advice = f"`newsletter issue send {saved.slug}` sends it all the same."
        missed = Unsent(saved.slug, reason, advice, saved.slug, "missed")
        settle(newsletter, appointment, AppointmentState.MISSED, missed)
    else:
        _begin(newsletter, appointment, saved)


def _begin(newsletter: Newsletter, appointment: Appointment, saved: Saved) -> None:
    why, facts = "", dict[str, object]()
    if appointment.approved_hash and saved.approved_hash != appointment.approved_hash:
        why, reason = "changed", "It was changed after the time was set, and not approved again before."
    else:
        try:
            require_readers(newsletter)
            begin_at(newsletter, appointment, approved(newsletter, saved.slug))
            return
        except IssueRefused as refusal:
            reason = f"It was refused: {refusal}"
            if isinstance(refusal, NotReady):
                why, facts = refusal.code, refusal.facts
    advice = f"Look at `newsletter issue preview {saved.slug}`, approve it, and send it with `newsletter issue send`."
    unsent = Unsent(saved.slug, reason, advice, saved.slug, why, facts)
    settle(newsletter, appointment, AppointmentState.REFUSED, unsent)
