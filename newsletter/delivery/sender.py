"""Handing mail over: keep every server's lane supplied, commit in groups, stop without losing anything.

One loop turns the ledger: each turn writes the outcomes that came in and claims as many rows as the open connections
can take, at most two each. The lanes work on their own.

```
work(part) ─► turn: claim ─► a lane's ready rows ─► its connections ─► results ─► turn: settle
```
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError

from newsletter.delivery.claims import NOTHING_WANTED, Claimed, Range, Taken, Wanted
from newsletter.delivery.control import ControlRefused
from newsletter.delivery.lane import Lane, Signals
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.pace import DomainRule
from newsletter.delivery.route import Route, share
from newsletter.delivery.settling import Result
from newsletter.delivery.watch import Watch
from newsletter.delivery.writer import Writer
from newsletter.render.recipient import Message
from newsletter.storage.seat import SeatLost
from newsletter.storage.witness_file import WitnessTrouble

_DATABASE_PAUSES = (0.2, 0.5, 1, 2, 5)
"""Waits between tries to write when the database is away, in seconds; the last one repeats."""
_RELEASE_SECONDS = 5
"""How often to look for rows in the hands of dead senders."""
_CANCEL_AGAIN_SECONDS = 0.2
_AWAY = (SQLAlchemyError, SeatLost, WitnessTrouble)
_FAULTS = (ProgrammingError, IntegrityError, DataError)
"""What a database says to a statement that is wrong, and will say again."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sender heeds besides its servers; `error_share` pauses a mailing (0: never).

    `patient` goes on trying when no server can be reached; else the work ends with the trouble.
    """

    drain_seconds: float
    error_share: float = 0
    rules: tuple[DomainRule, ...] = ()
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Worked:
    """How the work on a part ended: nothing due is left, or it was stopped, or for want of a server (`trouble`)."""

    stopped: bool = False
    trouble: str = ""


@dataclass(slots=True)
class _Job:
    part: Range
    writer: Writer
    ended: "Future[Worked]"
    on_outcome: Callable[[Outcome], None]
    in_hand: int = 0
    over: bool = False


class Sender:
    """Hands over what is due of the parts it is given, for as long as it runs."""

    def __init__(
        self,
        ledger: Ledger,
        routes: Sequence[Route],
        limits: Limits,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._limits = limits
        self._clock = clock
        self._signals = Signals()
        self._lanes = {
            route.name: Lane(route, self._signals, limits.rules, clock, self._message, self._take_back)
            for route in routes
        }
        self._watch = Watch(limits.rules, limits.error_share)
        self._jobs: dict[Range, _Job] = {}
        self._held: dict[int, Claimed] = {}
        self._results: list[Result] = []
        self._told: dict[str, str] = {}
        self._stopping = False
        self._drain_seconds = limits.drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    # from other threads

    def work(
        self, part: Range, writer: Writer, on_outcome: Callable[[Outcome], None] = lambda outcome: None
    ) -> "Future[Worked]":
        """Hand over what is due of a part of a mailing; may be called from any thread while `run` is running."""
        ended: Future[Worked] = Future()
        self._call(self._take_on, _Job(part, writer, ended, on_outcome))
        return ended

    def stop(self) -> None:
        """Claim nothing more; what is on the wire may finish within the drain time. A second call ends that time."""
        self._call(self._begin_to_stop)

    def _call(self, function: Callable[..., None], *arguments: object) -> None:
        if self._loop is None:
            function(*arguments)
        else:
            with suppress(RuntimeError):  # the loop has ended, and with it whatever this was about
                self._loop.call_soon_threadsafe(function, *arguments)

    def _take_on(self, job: _Job) -> None:
        if self._stopping:
            job.ended.set_result(Worked(stopped=True))
            return
        if there := self._jobs.get(job.part):  # a recovery may bring a part that is at work here already
            there.ended.add_done_callback(partial(_end_alike, job.ended))
            return
        self._jobs[job.part] = job
        self._signals.work.set()
        self._signals.changed.set()

    def _begin_to_stop(self) -> None:
        if self._stopping:
            self._drain_seconds = 0
        self._stopping = True
        self._signals.changed.set()

    # the loop

    async def run(self) -> None:
        """Run until stopped; every row that was in hand has its outcome written by then.

        Raises what a connection's own fault was, or what the database says when it cannot be written at the end.
        """
        self._loop = asyncio.get_running_loop()
        self._signals.safe.set()
        lanes = list(self._lanes.values())
        connections = [
            asyncio.create_task(lane.work(number, lanes)) for lane in lanes for number in range(lane.route.connections)
        ]
        for connection in connections:
            connection.add_done_callback(lambda _: self._signals.changed.set())
        faults: list[Exception] = []
        try:
            await self._turns(connections)
            await self._drain()
        finally:
            faults += [ending for ending in await _end(connections) if isinstance(ending, Exception)]
            self._return_ready()
            try:
                await self._write(self._results, NOTHING_WANTED, tries=len(_DATABASE_PAUSES))
                await self._release()  # a claim whose answer was lost must not look like one in hand
            finally:
                self._end_all(Worked(stopped=True), faults)
        if faults:
            raise faults[0]

    async def _turns(self, connections: Sequence["asyncio.Task[None]"]) -> None:
        released = 0.0
        clock = asyncio.get_running_loop().time
        while not self._stopping and not any(connection.done() for connection in connections):
            self._signals.changed.clear()
            if clock() - released > _RELEASE_SECONDS:
                released = clock()
                await self._release()
            await self._pause()
            results, self._results = self._results, []
            taken = await self._write(results, self._wanted())
            self._deal(taken)
            if any(taken.rows.values()) or self._results:
                continue
            seconds = await self._seconds_to_wait(taken)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._signals.changed.wait()

    async def _write(self, results: list[Result], wanted: Wanted, tries: int | None = None) -> Taken:
        """One commit: outcomes in, rows out.

        While the database is away, what the servers said is kept, nothing more is handed over, and it is tried again.
        """
        failed = 0
        while True:
            try:
                taken = await asyncio.to_thread(self._ledger.turn, results, wanted, self._clock())
            except _AWAY as reason:
                self._signals.safe.clear()
                if not failed:
                    _log.warning("The database cannot be written, so nothing is handed over for now: %s", reason)
                if isinstance(reason, _FAULTS) or failed == tries or (tries is None and self._stopping):
                    self._results = results + self._results
                    if tries is None and not isinstance(reason, _FAULTS):
                        return Taken({})
                    raise
                await asyncio.sleep(_DATABASE_PAUSES[min(failed, len(_DATABASE_PAUSES) - 1)])
                failed += 1
                wanted = NOTHING_WANTED  # first the outcomes; what to claim is reckoned anew
                continue
            for result in results:
                self._held.pop(result.claimed.delivery_id, None)
            if failed:
                await self._release()
            self._signals.safe.set()
            return taken

    async def _release(self) -> None:
        with suppress(*_AWAY):  # it is tried again soon
            await asyncio.to_thread(self._ledger.release, self._clock(), list(self._held))
            workers = await asyncio.to_thread(self._ledger.count_workers)
            for lane in self._lanes.values():
                lane.route.workers = workers

    async def _pause(self) -> None:
        """Pause the mailings whose errors are too many, unless that is out of date."""
        while self._watch.to_pause:
            mailing_id, why = next(iter(self._watch.to_pause.items()))
            try:
                await asyncio.to_thread(self._ledger.pause, mailing_id, why)
            except _AWAY:
                return  # it is tried again soon
            except ControlRefused:
                pass  # it was cancelled, or finished, meanwhile
            del self._watch.to_pause[mailing_id]

    def _wanted(self) -> Wanted:
        lanes = [lane for lane in self._lanes.values() if lane.open]
        room = share([(lane.route, lane.room, lane.handed_over) for lane in lanes])
        most = sum(room.values())
        return Wanted(
            parts=[part for part, job in self._jobs.items() if not job.over] if most > 0 else [],
            room=room,
            rates={lane.route.name: lane.route.messages_per_second for lane in lanes if lane.route.messages_per_second},
            rules=self._watch.room(most),
            resting=self._watch.resting(self._clock()),
        )

    def _deal(self, taken: Taken) -> None:
        for name, rows in taken.rows.items():
            for row in rows:
                self._held[row.delivery_id] = row
                self._jobs[row.part].in_hand += 1
                self._watch.taken(row)
            self._lanes[name].take(rows)
        for job in list(self._jobs.values()):
            job.over = job.over or job.part in taken.over
            coming_back = job.in_hand or any(result.claimed.part == job.part for result in self._results)
            if not coming_back and (job.over or job.part in taken.dry):
                self._end_job(job, Worked())

    def _message(self, row: Claimed) -> Message:
        writer = self._jobs[row.part].writer
        return writer.message(row.subscriber_id, row.address, row.due, row.language, row.edition, row.slots)

    def _take_back(self, lane: Lane, row: Claimed, outcome: Outcome | None, size_bytes: int) -> None:
        """A row comes back with what became of it; until that is written, it is still held."""
        now = self._clock()
        self._results.append(Result(row, now, outcome, lane.route.name, size_bytes))
        self._watch.given_back(row, outcome, now)
        job = self._jobs[row.part]
        job.in_hand -= 1
        self._signals.changed.set()
        if outcome is not None:
            job.on_outcome(outcome)

    async def _seconds_to_wait(self, taken: Taken) -> float:
        """How long until there may be something to claim; work that has nothing due any more is ended."""
        lanes = self._lanes.values()
        idle = [job for job in self._jobs.values() if not job.in_hand]
        self._tell_trouble()
        if not self._limits.patient and all(lane.gone for lane in lanes):
            trouble = next((lane.trouble for lane in lanes if lane.trouble), "")
            for job in idle:
                self._end_job(job, Worked(trouble=trouble))
        elif any(lane.open for lane in lanes):
            await self._end_idle(idle)
        if taken.next_token_at is None:
            return _RELEASE_SECONDS
        return min(_RELEASE_SECONDS, max((taken.next_token_at - self._clock()).total_seconds(), 0.001))

    def _tell_trouble(self) -> None:
        """Say in the log, once, why a server gets nothing; who is not patient ends with the last one and says so."""
        goes_on = self._limits.patient or any(lane.open for lane in self._lanes.values())
        for name, lane in self._lanes.items():
            trouble = lane.trouble if lane.gone and goes_on else ""
            if trouble and trouble != self._told.get(name):
                _log.warning("No mail can be handed to %s, which is tried again: %s", name, trouble)
            self._told[name] = trouble

    async def _end_idle(self, jobs: Sequence[_Job]) -> None:
        """End the work that has nothing due; rows of domains that rest are due when those have rested."""
        now = self._clock()
        resting = self._watch.resting(now)
        with suppress(*_AWAY):  # it is looked at again soon
            for job in jobs:
                if resting:
                    await asyncio.to_thread(self._ledger.put_off, job.part, resting, now)
                if not await asyncio.to_thread(self._ledger.is_due, job.part, now):
                    self._end_job(job, Worked())

    def _end_job(self, job: _Job, worked: Worked) -> None:
        self._jobs.pop(job.part, None)
        job.ended.set_result(worked)
        if not self._jobs:
            self._signals.work.clear()

    def _end_all(self, worked: Worked, faults: Sequence[Exception]) -> None:
        for job in self._jobs.values():
            if faults:
                job.ended.set_exception(faults[0])
            else:
                job.ended.set_result(worked)
        self._jobs.clear()

    def _return_ready(self) -> None:
        for lane in self._lanes.values():
            lane.return_ready()

    async def _drain(self) -> None:
        """Give the wire its time; rows that were only made ready go back at once."""
        self._return_ready()
        clock = asyncio.get_running_loop().time
        began = clock()
        lanes = self._lanes.values()
        while any(lane.in_hand for lane in lanes) and (left := began + self._drain_seconds - clock()) > 0:
            self._signals.changed.clear()
            if self._results:
                results, self._results = self._results, []
                with suppress(*_AWAY):  # they are kept, and written at the end
                    await self._write(results, NOTHING_WANTED, tries=0)
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._signals.changed.wait()


def _end_alike(follower: "Future[Worked]", leader: "Future[Worked]") -> None:
    """Let the work that was asked for twice end for both as it ended for the first."""
    if fault := leader.exception():
        follower.set_exception(fault)
    else:
        follower.set_result(leader.result())


async def _end(connections: Sequence["asyncio.Task[None]"]) -> list[BaseException | None]:
    """Cancel tasks until they have ended, and say how.

    Once is not enough: up to Python 3.11 `asyncio.wait_for`, which aiosmtplib connects with, drops a cancel that comes
    in the moment of its result (python/cpython#86296).
    """
    while running := [task for task in connections if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_CANCEL_AGAIN_SECONDS)
    return await asyncio.gather(*connections, return_exceptions=True)
