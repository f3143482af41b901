"""Insert or replace, which SQL writes differently in every database."""

from collections.abc import Collection

from sqlalchemy import Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(table: Table, dialect: str, key: Collection[str]) -> Insert:
    """An insert that replaces the row with the same `key` columns, all but its id; `dialect` is SQLAlchemy's name."""
    if dialect == "postgresql":
        statement = postgresql.insert(table)
        kept = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in (*key, "id")}
        return statement.on_conflict_do_update(index_elements=list(key), set_=kept)
    lite = sqlite.insert(table)
    return lite.on_conflict_do_update(
        index_elements=list(key),
        set_={c.name: lite.excluded[c.name] for c in table.columns if c.name not in (*key, "id")},
    )
