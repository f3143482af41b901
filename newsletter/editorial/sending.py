"""What a person at either door orders about an issue's mailing; who did is written down together with the deed.

What changes nothing, because somebody else was quicker, is told apart by what it returns and leaves no entry.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlmodel import Session, select

from newsletter.app import Newsletter
from newsletter.delivery import control
from newsletter.delivery.control import MailingState
from newsletter.delivery.lateness import make_due_now
from newsletter.delivery.models import Mailing
from newsletter.delivery.pauses import Cause, Pause
from newsletter.delivery.plan import find_mailing
from newsletter.editorial.approval import NotReady
from newsletter.editorial.dispatch import begin, require_readers
from newsletter.editorial.timetable import MAY_BEGIN_LATE
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import COMMAND_LINE, Actor


def start(
    newsletter: Newsletter,
    slug: str,
    actor: Actor = COMMAND_LINE,
    *,
    canary: int | None = None,
    seen: str = "",
    at: datetime | None = None,
    at_once: bool = False,
) -> int:
    """Begin the mailing of an approved issue; its id. Whoever sends for this database takes it up.

    `canary` is how many readers go first (None: as many as the settings say), `seen` the digest of the approved issue
    that was looked at, and `at` the moment that its Date was said to be (None: now); `at_once` sends to everybody then,
    whatever their own hour. Raises `NotReady` when it is not approved, was approved anew since, was begun already, when
    nobody would get it, or when that moment is not now.
    """
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        begun = find_mailing(session, saved.issue_id)
    if begun:
        raise NotReady("begun", f"{slug} was begun already; `newsletter issue status {slug}` shows how it stands.")
    if seen and saved.approved_hash and saved.approved_hash != seen:
        raise NotReady("changed", f"{slug} was changed and approved anew since you looked at it: look again.")
    require_readers(newsletter)
    if at and abs(newsletter.clock() - at) > MAY_BEGIN_LATE:  # ahead by what the clocks of two machines differ
        raise NotReady("late", f"{at:%Y-%m-%d %H:%M %Z} is not now any more: look again.")
    return begin(newsletter, slug, actor, canary, at, at_once=at_once)


def pause(newsletter: Newsletter, slug: str, actor: Actor = COMMAND_LINE) -> bool:
    """Hand nothing more over until it is resumed; whether it ran. Raises `ControlRefused` when it is over."""
    with _mailing(newsletter, slug) as (session, mailing):
        if mailing.state == MailingState.PAUSED:
            return False
        control.pause(session, mailing.id or 0, str(Pause(Cause.HAND)))
        record(session, actor, Action.SEND_PAUSED, slug, newsletter.clock())
    return True


def resume(newsletter: Newsletter, slug: str, actor: Actor = COMMAND_LINE) -> bool:
    """Go on with a paused mailing, past its first readers too; whether it was held up.

    Raises `ControlRefused` when it was cancelled.
    """
    with _mailing(newsletter, slug) as (session, mailing):
        held_up = mailing.state == MailingState.PAUSED or mailing.canary_through is not None
        control.resume(session, mailing.id or 0)
        now = newsletter.clock()
        make_due_now(session, mailing.id or 0, now - newsletter.settings.give_up_after, now)
        if held_up:
            record(session, actor, Action.SEND_RESUMED, slug, newsletter.clock())
    return held_up


def cancel(newsletter: Newsletter, slug: str, actor: Actor = COMMAND_LINE) -> int:
    """Send nothing more of it, ever; how many readers get nothing. Raises `ControlRefused` when all was sent."""
    with _mailing(newsletter, slug) as (session, mailing):
        was_over = mailing.state == MailingState.CANCELLED
        excluded = control.cancel(session, mailing.id or 0, newsletter.clock())
        if not was_over:
            record(session, actor, Action.SEND_CANCELLED, slug, newsletter.clock(), readers=excluded)
    return excluded


def send_again(newsletter: Newsletter, slug: str, actor: Actor = COMMAND_LINE) -> int:
    """Try those who were not reached once more; how many. Raises `ControlRefused` when it was cancelled."""
    with _mailing(newsletter, slug) as (session, mailing):
        again = control.send_again(session, mailing.id or 0, newsletter.clock())
        if not again:
            session.rollback()  # or what was paused would go on
            return 0
        now = newsletter.clock()  # what waited in a long pause goes on as well
        make_due_now(session, mailing.id or 0, now - newsletter.settings.give_up_after, now)
        record(session, actor, Action.SENT_AGAIN, slug, newsletter.clock(), readers=again)
    return again


def settle_unknown(
    newsletter: Newsletter,
    slug: str,
    actor: Actor = COMMAND_LINE,
    *,
    accepted: bool,
    deliveries: Collection[int] | None = None,
) -> int:
    """Decide about the messages of which nobody knows whether the server has them; how many those were.

    They count as `accepted`, or are sent again, each after the wait that the settings ask for; `deliveries` are the ids
    of those it is about (None: all), and what is no unknown one of this issue is left alone. Raises `ControlRefused`
    when they are to be sent again and the mailing was cancelled.
    """
    with _mailing(newsletter, slug) as (session, mailing):
        now, wait = newsletter.clock(), newsletter.settings.unknown_wait
        settled = control.settle_unknown(
            session, mailing.id or 0, now, accepted=accepted, wait=wait, deliveries=deliveries
        )
        if not settled:
            session.rollback()
            return 0
        some = {} if deliveries is None else {"deliveries": sorted(deliveries)}
        record(session, actor, Action.UNKNOWN_SETTLED, slug, now, readers=settled, accepted=accepted, **some)
    return settled


@contextmanager
def _mailing(newsletter: Newsletter, slug: str) -> Iterator[tuple[Session, Mailing]]:
    """One transaction with an issue's mailing, which nobody else changes meanwhile; raises `NotReady` without one."""
    with newsletter.session() as session:
        issue_id = newsletter.issues(session).find(slug).issue_id
        mailing = session.exec(select(Mailing).where(Mailing.issue_id == issue_id).with_for_update()).first()
        if mailing is None:
            raise NotReady("not-begun", f"{slug} was never begun; `newsletter issue send {slug}` begins it.")
        yield session, mailing
