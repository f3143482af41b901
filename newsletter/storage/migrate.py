"""Creating the database or bringing it to the present schema."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from newsletter.storage.schema import MIGRATIONS, needed_schema, present_schema


def migrate(engine: Engine) -> bool:
    """Create or upgrade every table, all or nothing; False when there was nothing to do."""
    if present_schema(engine) == needed_schema():
        return False
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
