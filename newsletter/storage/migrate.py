"""Creating the database or bringing it to the present schema."""

from contextlib import suppress

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect

from newsletter.storage.engine import DatabaseRefused, set_up_alone, sqlite_file
from newsletter.storage.schema import MIGRATIONS, needed_schema, present_schema, schema_of
from newsletter.storage.trouble import describe


def migrate(engine: Engine) -> bool:
    """Create or upgrade every table, all or nothing; False when there was nothing to do.

    Of several processes that do it at once, one does. Raises `DatabaseRefused` for a database that cannot be reached
    or cannot hold every character.
    """
    if file := sqlite_file(str(engine.url)):
        with suppress(OSError):  # opening it says better what is wrong
            file.touch(mode=0o600)  # readers' addresses are nobody else's business
    if present_schema(engine) == needed_schema():
        return False
    with engine.begin() as connection:
        set_up_alone(connection)
        if schema_of(connection) == needed_schema():
            return False
        _require_unicode(connection)
        _require_our_own(connection)
        command.upgrade(migration_config(connection), "head")
    return True


def migration_config(connection: Connection) -> Config:
    """What alembic's commands need to know, with the connection they shall run on."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _require_our_own(connection: Connection) -> None:
    """Refuse an SQLite file that another program made: a wrong path in a setting must not write into it."""
    if connection.dialect.name != "sqlite":
        return
    tables = inspect(connection).get_table_names()
    known = {path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")}
    if tables and schema_of(connection) not in known:
        raise DatabaseRefused(
            f"{describe(connection.engine)} belongs to another program, or to a later version of this one (it has the "
            f"table {tables[0]}): name another file in DATABASE_URL."
        )


def _require_unicode(connection: Connection) -> None:
    """A PostgreSQL cluster made in a system without a locale gives databases that know no Unicode."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise DatabaseRefused(
            f"the database {describe(connection.engine)} has the encoding {encoding}: create one with "
            "`createdb --encoding=UTF8 --template=template0`."
        )
