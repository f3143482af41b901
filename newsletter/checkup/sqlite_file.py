"""An SQLite file: there, writable, whole, on a disk of its own machine, and opened with what the promises need."""

import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection

from newsletter.checkup.findings import Finding, Verdict, not_checked, ok, warning, wrong

BUSY_SECONDS = 2
CHECK_SECONDS = 10
"""PRAGMA quick_check reads the whole file; a large one is not read to its end while somebody waits."""
_PROGRESS_STEPS = 10_000
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "ceph", "glusterfs"})
MOUNTS = Path("/proc/mounts")
_ESCAPED = re.compile(r"\\([0-7]{3})")  # how a blank is written in there: \040


def file_checks(file: Path) -> Iterator[Finding]:
    """The file itself, looked at through a connection of its own that changes nothing."""
    if not file.is_file():
        what = f"there is no database at {file.absolute()}"
        yield wrong("file", what, "Run `newsletter init` in the right folder, or set DATABASE_URL.")
        return
    may_write = _rights(file)
    yield may_write
    if may_write.verdict is Verdict.WRONG:
        return
    mounts = MOUNTS.read_text(errors="replace") if MOUNTS.exists() else ""
    yield file_system(file.resolve(), mounts)
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=rw", uri=True, timeout=BUSY_SECONDS)) as connection:
        yield _writing(connection)
        yield integrity(connection, CHECK_SECONDS)


def _rights(file: Path) -> Finding:
    """Whether this user may write the file, and its folder for the log beside it."""
    folder = file.resolve().parent
    for place, rights in ((folder, os.W_OK | os.X_OK), (file, os.R_OK | os.W_OK)):
        if not os.access(place, rights, effective_ids=os.access in os.supports_effective_ids):
            what = f"this user may not write {'the folder ' if place == folder else ''}{place}"
            return wrong(
                "file", what, "Run it as the user who owns the database, or chown file and folder to this one."
            )
    return ok("file", f"{file.absolute()}, writable with its folder")


def file_system(file: Path, mounts: str) -> Finding:
    """The kind of file system a file lies on, from the lines of /proc/mounts."""
    kinds = {
        _ESCAPED.sub(_letter, parts[1]): parts[2] for line in mounts.splitlines() if len(parts := line.split(" ")) > 2
    }
    place = next((str(above) for above in file.parents if str(above) in kinds), None)
    if place is None:
        return not_checked("file system", "this system does not say on what the file lies")
    if kinds[place] in _NETWORK:
        what = f"the file lies on {kinds[place]}, where locks cannot be relied on and the write-ahead log does not work"
        return wrong("file system", what, "Move it to a disk of this machine, or use PostgreSQL.")
    return ok("file system", f"{kinds[place]}, of this machine")


def _letter(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 8))


def _writing(connection: sqlite3.Connection) -> Finding:
    """Take the right to write and give it back."""
    connection.isolation_level = None
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as reason:
        if "locked" in str(reason):
            what = f"another process has been writing for {BUSY_SECONDS} s and more"
            return wrong("writing", what, "Wait for it; if it hangs, end it (`fuser FILE` names it). Nothing is lost.")
        return wrong("writing", f"SQLite says: {reason}", "Look at the rights of file and folder, and at the disk.")
    except sqlite3.DatabaseError as reason:
        return wrong(
            "writing", f"SQLite says: {reason}", "DATABASE_URL names a file that is none of ours, or is damaged."
        )
    return ok("writing", "the right to write was given at once")


def integrity(connection: sqlite3.Connection, seconds: float) -> Finding:
    """`PRAGMA quick_check`, for so many seconds at most."""
    ends = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > ends, _PROGRESS_STEPS)
    try:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as reason:
        if str(reason) == "interrupted":
            advice = "In a quiet hour: sqlite3 FILE 'PRAGMA quick_check'"
            return not_checked("integrity", f"the file is too large to be read in {seconds:.0f} s", advice)
        return not_checked("integrity", f"SQLite says: {reason}")
    except sqlite3.DatabaseError as reason:
        said = str(reason)
    finally:
        connection.set_progress_handler(None, 0)
    if said == "ok":
        return ok("integrity", "PRAGMA quick_check finds nothing")
    return wrong(
        "integrity", f"SQLite says: {said}", "Stop sending, keep a copy of the file, and restore the last backup."
    )


def mode_checks(connection: Connection) -> Iterator[Finding]:
    """What a connection opened as for sending really got: an intent must survive a power cut."""
    journal = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    if journal == "wal":
        yield ok("journal", "write-ahead log")
    else:
        what = f"journal mode is {journal}, not WAL, so readers and the sender wait for each other"
        yield warning("journal", what, "Put the file on a local disk that this user may write.")
    synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    if synchronous in (2, 3):
        yield ok("synchronous", "FULL: what was written down survives a power cut")
    else:
        what = f"synchronous is {synchronous}, not FULL (2): after a power cut readers may get a mail twice"
        yield wrong("synchronous", what, "This build of SQLite does not do as it is told; use another one.")
