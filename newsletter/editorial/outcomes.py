"""What became of a mailing's messages in detail: for which reasons, at which domains, and whose fate is unknown."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case
from sqlmodel import Session, col, func, select

from newsletter.delivery.control import count_missed
from newsletter.delivery.counts import Ahead, ahead
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.editorial.dispatch import next_due

DOMAINS = 10
UNKNOWN_ROWS = 100
"""So many rows of unknown fate are listed; the log has any number."""
_REASONED = (State.EXCLUDED, State.FAILED, State.UNKNOWN)
_NOBODY_AHEAD = Ahead()
_COLUMNS = ((State.ACCEPTED,), (State.QUEUED, State.IN_HAND), (State.DEFERRED,), (State.FAILED,), (State.UNKNOWN,))


@dataclass(frozen=True, slots=True)
class DomainLine:
    """How the readers at one domain stand; without those who are excluded."""

    domain: str
    readers: int
    accepted: int
    waiting: int
    deferred: int
    failed: int
    unknown: int


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """A message of which nobody knows whether the server has it, since when, and why."""

    delivery_id: int
    address: str | None
    reason: str | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Details:
    """What costs more to find out: readers by state and reason, the largest domains, the unknown ones.

    `next_at` is when the next waiting row becomes due, `deferred_until` when the last deferred one does, `ahead` who
    waits for an hour of their own, and `missed` how many of those who failed would be tried again if somebody ordered
    it; `is_anybody_there` says whether a process hands mail over.
    """

    reasons: tuple[tuple[str, str, int], ...] = ()
    domains: tuple[DomainLine, ...] = ()
    unknown: tuple[UnknownRow, ...] = ()
    next_at: datetime | None = None
    is_anybody_there: bool = True
    deferred_until: datetime | None = None
    missed: int = 0
    ahead: Ahead = _NOBODY_AHEAD


def details_of(
    session: Session, mailing: Mailing, mailing_id: int, now: datetime, *, is_anybody_there: bool
) -> Details:
    """The details of a mailing, from a few passes over its rows."""
    return Details(
        _reasons(session, mailing),
        _domains(session, mailing),
        _unknown(session, mailing),
        next_due(session, mailing_id),
        is_anybody_there,
        _deferred_until(session, mailing_id),
        count_missed(session, mailing_id),
        ahead(session, mailing_id, now),
    )


def _deferred_until(session: Session, mailing_id: int) -> datetime | None:
    deferred = Delivery.mailing_id == mailing_id, Delivery.state == State.DEFERRED
    return session.exec(select(func.max(Delivery.next_at)).where(*deferred)).one()


def _reasons(session: Session, mailing: Mailing) -> tuple[tuple[str, str, int], ...]:
    """Readers who are not reached, by state and reason, the most first."""
    query = (
        select(Delivery.state, Delivery.reason, func.count())
        .where(Delivery.mailing_id == mailing.id, col(Delivery.state).in_(_REASONED))
        .group_by(col(Delivery.state), col(Delivery.reason))
    )
    found = [(state, reason or "", number) for state, reason, number in session.exec(query)]
    return tuple(sorted(found, key=lambda row: (_REASONED.index(State(row[0])), -row[2], row[1])))


def _domains(session: Session, mailing: Mailing) -> tuple[DomainLine, ...]:
    """The domains with the most readers."""
    domain, many = _domain_of(session), func.count()
    query = (
        select(domain, many, *(func.sum(case((col(Delivery.state).in_(states), 1), else_=0)) for states in _COLUMNS))
        .where(
            Delivery.mailing_id == mailing.id,
            Delivery.state != State.EXCLUDED,
            col(Delivery.address).is_not(None),
        )
        .group_by(domain)
        .order_by(many.desc(), domain)
        .limit(DOMAINS)
    )
    return tuple(DomainLine(*row) for row in session.execute(query))


def _domain_of(session: Session) -> ColumnElement[str]:
    """What stands behind the @ of an address, as SQL; a quoted one before it would only make a line of its own."""
    address = func.lower(col(Delivery.address))
    if session.get_bind().dialect.name == "sqlite":
        return func.substr(address, func.instr(address, "@") + 1)
    return func.split_part(address, "@", 2)


def _unknown(session: Session, mailing: Mailing) -> tuple[UnknownRow, ...]:
    query = (
        select(Delivery.id, Delivery.address, Delivery.reason, Delivery.settled_at)
        .where(Delivery.mailing_id == mailing.id, Delivery.state == State.UNKNOWN)
        .order_by(col(Delivery.id))
        .limit(UNKNOWN_ROWS)
    )
    return tuple(UnknownRow(number or 0, *rest) for number, *rest in session.exec(query))
