"""Reader lists from CSV: who is added, who is changed, who is left alone and why.

The file is read to its end before the first row is stored, so a broken one changes nothing. Then 1,000 rows go to one
commit; after an interruption the same import may run again, since it adds nobody twice.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from sqlalchemy import Row, Select, insert, update
from sqlalchemy import select as sql_select
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from subscribers.addresses import Address, AddressRefused, NameRefused, hash_address
from subscribers.characters import shown
from subscribers.csv_cells import COLUMNS, ReaderRow, RowRefused, read_row
from subscribers.csv_decision import Standing, decide
from subscribers.csv_file import CsvFile, CsvRefused, Record, readable_csv
from subscribers.csv_report import ImportReport, LineReport, Outcome, Tally, Why
from subscribers.models import Consent, State, Subscriber, Suppression, new_public_id, utc_now
from subscribers.preference_columns import columns_of, preferences_of
from subscribers.preferences import Preferences
from subscribers.topics import Catalogue

ROWS_A_COMMIT = 1000


def import_csv(
    session: Session,
    stream: BinaryIO,
    *,
    key: bytes,
    topics: Catalogue,
    now: datetime,
    zone: str | None = None,
    state: State = State.ACTIVE,
    source: str = "",
    on_progress: Callable[[int, int], None] | None = None,
    on_line: Callable[[LineReport], None] | None = None,
    on_rhythm: Callable[[int], None] | None = None,
) -> ImportReport:
    """Import a reader list and commit every `ROWS_A_COMMIT` rows; memory does not grow with the file.

    `key` is the one that `hash_address` needs; `zone` that of an hour that stands without one, which is refused where
    `zone` is None; `source`, the file's name, goes into the consent records; `on_progress`
    is called after each commit with the rows done and their total, `on_line` with every line kept or refused, and
    `on_rhythm`, within the transaction, with the id of everybody known whose mail is to come at other times.
    Raises `CsvRefused`, before anything is changed, for a file that cannot be read or lacks the column `address`.
    """
    return _run(stream, _Import(session, key, topics, now, state, source, on_rhythm, zone), on_progress, on_line)


def try_csv(
    session: Session,
    stream: BinaryIO,
    *,
    key: bytes,
    topics: Catalogue,
    zone: str | None = None,
    state: State = State.ACTIVE,
    on_line: Callable[[LineReport], None] | None = None,
) -> ImportReport:
    """Say what `import_csv` would do now; nothing is written.

    Memory grows with the file, by some 400 bytes a line: who stands twice in it is remembered. Raises `CsvRefused` as
    it does.
    """
    return _run(stream, _Trial(session, key, topics, state, zone), None, on_line)


def _run(
    stream: BinaryIO,
    run: "_Import",
    on_progress: Callable[[int, int], None] | None,
    on_line: Callable[[LineReport], None] | None,
) -> ImportReport:
    with readable_csv(stream) as file:
        columns, ignored = _columns(file)
        tally = Tally(on_line)
        records = file.records()
        done = 0
        while chunk := list(islice(records, ROWS_A_COMMIT)):
            tally.add(run.take(columns, chunk))
            done += len(chunk)
            if on_progress:
                on_progress(done, file.count)
    return tally.report(run.without_topics, ignored)


def _columns(file: CsvFile) -> tuple[dict[str, int], tuple[str, ...]]:
    """Find where the known columns stand, and which others there are."""
    names = [cell.strip("\ufeff \t\u3000").casefold() for cell in file.header.cells]
    if "address" not in names:
        found = ", ".join(shown(name) for name in names)
        raise CsvRefused(
            f"line {file.header.line}: no column is called address, only: {found}; the first line names the columns, "
            "separated by commas"
        )
    for name in COLUMNS:
        if names.count(name) > 1:
            raise CsvRefused(f"line {file.header.line}: two columns are called {name}: rename or remove one")
    known = {name: names.index(name) for name in COLUMNS if name in names}
    return known, tuple(shown(name) for name in names if name and name not in COLUMNS)


class _Import:
    """One import under way: stores a chunk of records at a time and says what became of each."""

    def __init__(
        self,
        session: Session,
        key: bytes,
        topics: Catalogue,
        now: datetime,
        least: State,
        source: str,
        on_rhythm: Callable[[int], None] | None = None,
        zone: str | None = None,
    ) -> None:
        self._session = session
        self._key = key
        self._topics = topics
        self._now = now
        self._least = least
        self._source = source
        self._on_rhythm = on_rhythm
        self._zone = zone
        self.without_topics = 0

    def take(self, columns: Mapping[str, int], records: Sequence[Record]) -> list[LineReport]:
        """Store a chunk for good."""
        try:
            with self._session.begin_nested():
                lines = self._store(columns, records)
        except IntegrityError:  # somebody else added one of these people since we looked
            with self._session.begin_nested():
                lines = self._store(columns, records)
        self._session.commit()
        return lines

    def _store(self, columns: Mapping[str, int], records: Sequence[Record]) -> list[LineReport]:
        lines: list[LineReport] = []
        rows = list(self._readable(columns, records, lines))
        addresses = {row.address.key: row.address for _, row in rows}
        before = self._standings(addresses)
        suppressed = self._suppressed(addresses.values())
        after: dict[str, Standing] = dict(before)
        for line, row in rows:
            who = row.address.key
            standing, outcome, why = decide(
                after.get(who), row, suppressed=who in suppressed, least=self._least, zone=self._zone
            )
            if standing is not None:
                after[who] = standing
            lines.append(LineReport(line, row.address.display, outcome, why))
        self.without_topics += sum(not after[who].preferences.topics for who in after.keys() - before.keys())
        self._write(addresses, before, after)
        return lines

    def _write(
        self, addresses: Mapping[str, Address], before: Mapping[str, Standing], after: Mapping[str, Standing]
    ) -> None:
        self._insert([(addresses[who], standing) for who, standing in after.items() if who not in before])
        self._update([(old, after[who]) for who, old in before.items() if after[who] != old])

    def _readable(
        self, columns: Mapping[str, int], records: Sequence[Record], refused_lines: list[LineReport]
    ) -> Iterator[tuple[int, ReaderRow]]:
        for record in records:
            cells = {name: record.cells[at] for name, at in columns.items() if at < len(record.cells)}
            try:
                yield record.line, read_row(cells, self._topics)
            except (AddressRefused, NameRefused, RowRefused) as refused:
                address = shown(cells.get("address", ""))
                why = Why(refused.code, str(refused), refused.value)
                refused_lines.append(LineReport(record.line, address, Outcome.REFUSED, why))

    def _standings(self, keys: Collection[str]) -> dict[str, Standing]:
        """Look up who is known of these, and keep others from moving them until the commit, lest we undo it."""
        rows = self._session.execute(_of(keys).with_for_update(key_share=True))
        return _standings(rows)

    def _suppressed(self, addresses: Collection[Address]) -> set[str]:
        keys = {hash_address(address, self._key): address.key for address in addresses}
        column = col(Suppression.address_key_hash)
        return {keys[found] for found in self._session.execute(sql_select(column).where(column.in_(keys))).scalars()}

    def _insert(self, people: Sequence[tuple[Address, Standing]]) -> None:
        if not people:
            return
        rows = [self._new_row(address, standing) for address, standing in people]
        self._session.execute(insert(Subscriber), rows)
        states = {row["public_id"]: row["state"] for row in rows}
        column = col(Subscriber.public_id)
        stored = self._session.execute(sql_select(col(Subscriber.id), column).where(column.in_(states)))
        self._consent([(row.id, str(states[row.public_id])) for row in stored])

    def _new_row(self, address: Address, standing: Standing) -> dict[str, Any]:
        return {
            "public_id": new_public_id(),
            "address": address.display,
            "ascii_address": address.ascii,
            "address_key": address.key,
            "address_hash": hash_address(address, self._key),
            "name": standing.name,
            "state": standing.state,
            "paused_until": None,
            "created_at": self._now,
            "updated_at": self._now,
            **columns_of(standing.preferences),
        }

    def _update(self, changes: Sequence[tuple[Standing, Standing]]) -> None:
        for old, new in changes:
            values = {"name": new.name, "updated_at": self._now, **columns_of(new.preferences)}
            if new.state is not old.state:
                values |= {"state": new.state, "paused_until": None}
            self._session.execute(update(Subscriber).where(col(Subscriber.id) == old.id).values(values))
            if self._on_rhythm and old.id is not None and new.preferences.rhythm != old.preferences.rhythm:
                self._on_rhythm(old.id)
        self._consent([(old.id, f"{old.state} to {new.state}") for old, new in changes if new.state is not old.state])

    def _consent(self, said: Sequence[tuple[int | None, str]]) -> None:
        if said:
            common = {"at": self._now, "kind": "import", "source": self._source}
            rows = [{"subscriber_id": who, "detail": detail, **common} for who, detail in said]
            self._session.execute(insert(Consent), rows)


class _Trial(_Import):
    """An import that writes nothing: what it would have written it remembers, for those who stand in the file again."""

    def __init__(self, session: Session, key: bytes, topics: Catalogue, least: State, zone: str | None) -> None:
        super().__init__(session, key, topics, utc_now(), least, "", zone=zone)
        self._remembered: dict[str, Standing] = {}
        self._choices: dict[Preferences, Preferences] = {}

    def take(self, columns: Mapping[str, int], records: Sequence[Record]) -> list[LineReport]:
        """Say what storing a chunk would come to."""
        return self._store(columns, records)

    def _standings(self, keys: Collection[str]) -> dict[str, Standing]:
        there = _standings(self._session.execute(_of(keys)))
        return there | {key: self._remembered[key] for key in keys if key in self._remembered}

    def _write(
        self, addresses: Mapping[str, Address], before: Mapping[str, Standing], after: Mapping[str, Standing]
    ) -> None:
        for who, standing in after.items():
            if before.get(who) != standing:
                # many people make the same choices: each is kept once
                choices = self._choices.setdefault(standing.preferences, standing.preferences)
                self._remembered[who] = replace(standing, preferences=choices)


def _of(keys: Collection[str]) -> Select[Any]:
    table = Subscriber.__table__.columns  # type: ignore[attr-defined]  # SQLModel adds it to table classes
    return sql_select(*table).where(col(Subscriber.address_key).in_(keys)).order_by(col(Subscriber.id))


def _standings(rows: Iterable[Row[Any]]) -> dict[str, Standing]:
    return {row.address_key: Standing(row.id, row.name, row.state, preferences_of(row)) for row in rows}
