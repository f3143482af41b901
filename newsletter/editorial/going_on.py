"""Going on with a database that was restored: what it would send now, and a person's word that it may."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.delivery.control import MailingState
from newsletter.delivery.elsewhere import count_left, leave_out_due
from newsletter.delivery.lateness import make_due_now
from newsletter.delivery.models import Appointment, Mailing
from newsletter.editorial import daily_slot, weekly
from newsletter.editorial.dispatch import plan_mailing
from newsletter.editorial.timetable import AppointmentState, goes_out_at
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.models import IssueRow
from newsletter.storage.witness import Held, held, let_go, look, require_not_held
from newsletter.storage.witness_file import witness_file

_GOES_ON = (MailingState.RUNNING, MailingState.PAUSED)


@dataclass(frozen=True, slots=True)
class Left:
    """A mailing that would go on, or that a person may let go on where it is paused.

    `due` readers wait whose hour has come, and `later` whose hour is to come; `is_planned` says that there are rows for
    everybody.
    """

    slug: str
    state: str
    due: int
    later: int
    is_planned: bool


@dataclass(frozen=True, slots=True)
class Come:
    """A moment that has come, at which something would begin; without a `slug` that of the daily slot, or a digest."""

    at: datetime
    slug: str = ""
    is_digest: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """An issue that is approved and was not begun in this database, and when it would go out by itself, if it would.

    In a copy it may be one that was sent since.
    """

    slug: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standstill:
    """What nothing is sent of, and the code of why; without one, nothing is held back."""

    why: str
    says: str
    mailings: tuple[Left, ...]
    moments: tuple[Come, ...]
    ready: tuple[Ready, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """What counts as sent elsewhere, so many readers and so many moments, and what has to be approved again."""

    readers: int = 0
    moments: int = 0
    ready: tuple[Ready, ...] = ()


def standstill(newsletter: Newsletter) -> Standstill:
    """What would be sent if a person said go on now; changes nothing."""
    database, now = newsletter.database_file, newsletter.clock()
    why = look(newsletter.engine, database)[2] if database else ""
    says = str(Held(why, witness_file(database))) if database and why else ""
    with newsletter.reading() as session:
        return Standstill(
            why,
            says,
            tuple(_left(session, now)),
            tuple(_come(newsletter, session, now)),
            tuple(_ready(newsletter, session)),
        )


def go_on(newsletter: Newsletter, actor: Actor = COMMAND_LINE, *, skip_due: bool) -> Skipped | None:
    """Send from this database again; None when nothing is held back, for somebody was quicker.

    With `skip_due` whatever was due before now counts as sent elsewhere: who waits in a mailing and whose hour has come
    is left out, moments that have come are called off, and what is approved but was not begun here has to be approved
    again, for it may have been sent since, before its time. Raises `WitnessTrouble` when the witness cannot be written;
    then nothing has changed but that rows of mailings were planned.
    """
    if newsletter.database_file is None:
        return None
    with suppress(Held):
        require_not_held(newsletter.engine, newsletter.database_file)
    if skip_due:
        _write_down_all(newsletter)
    now = newsletter.clock()
    with newsletter.session() as session:
        why = held(session)
        if not why:
            return None
        if skip_due:
            skipped = _skip(newsletter, session, actor, now)
        else:
            skipped = Skipped()
            _keep_late(newsletter, session, now)
        details = {"skipped": skip_due, "readers": skipped.readers, "moments": skipped.moments}
        record(session, actor, Action.WENT_ON, why, now, **details)
        let_go(session, newsletter.database_file)
    return skipped


def _write_down_all(newsletter: Newsletter) -> None:
    """Have a row for everybody and everything that would come up after this, or it would not be skipped."""
    with newsletter.reading() as session:
        if not held(session):
            return
        ids = session.exec(select(Mailing.id).where(col(Mailing.state).in_(_GOES_ON))).all()
    daily_slot.write_down(newsletter)
    weekly.write_down(newsletter)
    for mailing_id in ids:
        for _ in plan_mailing(newsletter, mailing_id or 0):
            pass


def _skip(newsletter: Newsletter, session: Session, actor: Actor, now: datetime) -> Skipped:
    with_unknown = newsletter.settings.unknown == "resend"
    states = _GOES_ON if not with_unknown else (*_GOES_ON, MailingState.FINISHED)
    readers = sum(
        leave_out_due(session, mailing_id or 0, now, with_unknown=with_unknown)
        for mailing_id in session.exec(select(Mailing.id).where(col(Mailing.state).in_(states))).all()
    )
    moments, ready = _call_off(session, now), tuple(_ready(newsletter, session))
    _withdraw(session, actor, now)
    return Skipped(readers, moments, ready)


def _keep_late(newsletter: Newsletter, session: Session, now: datetime) -> None:
    """Have what was held back for long handed over all the same: a person said so."""
    for mailing_id in session.exec(select(Mailing.id).where(col(Mailing.state).in_(_GOES_ON))).all():
        make_due_now(session, mailing_id or 0, now - newsletter.settings.give_up_after, now)


def _withdraw(session: Session, actor: Actor, now: datetime) -> None:
    """Void the approvals of what was not begun, and call off the times of its own that are to come.

    Also of a newest text that nobody approved: its earlier one may have been sent, and an approval would bind the time.
    """
    timed = select(Appointment, IssueRow.slug).join(IssueRow, col(IssueRow.id) == Appointment.issue_id)
    for one, slug in session.exec(timed.where(Appointment.state == AppointmentState.WAITING)).all():
        one.state, one.note = AppointmentState.CANCELLED, "may have been sent elsewhere"
        record(session, actor, Action.SEND_UNSCHEDULED, slug, now, at=one.at.isoformat())
    for row in session.exec(select(IssueRow).where(*_not_begun())).all():
        row.approved_revision_id = row.approved_hash = row.approved_at = row.approved_by = None
        record(session, actor, Action.APPROVAL_VOIDED, row.slug, now)


def _call_off(session: Session, now: datetime) -> int:
    """Settle the moments that have come; how many. A digest that went out elsewhere is not merged into the next."""
    number = 0
    for is_digest, state in ((False, AppointmentState.CANCELLED), (True, AppointmentState.NOTHING)):
        come = (*_has_come(now), col(Appointment.is_digest).is_(is_digest))
        settled = update(Appointment).where(*come).values(state=state, note="counts as sent elsewhere")
        number += len(session.execute(settled.returning(col(Appointment.id))).all())
    return number


def _left(session: Session, now: datetime) -> Sequence[Left]:
    query = select(Mailing, IssueRow.slug).join(IssueRow, col(IssueRow.id) == Mailing.issue_id)
    found = session.exec(query.where(col(Mailing.state).in_(_GOES_ON)).order_by(col(Mailing.id))).all()
    return [
        Left(
            slug,
            mailing.state,
            *count_left(session, mailing.id or 0, now),
            is_planned=mailing.planned_through >= mailing.audience_through,
        )
        for mailing, slug in found
    ]


def _come(newsletter: Newsletter, session: Session, now: datetime) -> Sequence[Come]:
    query = select(Appointment, IssueRow.slug).join_from(
        Appointment, IssueRow, col(IssueRow.id) == Appointment.issue_id, isouter=True
    )
    written = session.exec(query.where(*_has_come(now)).order_by(col(Appointment.at))).all()
    found = [Come(one.at, slug or "", one.is_digest) for one, slug in written]
    slot = daily_slot.waits_until(newsletter, session)
    if slot and not any(one.at == slot[0] and not one.slug and not one.is_digest for one in found):
        found.append(Come(slot[0]))
    if digest_at := weekly.comes_now(newsletter, session):
        found.append(Come(digest_at, is_digest=True))
    return found


def _ready(newsletter: Newsletter, session: Session) -> Sequence[Ready]:
    slugs = session.exec(select(IssueRow.slug).where(*_not_begun()).order_by(col(IssueRow.date), col(IssueRow.id)))
    found = [newsletter.issues(session).find(slug) for slug in slugs.all()]
    return [Ready(one.slug, goes_out_at(newsletter, session, one)) for one in found if one.approved_hash]


def _not_begun() -> tuple[ColumnElement[bool], ...]:
    """Issues that some revision of is approved and that have no mailing; a digest is built at its hour in any case."""
    begun = select(Mailing.id).where(Mailing.issue_id == IssueRow.id).exists()
    return col(IssueRow.approved_hash).is_not(None), col(IssueRow.is_digest).is_(False), ~begun


def _has_come(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return col(Appointment.state) == AppointmentState.WAITING, col(Appointment.at) <= now
