"""The ledger: claim rows before their messages are used, write outcomes down, count, and look back.

A claim is committed before its message goes anywhere, an outcome only where the claim is still ours; so whatever dies
and whenever, every row says truly what is known about it.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, update
from sqlmodel import Session, col, func, select

from newsletter.delivery.models import Attempt, Delivery
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.delivery.retry import next_attempt
from subscribers.audience import sendable, suppressed
from subscribers.models import State as PersonState
from subscribers.models import Subscriber


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row in hand, with all that its message is made of."""

    delivery_id: int
    attempt: int
    deferrals: int
    address: str
    due: datetime
    language: str
    edition: Sequence[Sequence[object]]
    slots: dict[str, object]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row in hand; `outcome` is None when its message was never used and the row simply goes back."""

    claimed: Claimed
    ended_at: datetime
    outcome: Outcome | None
    size_bytes: int = 0


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


SERVER_PAUSE = timedelta(minutes=1)
"""How long a row waits when its server was to blame; long enough for others to go first, short enough for one run."""


class Ledger:
    """One sender's view of one mailing's rows; each method is one transaction."""

    def __init__(
        self,
        engine: Engine,
        mailing_id: int,
        *,
        claim: str,
        server: str,
        give_up_after: timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._mailing_id = mailing_id
        self._claim = claim
        self._server = server
        self._give_up_after = give_up_after
        self._chance = chance

    def turn(self, results: Sequence[Result], wanted: int, now: datetime) -> list[Claimed]:
        """Write down what became of rows in hand and claim up to `wanted` more that are due, in one commit."""
        with Session(self._engine) as session:
            for result in results:
                self._settle(session, result)
            claimed = self._claim_due(session, wanted, now) if wanted else []
            session.commit()
        return claimed

    def next_due(self) -> datetime | None:
        """When the next row that waits becomes due, or None when nothing waits."""
        waiting = (State.QUEUED, State.DEFERRED)
        query = select(func.min(Delivery.next_at)).where(
            Delivery.mailing_id == self._mailing_id, col(Delivery.state).in_(waiting)
        )
        with Session(self._engine) as session:
            return session.exec(query).one()

    def release_the_dead(self, now: datetime) -> int:
        """Rows in hand of dead senders become `unknown`; how many. Only for a time when no other sender can live."""
        mine = col(Delivery.mailing_id) == self._mailing_id, col(Delivery.state) == State.IN_HAND
        with Session(self._engine) as session:
            dead = select(Delivery.id).where(*mine)
            session.execute(
                update(Attempt)
                .where(col(Attempt.delivery_id).in_(dead), col(Attempt.ended_at).is_(None))
                .values(ended_at=now, verdict=Verdict.UNKNOWN)
            )
            released = session.execute(
                update(Delivery)
                .where(*mine)
                .values(state=State.UNKNOWN, reason=Reason.STOPPED, settled_at=now)
                .returning(col(Delivery.id))
            ).all()
            session.commit()
        return len(released)

    def _claim_due(self, session: Session, wanted: int, now: datetime) -> list[Claimed]:
        """Claim in the order of due times; whoever may not be written to any more is excluded here, at the last."""
        due = self._due(session, State.QUEUED, wanted, now)
        due += self._due(session, State.DEFERRED, wanted - len(due), now)
        for row in due:
            if not row.sendable:
                values = {"state": State.EXCLUDED, "reason": _why_not(row), "settled_at": now}
                session.execute(update(Delivery).where(col(Delivery.id) == row.Delivery.id).values(**values))
        claimed = [_claimed(row.Delivery) for row in due if row.sendable]
        if claimed:
            session.execute(
                update(Delivery)
                .where(col(Delivery.id).in_([one.delivery_id for one in claimed]))
                .values(state=State.IN_HAND, claim=self._claim, attempts=Delivery.attempts + 1)
            )
            session.execute(insert(Attempt), [self._attempt(one, now) for one in claimed])
        return claimed

    def _due(self, session: Session, state: State, wanted: int, now: datetime) -> list[Row[Any]]:
        """The next rows of one state: one at a time, so that the index gives them in order and nothing is sorted."""
        query: Any = (
            select(
                Delivery,
                col(Subscriber.state).label("person"),
                suppressed().label("suppressed"),
                sendable(now).label("sendable"),
            )
            .join(Subscriber, col(Subscriber.id) == col(Delivery.subscriber_id))
            .where(Delivery.mailing_id == self._mailing_id, Delivery.state == state, Delivery.next_at <= now)
            .order_by(col(Delivery.next_at), col(Delivery.id))
            .limit(wanted)
        )
        return list(session.execute(query).all()) if wanted else []

    def _attempt(self, claimed: Claimed, now: datetime) -> dict[str, object]:
        return {
            "delivery_id": claimed.delivery_id,
            "number": claimed.attempt,
            "claim": self._claim,
            "started_at": now,
            "server": self._server,
        }

    def _settle(self, session: Session, result: Result) -> None:
        """Write one outcome where the claim is still ours; a row declared unknown meanwhile learns the truth."""
        row, outcome = result.claimed, result.outcome
        values = self._after(row, outcome, result.ended_at) if outcome else _as_before(row)
        if outcome is None:
            values["attempts"] = row.attempt - 1
        ours = col(Delivery.id) == row.delivery_id, col(Delivery.claim) == self._claim
        session.execute(update(Delivery).where(*ours).values(claim=None, **values))
        attempt = col(Attempt.delivery_id) == row.delivery_id, col(Attempt.number) == row.attempt
        if outcome is None:
            session.execute(delete(Attempt).where(*attempt))
            return
        answer = {"verdict": outcome.verdict, "stage": outcome.stage, "code": outcome.code, "reply": outcome.reply}
        ended = {"ended_at": result.ended_at, "size_bytes": result.size_bytes}
        session.execute(update(Attempt).where(*attempt).values(**ended, **answer))

    def _after(self, row: Claimed, outcome: Outcome, now: datetime) -> dict[str, object]:
        """The state that an outcome leads to.

        The first time that the server is to blame, the reader is not charged, and the row waits for others to go first;
        the second time it may be this very message that the server cannot take, unless it did not even get to RCPT.
        """
        give_up_at = row.due + self._give_up_after
        again_soon = now + SERVER_PAUSE
        first_time = outcome.stage is Stage.MAIL or row.attempt - row.deferrals == 1
        if outcome.blames_server and outcome.verdict is not Verdict.UNKNOWN and first_time and again_soon <= give_up_at:
            return {**_as_before(row), "next_at": again_soon}
        reply: dict[str, object] = {"stage": outcome.stage, "code": outcome.code, "reply": outcome.reply}
        match outcome.verdict:
            case Verdict.ACCEPTED:
                return {"state": State.ACCEPTED, "reason": None, "settled_at": now, **reply}
            case Verdict.UNKNOWN:
                return {"state": State.UNKNOWN, "reason": Reason.LINE_BROKE, "settled_at": now, **reply}
            case Verdict.REFUSED:
                reason = Reason.BAD_ADDRESS if outcome.stage is Stage.WRITE else Reason.REFUSED
                return {"state": State.FAILED, "reason": reason, "settled_at": now, **reply}
            case Verdict.LATER:
                again = next_attempt(now, row.deferrals + 1, self._chance(), give_up_at)
                if again is None:
                    return {"state": State.FAILED, "reason": Reason.GAVE_UP, "settled_at": now, **reply}
                return {"state": State.DEFERRED, "next_at": again, "deferrals": row.deferrals + 1, **reply}


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


def _why_not(row: Row[Any]) -> Reason:
    """Why a reader who was due may not be written to any more."""
    if row.suppressed:
        return Reason.SUPPRESSED
    return Reason.PAUSED if row.person == PersonState.PAUSED else Reason.UNSUBSCRIBED


def _as_before(row: Claimed) -> dict[str, object]:
    """The state of a row that goes back because its reader was not to blame."""
    return {"state": State.DEFERRED if row.deferrals else State.QUEUED}


def _claimed(row: Delivery) -> Claimed:
    if row.id is None or row.address is None:
        raise ValueError("a row that is due has an id and an address")
    return Claimed(
        delivery_id=row.id,
        attempt=row.attempts + 1,
        deferrals=row.deferrals,
        address=row.address,
        due=row.due,
        language=row.language,
        edition=row.edition,
        slots=row.slots,
    )
