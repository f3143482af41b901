"""The witness of an SQLite database: a small file beside it that tells a restored copy from a machine that was down.

The database counts, and the file says how far it had come; whoever hands mail over moves both on, the file after the
commit and before anything leaves. A copy that is put back in the database's place has counted less than its witness
has seen. Then nothing is sent until a person says go on, because the copy would send again what it knows nothing of.

| database and file | meaning |
|---|---|
| alike | as a rule |
| the database ahead | a process died between its commit and the file, which is written anew |
| the file ahead | held: the database was restored from a copy |
| another name in the file | held: one of the two belongs elsewhere, or the database was begun anew |
| no file, and something was sent | held: nobody can tell any more |

A file that has seen nothing sent speaks for no other database. On PostgreSQL there is no file.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection, Engine, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from newsletter.storage.models import WitnessRow
from newsletter.storage.witness_file import Mark, WitnessTrouble, read_mark, witness_file, write_mark

_ONLY_ROW = 1
_SECONDS = 1.0
"""How often the sequence moves while mail is handed over: so much may be unknown to it when a process is killed."""
_ROW = WitnessRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it to table classes
_ADVANCE = update(_ROW).values(sequence=_ROW.c.sequence + 1).returning(_ROW.c.name, _ROW.c.sequence, _ROW.c.held)
_log = logging.getLogger(__name__)


class Why(StrEnum):
    """Why nothing may be sent."""

    AHEAD = "ahead"
    MISSING = "missing"
    OTHER = "other"


_SAYS = {
    Why.AHEAD: "the database is older than its witness {file}: it was restored from a copy, and does not know what was "
    "sent since",
    Why.MISSING: "the witness {file} is gone, so nobody can tell whether the database was restored from a copy; if it "
    "was left behind when the database was moved, stop, and put it back",
    Why.OTHER: "the witness {file} belongs to another database, or is damaged: this one was put in the other's place, "
    "begun anew, or copied before anything was sent",
}


class Held(Exception):
    """Nothing may be sent until a person says go on; `why` is the code of a `Why`, and the message says what to do."""

    def __init__(self, why: str, file: Path) -> None:
        says = _SAYS[Why(why)].format(file=file)
        super().__init__(
            f"{says}. Nothing is sent until a person says go on: `newsletter schedule resume --dry-run` shows what "
            "would be sent, and docs/how-to/backup.md says how to decide."
        )
        self.why = why


def judge(row: Mark | None, witness: Mark | None) -> Why | None:
    """Why nothing may be sent, by what the database and its witness say; None when all is well."""
    has_sent = row is not None and row.sequence > 0
    if witness is None:
        return Why.MISSING if has_sent else None
    if row is not None and row.name == witness.name:
        return Why.AHEAD if witness.sequence > row.sequence else None
    if not witness.sequence:  # whosever it is: nothing was sent from there
        return Why.MISSING if has_sent else None
    return Why.OTHER


def look(engine: Engine, database: Path) -> tuple[Mark | None, Mark | None, str]:
    """What the database and its witness say, and the code of why nothing is sent; changes nothing."""
    witness = read_mark(witness_file(database))  # before the row, which it never overtakes
    with Session(engine.execution_options(read_only=True)) as session:
        row = session.get(WitnessRow, _ONLY_ROW)
        mark, held = (Mark(row.name, row.sequence), row.held) if row else (None, "")
    return mark, witness, held or judge(mark, witness) or ""


def held(session: Session) -> str:
    """The code of why nothing is sent, as the last who wanted to send found it; empty as a rule."""
    if session.get_bind().dialect.name != "sqlite":  # where a database was moved to, its witness does not count
        return ""
    row = session.get(WitnessRow, _ONLY_ROW)
    return row.held if row else ""


def require_not_held(engine: Engine, database: Path | None) -> None:
    """Compare a database with its witness, and keep what comes of it; raises `Held` and `WitnessTrouble`."""
    if database is not None:
        _examine(engine, witness_file(database))


def let_go(session: Session, database: Path) -> None:
    """Hold nothing back any more: the witness is that of this database from now on; the caller commits."""
    file = witness_file(database)
    witness, row = read_mark(file), session.get_one(WitnessRow, _ONLY_ROW)
    row.held = ""
    row.sequence = max(row.sequence, witness.sequence if witness else 0) + 1
    session.flush()
    write_mark(file, Mark(row.name, row.sequence))  # until the commit that follows, the row still holds


class Witness:
    """Moves row and file on while this process hands mail over; does nothing where there is no SQLite file.

    Only who holds the seat of the database uses it. `clock` counts seconds.
    """

    def __init__(self, engine: Engine, database: Path | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._file = witness_file(database) if database else None
        self._clock = clock
        self._name = ""
        self._moved = clock()
        self._written = 0
        self._owed: Mark | None = None
        self._failed = False
        self._writing = threading.Lock()
        self._at_work = 0
        self._entering = threading.Lock()

    def open(self) -> None:
        """Compare and make ready; raises `Held` and `WitnessTrouble`."""
        if self._file is None:
            return
        row, witness = _examine(self._engine, self._file)
        if witness != row:  # so that there is a file before anything is sent
            write_mark(self._file, row)
        self._name, self._written = row.name, row.sequence

    @contextmanager
    def watching(self) -> Iterator[None]:
        """For the length of a block in which mail is handed over: moved on before it, and after the last of several.

        Raises `Held` when the database was replaced meanwhile, and `WitnessTrouble` before the block.
        """
        if self._file is None:
            yield
            return
        with self._entering:  # whoever comes second waits until the first has moved it
            if not self._at_work:
                self._move()
            self._at_work += 1
        try:
            yield
        finally:
            with self._entering:
                self._at_work -= 1
                if not self._at_work:
                    self._move_at_last()

    def tick(self, connection: Connection) -> Mark | None:
        """Move on in the transaction of a sender, once a second at most; what is to be attested after its commit."""
        if self._file is None or self._clock() - self._moved < _SECONDS:
            return None
        return self._advance(connection)

    def attest(self, mark: Mark | None) -> None:
        """Write down what was committed, or what could not be written before; raises `WitnessTrouble`."""
        if self._file is None or (mark is None and self._owed is None):
            return
        with self._writing:
            mark = mark or self._owed
            if mark is None or mark.sequence <= self._written:  # somebody who came later was quicker
                return
            self._owed = mark
            write_mark(self._file, mark)
            self._written, self._owed = mark.sequence, None

    def attest_soon(self, mark: Mark | None) -> None:
        """Write down what was committed beside the sender, which is not kept waiting for the disk.

        Raises `WitnessTrouble` while that fails, from the next call on.
        """
        if self._failed:
            self.attest(None)
            self._failed = False
        if mark is not None:
            threading.Thread(target=self._attest_beside, args=(mark,), name="witness").start()

    def _attest_beside(self, mark: Mark) -> None:
        try:
            self.attest(mark)
        except WitnessTrouble:
            self._failed = True  # the next turn tries again, and says why

    def _move(self) -> None:
        with self._engine.begin() as connection:
            mark = self._advance(connection)
        self.attest(mark)

    def _move_at_last(self) -> None:
        """Move on after the mail: what cannot be written now is when the next is to be handed over."""
        try:
            self._move()
        except (SQLAlchemyError, WitnessTrouble) as trouble:
            _log.warning("the witness could not be moved on: %s", trouble)

    def _advance(self, connection: Connection) -> Mark:
        self._moved = self._clock()
        row = connection.execute(_ADVANCE).one_or_none()
        if row is None or row.name != self._name:
            raise Held(Why.OTHER, self._file or Path())
        if row.held:
            raise Held(row.held, self._file or Path())
        if row.sequence <= self._written:  # it was restored while we were at work
            raise Held(Why.AHEAD, self._file or Path())
        return Mark(row.name, row.sequence)


def _examine(engine: Engine, file: Path) -> tuple[Mark, Mark | None]:
    """What the row, which is made where there is none, and the file say; raises `Held`, which the row then keeps."""
    witness = read_mark(file)  # before the row, which it never overtakes
    with Session(engine) as session:
        row = session.get(WitnessRow, _ONLY_ROW)
        found = Mark(row.name, row.sequence) if row else None
        row = row or WitnessRow(id=_ONLY_ROW, name=secrets.token_hex(16), sequence=0)
        row.held = why = row.held or judge(found, witness) or ""
        mark = Mark(row.name, row.sequence)
        session.add(row)
        session.commit()
    if why:
        raise Held(why, file)
    return mark, witness
