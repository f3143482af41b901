"""Settling: what a reply leads to, and writing it where the claim is still ours, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update
from sqlmodel import Session, col

from newsletter.delivery.claims import Claimed
from newsletter.delivery.classify import Class, classify
from newsletter.delivery.control import WAITING, MailingState, in_hand
from newsletter.delivery.models import Attempt, Delivery, Mailing
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.delivery.retry import next_attempt
from newsletter.storage.prepared import Prepared
from newsletter.storage.upsert import upsert

SERVER_PAUSE = timedelta(minutes=1)
"""How long a row waits when its server was to blame, cut to whole seconds.

Long enough for others to go first, short enough for one run, which waits a minute and no longer.
"""

_DELIVERIES = Delivery.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_ATTEMPTS = Attempt.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_TRY = ("delivery_id", "number")
_WHAT_CAME = ("stage", "code", "reply", "server", "size_bytes", "settled_at")
_NOTHING_CAME: dict[str, object] = dict.fromkeys(_WHAT_CAME) | {"server": ""}
_WRITTEN = (*_WHAT_CAME, "state", "reason", "next_at", "attempts", "deferrals", "reply_class")
_OURS = (
    _DELIVERIES.c.id == bindparam("its_id"),
    _DELIVERIES.c.claim == bindparam("its_claim"),
    _DELIVERIES.c.attempts == bindparam("its_attempt"),
)
_ACCEPT = Prepared(
    update(_DELIVERIES)
    .where(*_OURS)
    .values(
        **{name: bindparam(f"new_{name}") for name in _WHAT_CAME},
        state=State.ACCEPTED,
        reason=None,
        reply_class=None,
        claim=None,
    )
)
"""What nearly every row comes to, so that it has a statement of its own, with nothing in it that stays as it is."""
_SETTLE = Prepared(
    update(_DELIVERIES).where(*_OURS).values(**{name: bindparam(f"new_{name}") for name in _WRITTEN}, claim=None)
)
_CORRECT = (
    update(_ATTEMPTS)
    .where(_ATTEMPTS.c.delivery_id == bindparam("its_id"), _ATTEMPTS.c.number == bindparam("its_attempt"))
    .values(
        verdict=bindparam("new_verdict"),
        ended_at=bindparam("new_settled_at"),
        **{name: bindparam(f"new_{name}") for name in _WHAT_CAME if name != "settled_at"},
    )
)


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


def settle(connection: Connection, seat: str, results: Sequence[Result], policy: Policy) -> None:
    """Write outcomes where the claim is still ours; a row declared unknown meanwhile learns the truth.

    Writing the same results twice does no harm, so it may be done again when it is not known whether a commit arrived.
    """
    if not results:
        return
    accepted, others = [], []
    for result in results:
        if result.outcome and result.outcome.verdict is Verdict.ACCEPTED:
            accepted.append(result)
        else:
            others.append((result, _after(result, policy)))
    matched = _ACCEPT.run(connection, [_named(seat, result, _what_came(result)) for result in accepted])
    matched += _SETTLE.run(connection, [_named(seat, result, values) for result, values in others])
    if matched < len(results):
        _correct(connection, seat, results)
    if others:
        with Session(bind=connection) as session:
            _look_after(session, others, policy)
            session.flush()


def _look_after(session: Session, settled: Sequence[tuple[Result, dict[str, object]]], policy: Policy) -> None:
    """What else follows where a message was not accepted."""
    back = [(result, values) for result, values in settled if values["state"] in WAITING]
    tries = [_attempt(result, result.outcome) for result, _ in back if result.outcome]
    if tries:
        session.execute(upsert(_ATTEMPTS, session.get_bind().dialect.name, _TRY), tries)
    if back:
        rejoin(session, [result.claimed.delivery_id for result, _ in back], settled[-1][0].ended_at)
    for result, values in settled:
        if values["reply_class"] is Class.HARD and result.outcome:
            policy.suppress(session, result.claimed.address, f"{result.outcome.code} {result.outcome.reply}")


def declare_unknown(session: Session, seat: str, now: datetime) -> int:
    """What a dead sender had in hand is unknown from now on; how many."""
    released = session.execute(
        update(_DELIVERIES)
        .where(_DELIVERIES.c.claim == seat, in_hand())
        .values(_NOTHING_CAME | {"state": State.UNKNOWN, "reason": Reason.STOPPED, "settled_at": now})
        .returning(_DELIVERIES.c.id)
    )
    return len(released.all())


def _named(seat: str, result: Result, values: Mapping[str, object]) -> dict[str, object]:
    """Values as the statements know them, with whose they are."""
    row = result.claimed
    whose = {"its_id": row.delivery_id, "its_claim": seat, "its_attempt": row.attempt}
    return {**whose, **{f"new_{name}": value for name, value in values.items()}}


def _what_came(result: Result) -> dict[str, object]:
    outcome = result.outcome
    return {
        "stage": outcome and outcome.stage,
        "code": outcome and outcome.code,
        "reply": outcome and outcome.reply,
        "server": result.server if outcome else "",
        "size_bytes": result.size_bytes if outcome else None,
        "settled_at": result.ended_at if outcome else None,
    }


def _correct(connection: Connection, seat: str, results: Sequence[Result]) -> None:
    """Write the truth about attempts that were given up for unknown and followed by another one since."""
    late = [
        _named(seat, result, _what_came(result) | {"verdict": result.outcome.verdict})
        for result in results
        if result.outcome
    ]
    if late:
        connection.execute(_CORRECT, late)


def _after(result: Result, policy: Policy) -> dict[str, object]:
    """The values of a row after an outcome; one that was not used is due again as it was.

    The first time that the server is to blame, the reader is not charged, and the row waits for others to go first; the
    second time it may be this very message that the server cannot take, unless it did not even get to RCPT.
    """
    row, outcome, now = result.claimed, result.outcome, result.ended_at
    values = _what_came(result) | {"reason": None, "reply_class": None, "next_at": now.replace(microsecond=0)}
    values |= {"state": State.DEFERRED if row.deferrals else State.QUEUED, "deferrals": row.deferrals}
    if outcome is None:
        of_wave = {"next_at": row.part.wave} if row.part.wave and not row.deferrals else {}
        return values | of_wave | {"attempts": row.attempt - 1}
    values["attempts"] = row.attempt
    again_soon, give_up_at = (now + SERVER_PAUSE).replace(microsecond=0), row.due + policy.give_up_after
    first_time = outcome.stage is Stage.MAIL or row.attempt - row.deferrals == 1
    if outcome.blames_server and outcome.verdict is not Verdict.UNKNOWN and first_time and again_soon <= give_up_at:
        return values | {"next_at": again_soon, "settled_at": None}
    values["reply_class"] = _class_of(outcome)
    match outcome.verdict:
        case Verdict.ACCEPTED:
            return values | {"state": State.ACCEPTED}
        case Verdict.UNKNOWN:
            return values | {"state": State.UNKNOWN, "reason": Reason.LINE_BROKE}
        case Verdict.REFUSED:
            reason = Reason.BAD_ADDRESS if outcome.stage is Stage.WRITE else Reason.REFUSED
            return values | {"state": State.FAILED, "reason": reason}
        case Verdict.FAULT:
            return values | {"state": State.FAILED, "reason": Reason.NOT_MADE}
        case Verdict.LATER:
            values["deferrals"] = row.deferrals + 1
            again = next_attempt(now, row.deferrals + 1, policy.chance(), give_up_at)
            if again is None:
                return values | {"state": State.FAILED, "reason": Reason.GAVE_UP}
            return values | {"state": State.DEFERRED, "next_at": round_up(again), "settled_at": None}


def round_up(moment: datetime) -> datetime:
    """The whole second that a moment is, or the next one: rows that wait for the same second are one wave."""
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)


def _attempt(result: Result, outcome: Outcome) -> dict[str, object]:
    return {
        "delivery_id": result.claimed.delivery_id,
        "number": result.claimed.attempt,
        "started_at": result.claimed.claimed_at,
        "ended_at": result.ended_at,
        "verdict": outcome.verdict,
        "stage": outcome.stage,
        "code": outcome.code,
        "reply": outcome.reply,
        "server": result.server,
        "size_bytes": result.size_bytes,
    }


def rejoin(session: Session, ids: Sequence[object], now: datetime) -> None:
    """Fit rows that went back into their mailings: in a cancelled one they are excluded, a finished one runs again.

    Each mailing is looked at under a lock, so that a cancel or an end that does not see these rows yet is waited for.
    One is finished when all that was left had become unknown, and the truth about a row comes afterwards.
    """
    theirs = select(col(Delivery.mailing_id)).where(col(Delivery.id).in_(ids))
    states = select(col(Mailing.id), col(Mailing.state)).where(col(Mailing.id).in_(theirs)).order_by(col(Mailing.id))
    found = session.execute(states.with_for_update()).all()
    cancelled = [mailing for mailing, state in found if state == MailingState.CANCELLED]
    if cancelled:
        session.execute(
            update(Delivery)
            .where(col(Delivery.id).in_(ids), col(Delivery.mailing_id).in_(cancelled), col(Delivery.state).in_(WAITING))
            .values(state=State.EXCLUDED, reason=Reason.CANCELLED, settled_at=now)
        )
    if finished := [mailing for mailing, state in found if state == MailingState.FINISHED]:
        session.execute(update(Mailing).where(col(Mailing.id).in_(finished)).values(state=MailingState.RUNNING))


def _class_of(outcome: Outcome) -> Class | None:
    """What a refusal, final or not, says about the address."""
    refused = outcome.verdict in (Verdict.REFUSED, Verdict.LATER) and outcome.code
    return classify(outcome.code, outcome.reply, outcome.stage) if refused else None
