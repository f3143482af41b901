"""A dry run: the whole way of a send, on a copy of the database and into a sink that keeps every message."""

import socket
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtpd.smtp import Session as Talk
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select
from sqlmodel import SQLModel

from newsletter.app import Newsletter
from newsletter.delivery.counts import Counts
from newsletter.delivery.lateness import hand_over_early
from newsletter.editorial.dispatch import Dispatch
from newsletter.editorial.outbox import open_outbox
from newsletter.storage.engine import open_engine
from newsletter.storage.issues import IssueRefused
from newsletter.storage.migrate import migrate
from newsletter.storage.models import WitnessRow

_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a dry run did: the counts as a real run would leave them, how long it took, how much mail it was."""

    counts: Counts
    planning_seconds: float
    sending_seconds: float
    size_bytes: int


class _Sink:
    """Keeps what it takes as numbered files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.taken = 0
        self.size_bytes = 0

    async def handle_DATA(self, server: SMTP, talk: Talk, envelope: Envelope) -> str:  # noqa: N802 (the server's name for it)
        """Keep one message (called by the server)."""
        data = envelope.original_content or b""
        self.taken += 1
        self.size_bytes += len(data)
        (self._folder / f"{self.taken:06}.eml").write_bytes(data)
        return "250 2.0.0 kept"


def rehearse(newsletter: Newsletter, slug: str, folder: Path) -> Rehearsal:
    """Send an approved issue into a folder, which is made; raises `IssueRefused` when it is there and not empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise IssueRefused(f"{folder} is there already; name another folder with --to.")
    folder.mkdir(parents=True, exist_ok=True)
    sink = _Sink(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=port, data_size_limit=0)
    controller.start()
    try:
        with TemporaryDirectory(prefix="newsletter-") as scratch:
            database_url = f"sqlite:///{Path(scratch) / 'copy.db'}"
            _copy(newsletter.engine, database_url)
            settings = newsletter.settings.model_copy(
                update={
                    "database_url": database_url,
                    "servers": (),
                    "smtp_url": SecretStr(f"smtp://127.0.0.1:{port}?starttls=never"),
                    "messages_per_second": None,
                    "domains": (),
                }
            )
            copy = Newsletter(settings, newsletter.clock)
            try:
                return _send(copy, slug, sink)
            finally:
                copy.engine.dispose()
    finally:
        controller.stop()


def _send(newsletter: Newsletter, slug: str, sink: _Sink) -> Rehearsal:
    began = time.perf_counter()
    dispatch = Dispatch.of(newsletter, slug)
    for _ in dispatch.plan():
        pass
    with newsletter.session() as session:  # the messages are those of everybody's hour, but nobody waits for it
        hand_over_early(session, dispatch.mailing_id, newsletter.clock())
    planned = time.perf_counter()
    with open_outbox(newsletter) as outbox:
        dispatch.send(outbox)
    return Rehearsal(dispatch.counts(), planned - began, time.perf_counter() - planned, sink.size_bytes)


def _copy(source: Engine, target_url: str) -> None:
    """Copy every row into a new SQLite file, as it is at one moment; but not how far the real mail has come."""
    target = open_engine(target_url)
    migrate(target)
    reading = source.execution_options(read_only=True)
    with reading.connect() as rows, target.begin() as copy:
        for table in SQLModel.metadata.sorted_tables:
            copy.execute(table.delete())
            if table.name == WitnessRow.__tablename__:
                continue
            everything = select(table).execution_options(yield_per=_ROWS)
            for page in rows.execute(everything).mappings().partitions():
                copy.execute(insert(table), [dict(row) for row in page])
    target.dispose()
