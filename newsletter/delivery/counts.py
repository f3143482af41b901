"""How the candidates of a mailing stand, in numbers that add up."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

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


@dataclass(frozen=True, slots=True)
class Ahead:
    """Of the queued ones those whose hour is to come: how many, when the next do and how many then, and the last."""

    readers: int = 0
    next_at: datetime | None = None
    at_next: int = 0
    last_at: datetime | None = None


NOTHING = Counts(0, 0, 0, 0, 0, 0, 0)


def count(session: Session, mailing_id: int) -> Counts:
    """The counts of a mailing, from one look at the rows."""
    return counts_of(session, [mailing_id]).get(mailing_id, NOTHING)


def counts_of(session: Session, mailing_ids: Sequence[int]) -> dict[int, Counts]:
    """The counts of several mailings, by id, from one look at the rows; one that has no row is not in it."""
    states: dict[int, dict[str, int]] = defaultdict(dict)
    of_these = select(Delivery.mailing_id, Delivery.state, func.count()).where(
        col(Delivery.mailing_id).in_(mailing_ids)
    )
    for mailing_id, state, number in session.exec(of_these.group_by(col(Delivery.mailing_id), col(Delivery.state))):
        states[mailing_id][state] = number
    return {mailing_id: _counts(found) for mailing_id, found in states.items()}


def ahead(session: Session, mailing_id: int, now: datetime) -> Ahead:
    """Who of a mailing waits for an hour to come, from those rows of the index alone that wait for one."""
    to_come = Delivery.mailing_id == mailing_id, Delivery.state == State.QUEUED, Delivery.next_at > now
    hours = func.count(), func.min(Delivery.next_at), func.max(Delivery.next_at)
    readers, next_at, last_at = session.exec(select(*hours).where(*to_come)).one()
    if next_at is None:
        return Ahead()
    at_next = select(func.count()).where(*to_come[:2], Delivery.next_at == next_at)
    return Ahead(readers, next_at, session.exec(at_next).one(), last_at)


def _counts(states: Mapping[str, int]) -> Counts:
    return Counts(
        candidates=sum(states.values()),
        accepted=states.get(State.ACCEPTED, 0),
        queued=states.get(State.QUEUED, 0) + states.get(State.IN_HAND, 0),
        deferred=states.get(State.DEFERRED, 0),
        failed=states.get(State.FAILED, 0),
        unknown=states.get(State.UNKNOWN, 0),
        excluded=states.get(State.EXCLUDED, 0),
    )
