"""Sending a mailing: keep connections busy, commit in groups, stop without losing anything.

One loop turns the ledger: each turn writes the outcomes that came in and claims as many rows as the open connections
can take, at most two each (one on the wire, one made ready behind it). The connections work on their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from newsletter.delivery.ledger import Claimed, Ledger, Result
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.delivery.transport import Connection, ServerRefused
from newsletter.delivery.writer import Writer
from newsletter.render.headers import MessageRefused

ROWS_PER_CONNECTION = 2
WAIT_FOR_DUE_SECONDS = 60
"""A send ends when nothing becomes due within this time; what is deferred longer waits for the next run."""
_RECONNECT_SECONDS = (0.5, 1, 2, 4)
"""Waits between tries to connect; after the last one the server is given up for this run."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: by itself, stopped by a person, or for want of a server (then `trouble` says why)."""

    stopped: bool = False
    trouble: str = ""


class Sender:
    """Sends what is due of one mailing."""

    def __init__(
        self,
        ledger: Ledger,
        writer: Writer,
        connect: Callable[[], Awaitable[Connection]],
        *,
        connections: int,
        drain_seconds: float,
        on_outcome: Callable[[Outcome], None] = lambda outcome: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._writer = writer
        self._connect = connect
        self._connections = connections
        self._drain_seconds = drain_seconds
        self._on_outcome = on_outcome
        self._clock = clock
        self._ready: asyncio.Queue[Claimed] = asyncio.Queue()
        self._results: list[Result] = []
        self._in_hand = 0
        self._open = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._trouble = ""

    def stop(self) -> None:
        """Claim nothing more; what is on the wire may finish within the drain time. A second call ends that time."""
        if self._stopping:
            self._drain_seconds = 0
        self._stopping = True
        self._wake.set()

    async def run(self) -> Ended:
        """Send until nothing is due, or until stopped; every row that was in hand has its outcome written by then."""
        workers = [asyncio.create_task(self._work()) for _ in range(self._connections)]
        try:
            while not self._stopping and not _all_gone(workers) and not _broken(workers):
                if not await self._turn():
                    break
            unreachable = _all_gone(workers)
            await self._drain()
        finally:
            for worker in workers:
                worker.cancel()
            endings = await asyncio.gather(*workers, return_exceptions=True)
            self._return_ready()
            await asyncio.to_thread(self._ledger.turn, self._results, 0, self._clock())
        faults = [ending for ending in endings if isinstance(ending, Exception)]
        if faults:
            raise faults[0]
        return Ended(stopped=self._stopping, trouble=self._trouble if unreachable else "")

    async def _turn(self) -> bool:
        """One commit: outcomes in, rows out. False when nothing is in hand and nothing becomes due soon."""
        self._wake.clear()
        results, self._results = self._results, []
        wanted = self._open * ROWS_PER_CONNECTION - self._in_hand
        try:
            claimed = await asyncio.to_thread(self._ledger.turn, results, max(wanted, 0), self._clock())
        except Exception:
            self._results = results + self._results  # what the server said must not be lost with the database's trouble
            raise
        self._in_hand += len(claimed)
        for row in claimed:
            self._ready.put_nowait(row)
        if claimed or self._results:
            return True
        pause = await self._seconds_to_wait()
        if pause is None:
            return False
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), pause)
        return True

    async def _seconds_to_wait(self) -> float | None:
        """How long until there may be something to do; None when it is over."""
        if self._in_hand or not self._open:
            return WAIT_FOR_DUE_SECONDS
        due = await asyncio.to_thread(self._ledger.next_due)
        if due is None:
            return None
        seconds = (due - self._clock()).total_seconds()
        return None if seconds > WAIT_FOR_DUE_SECONDS else max(seconds, 0)

    async def _work(self) -> None:
        """One connection's life: open, hand over, open again when it broke; ends when the server cannot be reached."""
        faults = 0
        while faults <= len(_RECONNECT_SECONDS) and (connection := await self._reconnect()):
            self._open += 1
            self._wake.set()
            try:
                while connection.is_open:
                    if await self._deliver(connection, await self._ready.get()):
                        faults = 0
                        continue
                    faults += 1
                    connection.close()
            finally:
                self._open -= 1
                self._wake.set()
                await connection.quit()
            await asyncio.sleep(_RECONNECT_SECONDS[min(faults, len(_RECONNECT_SECONDS)) - 1] if faults else 0)
        self._wake.set()

    async def _reconnect(self) -> Connection | None:
        for pause in (*_RECONNECT_SECONDS, None):
            try:
                return await self._connect()
            except ServerRefused as reason:
                self._trouble = str(reason)
                if reason.final:
                    return None
            if pause is not None:
                await asyncio.sleep(pause)
        return None

    async def _deliver(self, connection: Connection, row: Claimed) -> bool:
        """Make the message of a row, hand it over, note the outcome; False when the server is to blame for it."""
        try:
            message = self._writer.message(row.delivery_id, row.address, row.due, row.language, row.edition, row.slots)
        except MessageRefused as reason:
            self._note(row, Outcome(Verdict.REFUSED, Stage.WRITE, 0, str(reason)))
            return True
        except Exception:
            self._put_back(row)  # a fault of ours, not the reader's; it ends the run
            raise
        try:
            outcome = await connection.hand_over(message)
        except asyncio.CancelledError:
            self._put_back(row)
            raise
        self._note(row, outcome, len(message.data))
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError  # the cancel was turned into an outcome; the worker ends all the same
        return not outcome.blames_server

    def _note(self, row: Claimed, outcome: Outcome, size_bytes: int = 0) -> None:
        self._results.append(Result(row, self._clock(), outcome, size_bytes))
        self._in_hand -= 1
        if outcome.blames_server:
            self._trouble = f"{outcome.stage}: {outcome.code} {outcome.reply}"
        self._on_outcome(outcome)
        self._wake.set()

    def _put_back(self, row: Claimed) -> None:
        self._results.append(Result(row, self._clock(), None))
        self._in_hand -= 1

    def _return_ready(self) -> None:
        while not self._ready.empty():
            self._put_back(self._ready.get_nowait())

    async def _drain(self) -> None:
        """Give the wire its time; rows that were only made ready go back at once."""
        self._return_ready()
        clock = asyncio.get_running_loop().time
        began = clock()
        while self._in_hand and (left := began + self._drain_seconds - clock()) > 0:
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)


def _broken(workers: list[asyncio.Task[None]]) -> bool:
    return any(worker.done() and worker.exception() for worker in workers)


def _all_gone(workers: list[asyncio.Task[None]]) -> bool:
    return all(worker.done() for worker in workers)
