"""A server's lane: its connections take rows that were made ready, make their messages and hand them over."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.delivery.claims import Claimed
from newsletter.delivery.connection import Connection
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.delivery.pace import DomainRule, domain_of, rule_of
from newsletter.delivery.route import Route
from newsletter.delivery.transport import ServerRefused
from newsletter.render.headers import MessageRefused
from newsletter.render.recipient import Message

ROWS_PER_CONNECTION = 2
"""One on the wire, and one made ready behind it, which keeps the line busy while a commit is on its way."""
CLAIM_SECONDS = 30
"""A row that was not begun so long after its claim goes back: whoever believes us dead may have given it away."""
_IDLE_SECONDS = 10
"""A connection without work is closed after this: servers do not like silent guests."""
_log = logging.getLogger(__name__)
_ALLOWANCE_SECONDS = 1
"""How often a connection that is one too many for now asks whether it still is."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What lanes and their sender tell each other."""

    work: asyncio.Event = field(default_factory=asyncio.Event)
    """There is work."""
    safe: asyncio.Event = field(default_factory=asyncio.Event)
    """Outcomes can be written down, so messages may be handed over."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Something changed that the sender should look at."""


Settle = Callable[["Lane", Claimed, Outcome | None, int], None]
"""Take a row back with its outcome (None: never used) and the size of its message in bytes."""


class Lane:
    """One server's rows made ready, and the connections that hand them over.

    `message` makes the message of a row, `settle` is told what became of it. `gone` says that the server cannot be used
    for now, and `trouble` why.
    """

    def __init__(
        self,
        route: Route,
        signals: Signals,
        rules: Sequence[DomainRule],
        clock: Callable[[], datetime],
        message: Callable[[Claimed], Message],
        settle: Settle,
    ) -> None:
        self.route = route
        self.open = 0
        self.in_hand = 0
        self.handed_over = 0
        self.gone = False
        self.trouble = ""
        self._signals = signals
        self._rules = rules
        self._clock = clock
        self._message = message
        self._settle = settle
        self._ready: asyncio.Queue[Claimed] = asyncio.Queue()

    @property
    def room(self) -> int:
        """How many rows it can take now."""
        return max(self.open * ROWS_PER_CONNECTION - self.in_hand, 0)

    def take(self, rows: Sequence[Claimed]) -> None:
        """Make rows ready; they go back at once when nobody is there to hand them over any more."""
        self.in_hand += len(rows)
        for row in rows:
            self._ready.put_nowait(row)
        if not self.open:
            self.return_ready()

    def return_ready(self) -> None:
        """Give back what was only made ready."""
        while not self._ready.empty():
            self._give_back(self._ready.get_nowait(), None)

    def catch_up(self, others: Sequence["Lane"]) -> None:
        """Begin where the others are: what a server missed while it was away is not made up for."""
        least = min((other.handed_over / other.route.weight for other in others if other.open), default=0)
        self.handed_over = max(self.handed_over, int(least * self.route.weight))

    async def work(self, number: int, others: Sequence["Lane"]) -> None:
        """The life of connection `number`: open when there is work, hand over, open again when it broke."""
        faults = 0
        while True:
            await self._signals.work.wait()
            if number >= self.route.allowed:
                await asyncio.sleep(_ALLOWANCE_SECONDS)
                continue
            if faults:
                await asyncio.sleep(self.route.pause_seconds(faults))
            connection = await self._connect(faults)
            if connection is None:
                faults += 1
                continue
            if not self.open:
                self.catch_up(others)
            faults = 0 if await self._use(connection) else faults + 1
            self.gone = self.gone or self.route.is_given_up(faults)

    async def _connect(self, faults: int) -> Connection | None:
        try:
            return await self.route.connect()
        except ServerRefused as reason:
            self.trouble = str(reason)
            self.gone = self.open == 0 and (reason.final or self.route.is_given_up(faults))
            self._signals.changed.set()
            return None

    async def _use(self, connection: Connection) -> bool:
        """Hand rows over until the line is closed; False when the server was to blame for that."""
        self.open += 1
        self._signals.changed.set()
        by_rule: Counter[str] = Counter()
        try:
            while connection.is_open and not self._is_used_up(connection, by_rule):
                row = await self._next()
                if row is None:
                    return True
                if rule := rule_of(domain_of(row.address), self._rules):
                    by_rule[rule.key] += 1
                if not await self._deliver(connection, row):
                    return False
            return self._is_used_up(connection, by_rule) or connection.handed_over > 0
        finally:
            self.open -= 1
            if not self.open:
                self.return_ready()
            self._signals.changed.set()
            await connection.quit()

    def _is_used_up(self, connection: Connection, by_rule: Counter[str]) -> bool:
        """Whether a line has had as many messages as its server allows, or one of the domains that have a rule."""
        limits = [(self.route.messages_per_connection, connection.handed_over)]
        limits += [(rule.messages_per_connection, by_rule[rule.key]) for rule in self._rules]
        return any(most is not None and had >= most for most, had in limits)

    async def _next(self) -> Claimed | None:
        """The next row made ready; None when there is no work for a while."""
        await self._signals.safe.wait()
        with suppress(asyncio.QueueEmpty):
            return self._ready.get_nowait()
        while True:
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    return await self._ready.get()
            except TimeoutError:
                if not self._signals.work.is_set():
                    return None

    async def _deliver(self, connection: Connection, row: Claimed) -> bool:
        """Make the message of a row, hand it over, note the outcome; False when the server is to blame for it."""
        age = (self._clock() - row.claimed_at).total_seconds()
        if not 0 <= age <= CLAIM_SECONDS or not self._signals.safe.is_set():
            self._give_back(row, None)
            return True
        try:
            message = self._message(row)
        except MessageRefused as reason:
            self._give_back(row, Outcome(Verdict.REFUSED, Stage.WRITE, 0, str(reason)))
            return True
        except Exception as fault:  # noqa: BLE001 (ours, whatever it is: one message that cannot be made must not keep the others waiting)
            _log.exception("The message of delivery %d could not be made", row.delivery_id)
            self._give_back(row, Outcome(Verdict.FAULT, Stage.WRITE, 0, f"{type(fault).__name__}: {fault}"))
            return True
        try:
            outcome = await connection.hand_over(message, asyncio.get_running_loop().time() + CLAIM_SECONDS)
        except asyncio.CancelledError:
            self._give_back(row, None)
            raise
        self.handed_over += 1
        self.gone = self.gone and outcome.blames_server
        if outcome.blames_server:
            self.trouble = f"{outcome.stage}: {outcome.code} {outcome.reply}"
        self._give_back(row, outcome, len(message.data))
        if (task := asyncio.current_task()) and task.cancelling():
            raise asyncio.CancelledError  # the cancel was turned into an outcome; the connection ends all the same
        return not outcome.blames_server

    def _give_back(self, row: Claimed, outcome: Outcome | None, size_bytes: int = 0) -> None:
        self.in_hand -= 1
        self._settle(self, row, outcome, size_bytes)
