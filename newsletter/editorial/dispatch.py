"""Sending an approved issue: plan who gets what, hand it over, say how it stands."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, func, select

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.delivery.claims import Range
from newsletter.delivery.control import WAITING, MailingState, finish, resend_unknown
from newsletter.delivery.counts import NOTHING, Ahead, Counts, ahead, count
from newsletter.delivery.lateness import make_due_now
from newsletter.delivery.local_hour import LATEST
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.moving_hours import let_all_go
from newsletter.delivery.outcome import Outcome, State
from newsletter.delivery.plan import find_mailing, plan
from newsletter.delivery.sender import Worked
from newsletter.editorial.approval import NotReady, approved
from newsletter.editorial.opening import open_in_public
from newsletter.editorial.outbox import Outbox
from newsletter.staff.rights import COMMAND_LINE, Actor
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.seat import is_anybody_there
from subscribers.audience import audience_page, sendable
from subscribers.models import Subscriber

WAIT_FOR_DUE = timedelta(seconds=60)
"""A send ends when nothing becomes due within this time; what is deferred longer waits for the next run."""
_FOLLOW_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How an issue's mailing stands; `why` is what it was paused for."""

    state: str
    counts: Counts
    why: str = ""


def standing(newsletter: Newsletter, saved: Saved) -> Standing:
    """The state of an issue (draft, approved, sending, paused, cancelled or sent) and its counts."""
    with newsletter.reading() as session:
        mailing = find_mailing(session, saved.issue_id)
        if mailing is None or mailing.id is None:
            return Standing("approved" if saved.approved_hash else "draft", NOTHING)
        return standing_of(mailing, count(session, mailing.id))


def standing_of(mailing: Mailing, counts: Counts) -> Standing:
    """The state of a mailing (sending, paused, cancelled or sent) with these counts."""
    if mailing.state in (MailingState.PAUSED, MailingState.CANCELLED):
        return Standing(mailing.state, counts, mailing.why)
    unfinished = counts.queued + counts.deferred or mailing.planned_through < mailing.audience_through
    return Standing("sending" if unfinished else "sent", counts)


def begin(
    newsletter: Newsletter,
    slug: str,
    actor: Actor = COMMAND_LINE,
    canary: int | None = None,
    at: datetime | None = None,
    *,
    at_once: bool = False,
) -> int:
    """Begin the mailing of an approved issue, or go on with the one that was begun; its id.

    `canary` is how many readers go first (None: as many as the settings say), `at` the moment it was meant to begin;
    `at_once` sends to everybody then, whatever their own hour, and in one that was begun to all who wait for theirs.
    Raises `IssueRefused` when the issue was never begun and is not approved.
    """
    with newsletter.session() as session:
        mailing = find_mailing(session, newsletter.issues(session).find(slug).issue_id)
        if mailing and mailing.id:
            now = newsletter.clock()
            make_due_now(session, mailing.id, now - newsletter.settings.give_up_after, now)
            if at_once:
                let_all_go(session, mailing.id, now)
    if mailing is None:
        ready = approved(newsletter, slug)
        with newsletter.session() as session:
            mailing = open_in_public(session, ready, newsletter.clock(), actor, canary, at, at_once=at_once)
    if mailing.id is None:
        raise IssueRefused("the mailing was not written down")
    return mailing.id


def require_readers(newsletter: Newsletter) -> None:
    """Raise `NotReady` when nobody would get what begins now: no reader is active, or has paused and is back in time.

    An issue that is begun then would be over, and never reach those who come later.
    """
    takers = select(Subscriber.id).where(sendable(newsletter.clock() + LATEST)).limit(1)
    with newsletter.reading() as session:
        if not audience_page(session, 0, None, 1):
            raise NotReady(
                "no-readers", "there is no reader yet: `newsletter subscriber add` or `subscriber import` brings some."
            )
        if session.exec(takers).first() is None:
            raise NotReady("nobody-now", "nobody would get it: whoever is subscribed has paused, or is suppressed.")


def plan_mailing(newsletter: Newsletter, mailing_id: int) -> Iterator[int]:
    """Write the rows that are missing, yielding how many candidates were covered with each commit."""
    with newsletter.reading() as session:
        mailing = session.get_one(Mailing, mailing_id)
        if mailing.planned_through >= mailing.audience_through:
            return
        issue = newsletter.issues(session).revision(mailing.revision_id).issue
        is_digest = mailing.days is not None
    canary = newsletter.settings.canary if mailing.canary is None else mailing.canary
    yield from plan(newsletter.engine, mailing_id, Chooser(issue, is_digest), newsletter.tokens, canary)


class Dispatch:
    """The sending of one issue, seen by the person who ordered it."""

    def __init__(self, newsletter: Newsletter, mailing_id: int) -> None:
        self._newsletter = newsletter
        self.mailing_id = mailing_id

    @classmethod
    def of(cls, newsletter: Newsletter, slug: str, *, at_once: bool = False) -> "Dispatch":
        """Begin the mailing of an approved issue, or take up one that was begun, as `begin` does."""
        return cls(newsletter, begin(newsletter, slug, at_once=at_once))

    def plan(self) -> Iterator[int]:
        """Write the rows that are missing, yielding how many candidates were covered with each commit."""
        return plan_mailing(self._newsletter, self.mailing_id)

    def counts(self) -> Counts:
        """How the mailing stands now."""
        with self._newsletter.reading() as session:
            return count(session, self.mailing_id)

    def send(self, outbox: Outbox, on_outcome: Callable[[Outcome], None] = lambda outcome: None) -> Worked:
        """Hand over what is due, and what becomes due within a minute, until there is nothing or the outbox stops."""
        while True:
            self._resend_unknown()
            if self._is_over():  # before a server is spoken to, which may be away
                return Worked()
            worked = outbox.work(self._everything(), on_outcome)
            if worked.stopped or worked.trouble or self._is_over():
                return worked
            due = self.next_due()
            now = self._newsletter.clock()
            if due is None or due - now > WAIT_FOR_DUE:
                return worked
            if outbox.wait_to_stop(max((due - now).total_seconds(), 0)):
                return replace(worked, stopped=True)

    def state(self) -> tuple[str, str]:
        """The mailing's own state and why."""
        with self._newsletter.reading() as session:
            mailing = session.get_one(Mailing, self.mailing_id)
            return mailing.state, mailing.why

    def is_idle(self) -> bool:
        """Whether nothing of it is in hand, or to be handed over within the next minute."""
        if self._is_in_hand():
            return False
        due = self.next_due()
        soon = due is not None and due - self._newsletter.clock() <= WAIT_FOR_DUE
        return not soon or self.state()[0] != MailingState.RUNNING

    def _is_in_hand(self) -> bool:
        with self._newsletter.reading() as session:
            in_hand = Delivery.mailing_id == self.mailing_id, Delivery.state == State.IN_HAND
            return session.exec(select(Delivery.id).where(*in_hand).limit(1)).first() is not None

    def is_watched(self) -> bool:
        """Whether a process of this database hands mail over."""
        with self._newsletter.reading() as session:
            return is_anybody_there(session, self._newsletter.database_file)

    def ahead(self) -> Ahead:
        """Who waits for an hour to come, past the minute that a send waits."""
        with self._newsletter.reading() as session:
            return ahead(session, self.mailing_id, self._newsletter.clock() + WAIT_FOR_DUE)

    def next_due(self) -> datetime | None:
        """When the next row that waits becomes due, or None when nothing waits."""
        with self._newsletter.reading() as session:
            return next_due(session, self.mailing_id)

    def _everything(self) -> Range:
        return whole(self._newsletter, self.mailing_id)

    def _is_over(self) -> bool:
        """Mark the mailing as finished when it is; whether nothing more of it is to be sent now."""
        with self._newsletter.session() as session:
            finish(session, self.mailing_id)
            return session.get_one(Mailing, self.mailing_id).state != MailingState.RUNNING

    def _resend_unknown(self) -> None:
        settings = self._newsletter.settings
        if settings.unknown == "resend":
            with self._newsletter.session() as session:
                resend_unknown(session, self._newsletter.clock(), settings.unknown_wait)


def following(dispatch: Dispatch) -> Iterator[Counts]:
    """Look on while another process hands a mailing over, once a second, until it is idle or nobody is there."""
    while not dispatch.is_idle() and dispatch.is_watched():
        yield dispatch.counts()
        time.sleep(_FOLLOW_SECONDS)


def whole(newsletter: Newsletter, mailing_id: int) -> Range:
    """All deliveries of a mailing."""
    with newsletter.reading() as session:
        first, last = session.execute(
            select(func.min(Delivery.id), func.max(Delivery.id)).where(Delivery.mailing_id == mailing_id)
        ).one()
    return Range(mailing_id, first or 0, last or 0)


def next_due(session: Session, mailing_id: int) -> datetime | None:
    """When the next waiting row of a mailing becomes due, or None when nothing waits."""
    # of one state after the other: the index leads to the earliest of each
    earliest = (
        session.exec(
            select(func.min(Delivery.next_at)).where(Delivery.mailing_id == mailing_id, Delivery.state == state)
        ).one()
        for state in WAITING
    )
    return min((moment for moment in earliest if moment), default=None)
