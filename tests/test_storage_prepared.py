"""A prepared statement gives what SQLAlchemy gives for the same statement and the same values."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from newsletter.storage.prepared import Prepared
from subscribers.models import State, Subscriber

pytestmark = pytest.mark.both_databases

_PEOPLE = Subscriber.__table__  # type: ignore[attr-defined]
_NOW = datetime(2026, 3, 9, 8, 30, 15, 250_000, tzinfo=UTC)
_ADD = insert(_PEOPLE)
_CHANGE = (
    update(_PEOPLE)
    .where(_PEOPLE.c.public_id == bindparam("who"))
    .values(name=bindparam("new_name"), state=State.PAUSED, paused_until=bindparam("until"))
)
_FIND = select(_PEOPLE.c.name, _PEOPLE.c.state, _PEOPLE.c.topics, _PEOPLE.c.paused_until, _PEOPLE.c.created_at).where(
    _PEOPLE.c.name == bindparam("name")
)


def person(public_id: str, name: str) -> dict[str, object]:
    return {
        "public_id": public_id,
        "name": name,
        "state": State.ACTIVE,
        "topics": ["policy", "产业"],
        "frequency": "daily",
        "language": "zh",
        "follow": [],
        "mute": [],
        "format": "html",
        "created_at": _NOW,
        "updated_at": _NOW,
    }


def test_it_writes_and_reads_the_same_values_as_sqlalchemy(engine: Engine) -> None:
    rows = [person("a", "读者 %s ? :name"), person("b", "读者")]
    with engine.begin() as connection:
        Prepared(_ADD, columns=list(rows[0])).run(connection, rows)
        Prepared(_CHANGE).run(connection, [{"who": "a", "new_name": "甲", "until": _NOW}])
        for name in ("甲", "读者"):
            found = Prepared(_FIND).select(connection, {"name": name})
            assert found == [tuple(row) for row in connection.execute(_FIND, {"name": name})]
            assert len(found) == 1
        assert Prepared(_FIND).select(connection, {"name": "甲"})[0][1:] == (
            State.PAUSED,
            ["policy", "产业"],
            _NOW,
            _NOW,
        )


def test_what_the_database_refuses_is_raised_as_by_sqlalchemy(engine: Engine) -> None:
    rows = [person("a", "甲"), person("a", "乙")]
    with pytest.raises(IntegrityError), engine.begin() as connection:
        Prepared(_ADD, columns=list(rows[0])).run(connection, rows)
