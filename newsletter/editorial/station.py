"""A process that sends for others: it takes the seat when that is free, and runs outbox and engine while it has it."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from newsletter.app import Newsletter
from newsletter.delivery.engine import Engine
from newsletter.editorial.outbox import Outbox, open_outbox
from newsletter.editorial.rounds import Post, Rounds
from newsletter.storage.seat import SenderRunning
from newsletter.storage.witness import Held
from newsletter.storage.witness_file import WitnessTrouble

_LOOK_SECONDS = 1
_AFTER_FAULT_SECONDS = 30
_ONLY = "the one sender"
"""The engine's name for this process on SQLite, where there is one: what a process before it left is its own."""
_log = logging.getLogger(__name__)


class Station:
    """Sends what is to be sent until it is stopped: issues, and letters by its `post`."""

    def __init__(self, newsletter: Newsletter, post: Post) -> None:
        self._newsletter = newsletter
        self._post = post
        self._outbox: Outbox | None = None
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Begin nothing more and drain; called again, end at once."""
        if self._outbox is not None:
            self._outbox.stop()  # before the other is set: a second stop would end the drain
        self._stopping.set()

    def run(self, when_begun: Callable[[], None] = lambda: None) -> None:
        """Send until stopped, and call `when_begun` once that is possible.

        Raises `SenderRunning` when another process holds the one seat of an SQLite file, and `Held` when that was
        restored from a copy.
        """
        newsletter = self._newsletter
        with open_outbox(newsletter, patient=True) as outbox:
            self._outbox = outbox
            try:
                when_begun()
                worker = _ONLY if newsletter.database_file else outbox.seat.id
                rounds = Rounds(newsletter, outbox, self._post)
                with Engine(newsletter.settings.database_url, worker, rounds):
                    while not self._stopping.is_set() and outbox.is_running:
                        self._stopping.wait(_LOOK_SECONDS)
                    outbox.end()
            finally:
                self._outbox = None

    def run_when_free(self) -> None:
        """Send until stopped; wait for the seat where another process has it, and begin anew after a fault.

        A database that was restored waits for a person's word, which is asked for in the log once.
        """
        told = False

        def begun() -> None:
            nonlocal told
            told = False

        while not self._stopping.is_set():
            try:
                self.run(begun)
            except SenderRunning:
                self._stopping.wait(_LOOK_SECONDS)
            except Held as held:
                if not told:
                    _log.warning("%s", held)
                told = True
                self._stopping.wait(_LOOK_SECONDS)
            except (SQLAlchemyError, OSError, WitnessTrouble) as trouble:
                _log.error("sending stopped: %s; it begins anew in %d s", trouble, _AFTER_FAULT_SECONDS)
                self._stopping.wait(_AFTER_FAULT_SECONDS)
            except Exception:  # noqa: BLE001 (the pages beside it stay up; the log has it whole)
                _log.exception("sending stopped by a fault; it begins anew in %d s", _AFTER_FAULT_SECONDS)
                self._stopping.wait(_AFTER_FAULT_SECONDS)


@contextmanager
def sending_beside(newsletter: Newsletter, post: Post) -> Iterator[None]:
    """Send in a thread of its own for the length of a block."""
    station = Station(newsletter, post)
    thread = threading.Thread(target=station.run_when_free, name="station")
    thread.start()
    try:
        yield
    finally:
        station.stop()
        while thread.is_alive():
            try:
                thread.join()
            except KeyboardInterrupt:  # a second Ctrl-C: what is on the wire is not waited for
                station.stop()
