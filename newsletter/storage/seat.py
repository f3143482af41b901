"""The right of a process to hand mail over, which ends with the process however it ends.

On SQLite there is one seat, a lock on a file beside the database. On PostgreSQL there are any number, each an advisory
lock held by the very connection that its holder writes claims and outcomes with: whoever loses the connection loses the
seat, and can claim nothing before it has taken it again.
"""

import fcntl
import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

_KIND = 1_852_798_836
"""What marks our advisory locks among others of the same database; any constant of four bytes would do."""


class SenderRunning(Exception):
    """Another process of this database is sending; the message names it."""


class SeatLost(Exception):
    """The database took the seat away while nobody was there; the message says what to do."""


class Seat:
    """One process's seat; `id` is its own and never used again."""

    def __init__(self, engine: Engine) -> None:
        self.id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._engine = engine
        self._connection: Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction on the connection that holds the seat, committed when the block ends.

        Raises what the database raises; the next call then sits down anew, or raises the same while that fails.
        """
        connection = self._connection or self._sit_down()
        try:
            with connection.begin():
                yield connection
        except SQLAlchemyError:
            self.leave()  # whatever state it is in: a new connection has none
            raise

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open the same as a session."""
        with self.transaction() as connection, Session(bind=connection) as session:
            yield session
            session.flush()

    def leave(self) -> None:
        """Give the seat back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError):
                connection.invalidate()  # ends the session at the server, and with it the lock
                connection.close()

    @property
    def _is_shared(self) -> bool:
        return self._engine.dialect.name != "sqlite"

    def _sit_down(self) -> Connection:
        connection = self._engine.connect()
        if self._is_shared:
            taken = connection.execute(
                text("SELECT pg_try_advisory_lock(:kind, :seat)"), {"kind": _KIND, "seat": _number(self.id)}
            ).scalar()
            connection.commit()
            if not taken:
                connection.close()
                raise SeatLost(f"the database still holds the seat of {self.id} for a connection that is gone.")
        self._connection = connection
        return connection


def is_gone(session: Session, seat: str) -> bool:
    """Whether the holder of a seat is dead; until this transaction ends it cannot come back.

    On SQLite there is one seat and whoever asks has it, so every other is gone.
    """
    if session.get_bind().dialect.name == "sqlite":
        return True
    return bool(
        session.execute(
            text("SELECT pg_try_advisory_xact_lock(:kind, :seat)"), {"kind": _KIND, "seat": _number(seat)}
        ).scalar()
    )


def count_seats(session: Session) -> int:
    """How many seats are taken; on SQLite, by whoever asks, the one."""
    if session.get_bind().dialect.name == "sqlite":
        return 1
    taken = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = :kind AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return int(session.execute(taken, {"kind": _KIND}).scalar_one())


def is_anybody_there(session: Session, database: Path | None) -> bool:
    """Whether a process of this database can hand mail over right now."""
    if database is None:
        return count_seats(session) > 0
    with suppress(SenderRunning), _file_lock(database):
        return False
    return True


@contextmanager
def take_seat(engine: Engine, database: Path | None) -> Iterator[Seat]:
    """Sit down for the length of a block; `database` is the file of an SQLite database, None for any other.

    Raises `SenderRunning` when the one seat of an SQLite file is taken.
    """
    seat = Seat(engine)
    try:
        if database is None:
            yield seat
        else:
            with _file_lock(database):
                yield seat
    finally:
        seat.leave()


@contextmanager
def _file_lock(database: Path) -> Iterator[None]:
    """Hold the lock file; the kernel gives it back when the process ends."""
    real = database.resolve()  # a link to the file is the same file
    path = real.with_name(real.name + ".sender")
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise SenderRunning(
                f"process {holder} is already sending from {database}; wait for it or stop it."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _number(seat: str) -> int:
    """The four signed bytes that stand for a seat in an advisory lock."""
    return int.from_bytes(hashlib.sha256(seat.encode()).digest()[:4], signed=True)
