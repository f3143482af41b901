"""Opening the database: one SQLite file by default, PostgreSQL for many machines; the same promises on both."""

import json
from pathlib import Path
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

_PRAGMAS = (
    "journal_mode=WAL",  # readers never wait for the sender
    "synchronous=FULL",  # an intent must survive a power cut before its message is handed over
    "wal_autocheckpoint=10000",  # 40 MB: the sender rewrites the same pages, so copying them back seldom is less work
    "busy_timeout=30000",
    "foreign_keys=ON",
)
_SESSION = (
    "SET synchronous_commit TO on",  # what FULL is on SQLite, whatever the server's default
    "SET TIME ZONE 'UTC'",
)
_POSTGRESQL = "postgresql+psycopg"
_CONNECTION = {
    "application_name": "newsletter",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    # a server that went away without a word is noticed in half a minute, not in two hours
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}
"""What libpq is told, times in seconds and the last in milliseconds; the URL may say otherwise."""

_SET_UP = 0x6E6577736C657474
"""The advisory lock of those who create or migrate the tables: the letters "newslett"."""

_SHAPE = "should look like sqlite:///newsletter.db or postgresql://user:password@host:5432/database"


class DatabaseRefused(Exception):
    """The database cannot be used; the message says which and what to do."""


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite URL; None for other databases and for one in memory."""
    parts = _parse(url)
    if parts.get_backend_name() != "sqlite" or parts.database in (None, "", ":memory:"):
        return None
    return Path(str(parts.database))


def open_engine(url: str) -> Engine:
    """An engine whose commits survive a power cut and whose transactions with `read_only` look at one moment.

    On SQLite every other transaction begins with the right to write, so that none fails half-way for want of it; on
    PostgreSQL it is READ COMMITTED. Nothing is connected yet. Raises `DatabaseRefused` for a URL that means nothing.
    """
    parts = _parse(url)
    match parts.get_backend_name():
        case "sqlite":
            engine = create_engine(parts, json_serializer=_to_json)
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        case "postgresql" | "postgres":
            engine = _postgresql(parts)
            event.listen(engine, "connect", _configure_postgresql)
            event.listen(engine, "begin", _begin_postgresql)
        case other:
            raise DatabaseRefused(f"DATABASE_URL: {other} is not supported; it {_SHAPE}.")
    return engine


def set_up_alone(connection: Connection) -> None:
    """Wait until no other process creates or migrates tables or writes their first rows, to the transaction's end.

    On SQLite whoever has begun to write is alone already.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SET_UP})")


def require_file(path: Path | None) -> None:
    """Raise `DatabaseRefused` when an SQLite file that should be there is not: opening it would create an empty one."""
    if path is not None and not path.is_file():
        raise DatabaseRefused(f"there is no database at {path.resolve()}: run `newsletter init`, or set DATABASE_URL.")


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # the words of the second would repeat a part of the URL
        raise DatabaseRefused(f"DATABASE_URL: {_SHAPE}.") from None


def _to_json(value: object) -> str:
    """Three times as fast as the standard library's, twice for every reader of a mailing."""
    try:
        return to_json(value).decode()
    except PydanticSerializationError:  # half a surrogate pair, which has no UTF-8 but an escape
        return json.dumps(value)


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own implicit BEGIN would come too late for IMMEDIATE
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN" if _only_reads(connection) else "BEGIN IMMEDIATE")


def _postgresql(parts: URL) -> Engine:
    """An engine of up to 20 connections: one server lends 100 by default, to all its newsletters' processes."""
    if "password" in parts.query:  # where it would be shown
        parts = parts.set(password=str(parts.query["password"])).difference_update_query(["password"])
    return create_engine(
        parts.set(drivername=_POSTGRESQL),
        json_serializer=_to_json,
        isolation_level="READ COMMITTED",
        pool_size=5,
        max_overflow=15,
        pool_pre_ping=True,  # the server may have been restarted since
        connect_args={name: value for name, value in _CONNECTION.items() if name not in parts.query},
    )


def _configure_postgresql(connection: Any, _record: object) -> None:
    # not as start-up parameters, which poolers refuse
    for command in _SESSION:
        connection.execute(command)
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    if _only_reads(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _only_reads(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("read_only", False))
