"""The way out of a process: its seat, and a sender on an event loop of its own, made from the settings."""

import gc
import random
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import uvloop
from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.delivery.claims import Range
from newsletter.delivery.connection import Timeouts
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.models import Mailing
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.pace import DomainRule
from newsletter.delivery.route import Route
from newsletter.delivery.sender import Limits, Sender, Worked
from newsletter.delivery.settling import Policy
from newsletter.delivery.transport import open_connection
from newsletter.delivery.writer import Writer
from newsletter.editorial.preview import writer_of
from newsletter.storage.seat import Seat, take_seat
from newsletter.storage.witness import Held, Witness

_LOOK_SECONDS = 0.2
_SWITCH_SECONDS = 0.0005
_COLLECT_AFTER = 10_000
"""Look for garbage in cycles after so many new objects, not after 700: a message makes hundreds, and no cycle."""


_WRITERS = 2
"""Compiled mailings that are kept ready: the one at work, and one beside it."""


class Outbox:
    """A sender that runs in a thread, so that whoever uses it may be synchronous."""

    def __init__(self, newsletter: Newsletter, seat: Seat, witness: Witness, *, patient: bool) -> None:
        self.seat = seat
        self._witness = witness
        self._newsletter = newsletter
        self._writers: dict[int, Writer] = {}
        self._writing = threading.Lock()
        self._sender = Sender(
            _ledger(newsletter, seat, witness),
            routes(newsletter),
            _limits(newsletter, patient=patient),
            newsletter.clock,
        )
        self._thread = threading.Thread(target=self._run, name="sender")
        self._stopping = threading.Event()
        self._fault: BaseException | None = None

    def work(self, part: Range, on_outcome: Callable[[Outcome], None] = lambda outcome: None) -> Worked:
        """Hand over what is due of a part of a mailing; returns when nothing is, or when the sender has ended."""
        with self.watched():
            return self._work(part, on_outcome)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """For the length of a block in which mail is handed over, by this sender or not: the witness sees it.

        Raises `Held`, and ends the sender, when the database was restored from a copy meanwhile.
        """
        try:
            with self._witness.watching():
                yield
        except Held as held:
            self._fault = held
            self._sender.stop()
            raise

    def stop(self) -> None:
        """Claim nothing more and drain; called again, end at once."""
        self._stopping.set()
        self._sender.stop()

    def wait_to_stop(self, seconds: float) -> bool:
        """Wait so long, or until somebody says stop; whether somebody did."""
        return self._stopping.wait(seconds)

    def _work(self, part: Range, on_outcome: Callable[[Outcome], None]) -> Worked:
        future = self._sender.work(part, self._writer(part.mailing_id), on_outcome)
        while True:
            try:
                return future.result(_LOOK_SECONDS)  # not for ever, so that a signal is heard meanwhile
            except NotYet:
                if not self.is_running and not future.done():  # it was asked too late, and nobody will answer
                    return Worked(stopped=True)
                if future.done():
                    return future.result()

    @property
    def is_running(self) -> bool:
        """Whether the sender runs; it ends when stopped, or by a fault."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Wait until the sender has ended."""
        self._thread.join()

    def start(self) -> None:
        """Begin to run."""
        self._thread.start()

    def end(self) -> None:
        """Stop if that was not said yet, and wait until all is written; raises what went wrong in the sender."""
        if not self._stopping.is_set():
            self.stop()
        while self._thread.is_alive():
            try:
                self._thread.join()
            except KeyboardInterrupt:  # a second Ctrl-C: what is on the wire is not waited for
                self.stop()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        # The ledger's thread takes the interpreter a few dozen times a commit and gives it up at every call into the
        # database; with the usual 5 ms it would wait longer for each than its work takes.
        sys.setswitchinterval(_SWITCH_SECONDS)
        gc.set_threshold(_COLLECT_AFTER)
        loop = uvloop.new_event_loop()
        try:
            loop.run_until_complete(self._sender.run())
        except Exception as fault:  # noqa: BLE001 (whatever it was, it is raised where the thread is waited for)
            self._fault = fault
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    def _writer(self, mailing_id: int) -> Writer:
        with self._writing:  # several jobs ask at once
            if mailing_id not in self._writers:
                with self._newsletter.reading() as session:
                    mailing = session.get_one(Mailing, mailing_id)
                while len(self._writers) >= _WRITERS:
                    del self._writers[next(iter(self._writers))]
                self._writers[mailing_id] = writer_of(self._newsletter, mailing)
                gc.collect()
                gc.freeze()  # modules and compiled issue stay as they are: no use in looking through them for garbage
            return self._writers[mailing_id]


@contextmanager
def open_outbox(newsletter: Newsletter, *, patient: bool = False) -> Iterator[Outbox]:
    """Take a seat and run a sender for the length of a block; `patient` waits for servers that are away.

    Raises `SenderRunning` when another process holds the one seat of an SQLite file, `Held` when that was restored from
    a copy, and `WitnessTrouble`.
    """
    with take_seat(newsletter.engine, newsletter.database_file) as seat:
        witness = Witness(newsletter.engine, newsletter.database_file)
        witness.open()
        outbox = Outbox(newsletter, seat, witness, patient=patient)
        outbox.start()
        try:
            yield outbox
        finally:
            outbox.end()


def routes(newsletter: Newsletter) -> list[Route]:
    """The ways out that the settings name."""
    settings = newsletter.settings
    timeouts = Timeouts(
        settings.connect_timeout_seconds,
        settings.command_timeout_seconds,
        settings.data_timeout_seconds,
        settings.block_timeout_seconds,
        settings.final_dot_timeout_seconds,
    )
    return [
        Route(
            name=server.label,
            connect=partial(open_connection, server.smtp, timeouts, socket.gethostname()),
            connections=settings.connections,
            connections_in_all=server.connections,
            weight=server.weight,
            messages_per_second=server.messages_per_second,
            messages_per_connection=server.messages_per_connection,
        )
        for server in settings.smtp_servers
    ]


def _limits(newsletter: Newsletter, *, patient: bool) -> Limits:
    settings = newsletter.settings
    rules = tuple(
        DomainRule(rule.names, rule.messages_per_second, rule.connections, rule.messages_per_connection)
        for rule in settings.domains
    )
    return Limits(drain_seconds=settings.drain_seconds, error_share=settings.error_share, rules=rules, patient=patient)


def _ledger(newsletter: Newsletter, seat: Seat, witness: Witness) -> Ledger:
    def suppress(session: Session, address: str, note: str) -> None:
        newsletter.suppression(session).add(address, "bounce", note)

    give_up_after = timedelta(hours=newsletter.settings.give_up_hours)
    return Ledger(seat, Policy(give_up_after, suppress, random.random), newsletter.settings.canary_error_share, witness)
