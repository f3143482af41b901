"""A newsletter of its own to measure: many readers, approved issues, and real `newsletter worker` processes."""

import hashlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Float, cast, func, insert, select
from sqlmodel import col

from benchmarks.sample import markdown
from newsletter.app import Newsletter
from newsletter.delivery.control import LEFT
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read
from newsletter.settings import PREFIX, Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.key import remember_key
from newsletter.storage.migrate import migrate
from subscribers.models import Subscriber
from subscribers.topics import SHIPPED

STORIES = 12
"""So many, all of them for everybody, make messages of some 50 kB."""
_ROWS_AT_ONCE = 10_000
_FIRST_DAY = date(2026, 3, 9)
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 120
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a mailing, from its rows."""

    messages: int
    seconds: float
    size_bytes: int

    @property
    def per_second(self) -> float:
        """Messages per second, from the first to the last that was accepted."""
        return (self.messages - 1) / self.seconds


@dataclass(frozen=True, slots=True)
class Worker:
    """A running `newsletter worker`."""

    process: int

    def cpu_seconds(self) -> float:
        """User and system time of all its threads so far."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS  # utime and stime of proc(5)

    def peak_bytes(self) -> int:
        """The most memory it ever had in use."""
        return peak_bytes(self.process)


class Newsroom:
    """A database with `readers` who want every topic, each in an order of their own, and what sends from it.

    `settings` go to this process and to its workers alike.
    """

    def __init__(self, folder: Path, readers: int, *, database_url: str = "", **settings: object) -> None:
        self.folder = folder
        self.readers = readers
        self._values: dict[str, object] = {
            "database_url": database_url or f"sqlite:///{folder / 'newsletter.db'}",
            "secret_key": "a key for measuring with, nothing else",
            "sender": "AI 行业动态 <daily@example.org>",
            "base_url": "https://news.example.org",
            "inbound_address": "leave@example.org",
            "postal_address": "示例新闻社 · 北京市海淀区示例路 1 号",
            **settings,
        }
        loaded = Settings(**self._values)  # type: ignore[arg-type]  # pydantic turns plain values into its types
        migrate(open_engine(loaded.database_url))
        self.newsletter = Newsletter(loaded)
        self._days = 0
        with self.newsletter.session() as session:
            remember_key(session, self.newsletter.address_key)
            self.newsletter.topics(session).seed()
        self._fill()

    def close(self) -> None:
        """Let go of the database."""
        self.newsletter.engine.dispose()

    def approve_next(self) -> str:
        """Take in and approve an issue with stories that nobody had; its slug."""
        on = _FIRST_DAY + timedelta(days=self._days)
        text = markdown(STORIES).replace(b"2026-03-09", str(on).encode())
        text = text.replace("示例团队".encode(), f"示例团队{self._days}".encode()).replace(
            b"institute.example.org/", b"institute.example.org/%d/" % self._days
        )
        self._days += 1
        reading = read(self.newsletter, text)
        with self.newsletter.session() as session:
            saved, _ = self.newsletter.issues(session).save(reading, text, self.newsletter.clock())
        approve(self.newsletter, saved.slug)
        return saved.slug

    def begin_next(self) -> int:
        """Begin the mailing of a new issue, for whoever works on this database to plan and send; its id."""
        return self.begin(self.approve_next())

    def begin(self, slug: str) -> int:
        """Begin the mailing of an approved issue; its id."""
        return begin(self.newsletter, slug)

    def send_next(self) -> Sent:
        """Have the next issue sent by the workers that run, and wait until it is."""
        mailing_id = self.begin_next()
        self.wait_until_sent(mailing_id)
        sent = self.sent(mailing_id)
        if sent.messages != self.readers:
            raise RuntimeError(f"{sent.messages} of {self.readers} messages were accepted")
        return sent

    def wait_until_sent(self, mailing_id: int) -> None:
        """Wait until nothing is left of a mailing; raises `TimeoutError` when nothing moves."""
        left = select(Delivery.id).where(col(Delivery.mailing_id) == mailing_id, col(Delivery.state).in_(LEFT))
        moved, accepted = time.monotonic(), -1
        while True:
            with self.newsletter.reading() as session:
                mailing = session.get_one(Mailing, mailing_id)
                planned = mailing.planned_through >= mailing.audience_through
                if planned and session.execute(left.limit(1)).first() is None:
                    return
            time.sleep(_LOOK_SECONDS)
            if time.monotonic() - moved > _PATIENCE_SECONDS:
                moved, before, accepted = time.monotonic(), accepted, self.sent(mailing_id).messages
                if accepted == before:
                    raise TimeoutError(f"the mailing stands still at {accepted} of {self.readers} messages")

    def sent(self, mailing_id: int, since: datetime | None = None, until: datetime | None = None) -> Sent:
        """What was accepted of a mailing, in all or between two moments."""
        query = select(
            func.count(),
            func.min(Delivery.settled_at),
            func.max(Delivery.settled_at),
            func.avg(cast(col(Delivery.size_bytes), Float)),
        ).where(col(Delivery.mailing_id) == mailing_id, col(Delivery.state) == State.ACCEPTED)
        if since and until:
            query = query.where(col(Delivery.settled_at).between(since, until))
        with self.newsletter.reading() as session:
            many, first, last, size_bytes = session.execute(query).one()
        return Sent(many, (last - first).total_seconds() if many else 0, round(size_bytes or 0))

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """A `newsletter worker` for the length of a block, drained at its end."""
        with subprocess.Popen(
            [sys.executable, "-m", "newsletter", "worker"],
            cwd=self.folder, env=self.environment(), stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                process.stdout.readline()  # it says that it sends
                yield Worker(process.pid)
            finally:
                process.terminate()
                process.wait()

    def environment(self) -> dict[str, str]:
        """The environment of a process that works on this newsletter."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        ours = {
            PREFIX + name.upper(): value if isinstance(value, str) else json.dumps(value)
            for name, value in self._values.items()
        }
        return {**own, **ours}

    def _fill(self) -> None:
        chance = random.Random(1)
        slugs = [topic.slug for topic in SHIPPED]
        for begin_at in range(0, self.readers, _ROWS_AT_ONCE):
            numbers = range(begin_at, min(begin_at + _ROWS_AT_ONCE, self.readers))
            rows = [_reader(number, chance.sample(slugs, len(slugs))) for number in numbers]
            with self.newsletter.session() as session:
                session.execute(insert(Subscriber), rows)


@contextmanager
def open_newsroom(readers: int, *, database_url: str = "", **settings: object) -> Iterator[Newsroom]:
    """A newsroom in a temporary folder for the length of a block."""
    with TemporaryDirectory(prefix="newsletter-benchmark-") as folder:
        newsroom = Newsroom(Path(folder), readers, database_url=database_url, **settings)
        try:
            yield newsroom
        finally:
            newsroom.close()


def peak_bytes(process: int) -> int:
    """The most memory a process ever had in use (VmHWM of proc(5))."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def _reader(number: int, topics: list[str]) -> dict[str, object]:
    address = f"reader{number}@example.org"
    return {
        "address": address,
        "ascii_address": address,
        "address_key": address,
        "address_hash": hashlib.sha256(address.encode()).hexdigest(),
        "name": f"读者 {number}",
        "topics": topics,
    }
