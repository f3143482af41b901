"""Mail that nobody handed over for so long that it is no news any more.

A machine that was down sends what waited when it comes back. What waited longer than a refused message is tried again
(`GIVE_UP_HOURS`) is left out instead, with its reason; a person who says go on means those as well.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col

from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Reason, State


def leave_out_late(session: Session, mailing_id: int, before: datetime, now: datetime) -> int:
    """Exclude what has waited for its first try since `before`; how many."""
    values = {"state": State.EXCLUDED, "reason": Reason.TOO_LATE, "settled_at": now}
    return _change(session, _late(mailing_id, before), values)


def make_due_now(session: Session, mailing_id: int, before: datetime, now: datetime) -> int:
    """Have what waits for its first try, since `before` or longer, handed over now; how many."""
    return _change(session, _late(mailing_id, before), {"next_at": now})


def _late(mailing_id: int, before: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Delivery.mailing_id) == mailing_id,
        col(Delivery.state) == State.QUEUED,
        col(Delivery.next_at) < before,
    )


def _change(session: Session, late: tuple[ColumnElement[bool], ...], values: dict[str, object]) -> int:
    return len(session.execute(update(Delivery).where(*late).values(**values).returning(col(Delivery.id))).all())
