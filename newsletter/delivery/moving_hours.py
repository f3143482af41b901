"""What waits for a reader's hour moves with them when they choose another."""

from datetime import datetime

from sqlalchemy import and_, or_, update
from sqlmodel import Session, col, select

from newsletter.delivery.control import MailingState
from newsletter.delivery.local_hour import due_for
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Reason, State
from newsletter.delivery.plan import wait_for_planners
from subscribers.models import Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency


def move_waiting(session: Session, subscriber_id: int, now: datetime) -> None:
    """Move what waits for a first try to the reader's present hour after its release, to now where that is past.

    Who wants nothing daily any more does not get the issue that waits, unless they want it again before its hour. The
    caller commits, along with the change, and has called `wait_for_planners` before the person was changed: a planner
    may have read them and not have written their row.
    """
    wait_for_planners(session)
    session.flush()
    reader = session.get_one(Subscriber, subscriber_id)
    to_come = (
        Delivery.subscriber_id == subscriber_id,
        Delivery.attempts == 0,
        Delivery.next_at > now,
    )
    left_out = and_(col(Delivery.state) == State.EXCLUDED, col(Delivery.reason) == Reason.WEEKLY)
    waiting = session.exec(
        select(Delivery, Mailing)
        .join(Mailing, col(Mailing.id) == Delivery.mailing_id)
        .where(
            *to_come,
            or_(col(Delivery.state) == State.QUEUED, left_out),
            col(Mailing.state).in_((MailingState.RUNNING, MailingState.PAUSED)),
            ~col(Mailing.at_once),
        )
    ).all()
    wanted = preferences_of(reader)
    follows = bool(wanted.follow) and wanted.frequency is not Frequency.WEEKLY
    wants_daily = follows or bool(wanted.topics_at(Frequency.DAILY, Frequency.IMPORTANT))
    for row, mailing in waiting:
        moved = max(due_for(mailing.due, reader.zone, reader.hour), now.replace(microsecond=0))
        again: dict[str, object] = {"state": State.QUEUED, "reason": None, "settled_at": None}
        if row.state == State.EXCLUDED:  # its edition was chosen when it was planned, or it has none
            if not wants_daily or not row.slots:
                continue
            values = again | {"due": moved, "next_at": moved}
        elif mailing.days is None and not wants_daily and reader.topics:
            values = {"state": State.EXCLUDED, "reason": Reason.WEEKLY, "settled_at": now}
        elif moved != row.due:
            values = {"due": moved, "next_at": moved}
        else:
            continue
        still_there = col(Delivery.id) == row.id, col(Delivery.state) == row.state, col(Delivery.next_at) > now
        session.execute(update(Delivery).where(*still_there).values(**values))


def let_all_go(session: Session, mailing_id: int, now: datetime) -> int:
    """Send a mailing to everybody at once from now on, whose own hour it may be; how many waited for theirs.

    The caller commits.
    """
    # the mailing first: a planner at work holds it, and writes no row for an hour to come afterwards
    session.execute(update(Mailing).where(col(Mailing.id) == mailing_id).values(at_once=True))
    at = now.replace(microsecond=0)
    waiting = (
        col(Delivery.mailing_id) == mailing_id,
        col(Delivery.state) == State.QUEUED,
        col(Delivery.next_at) > now,
        col(Delivery.attempts) == 0,
    )
    moved = update(Delivery).where(*waiting).values(due=at, next_at=at).returning(col(Delivery.id))
    return len(session.execute(moved).all())
