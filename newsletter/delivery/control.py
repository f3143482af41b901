"""What a person, or a bad omen, decides about a whole mailing: pause, resume, cancel, send again.

| state | meaning |
|---|---|
| running | its rows are handed over as they become due |
| paused | nothing new is claimed until it is resumed; `why` says who or what paused it (`pauses.py`) |
| cancelled | whoever had nothing yet gets nothing; final |
| finished | nothing is left to do; a row that is sent again makes it running |

Claims read the state in their own transaction, so that a change takes effect with the next message.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import Session, col, func, select

from newsletter.delivery.attempts import keep_last_attempts
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Reason, State
from newsletter.delivery.pauses import Cause, Pause
from subscribers.audience import suppressed
from subscribers.models import Subscriber

WAITING = (State.QUEUED, State.DEFERRED)
LEFT = (*WAITING, State.IN_HAND)


class MailingState(StrEnum):
    """What is being done about a mailing."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FINISHED = "finished"


class ControlRefused(ValueError):
    """What cannot be done with a mailing as it stands; the message says why and what can."""


def pause(session: Session, mailing_id: int, why: str) -> None:
    """Claim nothing more; what is on the wire ends by itself. Raises `ControlRefused` when it is over."""
    _change(session, mailing_id, (MailingState.RUNNING, MailingState.PAUSED), MailingState.PAUSED, why)


def resume(session: Session, mailing_id: int) -> None:
    """Go on, past a canary too: a person has looked. Raises `ControlRefused` when it was cancelled."""
    states = (MailingState.PAUSED, MailingState.RUNNING, MailingState.FINISHED)
    _change(session, mailing_id, states, MailingState.RUNNING, "")
    session.execute(update(Mailing).where(col(Mailing.id) == mailing_id).values(canary_through=None))
    finish(session, mailing_id)


def cancel(session: Session, mailing_id: int, now: datetime) -> int:
    """Send nothing more of it, ever: who had nothing yet is excluded. How many that were; raises `ControlRefused`."""
    states = (MailingState.RUNNING, MailingState.PAUSED, MailingState.CANCELLED)
    _change(session, mailing_id, states, MailingState.CANCELLED, "cancelled")
    return _move(
        session,
        (col(Delivery.mailing_id) == mailing_id, col(Delivery.state).in_(WAITING)),
        {"state": State.EXCLUDED, "reason": Reason.CANCELLED, "settled_at": now},
    )


def send_again(session: Session, mailing_id: int, now: datetime) -> int:
    """Try those who were not reached once more, but not those whose address does not exist. How many.

    An address that was suppressed for not existing, and is so no longer, was a person's mistake or the server's.
    """
    _change(session, mailing_id, tuple(set(MailingState) - {MailingState.CANCELLED}), MailingState.RUNNING, "")
    missed = _missed(mailing_id)
    keep_last_attempts(session, *missed)
    again = {"state": State.QUEUED, "reason": None, "settled_at": None, "deferrals": 0}
    # due anew: the time after which it is given up counts from here
    return _move(session, missed, again | {"next_at": now, "due": now.replace(microsecond=0)})


def count_missed(session: Session, mailing_id: int) -> int:
    """How many `send_again` would try once more."""
    return session.exec(select(func.count()).select_from(Delivery).where(*_missed(mailing_id))).one()


def _missed(mailing_id: int) -> tuple[ColumnElement[bool], ...]:
    """Make the SQL conditions on deliveries that are to be tried once more."""
    return (
        col(Delivery.mailing_id) == mailing_id,
        col(Delivery.state) == State.FAILED,
        col(Delivery.reason) != Reason.BAD_ADDRESS,
        or_(col(Delivery.reply_class).is_distinct_from("hard"), _is_writable()),
    )


def _is_writable() -> ColumnElement[bool]:
    """Make the SQL condition on a delivery that its reader's address is not suppressed."""
    return select(Subscriber.id).where(col(Subscriber.id) == col(Delivery.subscriber_id), ~suppressed()).exists()


def settle_unknown(
    session: Session,
    mailing_id: int,
    now: datetime,
    *,
    accepted: bool,
    wait: timedelta,
    deliveries: Collection[int] | None = None,
) -> int:
    """Decide about the rows of which nobody knows whether the server has them: it has, or send them again.

    Sent again is each at the earliest `wait` after it became unknown, which has to be longer than a server may take to
    answer the final dot: until then it may still be at work on the first copy. `deliveries` are the ids of those it is
    about (None: all of the mailing). One that is paused stays so. How many; raises `ControlRefused` when they are to be
    sent again and it was cancelled.
    """
    unknown = [col(Delivery.mailing_id) == mailing_id, col(Delivery.state) == State.UNKNOWN]
    if deliveries is not None:
        unknown.append(col(Delivery.id).in_(deliveries))
    if accepted:
        return _move(session, unknown, {"state": State.ACCEPTED, "reason": Reason.SETTLED, "settled_at": now})
    if session.exec(select(Mailing.state).where(Mailing.id == mailing_id)).one() != MailingState.PAUSED:
        _change(session, mailing_id, (MailingState.RUNNING, MailingState.FINISHED), MailingState.RUNNING, "")
    keep_last_attempts(session, *unknown)
    again = {"state": State.QUEUED, "reason": None, "settled_at": None}  # the claim stays: the truth may yet come
    early = _move(session, (*unknown, col(Delivery.settled_at) > now - wait), {**again, "next_at": now + wait})
    return early + _move(session, unknown, {**again, "next_at": now})


def in_hand() -> ColumnElement[bool]:
    """Make the SQL condition on `Delivery` of what a sender has in hand.

    It names the mailings, all but the finished ones, because an index by mailing and state leads to the rows.
    """
    going = (MailingState.RUNNING, MailingState.PAUSED, MailingState.CANCELLED)
    theirs = col(Delivery.mailing_id).in_(select(Mailing.id).where(col(Mailing.state).in_(going)))
    return and_(theirs, col(Delivery.state) == State.IN_HAND)


def resend_unknown(session: Session, now: datetime, wait: timedelta) -> int:
    """Send again what became unknown longer than `wait` ago, in mailings that run or were finished. How many."""
    going = select(Mailing.id).where(col(Mailing.state).in_((MailingState.RUNNING, MailingState.FINISHED)))
    old = (
        col(Delivery.mailing_id).in_(going),
        col(Delivery.state) == State.UNKNOWN,
        col(Delivery.settled_at) <= now - wait,
    )
    mailings = session.exec(select(Delivery.mailing_id).where(*old).distinct()).all()
    if mailings:
        running = update(Mailing).where(col(Mailing.id).in_(mailings)).values(state=MailingState.RUNNING)
        session.execute(running)
    keep_last_attempts(session, *old)
    again = {"state": State.QUEUED, "reason": None, "settled_at": None, "next_at": now}
    return _move(session, old, again)


def finish(session: Session, mailing_id: int) -> bool:
    """Mark a running mailing that has nothing left as finished; whether that was so."""
    # locked first, so that rows queued meanwhile are seen by the look that follows
    session.execute(select(Mailing.id).where(Mailing.id == mailing_id).with_for_update())
    done = update(Mailing).where(
        col(Mailing.id) == mailing_id,
        col(Mailing.state) == MailingState.RUNNING,
        col(Mailing.planned_through) >= col(Mailing.audience_through),
        ~select(Delivery.id).where(Delivery.mailing_id == mailing_id, col(Delivery.state).in_(LEFT)).exists(),
    )
    return bool(session.execute(done.values(state=MailingState.FINISHED).returning(col(Mailing.id))).all())


def set_canary(session: Session, mailing_id: int, readers: int) -> None:
    """Let only the first `readers` of a mailing go until they have been looked at, or nobody while there are none.

    They are of those who get it at its release: nobody waits for the hours of others.
    """
    first = (
        select(Delivery.id)
        .join(Mailing, col(Mailing.id) == Delivery.mailing_id)
        .where(Delivery.mailing_id == mailing_id, Delivery.state != State.EXCLUDED, Delivery.due <= Mailing.due)
        .order_by(col(Delivery.id))
        .limit(readers)
        .subquery()
    )
    last = session.exec(select(func.max(first.c.id))).one()
    session.execute(update(Mailing).where(col(Mailing.id) == mailing_id).values(canary_through=last or 0))


def judge_canary(session: Session, mailing_id: int, error_share: float) -> bool:
    """Let the rest go, or pause, once the first few have been handed over; whether the rest may go.

    Does nothing while some of them are on their way, or not even planned.
    """
    mailing = session.get_one(Mailing, mailing_id)
    if mailing.planned_through < mailing.audience_through:
        return False
    tried = (
        select(Delivery.state, func.count())
        .where(
            Delivery.mailing_id == mailing_id,
            col(Delivery.id) <= mailing.canary_through,
            Delivery.due <= mailing.due,
        )
        .group_by(Delivery.state)
    )
    states: dict[str, int] = dict(session.exec(tried).all())
    if states.get(State.QUEUED) or states.get(State.IN_HAND):
        return False
    wrong = sum(states.get(state, 0) for state in (State.FAILED, State.UNKNOWN, State.DEFERRED))
    all_tried = wrong + states.get(State.ACCEPTED, 0)
    values: dict[str, object] = {"canary_through": None}
    failed = bool(all_tried) and wrong / all_tried > error_share
    if failed:
        values |= {"state": MailingState.PAUSED, "why": str(Pause(Cause.FIRST, wrong, all_tried))}
    # not where it was cancelled since it was read
    running = col(Mailing.id) == mailing_id, col(Mailing.state) == MailingState.RUNNING
    changed = session.execute(update(Mailing).where(*running).values(**values).returning(col(Mailing.id))).all()
    return bool(changed) and not failed


def _change(
    session: Session, mailing_id: int, allowed: tuple[MailingState, ...], state: MailingState, why: str
) -> None:
    changed = session.execute(
        update(Mailing)
        .where(col(Mailing.id) == mailing_id, col(Mailing.state).in_(allowed))
        .values(state=state, why=why)
        .returning(col(Mailing.id))
    ).all()
    if not changed:
        now = session.exec(select(Mailing.state).where(Mailing.id == mailing_id)).one()
        raise ControlRefused(f"its send is {now}, which cannot be changed to {state}.")


def _move(session: Session, which: Sequence[ColumnElement[bool]], values: Mapping[str, object]) -> int:
    return len(session.execute(update(Delivery).where(*which).values(**values).returning(col(Delivery.id))).all())
