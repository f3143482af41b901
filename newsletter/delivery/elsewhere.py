"""Mail that counts as sent elsewhere: a restored copy says that it waits, but it was sent after the copy was made."""

from datetime import datetime

from sqlalchemy import ColumnElement, case
from sqlmodel import Session, col, func, select, update

from newsletter.delivery.control import WAITING, finish
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Reason, State


def count_left(session: Session, mailing_id: int, now: datetime) -> tuple[int, int]:
    """How many readers of a mailing wait whose hour has come, and how many whose hour is to come."""
    is_due = case((col(Delivery.due) <= now, 1), else_=0)
    waiting = col(Delivery.mailing_id) == mailing_id, col(Delivery.state).in_(WAITING)
    number, due = session.exec(select(func.count(), func.sum(is_due)).where(*waiting)).one()
    return due or 0, number - (due or 0)


def leave_out_due(session: Session, mailing_id: int, now: datetime, *, with_unknown: bool) -> int:
    """Exclude whoever waits and whose hour has come, as if cancelled; how many.

    What the copy has in hand becomes unknown as after any crash. `with_unknown` is for those who have unknown messages
    sent again without being asked: what is in hand or unknown counts as accepted then.
    """
    excluded = {"state": State.EXCLUDED, "reason": Reason.CANCELLED, "settled_at": now}
    left_out = _move(session, _due(mailing_id, now, WAITING), excluded)
    if with_unknown:
        accepted = {"state": State.ACCEPTED, "reason": Reason.SETTLED, "settled_at": now, "claim": None}
        _move(session, _due(mailing_id, now, (State.IN_HAND, State.UNKNOWN)), accepted)
    finish(session, mailing_id)
    return left_out


def _due(mailing_id: int, now: datetime, states: tuple[State, ...]) -> tuple[ColumnElement[bool], ...]:
    return col(Delivery.mailing_id) == mailing_id, col(Delivery.state).in_(states), col(Delivery.due) <= now


def _move(session: Session, which: tuple[ColumnElement[bool], ...], values: dict[str, object]) -> int:
    return len(session.execute(update(Delivery).where(*which).values(**values).returning(col(Delivery.id))).all())
