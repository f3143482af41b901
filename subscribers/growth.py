"""How many people come and go, told by the consent record; and how many read what."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, String, and_, case, cast, func, or_
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from subscribers.models import Consent, State, Subscriber

_IN = (str(State.ACTIVE), str(State.PAUSED))
_BEGINNINGS = ("import", "command", "staff", "confirm")


@dataclass(frozen=True, slots=True)
class Change:
    """How many people joined and left from one moment up to another."""

    begin: datetime
    end: datetime
    joined: int
    left: int


def changes(session: Session, bounds: Sequence[datetime]) -> list[Change]:
    """Who joined and who left between each moment and the next; moments are aware and ascend.

    Joined is who became active or paused and was not; who asks again while they are a reader does not count, nor does
    who has yet to confirm. Left is who unsubscribed or was forgotten and was a reader until then.
    """
    return [Change(begin, end, *_between(session, begin, end)) for begin, end in pairwise(bounds)]


def readers_by_topic(session: Session) -> Counter[str]:
    """How many active or paused people chose each topic."""
    chosen = cast(col(Subscriber.topics), String)
    rows = session.execute(
        sql_select(chosen, func.count()).where(col(Subscriber.state).in_(_IN)).group_by(chosen)
    )  # people share a few choices, so few rows come out however many go in
    counts: Counter[str] = Counter()
    for topics, number in rows:
        for topic in json.loads(topics):
            counts[topic] += number
    return counts


def _between(session: Session, begin: datetime, end: datetime) -> tuple[int, int]:
    """One range at a time: its rows are found by the index of their moment, on every database."""
    was_in = _was_in()
    joined = func.sum(case((and_(_joins(Consent), ~was_in), 1), else_=0))
    left = func.sum(case((and_(_leaves(Consent), was_in), 1), else_=0))
    query = sql_select(joined, left).where(
        col(Consent.at) >= begin, col(Consent.at) < end, or_(_joins(Consent), _leaves(Consent))
    )
    found = session.execute(query).one()
    return found[0] or 0, found[1] or 0


def _was_in() -> ColumnElement[bool]:
    """Whether the last thing said before about the same person, of all that brings in or takes out, brought them in."""
    earlier = aliased(Consent)
    brought_in = (
        sql_select(case((_joins(earlier), 1), else_=0))
        .where(
            col(earlier.subscriber_id) == col(Consent.subscriber_id),
            col(earlier.id) < col(Consent.id),
            or_(_joins(earlier), _leaves(earlier)),
        )
        .order_by(col(earlier.id).desc())
        .limit(1)
        .correlate(Consent)
        .scalar_subquery()
    )
    return func.coalesce(brought_in, 0) == 1


def _joins(said: type[Consent]) -> ColumnElement[bool]:
    came = and_(col(said.kind).in_(_BEGINNINGS), col(said.detail).in_(_IN))
    return or_(came, col(said.kind) == "return")


def _leaves(said: type[Consent]) -> ColumnElement[bool]:
    taken_off = and_(col(said.kind) == "import", col(said.detail).endswith(f" to {State.UNSUBSCRIBED}"))
    return or_(col(said.kind).in_(("unsubscribe", "forget")), taken_off)
