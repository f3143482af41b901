"""Sending an approved issue: plan who gets what, hand it over, say how it stands."""

import asyncio
import gc
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.delivery.ledger import Counts, Ledger, count
from newsletter.delivery.models import Mailing
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.plan import find_mailing, open_mailing, plan
from newsletter.delivery.sender import Ended, Sender
from newsletter.delivery.transport import Connection, Timeouts
from newsletter.editorial.approval import approved
from newsletter.editorial.preview import writer_of
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.lock import sender_lock


@dataclass(frozen=True, slots=True)
class Standing:
    """How an issue's mailing stands."""

    state: str
    counts: Counts


def standing(newsletter: Newsletter, saved: Saved) -> Standing:
    """The state of an issue (draft, approved, sending or sent) and its counts, all zero before it is planned."""
    with newsletter.reading() as session:
        mailing = find_mailing(session, saved.issue_id)
        if mailing is None or mailing.id is None:
            return Standing("approved" if saved.approved_hash else "draft", Counts(0, 0, 0, 0, 0, 0, 0))
        counts = count(session, mailing.id)
    unfinished = counts.queued + counts.deferred or mailing.planned_through < mailing.audience_through
    return Standing("sending" if unfinished else "sent", counts)


class Dispatch:
    """One run of sending one issue. Only one process of a database may have one open at a time."""

    def __init__(self, newsletter: Newsletter, mailing: Mailing) -> None:
        self._newsletter = newsletter
        self._mailing = mailing

    @classmethod
    def of(cls, newsletter: Newsletter, slug: str) -> "Dispatch":
        """Begin the mailing of an approved issue, or take up one that was begun.

        Raises `IssueRefused` when the issue was never begun and is not approved.
        """
        with newsletter.reading() as session:
            mailing = find_mailing(session, newsletter.issues(session).find(slug).issue_id)
        if mailing is None:
            ready = approved(newsletter, slug)
            with newsletter.session() as session:
                mailing, _ = open_mailing(session, ready, newsletter.clock())
        return cls(newsletter, mailing)

    def plan(self) -> Iterator[int]:
        """Write the rows that are missing, yielding how many candidates were covered with each commit."""
        with self._newsletter.reading() as session:
            issue = self._newsletter.issues(session).revision(self._mailing.revision_id).issue
        return plan(self._newsletter.engine, self._id, Chooser(issue), self._newsletter.tokens)

    def counts(self) -> Counts:
        """How the mailing stands now."""
        with self._newsletter.reading() as session:
            return count(session, self._id)

    def send(self, on_outcome: Callable[[Outcome], None]) -> Ended:
        """Hand over what is due until nothing is, or until the process is told to stop (SIGINT, SIGTERM).

        Raises `SenderRunning` when another process is sending. Rows left in hand by one that died become unknown first.
        """
        with sender_lock(self._newsletter.database_file):
            ledger = self._ledger()
            ledger.release_the_dead(self._newsletter.clock())
            gc.freeze()  # modules and compiled issue stay as they are: no use in looking through them for garbage
            return asyncio.run(self._send(ledger, on_outcome))

    async def _send(self, ledger: Ledger, on_outcome: Callable[[Outcome], None]) -> Ended:
        settings = self._newsletter.settings
        sender = Sender(
            ledger,
            writer_of(self._newsletter, self._mailing),
            self._connect,
            connections=settings.connections,
            drain_seconds=settings.drain_seconds,
            on_outcome=on_outcome,
            clock=self._newsletter.clock,
        )
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signal_number, sender.stop)
        return await sender.run()

    def _connect(self) -> "asyncio.Future[Connection]":
        settings = self._newsletter.settings
        timeouts = Timeouts(
            settings.connect_timeout_seconds, settings.command_timeout_seconds, settings.final_dot_timeout_seconds
        )
        return asyncio.ensure_future(Connection.open(settings.smtp, timeouts, socket.gethostname()))

    def _ledger(self) -> Ledger:
        settings = self._newsletter.settings
        return Ledger(
            self._newsletter.engine,
            self._id,
            claim=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            server=f"{settings.smtp.host}:{settings.smtp.port}",
            give_up_after=timedelta(hours=settings.give_up_hours),
        )

    @property
    def _id(self) -> int:
        if self._mailing.id is None:
            raise IssueRefused("the mailing was not written down")
        return self._mailing.id
