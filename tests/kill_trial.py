"""Sends whose processes are killed at random moments and started again, with an account of what came of it."""

import math
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from kill_books import MOST_IN_HAND, Books, environment, newsletter_with
from mail_servers import counting_sink

from newsletter.app import Newsletter
from newsletter.delivery.outcome import State
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in

STUCK_SECONDS = 90
"""A send that hands nothing over for so long is stuck."""
_POLL_SECONDS, _LOOK_SECONDS = 0.01, 0.2
_ISSUE = """# 示例日报 ({date})

**政策与监管**

- **示例市公布第 {number} 号数据细则**
  说明：细则写明哪些数据可以授权，本期为第 {number} 号。
  标记：新
  来源出处：[示例市数据局](https://data.example.org/rules/{number})
"""


@dataclass(frozen=True)
class Variant:
    """One way to send: what is started, how many of it, and how long the server takes for a message.

    `most_seconds` is the longest time from a kill to the next where there are several processes.
    """

    name: str
    command: tuple[str, ...]
    delay_seconds: float
    processes: int = 1
    on_postgres: bool = False
    most_seconds: float = 8

    @property
    def goes_on_by_itself(self) -> bool:
        """Whether the work engine does the sending, and not a command that somebody gave."""
        return "{slug}" not in self.command


@dataclass
class Tally:
    """What came of the kills of one variant; `faults` says in words what should not have been.

    `early` are the kills before a process that was started after a kill had handed over its first message.
    `next_seconds` run from a restart, or with two processes from the kill, to the next message at the server;
    `taken_over_seconds` from a kill until the other process had taken over all that was left.
    """

    variant: Variant
    sends: int = 0
    kills: int = 0
    early: int = 0
    lost: int = 0
    doubled: int = 0
    most_in_hand: int = 0
    unknown_received: int = 0
    unknown_not_received: int = 0
    next_seconds: list[float] = field(default_factory=list)
    taken_over_seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class Stuck(Exception):
    """A send does not go on; the message has what its processes said."""


@dataclass(frozen=True)
class _Process:
    running: subprocess.Popen[bytes]
    said: Path


def try_variant(variant: Variant, database_url: str, folder: Path, kills: int, readers: int, seed: int = 1) -> Tally:
    """Run one variant on an empty database, with its own server; `folder` gets what the processes say."""
    with (
        counting_sink(folder / "received", variant.delay_seconds) as sink,
        newsletter_with(readers, database_url, sink.port) as newsletter,
    ):
        return _Trial(newsletter, Books(newsletter, sink), variant, random.Random(f"{seed} {variant}"), folder).run(
            kills
        )


def begin_issue(newsletter: Newsletter, number: int) -> tuple[str, int]:
    """Import and approve an issue that nobody had yet, and begin its mailing; their slug and id."""
    source = _ISSUE.format(date=f"2026-{1 + number // 28:02}-{1 + number % 28:02}", number=number).encode()
    saved, _ = take_in(newsletter, read(newsletter, source), source)
    approve(newsletter, saved.slug)
    return saved.slug, begin(newsletter, saved.slug)


class _Trial:
    """Sends to the same readers, one after the other."""

    def __init__(
        self, newsletter: Newsletter, books: Books, variant: Variant, chance: random.Random, folder: Path
    ) -> None:
        self._newsletter = newsletter
        self._books = books
        self._variant = variant
        self._chance = chance
        self._folder = folder
        self._processes: list[_Process] = []
        self._started = 0
        self._dead: dict[int, float] = {}
        self._slug, self._mailing_id = "", 0
        self._since, self._mark, self._was_killed = 0.0, 0, False
        self.tally = Tally(variant)

    def run(self, kills: int) -> Tally:
        """Send and kill until there were so many kills, and let the last send come to its end."""
        try:
            while self.tally.kills < kills:
                self._send(kills)
        except Stuck as stuck:
            self.tally.faults.append(f"{self._slug}, kill {self.tally.kills}: {stuck}")
        finally:
            for process in self._processes:
                process.running.kill()
                process.running.wait()
        self._read_complaints()
        return self.tally

    def _send(self, kills: int) -> None:
        killed_before = self.tally.kills
        self._begin()
        while self._wait_for(*(self._moment() if self.tally.kills < kills else (math.inf, False))):
            self._kill()
        self._wait_for_jobs()
        self._judge(self.tally.kills - killed_before)

    def _begin(self) -> None:
        """Have a fresh issue sent."""
        self.tally.sends += 1
        self._slug, self._mailing_id = begin_issue(self._newsletter, self.tally.sends)
        while len(self._processes) < self._variant.processes:
            self._start()
        self._count_from_now(was_killed=False)

    def _moment(self) -> tuple[float, bool]:
        """When to kill: in so many seconds, or so many seconds after the next message."""
        if self._variant.processes > 1:
            return self._chance.uniform(0.3, self._variant.most_seconds), False
        if self._chance.random() < 0.2:
            return self._chance.uniform(0, 4), False
        return self._chance.uniform(0, 2), True

    def _wait_for(self, seconds: float, after_message: bool) -> bool:
        """Wait for the moment to kill; False when the send ended before it came."""
        first, looked = None, 0.0
        moved, seen = self._since, self._mark
        while True:
            now, record_bytes = time.monotonic(), self._books.record_bytes
            if record_bytes > seen:
                moved, seen = now, record_bytes
            if first is None and seen > self._mark:
                first = now
                if self._was_killed:
                    self.tally.next_seconds.append(now - self._since)
            from_when = first if after_message else self._since
            if from_when is not None and now - from_when >= seconds:
                self.tally.early += self._was_killed and first is None
                return True
            if now - looked > _LOOK_SECONDS:
                looked = now
                self._look_after_the_dead()
                if self._is_over():
                    return False
            if now - moved > STUCK_SECONDS:
                raise Stuck(f"does not go on: {self._books.rows(self._mailing_id).counts}\n{self._last_words()}")
            time.sleep(_POLL_SECONDS)

    def _kill(self) -> None:
        """Kill one of the processes, look at what it left, and start it again."""
        victim = self._chance.choice(self._processes)
        victim.running.kill()
        killed = time.monotonic()
        self._count_from_now(was_killed=True)
        victim.running.wait()
        self.tally.kills += 1
        self._processes.remove(victim)
        self._look(victim.running.pid)
        if self._variant.on_postgres and self._books.has_left_something(victim.running.pid):
            self._dead[victim.running.pid] = killed
        if self._variant.processes == 1:
            self._count_from_now(was_killed=True)
        self._start()

    def _start(self) -> None:
        self._started += 1
        said = self._folder / f"said-{self._started}"
        words = [word.format(slug=self._slug) for word in self._variant.command]
        with said.open("wb") as file:
            running = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "newsletter", *words],
                cwd=self._folder, env=environment(self._newsletter.settings), stdout=subprocess.DEVNULL, stderr=file,
            )  # fmt: skip
        self._processes.append(_Process(running, said))

    def _count_from_now(self, *, was_killed: bool) -> None:
        self._since, self._mark, self._was_killed = time.monotonic(), self._books.record_bytes, was_killed

    def _is_over(self) -> bool:
        """Whether the send has ended; a process that ends before is a fault."""
        ended = [process for process in self._processes if process.running.poll() is not None]
        for process in ended:
            self._processes.remove(process)
            if process.running.returncode or self._variant.goes_on_by_itself:
                raise Stuck(f"a process ended with {process.running.returncode}: {process.said.read_text()}")
        return self._books.rows(self._mailing_id).is_over if self._variant.goes_on_by_itself else bool(ended)

    def _wait_for_jobs(self) -> None:
        """No job, and nothing of a dead process, may stay for ever."""
        deadline = time.monotonic() + STUCK_SECONDS
        while self._variant.goes_on_by_itself:
            left = self._books.jobs_left()
            self._look_after_the_dead()
            if not left and not self._dead:
                return
            if time.monotonic() > deadline:
                raise Stuck(f"jobs are left: {left}; of the dead: {list(self._dead)}\n{self._last_words()}")
            time.sleep(_LOOK_SECONDS)

    def _look_after_the_dead(self) -> None:
        """Note when nothing is left in the name of a process that was killed."""
        for process, killed in list(self._dead.items()):
            if not self._books.has_left_something(process):
                del self._dead[process]
                self.tally.taken_over_seconds.append(time.monotonic() - killed)

    def _look(self, dead: int) -> None:
        """The promises that hold at every moment, right after a kill."""
        received_before = set(self._books.received(self._mailing_id))
        rows = self._books.rows(self._mailing_id)
        received_after = set(self._books.received(self._mailing_id))
        in_hand = rows.in_hand_of(dead)
        self.tally.most_in_hand = max(self.tally.most_in_hand, in_hand)
        again = rows.which(State.QUEUED, State.DEFERRED, State.FAILED, State.EXCLUDED) & received_before
        self._fault_if(in_hand > MOST_IN_HAND, f"{in_hand} rows in hand")
        self._fault_if(not rows.add_up, f"of {rows.expected} readers there are {rows.counts}")
        self._fault_if(bool(rows.which(State.ACCEPTED) - received_after), "some are accepted, but not received")
        self._fault_if(bool(again), f"received, but not known to be: {sorted(again)}")

    def _judge(self, kills: int) -> None:
        """The promises at the end of a send."""
        rows, received = self._books.rows(self._mailing_id), self._books.received(self._mailing_id)
        accepted, unknown = rows.which(State.ACCEPTED), rows.which(State.UNKNOWN)
        lost = rows.expected - len(accepted | unknown) + len(accepted - set(received))
        doubled = [address for address, times in received.items() if times > 1]
        self.tally.lost += lost
        self.tally.doubled += len(doubled)
        self.tally.unknown_received += len(unknown & set(received))
        self.tally.unknown_not_received += len(unknown - set(received))
        self._fault_if(not rows.add_up or not rows.is_over, f"of {rows.expected} readers there are {rows.counts}")
        self._fault_if(lost != 0, f"{lost} lost: {rows.counts}")
        self._fault_if(bool(doubled), f"doubled: {doubled}")
        self._fault_if(len(unknown) > kills * MOST_IN_HAND, f"{len(unknown)} unknown after {kills} kills")

    def _fault_if(self, wrong: bool, what: str) -> None:
        if wrong:
            self.tally.faults.append(f"{self._slug}, kill {self.tally.kills}: {what}")

    def _read_complaints(self) -> None:
        """A process that is killed, and one that goes on after a kill, has nothing to complain of."""
        for said in sorted(self._folder.glob("said-*")):
            words = said.read_text(errors="replace")
            if "Traceback" in words or "error" in words.lower():
                self.tally.faults.append(f"{said.name}:\n{words[-4000:]}")

    def _last_words(self) -> str:
        """What the living processes said, and where each of their threads stands."""
        for process in self._processes:
            process.running.send_signal(signal.SIGABRT)
            process.running.wait()
        said = [process.said.read_text(errors="replace")[-8000:] for process in self._processes]
        return "\n".join([*map(str, self._books.jobs_left()), *said])
