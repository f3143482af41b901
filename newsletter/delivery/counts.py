"""How the candidates of a mailing stand, in numbers that add up."""

from dataclasses import dataclass

from sqlmodel import Session, func, select

from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import State


@dataclass(frozen=True, slots=True)
class Counts:
    """How the candidates of a mailing stand; the states add up to `candidates`. Rows in hand count as queued."""

    candidates: int
    accepted: int
    queued: int
    deferred: int
    failed: int
    unknown: int
    excluded: int


NOTHING = Counts(0, 0, 0, 0, 0, 0, 0)


def count(session: Session, mailing_id: int) -> Counts:
    """The counts of a mailing, from one look at the rows."""
    states: dict[str, int] = dict(
        session.exec(
            select(Delivery.state, func.count()).where(Delivery.mailing_id == mailing_id).group_by(Delivery.state)
        ).all()
    )
    return Counts(
        candidates=sum(states.values()),
        accepted=states.get(State.ACCEPTED, 0),
        queued=states.get(State.QUEUED, 0) + states.get(State.IN_HAND, 0),
        deferred=states.get(State.DEFERRED, 0),
        failed=states.get(State.FAILED, 0),
        unknown=states.get(State.UNKNOWN, 0),
        excluded=states.get(State.EXCLUDED, 0),
    )
