"""The month with real processes: they run by a clock that is moved to just before each wave and then runs on by itself.

A wave is a slot, or a moment at which mail is due. About each of them one of the processes is killed
with SIGKILL, before it, in it or behind it, and started anew. There are no outages here, for the processes are away
when they are killed; nobody approves late, and no time is spent on the hours in between.
"""

import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from heapq import merge
from pathlib import Path

from kill_books import CONNECTIONS, MOST_IN_HAND
from mail_servers import CountingSink, counting_sink
from pydantic import SecretStr
from sqlmodel import col, func, select

from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.settings import PREFIX, Settings
from rhythm.account import Account, judge
from rhythm.machine import Machine, settings_for
from rhythm.rules import Rules
from rhythm.script import SLOT, Month, local
from rhythm.shifted import AHEAD

BEFORE = timedelta(seconds=2)
"""So long before a wave the clock is when it begins to run."""
_KILL_WITHIN_SECONDS = 6.0
"""A kill comes in the two seconds before a wave or the four behind it, whenever chance has it."""
_STUCK_SECONDS = 90
_LOOK_SECONDS = 0.1
_SCRIPT = Path(__file__).with_name("shifted.py")
_WAITING = (State.QUEUED, State.IN_HAND, State.DEFERRED)


class MovedClock:
    """The clock that the test and its processes share; it never goes back."""

    def __init__(self, file: Path, now: datetime) -> None:
        self.file = file
        self._ahead = -math.inf
        self.move(now)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def move(self, to: datetime) -> None:
        """Move it there, unless it is later already."""
        self._ahead = max(self._ahead, (to - datetime.now(UTC)).total_seconds())
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(self._ahead))
        fresh.replace(self.file)


class Crew(Machine):
    """A machine whose month is acted out by real processes, `workers` of them, on whatever database the settings name.

    `waves` counts what was lived through, `kills` the processes that were killed.
    """

    def __init__(
        self,
        month: Month,
        settings: Settings,
        sink: CountingSink,
        folder: Path,
        *,
        workers: int,
        kills_each: int,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        super().__init__(month, settings, sink)
        self._moved = MovedClock(folder / "ahead", month.begin)
        self.newsletter.clock = self._moved
        self._rules = Rules(month)
        self._folder = folder
        self._chance = random.Random(f"crew {seed}")
        self._workers, self._kills_each, self._say = workers, kills_each, say
        self._processes: list[subprocess.Popen[bytes]] = []
        self._slots = {local(on, SLOT.hour) for on in self._rules.slots}
        self.waves = self.kills = self.started = 0

    def act_out(self) -> None:
        """Act the month out, with a kill about every wave."""
        self._begin()
        with self._crew():
            waves = ((wave, None) for wave in self._all_waves())
            happenings = sorted(self._happenings(), key=lambda one: one[0])
            for at, happen in merge(happenings, waves, key=lambda one: one[0]):
                if happen is None:
                    self._live_through(at)
                else:
                    self._moved.move(at)
                    happen()
        self._take_note()

    def judge(self) -> Account:
        """The account; what is unknown counts as had, and may have been received once or not."""
        account = judge(self._month, self, by_seconds=True)
        if account.unknown > self.kills * MOST_IN_HAND:
            account.fault(f"{account.unknown} unknown after {self.kills} kills")
        account.faults += self._complaints()
        return account

    def _all_waves(self) -> list[datetime]:
        rows = (row for reader in self._month.readers for row in self._rules.rows_of(reader))
        due = {row.due for row in rows if row.handed}
        return sorted(due | {send.opened for send in self._rules.sends} | self._slots)

    @contextmanager
    def _crew(self) -> Iterator[None]:
        try:
            for _ in range(self._workers):
                self._start()
            yield
        finally:
            for process in self._processes:
                process.send_signal(signal.SIGKILL)
                process.wait()

    def _start(self) -> None:
        self.started += 1
        with (self._folder / f"said-{self.started}").open("wb") as said:
            self._processes.append(
                subprocess.Popen(
                    [sys.executable, str(_SCRIPT), "worker"],
                    cwd=self._folder,
                    env={**os.environ, **_environment(self._settings), AHEAD: str(self._moved.file)},
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                )
            )

    def _live_through(self, wave: datetime) -> None:
        """Let a wave come and pass, and kill somebody about it."""
        self.waves += 1
        self._say(f"wave {self.waves}: {wave:%Y-%m-%d %H:%M}")
        self._moved.move(wave - BEFORE)
        began = time.monotonic()
        kills = sorted(began + self._chance.uniform(0, _KILL_WITHIN_SECONDS) for _ in range(self._kills_each))
        stuck_at = began + _STUCK_SECONDS
        while kills or not self._is_over(wave):
            if kills and time.monotonic() >= kills[0]:
                kills.pop(0)
                self._kill()
            if time.monotonic() > stuck_at:
                raise TimeoutError(f"the wave of {wave} does not end: {self._complaints()}")
            time.sleep(_LOOK_SECONDS)

    def _kill(self) -> None:
        victim = self._processes.pop(self._chance.randrange(len(self._processes)))
        victim.kill()
        victim.wait()
        self.kills += 1
        self._start()

    def _is_over(self, wave: datetime) -> bool:
        """Whether all that was to begin has begun, and all that is due is settled."""
        now = self._moved()
        if now < wave:
            return False
        begun = sum(send.opened <= wave for send in self._rules.sends)
        with self.newsletter.reading() as session:
            planned = session.exec(
                select(func.count()).select_from(Mailing).where(Mailing.planned_through >= Mailing.audience_through)
            ).one()
            left = select(Delivery.id).where(col(Delivery.state).in_(_WAITING), Delivery.next_at <= now)
            written = select(Appointment.id).where(Appointment.at == wave)
            if wave in self._slots and session.exec(written.limit(1)).first() is None:
                return False
            return planned >= begun and session.exec(left.limit(1)).first() is None

    def _complaints(self) -> list[str]:
        """A process that is killed, and one that goes on after a kill, has nothing to complain of."""
        said = (file.read_text(errors="replace") for file in sorted(self._folder.glob("said-*")))
        return [words[-3000:] for words in said if "Traceback" in words or "error" in words.lower()]


@contextmanager
def crew_for(
    month: Month,
    database_url: str,
    folder: Path,
    *,
    workers: int,
    kills_each: int = 1,
    delay_seconds: float = 0.05,
    seed: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Crew]:
    """A crew for the month on a migrated database; the server takes so long for each message.

    About each wave there are `kills_each` kills.
    """
    with counting_sink(folder / "received", delay_seconds) as sink:
        settings = settings_for(database_url, sink.port, CONNECTIONS)
        crew = Crew(month, settings, sink, folder, workers=workers, kills_each=kills_each, seed=seed, say=say)
        try:
            yield crew
        finally:
            crew.newsletter.engine.dispose()


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as a process of its own gets them."""
    return {f"{PREFIX}{name.upper()}": _word(getattr(settings, name)) for name in settings.model_fields_set}


def _word(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
