"""Who a mailing is for, as frozen values, and the condition under which a message may still be handed over."""

import enum
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BindParameter,
    Column,
    ColumnElement,
    Dialect,
    Enum,
    Row,
    Select,
    String,
    and_,
    cast,
    exists,
    or_,
    type_coerce,
)
from sqlalchemy import select as sql_select
from sqlalchemy.types import UserDefinedType
from sqlmodel import Session, col

from subscribers.models import State, Subscriber, Suppression
from subscribers.preference_columns import columns_of, preferences_from
from subscribers.preferences import Frequency, Preferences

_READ = ("id", "public_id", "ascii_address", "name", "state", "paused_until", *columns_of(Preferences(topics=())))
"""The columns that a candidate is made of: each one more is converted for every reader of a mailing."""
_KEPT_LISTS = 8192
"""Lists of topics and keywords that are read once: most readers share theirs with others."""


@lru_cache(_KEPT_LISTS)
def _decoded(text: str) -> Any:
    found = json.loads(text)
    return tuple(found) if isinstance(found, list) else found


class _Decoded(UserDefinedType[Any]):
    """A JSON column, read without decoding the same text again; what it gives is only looked at."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """What makes values of texts; where the driver does that, nothing."""
        return _decoded if dialect.name == "sqlite" else None


class _Word(UserDefinedType[Any]):
    """A column of words of an enumeration, looked up without asking whether they are some."""

    cache_ok = True

    def __init__(self, words: type[enum.Enum]) -> None:
        self.words = words

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """What makes members of words."""
        return {member.value: member for member in self.words}.__getitem__


class AudienceMember(NamedTuple):
    """One candidate of a mailing: an active or paused person at the moment of reading."""

    id: int
    public_id: str
    ascii_address: str
    name: str
    state: State
    paused_until: datetime | None
    preferences: Preferences
    suppressed: bool

    def is_paused(self, now: datetime) -> bool:
        """Whether the person wants nothing now; a pause with an end is over at its end without anybody's doing."""
        return self.state is State.PAUSED and (self.paused_until is None or self.paused_until > now)


def suppressed() -> ColumnElement[bool]:
    """Make the SQL condition on `Subscriber` that the address is on the suppression list."""
    return exists().where(col(Suppression.address_key_hash) == col(Subscriber.address_hash)).correlate(Subscriber)


def sendable(now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Make the SQL condition on `Subscriber` of who may be written to now: active, or the pause over; not suppressed.

    It goes into the claim at hand-over, so that an unsubscribe takes effect on a mailing in progress:
    `exists().where(col(Subscriber.id) == delivery.subscriber_id, sendable(now))`.
    """
    pause_is_over = and_(col(Subscriber.state) == State.PAUSED, col(Subscriber.paused_until) <= now)
    return and_(or_(col(Subscriber.state) == State.ACTIVE, pause_is_over), ~suppressed())


def audience(session: Session, chunk: int = 1000) -> Iterator[AudienceMember]:
    """Every active or paused person, by id, in constant memory: `chunk` rows are read at a time, by key.

    No cursor stays open between chunks, so the caller may write in the same session.
    """
    last = 0
    while page := audience_page(session, last, None, chunk):
        yield from page
        last = page[-1].id


def weekly_on(days: Sequence[int | None]) -> ColumnElement[bool]:
    """Make the SQL condition on `Subscriber` of who wants something once a week, on one of these days (0 is Monday).

    None among them stands for whoever chose no day.
    """
    some_topic = cast(col(Subscriber.frequencies), String).contains(str(Frequency.WEEKLY))
    chosen = col(Subscriber.day).in_([day for day in days if day is not None])
    on_one = or_(chosen, col(Subscriber.day).is_(None)) if None in days else chosen
    return and_(or_(col(Subscriber.frequency) == Frequency.WEEKLY, some_topic), on_one)


def audience_page(
    session: Session, after: int, through: int | None, limit: int, days: Sequence[int | None] | None = None
) -> list[AudienceMember]:
    """Read the first `limit` active or paused people whose id is above `after` and, unless None, at most `through`.

    With `days`, only of those who want something once a week, on one of these (see `weekly_on`).
    """
    columns = Subscriber.__table__.columns  # type: ignore[attr-defined]  # SQLModel adds it to table classes
    query: Select[Any] = (
        sql_select(*(_read(columns[name]) for name in _READ), suppressed().label("suppressed"))
        .where(col(Subscriber.id) > after, col(Subscriber.state).in_((State.ACTIVE, State.PAUSED)))
        .order_by(col(Subscriber.id))
        .limit(limit)
    )
    if through is not None:
        query = query.where(col(Subscriber.id) <= through)
    if days is not None:
        query = query.where(weekly_on(days))
    # not through the session, which would take each row twice in hand: this is read for every reader of a mailing
    return [_member(row) for row in session.connection().execute(query)]


def candidate(session: Session, subscriber_id: int) -> AudienceMember | None:
    """One person as a mailing planned now would see them, or None when they are no candidate."""
    page = audience_page(session, subscriber_id - 1, subscriber_id, 1)
    return page[0] if page else None


def _read(column: Column[Any]) -> ColumnElement[Any]:
    """A column with values that are made as cheaply as they can be."""
    if isinstance(column.type, JSON):
        return type_coerce(column, _Decoded()).label(column.name)
    if isinstance(column.type, Enum) and column.type.enum_class:
        return type_coerce(column, _Word(column.type.enum_class)).label(column.name)
    return column


def _member(row: Row[*tuple[Any, ...]]) -> AudienceMember:
    number, public_id, address, name, state, paused_until, *choices, is_suppressed = row  # by place: names cost as much
    preferences = preferences_from(*choices)
    return AudienceMember(number, public_id, address, name, state, paused_until, preferences, bool(is_suppressed))
