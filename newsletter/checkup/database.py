"""The database: reachable, of this version, made with this key; then what is particular to its kind."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from newsletter.app import Newsletter
from newsletter.checkup.findings import Finding, Verdict, ok, wrong
from newsletter.checkup.postgresql import server_checks, server_time
from newsletter.checkup.sqlite_file import file_checks, mode_checks
from newsletter.checkup.witness import witness_check
from newsletter.render.theme import ThemeError
from newsletter.settings import Settings
from newsletter.storage.engine import DatabaseRefused, open_engine, sqlite_file
from newsletter.storage.schema import require_present_schema
from newsletter.storage.trouble import say


@dataclass(slots=True)
class Database:
    """What later checks need: the newsletter when it opens, its file when it has one, its server's time."""

    newsletter: Newsletter | None = None
    file: Path | None = None
    time: datetime | None = None


def look_at_database(settings: Settings, seen: Database) -> Iterator[Finding]:
    """Look over the database without changing anything in it, noting in `seen` what there is."""
    try:
        seen.file = sqlite_file(settings.database_url)
        if seen.file is not None:
            found = list(file_checks(seen.file))
            yield from found
            if any(finding.verdict is Verdict.WRONG for finding in found):
                return  # opening it now would wait half a minute for a lock, or make a file that is not there
        yield from _opened(settings, seen)
    except DatabaseRefused as refused:
        yield _refusal("connection", str(refused))
    except DBAPIError as trouble:
        yield _refusal("connection", say(trouble))
    except sqlite3.Error as trouble:
        yield wrong("connection", f"SQLite says: {trouble}", "Look at the rights of file and folder, and at the disk.")


def _opened(settings: Settings, seen: Database) -> Iterator[Finding]:
    engine = open_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                yield from mode_checks(connection)
            else:
                seen.time = server_time(connection)
                yield from server_checks(connection)
        yield from _ours(settings, engine, seen)
    finally:
        engine.dispose()


def _ours(settings: Settings, engine: Engine, seen: Database) -> Iterator[Finding]:
    """Whether the tables are those of this version, and the key the one they were made with."""
    try:
        require_present_schema(engine)
    except DatabaseRefused as refused:
        yield _refusal("schema", str(refused))
        return
    yield ok("schema", "the one this version needs")
    try:
        seen.newsletter = Newsletter(settings)
    except DatabaseRefused as refused:
        yield _refusal("key", str(refused))
    except ThemeError:
        return  # the templates have a check of their own
    else:
        yield ok("key", "the database was made with a key of these settings")
        if seen.file is not None:
            yield witness_check(engine, seen.file)


def _refusal(name: str, words: str) -> Finding:
    """A finding from a refusal, which says what is wrong, and behind the last colon what to do."""
    what, _, advice = words.removesuffix(".").rpartition(": ")
    return wrong(name, what, f"{advice[:1].upper()}{advice[1:]}.")
