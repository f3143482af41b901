"""Statements that run for every few messages: text and conversions are worked out once, not each time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine
from sqlmodel import UTCDateTime

_Convert = Callable[[Any], Any]
_KEPT_MOMENTS = 1024


class Prepared:
    """One of SQLAlchemy's statements, compiled when a database first needs it; values are converted as it would.

    `columns` are those an insert fills; lists of values for an IN cannot be prepared. What goes wrong is raised as
    SQLAlchemy raises it.
    """

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._texts: dict[str, _Text] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> int:
        """Run it for each of these rows of values; how many rows of the table it changed."""
        if not rows:
            return 0
        text = self._text(connection.dialect)
        values = [text.values(row) for row in rows]
        with _cursor(connection, text.sql) as cursor:
            cursor.executemany(text.sql, values)
            return int(cursor.rowcount)

    def select(self, connection: Connection, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """The rows it finds, as tuples."""
        text = self._text(connection.dialect)
        with _cursor(connection, text.sql) as cursor:
            cursor.execute(text.sql, text.values(values))
            return [text.result(row) for row in cursor.fetchall()]

    def plan(self, connection: Connection, values: Mapping[str, object]) -> list[tuple[Any, ...]]:
        """How the database would go about a query with these values: the rows of its own EXPLAIN."""
        text = self._text(connection.dialect)
        sql = f"EXPLAIN {'QUERY PLAN' if connection.dialect.name == 'sqlite' else '(COSTS OFF)'} {text.sql}"
        with _cursor(connection, sql) as cursor:
            cursor.execute(sql, text.values(values))
            return list(cursor.fetchall())

    def _text(self, dialect: Dialect) -> "_Text":
        if dialect.name not in self._texts:
            compiled = self._statement.compile(dialect=dialect, column_keys=self._columns)  # type: ignore[attr-defined]  # every statement has it
            self._texts[dialect.name] = _Text(compiled, dialect)
        return self._texts[dialect.name]


@contextmanager
def _cursor(connection: Connection, sql: str) -> Iterator[DBAPICursor]:
    """A cursor of the driver's own; what goes wrong on it is raised as SQLAlchemy raises it."""
    dialect, raw = connection.dialect, connection.connection.dbapi_connection
    error = dialect.loaded_dbapi.Error
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except error as reason:
        lost = dialect.is_disconnect(reason, raw, cursor)
        if lost:
            connection.invalidate(reason)
        raised = DBAPIError.instance(
            sql, None, reason, error, hide_parameters=True, connection_invalidated=lost, dialect=dialect
        )
        raise raised from reason
    finally:
        with suppress(error):
            cursor.close()


class _Text:
    """A statement in the words of one database."""

    def __init__(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        self.sql = str(compiled)
        self._constants = compiled.params
        self._positional = compiled.positional
        names = compiled.positiontup or list(compiled.bind_names.values())
        self._binds = [(name, _binder(compiled.binds[name].type, dialect)) for name in names]
        # SQLAlchemy knows a result's columns by what stands in the statement; other statements have none
        columns = getattr(compiled.statement, "selected_columns", ())
        self._results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]

    def values(self, row: Mapping[str, object]) -> Any:
        """Values as the driver takes them: a tuple or a dictionary."""
        row = {**self._constants, **row}
        if self._positional:
            return tuple([row[name] if convert is None else convert(row[name]) for name, convert in self._binds])
        return {name: row[name] if convert is None else convert(row[name]) for name, convert in self._binds}

    def result(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """A row of the driver's with SQLAlchemy's values."""
        pairs = zip(row, self._results, strict=True)
        return tuple([value if convert is None else convert(value) for value, convert in pairs])


def _binder(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    """What makes a value the driver's; of moments it keeps the last ones, for the rows of a mailing share a few."""
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None or not isinstance(kind, UTCDateTime):
        return convert
    kept = lru_cache(_KEPT_MOMENTS)(convert)
    # in other zones two moments of a night are equal that are an hour apart (PEP 495)
    return lambda moment: kept(moment) if moment is None or moment.tzinfo is UTC else convert(moment)
