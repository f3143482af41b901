"""Full-text search: one door for both databases, which only ever see words that we made ourselves.

SQLite keeps the words of a story as a text of its FTS5 table, PostgreSQL as a `tsvector` made of the words as they are.
Neither reads any syntax of the person who searches: the words hold letters and digits alone.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Select, Text, bindparam, cast, column, delete, func, insert, literal_column, select, table
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY
from sqlmodel import Session

from newsletter.archive.words import wanted, words

_LITE = table("archived_words", column("rowid"), column("words"))
_POSTGRES = table("archived_words", column("id"), column("words"))


def remember(session: Session, texts: Mapping[int, str]) -> None:
    """Write down the words of stories, by the ids of their rows in `archived_story`; the caller commits."""
    if not texts:
        return
    if _is_postgresql(session):
        found = func.array_to_tsvector(cast(bindparam("found"), ARRAY(Text)))
        rows = [{"key": key, "found": list(words(text))} for key, text in texts.items()]
        session.execute(insert(_POSTGRES).values(id=bindparam("key"), words=found), rows)
        return
    session.execute(insert(_LITE), [{"rowid": key, "words": " ".join(words(text))} for key, text in texts.items()])


def forget(session: Session, keys: Collection[int]) -> None:
    """Forget the words of the stories with these row ids; the caller commits."""
    key, source = (_POSTGRES.c.id, _POSTGRES) if _is_postgresql(session) else (_LITE.c.rowid, _LITE)
    session.execute(delete(source).where(key.in_(keys)))


def matching(session: Session, text: str) -> Select[tuple[int]] | None:
    """A query for the row ids of the stories that have every word of a text; None when there is no word in it."""
    asked = wanted(text)
    if not asked:
        return None
    if _is_postgresql(session):
        query = " & ".join(f"'{word}'" for word in asked)
        return select(_POSTGRES.c.id).where(_POSTGRES.c.words.op("@@", is_comparison=True)(cast(query, TSQUERY)))
    query = " ".join(f'"{word}"' for word in asked)
    return select(_LITE.c.rowid).where(literal_column("archived_words").op("MATCH", is_comparison=True)(query))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
