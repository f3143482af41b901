"""Run the migrations on the connection that `newsletter.storage.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel


def _ours(_item: object, name: str | None, kind: str, reflected: bool, _counterpart: object) -> bool:
    """Leave alone the tables of the work engine, which on SQLite lie in the same file."""
    return not (kind == "table" and reflected and name not in SQLModel.metadata.tables)


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    include_object=_ours,
    render_as_batch=True,  # SQLite cannot alter a table: alembic copies it
    user_module_prefix="",
)
with context.begin_transaction():
    context.run_migrations()
