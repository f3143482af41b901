"""Settling: what a reply leads to, and writing it where the claim is still ours, in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update
from sqlmodel import Session, col

from newsletter.delivery.claims import Claimed
from newsletter.delivery.classify import Class, classify
from newsletter.delivery.control import WAITING, MailingState
from newsletter.delivery.models import Attempt, Delivery, Mailing
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.delivery.retry import next_attempt
from newsletter.storage.prepared import Prepared
from newsletter.storage.upsert import upsert

SERVER_PAUSE = timedelta(minutes=1)
"""How long a row waits when its server was to blame; long enough for others to go first, short enough for one run."""

_DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_ATTEMPTS = Attempt.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_TRY = ("delivery_id", "number")
_WRITTEN = (
    "state",
    "reason",
    "next_at",
    "attempts",
    "deferrals",
    "stage",
    "code",
    "reply",
    "reply_class",
    "settled_at",
)
_SETTLE = Prepared(
    update(_DELIVERIES)
    .where(
        _DELIVERIES.c.id == bindparam("its_id"),
        _DELIVERIES.c.claim == bindparam("its_claim"),
        _DELIVERIES.c.attempts == bindparam("its_attempt"),
    )
    .values(**{name: bindparam(f"new_{name}") for name in _WRITTEN}, claim=None)
)
_FORGET = delete(_ATTEMPTS).where(
    _ATTEMPTS.c.delivery_id == bindparam("its_id"), _ATTEMPTS.c.number == bindparam("its_attempt")
)
_UPSERTS = {
    dialect: Prepared(
        upsert(_ATTEMPTS, dialect, _TRY), columns=[column.name for column in _ATTEMPTS.columns if column.name != "id"]
    )
    for dialect in ("sqlite", "postgresql")
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row in hand; `outcome` is None when its message was never used and the row simply goes back.

    `server` is where it was tried.
    """

    claimed: Claimed
    ended_at: datetime
    outcome: Outcome | None
    server: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """How long a message is tried again after its due time, and what is done with an address that does not exist.

    `suppress` takes a session, the address and a note; `chance` gives random numbers from 0 to 1.
    """

    give_up_after: timedelta
    suppress: Callable[[Session, str, str], None]
    chance: Callable[[], float]


def settle(session: Session, seat: str, results: Sequence[Result], policy: Policy) -> None:
    """Write outcomes where the claim is still ours; a row declared unknown meanwhile learns the truth.

    Writing the same results twice does no harm, so it may be done again when it is not known whether a commit arrived.
    """
    if not results:
        return
    connection = session.connection()
    written = [_after(result, policy) for result in results]
    rows = [
        {
            "its_id": result.claimed.delivery_id,
            "its_claim": seat,
            "its_attempt": result.claimed.attempt,
            **{f"new_{name}": values[name] for name in _WRITTEN},
        }
        for result, values in zip(results, written, strict=True)
    ]
    _SETTLE.run(connection, rows)
    if unused := [result.claimed for result in results if not result.outcome]:
        # one that was declared unknown meanwhile has an attempt, which was none
        connection.execute(_FORGET, [{"its_id": row.delivery_id, "its_attempt": row.attempt} for row in unused])
    tries = [_attempt(seat, result, result.outcome) for result in results if result.outcome]
    if tries:
        _UPSERTS[connection.dialect.name].run(connection, tries)
    back = [row["its_id"] for row, values in zip(rows, written, strict=True) if values["state"] in WAITING]
    if back:
        _exclude_cancelled(session, back, results[-1].ended_at)
    for result, values in zip(results, written, strict=True):
        if values["reply_class"] is Class.HARD and result.outcome:
            policy.suppress(session, result.claimed.address, f"{result.outcome.code} {result.outcome.reply}")


def declare_unknown(session: Session, seat: str, now: datetime) -> int:
    """What a dead sender had in hand is unknown from now on, and its attempts have no end; how many."""
    in_hand = _DELIVERIES.c.claim == seat, _DELIVERIES.c.state == State.IN_HAND
    tried = select(
        _DELIVERIES.c.id,
        _DELIVERIES.c.attempts,
        _DELIVERIES.c.claim,
        _DELIVERIES.c.claimed_at,
        bindparam("verdict", Verdict.UNKNOWN),
        bindparam("server", ""),
    ).where(*in_hand)
    columns = ["delivery_id", "number", "claim", "started_at", "verdict", "server"]
    session.execute(insert(_ATTEMPTS).from_select(columns, tried))
    released = session.execute(
        update(_DELIVERIES)
        .where(*in_hand)
        .values(state=State.UNKNOWN, reason=Reason.STOPPED, settled_at=now)
        .returning(_DELIVERIES.c.id)
    )
    return len(released.all())


def _after(result: Result, policy: Policy) -> dict[str, object]:
    """The values of a row after an outcome.

    The first time that the server is to blame, the reader is not charged, and the row waits for others to go first; the
    second time it may be this very message that the server cannot take, unless it did not even get to RCPT.
    """
    row, outcome, now = result.claimed, result.outcome, result.ended_at
    values: dict[str, object] = dict.fromkeys(_WRITTEN)
    values |= {"state": State.DEFERRED if row.deferrals else State.QUEUED, "deferrals": row.deferrals}
    if outcome is None:
        return values | {"attempts": row.attempt - 1, "next_at": now}
    values["attempts"] = row.attempt
    again_soon, give_up_at = now + SERVER_PAUSE, row.due + policy.give_up_after
    first_time = outcome.stage is Stage.MAIL or row.attempt - row.deferrals == 1
    if outcome.blames_server and outcome.verdict is not Verdict.UNKNOWN and first_time and again_soon <= give_up_at:
        return values | {"next_at": again_soon}
    values |= {"stage": outcome.stage, "code": outcome.code, "reply": outcome.reply}
    values |= {"reply_class": _class_of(outcome), "settled_at": now, "next_at": now}
    match outcome.verdict:
        case Verdict.ACCEPTED:
            return values | {"state": State.ACCEPTED}
        case Verdict.UNKNOWN:
            return values | {"state": State.UNKNOWN, "reason": Reason.LINE_BROKE}
        case Verdict.REFUSED:
            reason = Reason.BAD_ADDRESS if outcome.stage is Stage.WRITE else Reason.REFUSED
            return values | {"state": State.FAILED, "reason": reason}
        case Verdict.LATER:
            values["deferrals"] = row.deferrals + 1
            again = next_attempt(now, row.deferrals + 1, policy.chance(), give_up_at)
            if again is None:
                return values | {"state": State.FAILED, "reason": Reason.GAVE_UP}
            return values | {"state": State.DEFERRED, "next_at": again, "settled_at": None}


def _attempt(seat: str, result: Result, outcome: Outcome) -> dict[str, object]:
    return {
        "delivery_id": result.claimed.delivery_id,
        "number": result.claimed.attempt,
        "claim": seat,
        "started_at": result.claimed.claimed_at,
        "ended_at": result.ended_at,
        "verdict": outcome.verdict,
        "stage": outcome.stage,
        "code": outcome.code,
        "reply": outcome.reply,
        "server": result.server,
        "size_bytes": result.size_bytes,
    }


def _exclude_cancelled(session: Session, ids: Sequence[object], now: datetime) -> None:
    """A row that goes back to a mailing that was cancelled meanwhile is excluded like the others."""
    cancelled = select(col(Mailing.id)).where(col(Mailing.state) == MailingState.CANCELLED)
    session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(ids), col(Delivery.mailing_id).in_(cancelled), col(Delivery.state).in_(WAITING))
        .values(state=State.EXCLUDED, reason=Reason.CANCELLED, settled_at=now)
    )


def _class_of(outcome: Outcome) -> Class | None:
    """What a refusal, final or not, says about the address."""
    refused = outcome.verdict in (Verdict.REFUSED, Verdict.LATER) and outcome.code
    return classify(outcome.code, outcome.reply, outcome.stage) if refused else None
