"""Keeping the attempts at a delivery that were not its last: the last one stands in the delivery's own row.

Nearly every delivery has one attempt, so that nearly nothing is written twice.
"""

from sqlalchemy import ColumnElement, case, func, insert, null, select
from sqlmodel import Session

from newsletter.delivery.models import Attempt, Delivery
from newsletter.delivery.outcome import Reason, State, Verdict

_DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_ATTEMPTS = Attempt.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes


def keep_last_attempts(session: Session, *which: ColumnElement[bool]) -> None:
    """Copy the last attempt of settled deliveries, before they are tried again."""
    row = _DELIVERIES.c
    verdict = case(
        (row.state == State.UNKNOWN, Verdict.UNKNOWN),
        (row.reason == Reason.GAVE_UP, Verdict.LATER),
        (row.reason == Reason.NOT_MADE, Verdict.FAULT),
        else_=Verdict.REFUSED,
    )
    # the end of an attempt that was in hand when its sender died is nobody's knowledge
    ended_at = case((row.reason == Reason.STOPPED, null()), else_=row.settled_at)
    kept = {
        "delivery_id": row.id,
        "number": row.attempts,
        "started_at": func.coalesce(row.claimed_at, row.settled_at),
        "ended_at": ended_at,
        "verdict": verdict,
        "stage": row.stage,
        "code": row.code,
        "reply": row.reply,
        "server": row.server,
        "size_bytes": row.size_bytes,
    }
    already = select(_ATTEMPTS.c.id).where(_ATTEMPTS.c.delivery_id == row.id, _ATTEMPTS.c.number == row.attempts)
    copied = select(*(column.label(name) for name, column in kept.items())).where(*which, ~already.exists())
    session.execute(insert(_ATTEMPTS).from_select(list(kept), copied))
