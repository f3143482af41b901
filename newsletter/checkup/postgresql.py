"""A PostgreSQL server: its version, its promise to keep what was committed, its time, and the right to write."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from newsletter.checkup.findings import Finding, ok, warning, wrong

OLDEST_VERSION = 130_000
"""Below 13 the PostgreSQL project mends nothing any more."""


def server_checks(connection: Connection) -> Iterator[Finding]:
    """The server behind an open connection; nothing is written."""
    number = int(_show(connection, "server_version_num"))
    version = _show(connection, "server_version")
    if number < OLDEST_VERSION:
        yield warning("version", f"PostgreSQL {version}", "It gets no corrections any more: move to a later version.")
    else:
        yield ok("version", f"PostgreSQL {version}")
    yield commits(_show(connection, "synchronous_commit"), _show(connection, "fsync"))
    if _show(connection, "transaction_read_only") == "on" or _show(connection, "in_hot_standby") == "on":
        yield wrong("writing", "the server takes no writes: it is a standby or read-only", "Name the primary server.")
    else:
        yield ok("writing", "the server takes writes")


def commits(synchronous_commit: str, fsync: str) -> Finding:
    """Whether what was committed survives a power cut; an intent must."""
    if fsync == "off":
        return wrong("commits", "fsync is off: a power cut may destroy the database", "Set fsync = on.")
    if synchronous_commit in ("off", "local"):
        what = f"synchronous_commit is {synchronous_commit}: after a crash readers may get a mail twice"
        return wrong("commits", what, "Set synchronous_commit = on for this database or role.")
    return ok("commits", f"synchronous_commit is {synchronous_commit}")


def server_time(connection: Connection) -> datetime:
    """The time at the server."""
    moment = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    assert isinstance(moment, datetime)  # noqa: S101 - a timestamptz is one
    return moment


def _show(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"SELECT coalesce(current_setting('{name}', true), '')").scalar_one())
