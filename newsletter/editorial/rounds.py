"""What is looked after while a process sends for others: mailings to plan and hand over, appointments, unknown rows."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import Connection, bindparam, func, select

from newsletter.app import Newsletter
from newsletter.delivery.claims import Range
from newsletter.delivery.control import MailingState, finish, resend_unknown
from newsletter.delivery.engine import Due
from newsletter.delivery.lateness import leave_out_late
from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.editorial.appointments import keep_appointments
from newsletter.editorial.dispatch import plan_mailing
from newsletter.editorial.outbox import Outbox
from newsletter.editorial.timetable import AppointmentState
from newsletter.editorial.weekly import keep_digests
from newsletter.storage.prepared import Prepared
from newsletter.storage.seat import is_gone

ROWS_PER_JOB = 2500
WIDER = 20
"""Of the readers who chose an hour of their own only some are due at each: their parts are so much wider."""
PARTS_AHEAD = 12
"""So many parts of a mailing are enqueued at most: more than a worker can hand over between two rounds."""
_LATELY = timedelta(days=1)
"""Between two minutes nobody looks for appointments that have waited longer, among all there ever were."""

# The statements of a round are made once: making one costs several times what running it does, and a day has 28,800.
_MAILINGS = Mailing.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_APPOINTMENTS = Appointment.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_IS_RUNNING = _MAILINGS.c.state == MailingState.RUNNING
_RUNNING = Prepared(select(_MAILINGS.c.id, _MAILINGS.c.due).where(_IS_RUNNING).order_by(_MAILINGS.c.id))
_UNPLANNED = Prepared(
    select(_MAILINGS.c.id, _MAILINGS.c.days.is_(None))
    .where(_IS_RUNNING, _MAILINGS.c.planned_through < _MAILINGS.c.audience_through)
    .order_by(_MAILINGS.c.id)
)
_APPOINTED = Prepared(
    select(_APPOINTMENTS.c.id)
    .where(
        _APPOINTMENTS.c.state == AppointmentState.WAITING,
        _APPOINTMENTS.c.at.between(bindparam("since"), bindparam("at")),
    )
    .limit(1)
)
_OF_MAILING = _DELIVERIES.c.mailing_id == bindparam("mailing")
_WAITING = _OF_MAILING, _DELIVERIES.c.state == State.QUEUED
_EARLIEST = Prepared(select(func.min(_DELIVERIES.c.next_at)).where(*_WAITING))
_NEXT = Prepared(select(func.min(_DELIVERIES.c.next_at)).where(*_WAITING, _DELIVERIES.c.next_at > bindparam("wave")))
_OF_WAVE = Prepared(
    select(_DELIVERIES.c.id)
    .where(*_WAITING, _DELIVERIES.c.next_at == bindparam("wave"), _DELIVERIES.c.id >= bindparam("after"))
    .order_by(_DELIVERIES.c.id)
    .limit(1)
)
_IN_STATE = Prepared(select(_DELIVERIES.c.id).where(_OF_MAILING, _DELIVERIES.c.state == bindparam("state")).limit(1))
_DEFERRED = Prepared(
    select(_DELIVERIES.c.id, _DELIVERIES.c.due, _MAILINGS.c.id, _MAILINGS.c.due)
    .join(_MAILINGS, _MAILINGS.c.id == _DELIVERIES.c.mailing_id)
    .where(_IS_RUNNING, _DELIVERIES.c.state == State.DEFERRED, _DELIVERIES.c.next_at <= bindparam("at"))
    .limit(PARTS_AHEAD * ROWS_PER_JOB)
)
QUERIES = {
    "the mailings that are to be handed over": _RUNNING,
    "those whose rows are not all written": _UNPLANNED,
    "an appointment that has come": _APPOINTED,
    "the earliest of those who wait": _EARLIEST,
    "the next hour at which some wait": _NEXT,
    "the first of an hour, from a part on": _OF_WAVE,
    "whether some are in hand": _IN_STATE,
    "those whose next try is due": _DEFERRED,
}
"""The queries of a round by what they look for: their plans stand in docs/explanation/rhythm.md."""


_Seen = TypeVar("_Seen")


class Post(Protocol):
    """Who sends letters to single people; it is made by a door, for an editor's work needs no reader's."""

    def is_due(self) -> bool:
        """Whether there is a letter to hand over."""

    def deliver(self, is_stopping: Callable[[], bool]) -> None:
        """Hand over the letters that are due; ends soon once it is stopping."""

    def purge(self) -> None:
        """Delete what was kept for a while only."""


class Rounds:
    """The work that the engine is for, done with this process's outbox and, where it has one, its post."""

    def __init__(self, newsletter: Newsletter, outbox: Outbox, post: Post | None = None) -> None:
        self._newsletter = newsletter
        self._outbox = outbox
        self._post = post
        self._minute: datetime | None = None

    def make_round(self) -> Due:
        """Keep appointments, send again what is to be sent again, mark what is finished; what there is to do then."""
        newsletter = self._newsletter
        now = newsletter.clock()
        late = now - newsletter.settings.give_up_after
        found = self._look(_all, late, now)
        if self._is_new_minute(now) or found.is_appointed:
            keep_appointments(newsletter)
            keep_digests(newsletter, now)
            self._resend_unknown(now)
            found = self._look(_all, late, now)
        for mailing_id in found.changing:
            with newsletter.session() as session:
                leave_out_late(session, mailing_id, late, now)
                finish(session, mailing_id)
        if found.changing:
            found = self._look(_all, late, now)
        return Due(found.unplanned, found.parts, self._post is not None and self._post.is_due())

    def _resend_unknown(self, now: datetime) -> None:
        if self._newsletter.settings.unknown == "resend":
            with self._newsletter.session() as session:
                resend_unknown(session, now, self._newsletter.settings.unknown_wait)

    def _is_new_minute(self, now: datetime) -> bool:
        """Whether this is the first round of a minute: each slot comes with one."""
        minute, self._minute = self._minute, now.replace(second=0, microsecond=0)
        return minute != self._minute

    def _look(self, at: Callable[..., _Seen], *arguments: object) -> _Seen:
        with self._newsletter.reading() as session:
            return at(session.connection(), *arguments)

    def unplanned(self) -> Sequence[int]:
        """The running mailings whose rows are not all written; digests when nothing else is.

        What a digest and the issue of the day both have for a reader comes in one of them: the second to be planned
        sees the rows of the first, as long as they are not planned at once.
        """
        return self._look(_unplanned)

    def plan(self, mailing_id: int) -> None:
        """Write the rows of a mailing that are missing."""
        for _ in plan_mailing(self._newsletter, mailing_id):
            if self._outbox.wait_to_stop(0):
                return

    def due(self) -> Sequence[Range]:
        """Parts with something due: some thousand ids each, the same ones whenever they are named."""
        return self._look(_parts, self._newsletter.clock())

    def send(self, part: Range) -> None:
        """Hand over what is due of a part; returns when nothing is, or when this process stops."""
        self._outbox.work(part)

    def deliver_letters(self) -> None:
        """Hand over the letters that are due; returns when none is, or when this process stops."""
        if self._post is not None:
            with self._outbox.watched():
                self._post.deliver(lambda: self._outbox.wait_to_stop(0))

    def purge(self) -> None:
        """Delete what was kept for a while only."""
        if self._post is not None:
            self._post.purge()

    def living(self, workers: Sequence[str]) -> Sequence[str]:
        """Those of these workers that hold their seat."""
        with self._newsletter.session() as session:
            return [worker for worker in workers if not is_gone(session, worker)]


class _Found(NamedTuple):
    """What a round looks for, in one look."""

    is_appointed: bool
    changing: list[int]
    unplanned: list[int]
    parts: list[Range]


def _all(connection: Connection, late: datetime, now: datetime) -> _Found:
    appointed = _has_appointment(connection, now)
    return _Found(appointed, _changing(connection, late), _unplanned(connection), _parts(connection, now))


def _has_appointment(connection: Connection, now: datetime) -> bool:
    """Whether the moment of an appointment has come and waits."""
    return bool(_APPOINTED.select(connection, {"since": now - _LATELY, "at": now}))


def _changing(connection: Connection, late: datetime) -> list[int]:
    """The running mailings with rows that wait since before `late`, or with nothing left to hand over.

    To look costs a tenth of writing what is so already.
    """
    return [
        mailing
        for mailing, *_ in _RUNNING.select(connection, {})
        if ((earliest := _earliest(connection, mailing)) and earliest < late)
        or not (earliest or _is_at_work(connection, mailing))
    ]


def _unplanned(connection: Connection) -> list[int]:
    left = _UNPLANNED.select(connection, {})
    issues = [mailing for mailing, is_issue in left if is_issue]
    return issues or [mailing for mailing, _ in left]


def _parts(connection: Connection, now: datetime) -> list[Range]:
    found: dict[Range, None] = {}
    for mailing, release in _RUNNING.select(connection, {}):
        found |= dict.fromkeys(islice(_first_tries(connection, mailing, release, now), PARTS_AHEAD))
    for delivery, wave, mailing, release in _DEFERRED.select(connection, {"at": now}):
        found[_part(mailing, release, wave, delivery)] = None
    return list(found)


def _first_tries(connection: Connection, mailing: int, release: datetime, now: datetime) -> Iterator[Range]:
    """Parts with rows that wait for their first try and are due, by wave: one look into the index for each."""
    wave = _earliest(connection, mailing)
    while wave is not None and wave <= now:
        after = 0
        where = {"mailing": mailing, "wave": wave}
        while row := _OF_WAVE.select(connection, {**where, "after": after}):
            part = _part(mailing, release, wave, row[0][0])
            yield part
            after = part.last + 1
        wave = _NEXT.select(connection, where)[0][0]


def _earliest(connection: Connection, mailing: int) -> datetime | None:
    """When the earliest row of a mailing that waits for its first try is due; None where none waits."""
    found: datetime | None = _EARLIEST.select(connection, {"mailing": mailing})[0][0]
    return found


def _is_at_work(connection: Connection, mailing: int) -> bool:
    """Whether rows of a mailing are in hand, or wait for another try."""
    states = (State.IN_HAND, State.DEFERRED)
    return any(_IN_STATE.select(connection, {"mailing": mailing, "state": state}) for state in states)


def _part(mailing: int, release: datetime, wave: datetime, delivery_id: int) -> Range:
    """The part that a delivery of a wave is in."""
    width = ROWS_PER_JOB if wave == release else ROWS_PER_JOB * WIDER
    first = delivery_id - delivery_id % width
    return Range(mailing, first, first + width - 1, wave)
