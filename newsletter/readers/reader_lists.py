"""Reader lists that the staff bring: first it is said what each line would do, then they are taken in.

In between a list is kept in the database, which is all that the processes behind the pages share: one list for each
member of the staff, for an hour.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import count, islice
from tempfile import TemporaryFile
from typing import BinaryIO

from sqlalchemy import delete, insert, or_, select
from sqlmodel import Session, col

from newsletter.app import Newsletter
from newsletter.delivery.moving_hours import move_waiting
from newsletter.readers.models import ReaderList, ReaderListPiece
from newsletter.staff import audit
from newsletter.staff.audit import Action
from newsletter.staff.rights import Actor
from subscribers.characters import shown
from subscribers.csv_file import CsvRefused, readable_csv
from subscribers.csv_import import import_csv, try_csv
from subscribers.csv_report import ImportReport, LineReport, Outcome
from subscribers.models import State

KEPT = timedelta(hours=1)
MOST_LINES = 200_000
"""What is taken in while somebody waits for the page: well under a minute. The command line takes any list."""
MOST_LINE_ENDS = 2 * MOST_LINES
"""Empty lines and those within cells take their time too; this many are refused before any is read as CSV."""
LINES_KEPT = 10_000
"""So many lines that were kept or refused are told one by one."""

_AT_WORK = timedelta(minutes=10)
"""Longer than taking in the longest list: after that whoever began it is gone."""
_SAMPLE_LINES = 5
_SAMPLE_CHARACTERS = 60
_REASON_CHARACTERS = 400
_PIECE_BYTES = 1 << 20


Told = list[int | str]
"""Number, address, outcome and reason of a line that was kept or refused, then the code and the value of the reason.

A list, since JSON gives it back as one.
"""


@dataclass(frozen=True, slots=True)
class Report:
    """What becomes of a list: how many `lines` go which way, and the first `LINES_KEPT` that are kept or refused.

    `columns` and `sample` are its header and first lines.
    """

    lines: int
    added: int
    updated: int
    unchanged: int
    kept: int
    refused: int
    without_topics: int
    ignored_columns: list[str]
    told: list[Told]
    columns: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class KeptList:
    """A list that is kept; `begun` says that it is being taken in, `done` that it was."""

    key: str
    name: str
    state: State
    begun: bool
    done: bool
    report: Report


def keep(newsletter: Newsletter, actor: Actor, name: str, file: BinaryIO, state: State) -> str:
    """Look through a list and keep it for `take_in`; gives its key. One that was kept for the same person goes.

    Raises `CsvRefused` for a file that cannot be read, and for one of more than `MOST_LINES`.
    """
    report = _look_through(newsletter, file, state)
    with newsletter.session() as session:
        now = newsletter.clock()
        purge_lists(session, now, of=actor)
        row = ReaderList(
            staff_id=actor.id, name=shown(name) or "readers.csv", state=state, made_at=now, report=asdict(report)
        )
        session.add(row)
        session.flush()
        for number, data in enumerate(_pieces(file)):
            session.execute(insert(ReaderListPiece).values(list_id=row.id, number=number, data=data))
        return row.key


def look(newsletter: Newsletter, actor: Actor, key: str) -> KeptList | None:
    """The list of that key, if it is this person's and still kept."""
    with newsletter.reading() as session:
        row = _row(newsletter, session, actor, key)
        return _kept(newsletter, row) if row else None


def take_in(newsletter: Newsletter, actor: Actor, key: str) -> KeptList | None:
    """Import a kept list, once; the lines of it are forgotten then, and its report says what became of them.

    None when it is kept no more. While somebody is at it, it is only looked at.
    """
    with newsletter.session() as session:
        row = _row(newsletter, session, actor, key, for_update=True)
        if row is None or _kept(newsletter, row).begun or row.done_at:
            return _kept(newsletter, row) if row else None
        row.begun_at = newsletter.clock()
    with newsletter.session() as session, TemporaryFile() as file:
        _unpack(session, row, file)
        report = _import(newsletter, session, row, file)
        done = session.get_one(ReaderList, row.id)
        done.done_at, done.report = newsletter.clock(), asdict(report)
        session.execute(delete(ReaderListPiece).where(col(ReaderListPiece.list_id) == row.id))
        counts = {name: getattr(report, name) for name in ("added", "updated", "unchanged", "kept", "refused")}
        audit.record(session, actor, Action.READERS_IMPORTED, row.name, newsletter.clock(), **counts, state=row.state)
    return _kept(newsletter, done)


def drop(newsletter: Newsletter, actor: Actor, key: str) -> None:
    """Forget a list that is not to be taken in."""
    with newsletter.session() as session:
        row = _row(newsletter, session, actor, key)
        if row is not None:
            purge_lists(session, newsletter.clock(), of=actor)


def purge_lists(session: Session, now: datetime, *, of: Actor | None = None) -> None:
    """Delete lists that were kept for long enough, and those of one person where somebody is named."""
    old = col(ReaderList.made_at) < now - KEPT
    gone = select(col(ReaderList.id)).where(or_(old, col(ReaderList.staff_id) == of.id) if of else old)
    session.execute(delete(ReaderListPiece).where(col(ReaderListPiece.list_id).in_(gone)))
    session.execute(delete(ReaderList).where(col(ReaderList.id).in_(gone)))


def _row(
    newsletter: Newsletter, session: Session, actor: Actor, key: str, *, for_update: bool = False
) -> ReaderList | None:
    if not key.isalnum():  # of what comes in an address, PostgreSQL takes no NUL
        return None
    since = newsletter.clock() - KEPT
    query = select(ReaderList).where(col(ReaderList.key) == key, col(ReaderList.made_at) >= since)
    query = query.where(col(ReaderList.staff_id) == actor.id)
    return session.execute(query.with_for_update() if for_update else query).scalars().first()


def _kept(newsletter: Newsletter, row: ReaderList) -> KeptList:
    at_work = row.begun_at is not None and row.begun_at > newsletter.clock() - _AT_WORK
    return KeptList(
        key=row.key,
        name=row.name,
        state=State(row.state),
        begun=at_work and row.done_at is None,
        done=row.done_at is not None,
        report=Report(**row.report),
    )


def _require_few(lines: int, most: int) -> None:
    if lines > most:
        raise CsvRefused(
            f"the list has {lines:,} lines, and a page takes at most {MOST_LINES:,}: "
            "take it in with `newsletter subscriber import`, or split it"
        )


def _look_through(newsletter: Newsletter, file: BinaryIO, state: State) -> Report:
    _require_few(_line_ends(file), MOST_LINE_ENDS)
    with readable_csv(file) as csv:
        _require_few(csv.count, MOST_LINES)
        columns = [shown(cell)[:_SAMPLE_CHARACTERS] for cell in csv.header.cells]
        sample = [
            [shown(cell)[:_SAMPLE_CHARACTERS] for cell in record.cells]
            for record in islice(csv.records(), _SAMPLE_LINES)
        ]
    told: list[Told] = []
    with newsletter.reading() as session:
        found = try_csv(
            session,
            file,
            key=newsletter.address_key,
            topics=newsletter.topics(session).catalogue(),
            zone=newsletter.settings.zone,
            state=state,
            on_line=_teller(told),
        )
    return _report(found, told, columns, sample)


def _import(newsletter: Newsletter, session: Session, row: ReaderList, file: BinaryIO) -> Report:
    told: list[Told] = []
    found = import_csv(
        session,
        file,
        key=newsletter.address_key,
        topics=newsletter.topics(session).catalogue(),
        zone=newsletter.settings.zone,
        now=newsletter.clock(),
        state=State(row.state),
        source=row.name,
        on_line=_teller(told),
        on_rhythm=lambda reader: move_waiting(session, reader, newsletter.clock()),
    )
    return _report(found, told, row.report["columns"], row.report["sample"])


def _teller(told: list[Told]) -> Callable[[LineReport], None]:
    """What writes down a line that somebody should look at."""

    def tell(line: LineReport) -> None:
        if len(told) < LINES_KEPT:
            facts = (line.reason, line.why.code, line.why.value) if line.why else ("", "", "")
            reasons = [fact[:_REASON_CHARACTERS] for fact in facts]
            told.append([line.line, line.address, str(line.outcome), *reasons])

    return tell


def _report(found: ImportReport, told: list[Told], columns: list[str], sample: list[list[str]]) -> Report:
    counts = {str(outcome): getattr(found, outcome) for outcome in Outcome}
    return Report(
        **counts,
        lines=sum(counts.values()),
        without_topics=found.without_topics,
        ignored_columns=list(found.ignored_columns),
        told=told,
        columns=columns,
        sample=sample,
    )


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    return iter(lambda: file.read(_PIECE_BYTES), b"")


def _line_ends(file: BinaryIO) -> int:
    """How many lines end in a file, as CR or LF or both."""
    feeds, returns = 0, 0
    for piece in _pieces(file):
        feeds += piece.count(b"\n")
        returns += piece.count(b"\r")
    return max(feeds, returns)


def _unpack(session: Session, row: ReaderList, file: BinaryIO) -> None:
    """Write the pieces of a list to a file, one in memory at a time."""
    data = select(col(ReaderListPiece.data)).where(col(ReaderListPiece.list_id) == row.id)
    for number in count():
        piece = session.execute(data.where(col(ReaderListPiece.number) == number)).scalar()
        if piece is None:
            return
        file.write(piece)
