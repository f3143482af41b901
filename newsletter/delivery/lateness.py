"""Mail that nobody handed over for so long that it is no news any more.

A machine that was down sends what waited when it comes back. What waited longer than a refused message is tried again
(`GIVE_UP_HOURS`) is left out instead, with its reason; a person who says go on means those as well.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Reason, State


def leave_out_late(session: Session, mailing_id: int, before: datetime, now: datetime) -> int:
    """Exclude what has waited for its first try since `before`, unless the mailing goes on, if slowly; how many."""
    if (last := _last_accepted(session, mailing_id)) and last >= before:
        return 0
    values = {"state": State.EXCLUDED, "reason": Reason.TOO_LATE, "settled_at": now}
    return _change(session, _late(mailing_id, before), values)


def make_due_now(session: Session, mailing_id: int, before: datetime, now: datetime) -> int:
    """Have what has waited for its first try since `before` handed over now, late as it is; how many.

    It bears the present moment, from which it is tried as long as any other.
    """
    return _change(session, _late(mailing_id, before), {"next_at": now, "due": now.replace(microsecond=0)})


def hand_over_early(session: Session, mailing_id: int, now: datetime) -> int:
    """Have all that waits for its first try handed over now, as what it would be at its own hour; how many."""
    waiting = col(Delivery.mailing_id) == mailing_id, col(Delivery.state) == State.QUEUED
    return _change(session, waiting, {"next_at": now})


def _last_accepted(session: Session, mailing_id: int) -> datetime | None:
    """When the last one was handed over of those whose hour came last, which the index leads to."""
    accepted = select(Delivery.settled_at).where(Delivery.mailing_id == mailing_id, Delivery.state == State.ACCEPTED)
    return session.exec(accepted.order_by(col(Delivery.next_at).desc(), col(Delivery.id).desc()).limit(1)).first()


def _late(mailing_id: int, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Delivery.mailing_id) == mailing_id,
        col(Delivery.state) == State.QUEUED,
        col(Delivery.next_at) < before,
    )


def _change(session: Session, late: tuple[ColumnElement[bool], ...], values: dict[str, object]) -> int:
    return len(session.execute(update(Delivery).where(*late).values(**values).returning(col(Delivery.id))).all())
