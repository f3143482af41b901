"""What the kill table is checked against: the rows in the database, the server's own record, and the engine's jobs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from mail_servers import CountingSink
from pydantic import SecretStr
from sqlalchemy import Row, inspect, text
from sqlmodel import col, func, select

from newsletter.app import Newsletter
from newsletter.delivery.counts import Counts, count
from newsletter.delivery.lane import ROWS_PER_CONNECTION
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.settings import PREFIX, Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate
from subscribers.csv_import import import_csv
from subscribers.models import Subscriber

CONNECTIONS = 5
MOST_IN_HAND = CONNECTIONS * ROWS_PER_CONNECTION
"""The promise: so many rows may a process that dies leave behind of which nobody knows."""


@dataclass(frozen=True)
class Rows:
    """A mailing's rows at one moment: the readers there should be one for, and the state and claim of each there is."""

    expected: int
    is_planned: bool
    counts: Counts
    by_address: dict[str, tuple[str, str | None]]

    def which(self, *states: State) -> set[str]:
        """The readers whose rows are in one of these states."""
        return {address for address, (state, _) in self.by_address.items() if state in states}

    def in_hand_of(self, process: int) -> int:
        """How many rows this process has in hand; a claim is a seat's name, `host:process:chance`."""
        claims = (claim for state, claim in self.by_address.values() if state == State.IN_HAND)
        return sum(claim is not None and claim.split(":")[1] == str(process) for claim in claims)

    @property
    def add_up(self) -> bool:
        """Whether the counts are those of all readers that the plan has come to."""
        counts = self.counts
        ends = counts.accepted + counts.failed + counts.unknown + counts.excluded
        return ends + counts.queued + counts.deferred == counts.candidates == self.expected == len(self.by_address)

    @property
    def is_over(self) -> bool:
        """Whether every reader has an end."""
        return self.is_planned and not self.which(State.QUEUED, State.IN_HAND, State.DEFERRED)


class Books:
    """Looks into the database and into the server's record, from outside the processes that write them."""

    def __init__(self, newsletter: Newsletter, sink: CountingSink) -> None:
        self._newsletter = newsletter
        self._sink = sink

    @property
    def record_bytes(self) -> int:
        """How long the server's record is: it grows with every message."""
        return self._sink.record.stat().st_size if self._sink.record.exists() else 0

    def rows(self, mailing_id: int) -> Rows:
        """The rows of a mailing, from one look."""
        with self._newsletter.reading() as session:
            mailing = session.get_one(Mailing, mailing_id)
            columns = Delivery.address, Delivery.state, Delivery.claim
            found = session.exec(select(*columns).where(Delivery.mailing_id == mailing_id)).all()
            expected = session.exec(select(func.count()).where(col(Subscriber.id) <= mailing.planned_through)).one()
            counts = count(session, mailing_id)
        by_address = {str(address): (state, claim) for address, state, claim in found}
        return Rows(expected, mailing.planned_through >= mailing.audience_through, counts, by_address)

    def received(self, mailing_id: int) -> Counter[str]:
        """How often each reader got the message of a mailing, whose key is a part of its Message-ID."""
        if not self.record_bytes:
            return Counter()
        with self._newsletter.reading() as session:
            key = session.get_one(Mailing, mailing_id).key
        return Counter(one.recipient for one in self._sink.received() if one.message_id.startswith(f"<{key}."))

    def has_left_something(self, process: int) -> bool:
        """Whether a row is in hand, or a job at work, in the name of a process of a PostgreSQL database."""
        claim = col(Delivery.claim).like(f"%:{process}:%")
        with self._newsletter.reading() as session:
            in_hand = session.exec(select(func.count()).where(Delivery.state == State.IN_HAND, claim)).one()
        return bool(in_hand or self._jobs("status = 'PENDING' AND executor_id LIKE :who", who=f"%:{process}:%"))

    def jobs_left(self) -> list[Row[Any]]:
        """The engine's jobs that have not ended well; rounds come and go."""
        return self._jobs("status <> 'SUCCESS' AND name <> 'make round'")

    def _jobs(self, which: str, **values: str) -> list[Row[Any]]:
        schema = None if self._newsletter.database_file else "dbos"
        if not inspect(self._newsletter.engine).has_table("workflow_status", schema):
            return []  # killed before the engine had its tables
        table = f"{schema}.workflow_status" if schema else "workflow_status"
        with self._newsletter.reading() as session:
            jobs = text(f"SELECT name, status, executor_id, deduplication_id FROM {table} WHERE {which}")
            return list(session.execute(jobs, values).all())


@contextmanager
def newsletter_with(readers: int, database_url: str, port: int) -> Iterator[Newsletter]:
    """A newsletter in an empty database, with so many readers of one topic and its server on this port."""
    settings = Settings(
        database_url=database_url,
        secret_key=SecretStr("a key that is only used in these tests"),
        sender="AI 行业动态 <daily@example.org>",
        postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
        base_url="https://news.example.org",
        smtp_url=SecretStr(f"smtp://127.0.0.1:{port}?starttls=never"),
        connections=CONNECTIONS,
    )
    engine = open_engine(database_url)
    migrate(engine)
    engine.dispose()
    newsletter = Newsletter(settings)
    lines = "".join(f"reader{number}@example.org,policy\n" for number in range(readers))
    with newsletter.session() as session:
        topics = newsletter.topics(session)
        topics.seed()
        csv = BytesIO(f"address,topics\n{lines}".encode())
        key, now = newsletter.address_key, newsletter.clock()
        import_csv(session, csv, key=key, topics=topics.catalogue(), now=now)
    yield newsletter
    newsletter.engine.dispose()


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a process of its own gets them."""
    values = {name: getattr(settings, name) for name in settings.model_fields_set}
    words = {
        f"{PREFIX}{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }
    return {"PATH": "/usr/bin:/bin", **words}
