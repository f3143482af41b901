"""Handing mail over: keep the connections of every server busy, commit in groups, stop without losing anything.

One loop turns the ledger: each turn writes the outcomes that came in and claims as many rows as the open connections
can take, at most two each (one on the wire, one made ready behind it). The connections work on their own.

```
work(part) ─► turn: claim ─► a server's ready rows ─► its connections ─► results ─► turn: settle
```
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from newsletter.delivery.claims import NOTHING_WANTED, Claimed, Range, Taken, Wanted
from newsletter.delivery.connection import Connection
from newsletter.delivery.control import ControlRefused
from newsletter.delivery.ledger import Ledger
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.delivery.pace import BackOff, DomainRule, domain_of, rule_of
from newsletter.delivery.route import Route, share
from newsletter.delivery.settling import Result
from newsletter.delivery.transport import ServerRefused
from newsletter.delivery.writer import Writer
from newsletter.render.headers import MessageRefused
from newsletter.storage.seat import SeatLost

ROWS_PER_CONNECTION = 2
CLAIM_SECONDS = 30
"""A row that was not begun so long after its claim goes back: whoever believes us dead may have given it away."""
ENOUGH_TO_JUDGE = 100
"""So many outcomes of a mailing are needed before their share of errors means anything."""
_IDLE_SECONDS = 10
"""A connection without work is closed after this: servers do not like silent guests."""
_DATABASE_PAUSES = (0.2, 0.5, 1, 2, 5)
"""Waits between tries to write when the database is away, in seconds; the last one repeats."""
_RELEASE_SECONDS = 5
"""How often to look for rows in the hands of dead senders."""
_LONGEST_WAIT_SECONDS = 60
_CANCEL_AGAIN_SECONDS = 0.2


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sender heeds besides its servers; `error_share` pauses a mailing (0: never)."""

    drain_seconds: float
    error_share: float = 0
    rules: tuple[DomainRule, ...] = ()
    patient: bool = False
    """Whether to go on trying when no server can be reached; else the work ends with the trouble."""


@dataclass(slots=True)
class _Lane:
    """A server's rows made ready, and what its connections are doing."""

    route: Route
    ready: "asyncio.Queue[Claimed]" = field(default_factory=asyncio.Queue)
    open: int = 0
    in_hand: int = 0
    handed_over: int = 0
    gone: bool = False


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
        self._lanes = {route.name: _Lane(route) for route in routes}
        self._jobs: dict[Range, _Job] = {}
        self._held: dict[int, Claimed] = {}
        self._results: list[Result] = []
        self._tallies: dict[int, Counter[bool]] = {}
        self._to_pause: dict[int, str] = {}
        self._back_off = BackOff()
        self._rule_load: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._work_there = asyncio.Event()
        self._may_hand_over = asyncio.Event()
        self._may_hand_over.set()
        self._stopping = False
        self._drain_seconds = limits.drain_seconds
        self._trouble = ""
        self._fault: BaseException | None = None
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
        self._work_there.set()
        self._wake.set()

    def _begin_to_stop(self) -> None:
        if self._stopping:
            self._drain_seconds = 0
        self._stopping = True
        self._wake.set()

    # the loop

    async def run(self) -> None:
        """Run until stopped; every row that was in hand has its outcome written by then.

        Raises what a connection's own fault was, or what the database says when it cannot be written at the end.
        """
        self._loop = asyncio.get_running_loop()
        workers = [
            asyncio.create_task(self._work(lane, number))
            for lane in self._lanes.values()
            for number in range(lane.route.connections)
        ]
        try:
            await self._turns()
            await self._drain()
        finally:
            endings = await _end(workers)
            self._return_ready()
            try:
                await self._write(self._results, NOTHING_WANTED, tries=len(_DATABASE_PAUSES))
            finally:
                self._results = []
                faults = [ending for ending in (*endings, self._fault) if isinstance(ending, Exception)]
                self._end_jobs(Worked(stopped=True), faults)
        if faults:
            raise faults[0]

    async def _turns(self) -> None:
        released = 0.0
        while not self._stopping and self._fault is None:
            self._wake.clear()
            if self._loop and self._loop.time() - released > _RELEASE_SECONDS:
                released = self._loop.time()
                await self._release()
            await self._pause()
            results, self._results = self._results, []
            taken = await self._write(results, self._wanted())
            self._deal(taken)
            if (taken.rows and any(taken.rows.values())) or self._results:
                continue
            seconds = await self._seconds_to_wait(taken)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), seconds)

    async def _write(self, results: list[Result], wanted: Wanted, tries: int | None = None) -> Taken:
        """One commit: outcomes in, rows out.

        While the database is away, what the servers said is kept, nothing more is handed over, and it is tried again.
        """
        failed = 0
        while True:
            try:
                taken = await asyncio.to_thread(self._ledger.turn, results, wanted, self._clock())
            except (SQLAlchemyError, SeatLost):
                self._may_hand_over.clear()
                if failed == tries or (tries is None and self._stopping):
                    self._results = results + self._results
                    if tries is None:
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
            self._may_hand_over.set()
            return taken

    async def _release(self) -> None:
        with suppress(SQLAlchemyError, SeatLost):  # it is tried again soon
            await asyncio.to_thread(self._ledger.release, self._clock(), list(self._held))
            workers = await asyncio.to_thread(self._ledger.count_workers)
            for lane in self._lanes.values():
                lane.route.workers = workers

    async def _pause(self) -> None:
        """Pause the mailings whose errors are too many, unless that is out of date."""
        while self._to_pause:
            mailing_id, why = next(iter(self._to_pause.items()))
            try:
                await asyncio.to_thread(self._ledger.pause, mailing_id, why)
            except (SQLAlchemyError, SeatLost):
                return  # it is tried again soon
            except ControlRefused:
                pass  # it was cancelled, or finished, meanwhile
            del self._to_pause[mailing_id]

    def _wanted(self) -> Wanted:
        room = share([(lane.route, self._room(lane), lane.handed_over) for lane in self._lanes.values() if lane.open])
        most = sum(room.values())
        now = self._clock()
        rules = {
            rule: rule.connections - self._rule_load[rule.key] if rule.connections else most
            for rule in self._limits.rules
        }
        return Wanted(
            parts=[part for part, job in self._jobs.items() if not job.over] if most > 0 else [],
            room=room,
            rates={
                name: lane.route.messages_per_second
                for name, lane in self._lanes.items()
                if lane.route.messages_per_second and name in room
            },
            rules=rules,
            resting=self._back_off.resting(now),
        )

    @staticmethod
    def _room(lane: _Lane) -> int:
        return max(lane.open * ROWS_PER_CONNECTION - lane.in_hand, 0)

    def _deal(self, taken: Taken) -> None:
        for part in taken.over:
            if part in self._jobs:
                self._jobs[part].over = True
        for name, rows in taken.rows.items():
            for row in rows:
                self._hold(self._lanes[name], row)
            if not self._lanes[name].open:  # it was while the rows were claimed
                self._return_ready(self._lanes[name])
        for job in [job for job in self._jobs.values() if job.over and not job.in_hand]:
            self._end(job, Worked())

    def _hold(self, lane: _Lane, row: Claimed) -> None:
        self._held[row.delivery_id] = row
        self._jobs[row.part].in_hand += 1
        lane.in_hand += 1
        if rule := rule_of(domain_of(row.address), self._limits.rules):
            self._rule_load[rule.key] += 1
        lane.ready.put_nowait(row)

    async def _seconds_to_wait(self, taken: Taken) -> float:
        """How long until there may be something to claim; work that has nothing due any more is ended."""
        if not self._limits.patient and self._jobs and all(lane.gone for lane in self._lanes.values()):
            self._end_jobs(Worked(trouble=self._trouble))
        seconds: float = _RELEASE_SECONDS
        now = self._clock()
        resting = self._back_off.resting(now)
        if taken.next_token_at is not None:
            seconds = min(seconds, max((taken.next_token_at - now).total_seconds(), 0.001))
        if not any(lane.open for lane in self._lanes.values()):
            return seconds
        for job in [job for job in self._jobs.values() if not job.in_hand]:
            if resting:
                await asyncio.to_thread(self._ledger.put_off, job.part, resting, now)
            if not await asyncio.to_thread(self._ledger.is_due, job.part, now):
                self._end(job, Worked())
        return seconds

    def _end(self, job: _Job, worked: Worked) -> None:
        self._jobs.pop(job.part, None)
        job.ended.set_result(worked)
        if not self._jobs:
            self._work_there.clear()

    def _end_jobs(self, worked: Worked, faults: Sequence[BaseException] = ()) -> None:
        for job in list(self._jobs.values()):
            if faults:
                self._jobs.pop(job.part)
                job.ended.set_exception(faults[0])
            else:
                self._end(job, worked)

    # connections

    async def _work(self, lane: _Lane, number: int) -> None:
        """One connection's life: open when there is work, hand over, open again when it broke."""
        faults = 0
        try:
            while True:
                await self._work_there.wait()
                if number >= lane.route.allowed:
                    await asyncio.sleep(1)
                    continue
                connection = await self._connect(lane, faults)
                if connection is None:
                    faults += 1
                    continue
                faults = 0 if await self._use(lane, connection) else faults + 1
                lane.gone = lane.gone or lane.route.is_given_up(faults)
        except Exception as fault:
            self._fault = fault
            self._wake.set()
            raise

    async def _connect(self, lane: _Lane, faults: int) -> Connection | None:
        """Open a connection, after a pause that grows with the faults before."""
        if faults:
            await asyncio.sleep(lane.route.pause_seconds(faults))
        try:
            connection = await lane.route.connect()
        except ServerRefused as reason:
            self._trouble = str(reason)
            lane.gone = lane.open == 0 and (reason.final or lane.route.is_given_up(faults))
            self._wake.set()
            return None
        return connection

    async def _use(self, lane: _Lane, connection: Connection) -> bool:
        """Hand rows over until the line is closed; False when the server was to blame for that."""
        if not lane.open:
            self._catch_up(lane)
        lane.open += 1
        self._wake.set()
        by_rule: Counter[str] = Counter()
        try:
            while connection.is_open and not self._is_used_up(lane, connection, by_rule):
                row = await self._next(lane)
                if row is None:
                    return True
                if rule := rule_of(domain_of(row.address), self._limits.rules):
                    by_rule[rule.key] += 1
                if not await self._deliver(lane, connection, row):
                    return False
            return self._is_used_up(lane, connection, by_rule) or connection.handed_over > 0
        finally:
            lane.open -= 1
            if not lane.open:
                self._return_ready(lane)  # nobody is there to hand them over
            self._wake.set()
            await connection.quit()

    def _catch_up(self, lane: _Lane) -> None:
        """Let a server that was away begin where the others are: what it missed is not made up for."""
        others = [other.handed_over / other.route.weight for other in self._lanes.values() if other.open]
        lane.handed_over = max(lane.handed_over, int(min(others, default=0) * lane.route.weight))

    def _is_used_up(self, lane: _Lane, connection: Connection, by_rule: Counter[str]) -> bool:
        """Whether a line has had as many messages as its server allows, or one of the domains that have a rule."""
        limits = [(lane.route.messages_per_connection, connection.handed_over)]
        limits += [(rule.messages_per_connection, by_rule[rule.key]) for rule in self._limits.rules]
        return any(most is not None and had >= most for most, had in limits)

    async def _next(self, lane: _Lane) -> Claimed | None:
        """The next row made ready; None when there is no work for a while."""
        await self._may_hand_over.wait()
        with suppress(asyncio.QueueEmpty):
            return lane.ready.get_nowait()
        while True:
            try:
                return await asyncio.wait_for(lane.ready.get(), _IDLE_SECONDS)
            except TimeoutError:
                if not self._jobs:
                    return None

    async def _deliver(self, lane: _Lane, connection: Connection, row: Claimed) -> bool:
        """Make the message of a row, hand it over, note the outcome; False when the server is to blame for it."""
        age = (self._clock() - row.claimed_at).total_seconds()
        if not 0 <= age <= CLAIM_SECONDS or not self._may_hand_over.is_set():
            self._put_back(lane, row)
            return True
        job = self._jobs[row.part]
        try:
            message = job.writer.message(row.delivery_id, row.address, row.due, row.language, row.edition, row.slots)
        except MessageRefused as reason:
            self._note(lane, row, Outcome(Verdict.REFUSED, Stage.WRITE, 0, str(reason)))
            return True
        except Exception:
            self._put_back(lane, row)  # a fault of ours, not the reader's; it ends the run
            raise
        try:
            latest = asyncio.get_running_loop().time() + CLAIM_SECONDS
            outcome = await connection.hand_over(message, latest)
        except asyncio.CancelledError:
            self._put_back(lane, row)
            raise
        lane.handed_over += 1
        lane.gone = lane.gone and outcome.blames_server
        self._note(lane, row, outcome, len(message.data))
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError  # the cancel was turned into an outcome; the worker ends all the same
        return not outcome.blames_server

    def _note(self, lane: _Lane, row: Claimed, outcome: Outcome, size_bytes: int = 0) -> None:
        now = self._clock()
        if outcome.blames_server:
            self._trouble = f"{outcome.stage}: {outcome.code} {outcome.reply}"
        else:
            self._back_off.note(domain_of(row.address), outcome.verdict is Verdict.LATER, now)
            self._tally(row, outcome)
        job = self._jobs[row.part]
        self._let_go(lane, row, Result(row, now, outcome, lane.route.name, size_bytes))
        job.on_outcome(outcome)

    def _put_back(self, lane: _Lane, row: Claimed) -> None:
        self._let_go(lane, row, Result(row, self._clock(), None))

    def _let_go(self, lane: _Lane, row: Claimed, result: Result) -> None:
        self._results.append(result)
        self._jobs[row.part].in_hand -= 1
        lane.in_hand -= 1
        if rule := rule_of(domain_of(row.address), self._limits.rules):
            self._rule_load[rule.key] -= 1
        self._wake.set()

    def _tally(self, row: Claimed, outcome: Outcome) -> None:
        """Pause a mailing whose errors are too many (when that is wanted); each process judges by what it saw."""
        if not self._limits.error_share:
            return
        tally = self._tallies.setdefault(row.part.mailing_id, Counter())
        tally[outcome.verdict is Verdict.ACCEPTED] += 1
        wrong, all_of_them = tally[False], tally.total()
        if all_of_them >= ENOUGH_TO_JUDGE and wrong / all_of_them > self._limits.error_share:
            tally.clear()
            self._to_pause[row.part.mailing_id] = f"{wrong} of {all_of_them} readers were not reached"

    def _return_ready(self, only: _Lane | None = None) -> None:
        for lane in self._lanes.values() if only is None else [only]:
            while not lane.ready.empty():
                self._put_back(lane, lane.ready.get_nowait())

    async def _drain(self) -> None:
        """Give the wire its time; rows that were only made ready go back at once."""
        self._return_ready()
        clock = asyncio.get_running_loop().time
        began = clock()
        while (
            any(lane.in_hand for lane in self._lanes.values()) and (left := began + self._drain_seconds - clock()) > 0
        ):
            self._wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), left)


def _end_alike(follower: "Future[Worked]", leader: "Future[Worked]") -> None:
    """Let the work that was asked for twice end for both as it ended for the first."""
    if fault := leader.exception():
        follower.set_exception(fault)
    else:
        follower.set_result(leader.result())


async def _end(workers: Sequence["asyncio.Task[None]"]) -> list[BaseException | None]:
    """Cancel tasks until they have ended, and say how.

    Once is not enough: up to Python 3.11 `asyncio.wait_for`, which aiosmtplib connects with, drops a cancel that comes
    in the moment of its result (python/cpython#86296).
    """
    while running := [worker for worker in workers if not worker.done()]:
        for worker in running:
            worker.cancel()
        await asyncio.wait(running, timeout=_CANCEL_AGAIN_SECONDS)
    return await asyncio.gather(*workers, return_exceptions=True)
