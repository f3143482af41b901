"""Claiming: choose rows that are due and may be used now, and put our name on them, in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, update
from sqlmodel import Session

from newsletter.delivery.control import MailingState, judge_canary
from newsletter.delivery.models import Bucket, Delivery, Mailing
from newsletter.delivery.outcome import Reason, State
from newsletter.delivery.pace import DomainRule, Level, domain_of, rule_of
from newsletter.storage.prepared import Prepared
from newsletter.storage.upsert import upsert
from subscribers.audience import sendable, suppressed
from subscribers.models import State as PersonState
from subscribers.models import Subscriber

_DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_MAILINGS = Mailing.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_SUBSCRIBERS = Subscriber.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_BUCKETS = Bucket.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes

_NEEDED = ("id", "subscriber_id", "attempts", "deferrals", "address", "due", "language", "edition", "slots")

# The statements are made once: making one costs as much as running it.
_DUE = (
    select(
        *(_DELIVERIES.c[name] for name in _NEEDED),
        _SUBSCRIBERS.c.state.label("person"),
        suppressed().label("suppressed"),
        sendable(bindparam("at")).label("sendable"),
    )
    .join(_SUBSCRIBERS, _SUBSCRIBERS.c.id == _DELIVERIES.c.subscriber_id)
    .where(
        _DELIVERIES.c.mailing_id == bindparam("mailing"),
        _DELIVERIES.c.state == bindparam("waiting"),
        _DELIVERIES.c.id.between(bindparam("first"), bindparam("last")),
    )
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=_DELIVERIES)  # what another sender is just claiming is passed over
)
_UNTIL_NOW = _DUE.where(_DELIVERIES.c.next_at <= bindparam("at")).order_by(_DELIVERIES.c.next_at, _DELIVERIES.c.id)
# one moment alone: the index then leads to the first row of the part, past all that wait before it for theirs
_OF_WAVE = _DUE.where(_DELIVERIES.c.next_at == bindparam("wave")).order_by(_DELIVERIES.c.id)
_IS_ONE_DUE = (
    select(_DELIVERIES.c.id)
    .where(
        _DELIVERIES.c.mailing_id == bindparam("mailing"),
        _DELIVERIES.c.state == bindparam("waiting"),
        _DELIVERIES.c.id.between(bindparam("first"), bindparam("last")),
    )
    .order_by(_DELIVERIES.c.next_at, _DELIVERIES.c.id)
    .limit(1)
)
_IS_UNTIL_NOW = Prepared(_IS_ONE_DUE.where(_DELIVERIES.c.next_at <= bindparam("at")))
_IS_OF_WAVE = Prepared(_IS_ONE_DUE.where(_DELIVERIES.c.next_at == bindparam("wave")))
_TAKE = Prepared(
    update(_DELIVERIES)
    .where(_DELIVERIES.c.id == bindparam("its_id"))
    .values(
        state=State.IN_HAND,
        claim=bindparam("by"),
        claimed_at=bindparam("at"),
        attempts=_DELIVERIES.c.attempts + 1,
    )
)
_MAILING = Prepared(select(_MAILINGS.c.state, _MAILINGS.c.canary_through).where(_MAILINGS.c.id == bindparam("mailing")))


@dataclass(frozen=True, slots=True)
class Range:
    """A part of a mailing: its deliveries from `first` to `last`, by id, both included.

    With a `wave`, of those that wait for their first try only the ones of that moment; else whatever is due.
    """

    mailing_id: int
    first: int
    last: int
    wave: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row in hand, with all that its message is made of; `part` says what it was claimed for."""

    part: Range
    delivery_id: int
    subscriber_id: int
    attempt: int
    deferrals: int
    address: str
    due: datetime
    claimed_at: datetime
    language: str
    edition: Sequence[Sequence[object]]
    slots: dict[str, object]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a sender can take: rows of these parts, in all `room` per server name.

    `rates` are messages a second by server name where there is a limit; `rules` limit the readers of some domains, each
    with how many more of them may be in hand; `resting` domains get nothing now.
    """

    parts: Sequence[Range]
    room: Mapping[str, int]
    rates: Mapping[str, float]
    rules: Mapping[DomainRule, int]
    resting: Collection[str] = ()


NOTHING_WANTED = Wanted((), {}, {}, {})


@dataclass(frozen=True, slots=True)
class Taken:
    """What was claimed, by the server it is for; `over` are the parts of whose mailing nothing more may be claimed.

    `dry` are the parts with nothing that is due, though there was room, and no limit held anything back.
    `next_token_at` says when a limit will let something through, where one held something back.
    """

    rows: Mapping[str, Sequence[Claimed]]
    over: frozenset[Range] = frozenset()
    dry: frozenset[Range] = frozenset()
    next_token_at: datetime | None = None


def claim(connection: Connection, seat: str, wanted: Wanted, canary_error_share: float, now: datetime) -> Taken:
    """Claim what is wanted and due, in the order of hours and ids; the caller commits."""
    if not wanted.parts:
        return Taken({})
    rates = {**wanted.rates, **_rule_rates(wanted.rules)}
    levels = _levels(connection, rates, now)
    room = {
        name: min(free, int(levels[name].tokens)) if name in wanted.rates else free
        for name, free in wanted.room.items()
    }
    mailings = {
        number: _MAILING.select(connection, {"mailing": number})[0]
        for number in {part.mailing_id for part in wanted.parts}
    }
    domains = _Domains(wanted, levels)
    rows: list[Claimed] = []
    dry = set()
    for part in wanted.parts:
        left = sum(room.values()) - len(rows)
        state, canary_through = mailings[part.mailing_id]
        if left > 0 and state == MailingState.RUNNING:
            found, was_due = _claim_part(connection, seat, part, canary_through, left, domains, now)
            held_by_canary = not found and canary_through is not None
            if held_by_canary and _canary_is_well(connection, part.mailing_id, canary_error_share):
                found, was_due = _claim_part(connection, seat, part, None, left, domains, now)
            rows += found
            if not was_due and canary_through is None and not domains.closed():
                dry.add(part)
    dealt = _deal(rows, room)
    spent = {name: len(dealt.get(name, ())) for name in wanted.rates} | domains.spent
    left_over = {key: level.drawn(spent.get(key, 0)) for key, level in levels.items()}
    _write_levels(connection, left_over)
    over = frozenset(part for part in wanted.parts if mailings[part.mailing_id][0] != MailingState.RUNNING)
    return Taken(dealt, over, frozenset(dry), min(_next_tokens(left_over, rates), default=None))


def _canary_is_well(connection: Connection, mailing_id: int, error_share: float) -> bool:
    with Session(bind=connection) as session:
        well = judge_canary(session, mailing_id, error_share)
        session.flush()
    return well


def _claim_part(
    connection: Connection,
    seat: str,
    part: Range,
    canary_through: int | None,
    most: int,
    domains: "_Domains",
    now: datetime,
) -> tuple[list[Claimed], int]:
    """Claim rows of one part; those, and how many were due.

    Whoever may not be written to any more is excluded here, at the last moment.
    """
    last = part.last if canary_through is None else min(part.last, canary_through)
    where = {"mailing": part.mailing_id, "first": part.first, "last": last, "at": now}
    closed = domains.closed()
    if part.wave is None:
        due = _due_outside(closed).select(connection, {**where, "waiting": State.QUEUED, "most": most})
    else:
        of_wave = {**where, "waiting": State.QUEUED, "most": most, "wave": part.wave}
        due = _due_outside(closed, of_wave=True).select(connection, of_wave)
    if len(due) < most:
        due += _due_outside(closed).select(connection, {**where, "waiting": State.DEFERRED, "most": most - len(due)})
    rows = [_Due(*values) for values in due]
    for row in rows:
        if not row.sendable:
            values = {"state": State.EXCLUDED, "reason": _why_not(row), "settled_at": now}
            connection.execute(update(_DELIVERIES).where(_DELIVERIES.c.id == row.id).values(**values))
    sendable_rows = [row for row in rows if row.sendable]
    claimed = [_claimed(part, row, now) for row in sendable_rows if domains.admits(row.address)]
    if claimed:
        _TAKE.run(connection, [{"its_id": one.delivery_id, "by": seat, "at": now} for one in claimed])
    if len(claimed) < len(sendable_rows):  # a domain has had its share: the others need not wait for it
        left = most - len(claimed)
        claimed += _claim_part(connection, seat, part, canary_through, left, domains, now)[0]
    return claimed, len(rows)


class _Due(NamedTuple):
    """What `_DUE` finds, in its order."""

    id: int
    subscriber_id: int
    attempts: int
    deferrals: int
    address: str
    due: datetime
    language: str
    edition: list[Any]
    slots: dict[str, Any]
    person: PersonState
    suppressed: bool
    sendable: bool


class _Domains:
    """Which domains may get something in this turn, and what of their limits is used up."""

    def __init__(self, wanted: Wanted, levels: Mapping[str, Level]) -> None:
        self._rules = wanted.rules
        self._resting = set(wanted.resting)
        self._left = {
            rule: min(room, int(levels[rule.key].tokens)) if rule.messages_per_second else room
            for rule, room in wanted.rules.items()
        }
        self.spent: dict[str, int] = {}

    def closed(self) -> frozenset[str]:
        """The domains that get nothing more."""
        return frozenset(
            self._resting | {name for rule, left in self._left.items() if left <= 0 for name in rule.names}
        )

    def admits(self, address: str) -> bool:
        """Whether one more for this address is within the limits of its domain; it is counted then."""
        rule = rule_of(domain_of(address), self._rules)
        if rule is None:
            return True
        if self._left[rule] <= 0:
            return False
        self._left[rule] -= 1
        self.spent[rule.key] = self.spent.get(rule.key, 0) + 1
        return True


@lru_cache(maxsize=32)
def _due_outside(closed: frozenset[str], *, of_wave: bool = False) -> Prepared:
    """The query for deliveries that are due, or for those of a wave, without those of closed domains."""
    query = _OF_WAVE if of_wave else _UNTIL_NOW
    return Prepared(query.where(*(~is_of_domain(domain) for domain in sorted(closed))))


def is_any_due(connection: Connection, part: Range, now: datetime) -> bool:
    """Whether something of a part is due that `claim` would find, whatever the limits."""
    where = {"mailing": part.mailing_id, "first": part.first, "last": part.last}
    if part.wave is None:
        first_try = _IS_UNTIL_NOW.select(connection, {**where, "waiting": State.QUEUED, "at": now})
    else:
        first_try = _IS_OF_WAVE.select(connection, {**where, "waiting": State.QUEUED, "wave": part.wave})
    return bool(first_try or _IS_UNTIL_NOW.select(connection, {**where, "waiting": State.DEFERRED, "at": now}))


def within(part: Range) -> tuple[ColumnElement[bool], ...]:
    """The SQL conditions on a delivery of belonging to a part."""
    return _DELIVERIES.c.mailing_id == part.mailing_id, _DELIVERIES.c.id.between(part.first, part.last)


def is_of_domain(domain: str) -> ColumnElement[bool]:
    """The SQL condition on a delivery that its address is of a domain, given in lower case."""
    return func.lower(_DELIVERIES.c.address).endswith(f"@{domain}", autoescape=True)


def _rule_rates(rules: Mapping[DomainRule, int]) -> dict[str, float]:
    return {rule.key: rule.messages_per_second for rule in rules if rule.messages_per_second}


def _levels(connection: Connection, rates: Mapping[str, float], now: datetime) -> dict[str, Level]:
    """The buckets as they are now, held until this transaction ends, so that nobody else draws the same tokens."""
    if not rates:
        return {}
    held = connection.execute(
        select(_BUCKETS)
        .where(_BUCKETS.c.key.in_(list(rates)))
        .order_by(_BUCKETS.c.key)  # the same order for everybody, so that no two wait for each other
        .with_for_update()
    )
    there = {bucket.key: Level(bucket.tokens, bucket.filled_at) for bucket in held}
    return {key: there.get(key, Level(max(rate, 1), now)).filled(rate, now) for key, rate in rates.items()}


def _write_levels(connection: Connection, levels: Mapping[str, Level]) -> None:
    if levels:
        rows = [{"key": key, "tokens": level.tokens, "filled_at": level.filled_at} for key, level in levels.items()]
        connection.execute(upsert(_BUCKETS, connection.dialect.name, ("key",)), rows)


def _next_tokens(levels: Mapping[str, Level], rates: Mapping[str, float]) -> list[datetime]:
    """When each bucket that is empty has a token again; what still has one holds nothing back."""
    return [
        level.filled_at + timedelta(seconds=(1 - level.tokens) / rates[key])
        for key, level in levels.items()
        if level.tokens < 1
    ]


def _deal(rows: Sequence[Claimed], room: Mapping[str, int]) -> dict[str, Sequence[Claimed]]:
    """Share rows out to servers, to each no more than it has room for."""
    dealt: dict[str, Sequence[Claimed]] = {}
    begin = 0
    for name, free in sorted(room.items(), key=lambda item: -item[1]):
        dealt[name] = rows[begin : begin + free]
        begin += len(dealt[name])
    return dealt


def _why_not(row: _Due) -> Reason:
    """Why a reader who was due may not be written to any more."""
    if row.suppressed:
        return Reason.SUPPRESSED
    return Reason.PAUSED if row.person == PersonState.PAUSED else Reason.UNSUBSCRIBED


def _claimed(part: Range, row: _Due, now: datetime) -> Claimed:
    return Claimed(
        part=part,
        delivery_id=row.id,
        subscriber_id=row.subscriber_id,
        attempt=row.attempts + 1,
        deferrals=row.deferrals,
        address=row.address,
        due=row.due,
        claimed_at=now,
        language=row.language,
        edition=row.edition,
        slots=row.slots,
    )
