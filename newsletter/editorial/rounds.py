"""What is looked after while a process sends for others: mailings to plan and hand over, appointments, unknown rows."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from newsletter.app import Newsletter
from newsletter.delivery.claims import Range
from newsletter.delivery.control import MailingState, finish, resend_unknown
from newsletter.delivery.engine import Due
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.editorial.appointments import keep_appointments
from newsletter.editorial.dispatch import plan_mailing
from newsletter.editorial.outbox import Outbox
from newsletter.storage.seat import is_gone

ROWS_PER_JOB = 2500
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
        with newsletter.session() as session:
            if newsletter.settings.unknown == "resend":
                resend_unknown(session, newsletter.clock(), newsletter.settings.unknown_wait)
            for mailing_id in session.exec(running()).all():
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
        with self._newsletter.reading() as session:
            firsts = {
                (mailing_id, first)
                for mailing_id in session.exec(running()).all()
                for first in first_parts(session, mailing_id, now)
            }
            late = select(Delivery.mailing_id, col(Delivery.id)).where(
                col(Delivery.mailing_id).in_(running()),
                Delivery.state == State.DEFERRED,
                Delivery.next_at <= now,
            )
            deferred = session.exec(late.limit(PARTS_AHEAD * ROWS_PER_JOB)).all()
        firsts |= {(mailing_id, _first(delivery)) for mailing_id, delivery in deferred if delivery}
        return [Range(mailing_id, first, first + ROWS_PER_JOB - 1) for mailing_id, first in sorted(firsts)]

    def send(self, part: Range) -> None:
        """Hand over what is due of a part; returns when nothing is, or when this process stops."""
        self._outbox.work(part)

    def deliver_letters(self) -> None:
        """Hand over the letters that are due; returns when none is, or when this process stops."""
        if self._post is not None:
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


def first_parts(session: Session, mailing_id: int, now: datetime) -> Iterator[int]:
    """The first ids of the first parts with queued rows that are due: one look into the index for each."""
    after = 0
    for _ in range(PARTS_AHEAD):
        row = session.exec(
            select(col(Delivery.id))
            .where(
                Delivery.mailing_id == mailing_id,
                Delivery.state == State.QUEUED,
                col(Delivery.id) >= after,
                Delivery.next_at <= now,
            )
            .order_by(col(Delivery.id))
            .limit(1)
        ).first()
        if row is None:
            return
        yield _first(row)
        after = _first(row) + ROWS_PER_JOB


def _first(delivery: int) -> int:
    return delivery - delivery % ROWS_PER_JOB
