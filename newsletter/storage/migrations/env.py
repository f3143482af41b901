"""Run the migrations on the connection that `newsletter.storage.migrate` hands over."""

from alembic import context
from sqlmodel import SQLModel

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite cannot alter a table: alembic copies it
    user_module_prefix="",
)
with context.begin_transaction():
    context.run_migrations()
