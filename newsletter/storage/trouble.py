"""What a database says when it cannot do what was asked, in words that tell what to do. Never with a password."""

import sqlite3

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

_SQLITE = {
    "database or disk is full": "make room and run it again; nothing was half-written",
    "disk I/O error": "look at the disk (full, failing or read-only), then run it again",
    "database is locked": "another process is writing; run it again in a moment",
    "attempt to write a readonly database": "this user may not write the file or its folder",
    "unable to open database file": "this user may not open the file or its folder",
}
_CONNECTING = (
    ("refused", "start the server there, or mend host and port in DATABASE_URL"),
    ("No such file", "start the server there, or name its host in DATABASE_URL"),
    ("timeout", "look whether the host is the right one and lets this machine in"),
    ("resolve host", "mend the host in DATABASE_URL"),
    ("password authentication failed", "mend user and password in DATABASE_URL"),
    ("no password supplied", "write the password into DATABASE_URL"),
    ("does not exist", "create it, as docs/how-to/postgresql.md says, or mend DATABASE_URL"),
    ("pg_hba.conf", "the server's pg_hba.conf has to let this user in from this machine"),
    ("too many", "raise max_connections there, or run fewer processes"),
    ("starting up", "wait a moment and run it again"),
    ("shutting down", "wait until it is back and run it again"),
    ("SSL", "mend sslmode in DATABASE_URL"),
    ("URI query parameter", "mend what stands behind the ? in DATABASE_URL"),
    ("connection option", "mend what stands behind the ? in DATABASE_URL"),
)
"""Words of libpq and of the server, in English because it tells no code for a connection that failed, and advice."""

_BY_CODE = {
    "53100": "make room on the server's disk and run it again; nothing was half-written",
    "42501": "the user of DATABASE_URL must own the database, as docs/how-to/postgresql.md says",
    "25006": "this server only reads; name the one that writes in DATABASE_URL",
    "57P01": "the server was stopped; run it again when it is back",
    "57P02": "the server crashed; run it again when it is back",
    "40P01": "another process wrote the same rows; run it again",
    "55P03": "another process is writing; run it again in a moment",
}
"""PostgreSQL's SQLSTATE codes (its manual, appendix A) and advice."""


def say(trouble: DBAPIError) -> str:
    """One sentence or two of what the database refused, why, and what to do."""
    reason = trouble.orig
    if isinstance(reason, sqlite3.OperationalError):
        return f"the database says {reason}: {_SQLITE.get(str(reason), 'nothing was half-written')}."
    code = getattr(reason, "sqlstate", "")  # of psycopg's errors; importing it here would cost every command 0.1 s
    if code is None and trouble.connection_invalidated:
        return "the line to the database broke: run it again; nothing was half-written."
    if code is None:
        words = _one_line(reason)
        return f"the database cannot be used: {words}: {_connecting(words)}."
    if code:
        return f"the database says {_one_line(reason)}: {_BY_CODE.get(code, 'nothing was half-written')}."
    return f"the database refused: {reason}."


def describe(engine: Engine) -> str:
    """The database's URL without its password."""
    return engine.url.set(drivername=engine.dialect.name).render_as_string(hide_password=True)


def _connecting(words: str) -> str:
    return next((advice for part, advice in _CONNECTING if part in words), "look into the server's log")


def _one_line(reason: BaseException | None) -> str:
    """The first line: the others repeat it for each address of the host, or guess."""
    line = str(reason).strip().partition("\n")[0].rstrip(".")
    return line.removeprefix("connection failed: ").removeprefix("connection is bad: ")
