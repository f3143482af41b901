"""A lock file beside an SQLite database, so that a second sender started by mistake stays out."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class SenderRunning(Exception):
    """Another process of this database is sending; the message names it."""


@contextmanager
def sender_lock(database: Path | None) -> Iterator[None]:
    """Hold the one right to send; the kernel gives it back when the process ends, however it ends.

    Raises `SenderRunning` when another process holds it. A database without a file (in memory) needs no lock.
    """
    if database is None:
        yield
        return
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
