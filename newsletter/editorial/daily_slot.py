"""The daily slot: at its moment the approved issue of the day goes out; where there is none, the slot asks and waits.

| at the moment of the slot, or up to the limit after it | what follows |
|---|---|
| an issue of that day is approved | it begins |
| one of that day was begun by hand | nothing: it was sent |
| one of that day waits for a time of its own | nothing: that time holds |
| one of these, and a second one is approved | the second one is not sent, and the staff are told |
| nothing is approved | the staff are reminded, once; what is approved before the limit begins then |
| the slot was moved, or the day became a day off | nothing, and nobody is told; moved back, the slot waits again |

After the limit the day is skipped, or, where no sender had been running, missed; the staff are told which.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.content.issue import DIGEST
from newsletter.delivery.models import Appointment
from newsletter.delivery.plan import Approved, find_mailing
from newsletter.delivery.slot import DaysOff
from newsletter.editorial.alert import tell_staff
from newsletter.editorial.approval import NotReady, approved
from newsletter.editorial.dispatch import require_readers
from newsletter.editorial.moments import Unsent, begin_at, is_too_late, limit_of, may_remind, settle
from newsletter.editorial.timetable import SLOT_KEY, AppointmentState, appointed_for, slot_key
from newsletter.storage.chosen_settings import changed_at
from newsletter.storage.issues import IssueRefused, Saved

_OF_SCHEDULE = ("slot", "days_off")
"""The settings that say when the moments of the slot are."""


@dataclass(frozen=True, slots=True)
class _Day:
    """The issues of a date that are the slot's: neither begun nor with a time of their own.

    `refusal` says why one that somebody approved cannot be sent as it is now.
    """

    issues: Sequence[Saved]
    is_begun: bool
    has_own_time: bool
    saved: Saved | None = None
    ready: Approved | None = None
    refusal: IssueRefused | None = None


def write_down(newsletter: Newsletter) -> None:
    """Write the latest moment of the slot down, once; nobody is to be told of one that was past before it was set.

    A day off has its moment too, which is called off at once: who works on it after all sends by hand.
    """
    schedule = newsletter.settings.schedule
    at = replace(schedule, days_off=DaysOff()).last_before(newsletter.clock()) if schedule else None
    if schedule is None or at is None:
        return
    with newsletter.reading() as session:
        if _is_known(session, at):
            return
    with suppress(IntegrityError), newsletter.session() as session:  # another worker may write it at this moment
        called_off = schedule.is_off(at.date()) or (is_too_late(newsletter, at) and _was_set_later(session, at))
        state = AppointmentState.CANCELLED if called_off else AppointmentState.WAITING
        session.add(Appointment(key=slot_key(at), at=at, state=state, made_at=newsletter.clock()))


def _is_known(session: Session, at: datetime) -> bool:
    """Whether a moment of the slot was written down, or a later one: the clock went back, or the slot was moved."""
    kept = col(Appointment.state) != AppointmentState.CANCELLED
    later = col(Appointment.key).startswith(SLOT_KEY), col(Appointment.at) > at, kept
    found = select(Appointment.id).where((col(Appointment.key) == slot_key(at)) | (later[0] & later[1] & later[2]))
    return session.exec(found.limit(1)).first() is not None


def _was_set_later(session: Session, at: datetime) -> bool:
    """Whether a moment was over before anybody could have kept it: there was no slot then, or another one."""
    of_slot = select(Appointment.at).where(col(Appointment.key).startswith(SLOT_KEY))
    last = session.exec(of_slot.order_by(col(Appointment.at).desc()).limit(1)).first()
    chosen = changed_at(session, _OF_SCHEDULE)
    return last is None or last.astimezone(at.tzinfo).date() == at.date() or (chosen is not None and chosen > at)


def waits_until(newsletter: Newsletter, session: Session) -> tuple[datetime, datetime] | None:
    """The moment of the slot that has come and waits for an approval, and until when it does; None where none waits."""
    schedule, now = newsletter.settings.schedule, newsletter.clock()
    at = schedule.last_before(now) if schedule else None
    if at is None or is_too_late(newsletter, at):
        return None
    state = session.exec(select(Appointment.state).where(Appointment.key == slot_key(at))).first()
    waits = state == AppointmentState.WAITING or (state is None and not _is_known(session, at))
    return (at, limit_of(newsletter, at)) if waits else None


def waits_for(newsletter: Newsletter, session: Session, saved: Saved) -> datetime | None:
    """Until when the slot that has come waits for the approval of an issue; None where it does not."""
    waits = waits_until(newsletter, session)
    is_its = waits is not None and waits[0].date() == saved.issue.date and saved.issue.format != DIGEST
    if not waits or not is_its:
        return None
    those = (one for one in newsletter.issues(session).of_date(waits[0].date()) if one.issue.format != DIGEST)
    settled = any(find_mailing(session, one.issue_id) or appointed_for(session, one.issue_id) for one in those)
    return None if settled else waits[1]


def keep(newsletter: Newsletter, appointment: Appointment) -> None:
    """Begin what a moment of the slot that has come is for; else ask for it, wait, and in the end give it up."""
    at = appointment.at.astimezone(newsletter.settings.time_zone)
    day = _look(newsletter, at.date())
    if day.is_begun or day.has_own_time:
        state = AppointmentState.STARTED if day.is_begun else AppointmentState.NOTHING
        settle(newsletter, appointment, state, _second(day, at) if _is_of_schedule(newsletter, at) else None)
    elif is_too_late(newsletter, at):
        _give_up(newsletter, appointment, at, day)
    elif not _is_of_schedule(newsletter, at):
        return
    elif day.ready is None:
        _remind(newsletter, appointment, at, day)
    else:
        _begin(newsletter, appointment, day.ready, day.saved)


def _second(day: _Day, at: datetime) -> Unsent | None:
    """What to say of an approved issue of a day that has another one; nobody knows whether two were meant."""
    if not (day.ready and day.saved):
        return None
    other = "was begun already" if day.is_begun else "has a time of its own"
    reason = f"Another issue of {at:%Y-%m-%d} {other}, and the daily slot sends one a day at most."
    return Unsent(day.saved.slug, reason, _advice(day))


def _is_of_schedule(newsletter: Newsletter, at: datetime) -> bool:
    schedule = newsletter.settings.schedule
    now_at = schedule.on(at.date()) if schedule else None
    return now_at is not None and now_at.timestamp() == at.timestamp()


def _look(newsletter: Newsletter, on: date) -> _Day:
    """The issues of a date, and of those that somebody approved the first that can be sent as it is now."""
    with newsletter.reading() as session:
        those = [saved for saved in newsletter.issues(session).of_date(on) if saved.issue.format != DIGEST]
        begun = [saved for saved in those if find_mailing(session, saved.issue_id)]
        timed = [saved for saved in those if appointed_for(session, saved.issue_id)]
    left = [saved for saved in those if saved not in begun + timed]
    day = _Day(left, bool(begun), bool(timed))
    for saved in left:
        if saved.approved_hash:
            try:
                return replace(day, saved=saved, ready=approved(newsletter, saved.slug), refusal=None)
            except IssueRefused as refusal:
                day = replace(day, saved=saved, refusal=refusal)
    return day


def _begin(newsletter: Newsletter, appointment: Appointment, ready: Approved, saved: Saved | None) -> None:
    slug = saved.slug if saved else ""
    try:
        require_readers(newsletter)
    except NotReady as refusal:
        advice = f"`newsletter issue send {slug}` sends it when there are some."
        unsent = Unsent(slug, f"It was refused: {refusal}", advice, slug, refusal.code, refusal.facts)
        settle(newsletter, appointment, AppointmentState.REFUSED, unsent)
        return
    with suppress(NotReady):  # changed this very moment: the next look finds it without an approval
        begin_at(newsletter, appointment, ready)


def _remind(newsletter: Newsletter, appointment: Appointment, at: datetime, day: _Day) -> None:
    if appointment.reminded_at:
        return
    with newsletter.session() as session:
        ours = may_remind(session, appointment, newsletter.clock())
    if not ours:
        return
    until, pages = limit_of(newsletter, at), f"{newsletter.settings.base_url}/desk/issues"
    if day.issues:
        slug = _first(day).slug
        subject = f"{slug} is not approved"
        way = f"{pages}/{slug}/sending, or `newsletter issue preview {slug}` and `newsletter issue approve {slug}`."
    else:
        subject = f"There is no issue of {at:%Y-%m-%d}"
        way = f"{pages}/new, or `newsletter issue import FILE` and `newsletter issue approve SLUG`."
    last = f"{until:%H:%M}" if until.date() == at.date() else f"{until:%Y-%m-%d %H:%M}"
    paragraphs = (
        f"The daily slot of {at:%H:%M} on {at:%Y-%m-%d} has come. {_there(day, at)}",
        f"What is approved for this day until {last} goes out at that moment. After that nothing goes out by itself: "
        "the day is skipped.",
        way,
    )
    tell_staff(newsletter, subject, paragraphs)


def _give_up(newsletter: Newsletter, appointment: Appointment, at: datetime, day: _Day) -> None:
    """Say that a day is missed, because no sender was running, or skipped, because nobody approved anything in time."""
    if not _is_of_schedule(newsletter, at):
        settle(newsletter, appointment, AppointmentState.CANCELLED)
        return
    until, approved_at = limit_of(newsletter, at), day.saved.approved_at if day.saved and day.ready else None
    in_time = approved_at is not None and approved_at <= until
    asked = appointment.reminded_at is not None
    slug = _first(day).slug if day.issues else ""
    name, advice = slug or f"The issue of {at:%Y-%m-%d}", _advice(day)
    if not asked or in_time:
        when = f"Between its approval and {until:%H:%M}" if asked else f"At {at:%H:%M}"
        reason = f"{when} on {at:%Y-%m-%d} no sender was running, and now it is too late to send it by itself."
        there = "" if day.ready else f" {_there(day, at)}"
        settle(newsletter, appointment, AppointmentState.MISSED, Unsent(name, reason + there, advice, slug, "missed"))
        return
    there = f"{slug} was approved only after that." if day.ready else _there(day, at)
    reason = f"Nothing was approved for the daily slot of {at:%H:%M} on {at:%Y-%m-%d} until {until:%H:%M}: {there}"
    refusal = day.refusal if isinstance(day.refusal, NotReady) else None
    why, facts = (refusal.code, refusal.facts) if refusal else ("skipped", {}) if slug else ("", {})
    skipped = Unsent(name, f"{reason} The day is skipped.", advice, slug, why, facts)
    settle(newsletter, appointment, AppointmentState.NOTHING, skipped)


def _first(day: _Day) -> Saved:
    """The issue that words are about: the one that was approved, else the first there is."""
    return day.saved or day.issues[0]


def _there(day: _Day, at: datetime) -> str:
    """What stands in the way of sending, in a sentence."""
    if not day.issues:
        return f"There is no issue dated {at:%Y-%m-%d}."
    if day.refusal:
        return f"{_first(day).slug} cannot be sent as it is: {day.refusal}"
    names = " and ".join(f"{saved.slug} ({saved.issue.title})" for saved in day.issues)
    return f"{names} {'is there, but its newest text is' if len(day.issues) == 1 else 'are there, but'} not approved."


def _advice(day: _Day) -> str:
    if not day.issues:
        return "`newsletter issue import FILE` takes one in; approve it and send it with `newsletter issue send SLUG`."
    slug = _first(day).slug
    if day.ready:
        return f"`newsletter issue send {slug}` sends it all the same."
    return (
        f"Look at `newsletter issue preview {slug}`, approve it with `newsletter issue approve {slug}`, and send it "
        f"with `newsletter issue send {slug}`; it does not go out by itself any more."
    )
