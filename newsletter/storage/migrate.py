"""Creating the database or bringing it to the present schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from newsletter.storage.engine import DatabaseRefused

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> bool:
    """Create or upgrade every table, all or nothing; False when there was nothing to do."""
    with engine.begin() as connection:
        if _present(connection) == _newest():
            return False
        command.upgrade(_config(connection), "head")
        return True


def require_present_schema(engine: Engine) -> None:
    """Raise `DatabaseRefused` unless the database has the schema this version needs."""
    with engine.connect().execution_options(read_only=True) as connection:
        present = _present(connection)
    if present != _newest():
        what = "has no tables yet" if present is None else "belongs to another version of newsletter"
        raise DatabaseRefused(f"the database {engine.url.render_as_string()} {what}: run `newsletter init`.")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _present(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _newest() -> str | None:
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()
