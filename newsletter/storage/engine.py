"""Opening the database: one SQLite file by default, anything else SQLAlchemy knows by its URL."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

_PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the sender
    "synchronous=FULL",  # an intent must survive a power cut before its message is handed over
    "busy_timeout=30000",
    "foreign_keys=ON",
)


class DatabaseRefused(Exception):
    """The database cannot be used; the message says which and what to do."""


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other databases and for one in memory."""
    parts = _parse(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return None
    return Path(str(parts.database))


def open_engine(url: str) -> Engine:
    """An engine that begins every transaction with the right to write, so that none fails half-way for want of it.

    Raises `DatabaseRefused` for a URL that means nothing.
    """
    parts = _parse(url)
    if parts.get_backend_name() != "sqlite":
        raise DatabaseRefused(
            f"DATABASE_URL: {parts.get_backend_name()} is not supported; use sqlite:///newsletter.db."
        )
    engine = create_engine(parts)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _parse(url: str) -> Any:
    try:
        return make_url(url)
    except ArgumentError:
        raise DatabaseRefused("DATABASE_URL: should look like sqlite:///newsletter.db.") from None


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN would come too late for IMMEDIATE
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def require_file(path: Path | None) -> None:
    """Raise `DatabaseRefused` when an SQLite file that should be there is not: opening it would create an empty one."""
    if path is not None and not path.is_file():
        raise DatabaseRefused(f"there is no database at {path.resolve()}: run `newsletter init`, or set DATABASE_URL.")
