"""What is looked after while a process sends for others: mailings to plan and hand over, appointments, unknown rows."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Protocol

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from newsletter.app import Newsletter
from newsletter.delivery.claims import Range
from newsletter.delivery.control import MailingState, finish, resend_unknown
from newsletter.delivery.engine import Due
from newsletter.delivery.lateness import leave_out_late
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.editorial.appointments import keep_appointments
from newsletter.editorial.dispatch import plan_mailing
from newsletter.editorial.outbox import Outbox
from newsletter.storage.seat import is_gone

ROWS_PER_JOB = 2500
WIDER = 20
"""Of the readers who chose an hour of their own only some are due at each: their parts are so much wider."""
PARTS_AHEAD = 12
"""So many parts of a mailing are enqueued at most: more than a worker can hand over between two rounds."""


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

    def make_round(self) -> Due:
        """Keep appointments, send again what is to be sent again, mark what is finished; what there is to do then."""
        newsletter = self._newsletter
        keep_appointments(newsletter)
        now = newsletter.clock()
        with newsletter.session() as session:
            if newsletter.settings.unknown == "resend":
                resend_unknown(session, now, newsletter.settings.unknown_wait)
            for mailing_id in session.exec(running()).all():
                leave_out_late(session, mailing_id, now - newsletter.settings.give_up_after, now)
                finish(session, mailing_id)
        return Due(self.unplanned(), self.due(), self._post is not None and self._post.is_due())

    def unplanned(self) -> Sequence[int]:
        """The running mailings whose rows are not all written."""
        with self._newsletter.reading() as session:
            return session.exec(running().where(Mailing.planned_through < Mailing.audience_through)).all()

    def plan(self, mailing_id: int) -> None:
        """Write the rows of a mailing that are missing."""
        for _ in plan_mailing(self._newsletter, mailing_id):
            if self._outbox.wait_to_stop(0):
                return

    def due(self) -> Sequence[Range]:
        """Parts with something due: some thousand ids each, the same ones whenever they are named."""
        now = self._newsletter.clock()
        found: dict[Range, None] = {}
        with self._newsletter.reading() as session:
            for mailing in session.exec(select(Mailing).where(Mailing.state == MailingState.RUNNING)).all():
                found |= dict.fromkeys(islice(_first_tries(session, mailing, now), PARTS_AHEAD))
            later = select(Delivery.id, Delivery.due, Mailing).join(Mailing, col(Mailing.id) == Delivery.mailing_id)
            deferred = session.exec(
                later.where(
                    Mailing.state == MailingState.RUNNING, Delivery.state == State.DEFERRED, Delivery.next_at <= now
                ).limit(PARTS_AHEAD * ROWS_PER_JOB)
            ).all()
            found |= dict.fromkeys(_part(mailing, wave, delivery or 0) for delivery, wave, mailing in deferred)
        return list(found)

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


def running() -> SelectOfScalar[Any]:
    """The ids of the mailings that are to be handed over."""
    return select(Mailing.id).where(Mailing.state == MailingState.RUNNING)


def _first_tries(session: Session, mailing: Mailing, now: datetime) -> Iterator[Range]:
    """Parts with rows that wait for their first try and are due, by wave: one look into the index for each."""
    waiting = Delivery.mailing_id == mailing.id, Delivery.state == State.QUEUED
    earliest = select(func.min(Delivery.next_at)).where(*waiting, Delivery.next_at <= now)
    wave = session.exec(earliest).one()
    while wave is not None:
        after = 0
        of_wave = select(col(Delivery.id)).where(*waiting, Delivery.next_at == wave).order_by(col(Delivery.id)).limit(1)
        while row := session.exec(of_wave.where(col(Delivery.id) >= after)).first():
            part = _part(mailing, wave, row)
            yield part
            after = part.last + 1
        wave = session.exec(earliest.where(Delivery.next_at > wave)).one()


def _part(mailing: Mailing, wave: datetime, delivery_id: int) -> Range:
    """The part that a delivery of a wave is in."""
    width = ROWS_PER_JOB if wave == mailing.due else ROWS_PER_JOB * WIDER
    first = delivery_id - delivery_id % width
    return Range(mailing.id or 0, first, first + width - 1, wave)
