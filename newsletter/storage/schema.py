"""Which schema a database has and which this version needs; every command asks, so without the migration tool."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from newsletter.storage.engine import DatabaseRefused
from newsletter.storage.trouble import describe, say

MIGRATIONS = Path(__file__).parent / "migrations"


def needed_schema() -> str:
    """The newest migration, by the number its file begins with."""
    return max(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def present_schema(engine: Engine) -> str | None:
    """The migration a database was brought to, or None for one without tables of ours.

    It is the first that anybody asks a database. Raises `DatabaseRefused` when it cannot be reached or lets nobody in.
    """
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            return schema_of(connection)
    except DBAPIError as trouble:
        raise DatabaseRefused(f"{describe(engine)}: {say(trouble)}") from None


def schema_of(connection: Connection) -> str | None:
    """The migration that this connection sees, or None."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def require_present_schema(engine: Engine) -> None:
    """Raise `DatabaseRefused` unless the database has the schema this version needs."""
    present = present_schema(engine)
    if present != needed_schema():
        what = "has no tables yet" if present is None else "belongs to another version of newsletter"
        raise DatabaseRefused(f"the database {describe(engine)} {what}: run `newsletter init`.")
