"""How the databases go about the queries of a round: by an index each, never through a table.

`PLANS=write .venv/bin/pytest tests/test_rhythm_queries.py` writes the plans into docs/explanation/rhythm.md.
"""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sending import SLUG, Hand, plan, take_in_issue
from sqlalchemy import Connection, event, insert, text
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery import claims
from newsletter.delivery.models import Appointment, Delivery, Mailing
from newsletter.delivery.outcome import State
from newsletter.editorial.outbox import open_outbox
from newsletter.editorial.rounds import QUERIES, Rounds
from newsletter.editorial.timetable import slot_key
from newsletter.storage.models import IssueRow
from newsletter.storage.prepared import Prepared
from subscribers.models import Subscriber, Suppression

PAGE = Path(__file__).parents[1] / "docs/explanation/rhythm.md"
NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
READERS, OLD, FAITHFUL = 4_000, 2_000, 5
LARGE = re.compile(
    r"(^SCAN|Seq Scan on) (delivery|subscriber|suppression|mailing|issue)\b"
    r"|(^SCAN|Seq Scan on) appointment\b(?! USING)"  # along its index one goes as far as the first that is sought
    r"|ix_delivery_left on delivery[^\n]*\n(?! *Index Cond: \(*mailing_id = )",
    re.MULTILINE,
)
"""A walk through a whole table, or through the index that has the mailing first without naming one."""
ALL = QUERIES | {"claiming rows of an hour": claims._due_outside(frozenset(), of_wave=True)}
VALUES = {
    "mailing": 1,
    "wave": NOW,
    "after": 1,
    "state": State.IN_HAND,
    "at": NOW,
    "since": NOW - timedelta(days=1),
    "waiting": State.QUEUED,
    "first": 1,
    "last": 50_000,
    "most": 20,
}


@pytest.fixture
def crowded(newsletter: Newsletter) -> Newsletter:
    """A newsletter with years of mailings and some thousand readers, who wait for the newest one."""
    take_in_issue(newsletter)
    with newsletter.session() as session:
        session.execute(insert(Subscriber), [_reader(number) for number in range(READERS)])
    plan(newsletter, SLUG)
    with newsletter.session() as session:
        (mailing,) = session.exec(select(Mailing)).all()
        old = [IssueRow(slug=f"old-{number}", title="", date=NOW.date(), created_at=NOW) for number in range(OLD)]
        session.add_all(old)
        session.flush()
        kept = mailing.model_dump(exclude={"id", "key", "issue_id", "state"})
        finished = [Mailing(**kept, key=f"old {one.id}", issue_id=one.id, state="finished") for one in old]
        session.add_all(finished)
        session.flush()
        row = session.exec(select(Delivery)).first()
        assert row
        had = row.model_dump(exclude={"id", "mailing_id", "subscriber_id", "state"}) | {"state": State.ACCEPTED}
        readers = session.exec(select(Subscriber.id).order_by(col(Subscriber.id)).limit(FAITHFUL)).all()
        whose = ({"mailing_id": one.id, "subscriber_id": reader} for one in finished for reader in readers)
        session.execute(insert(Delivery), [had | one for one in whose])
        moments = (NOW - timedelta(days=day) for day in range(1, OLD))
        gone = (f"{number:064x}" for number in range(READERS))
        session.add_all([Suppression(address_key_hash=one, reason="bounce", created_at=NOW) for one in gone])
        session.add_all([Appointment(key=slot_key(at), at=at, state="started", made_at=at) for at in moments])
    with newsletter.session() as session:
        session.execute(text("ANALYZE"))
    return newsletter


@pytest.fixture
def plans(crowded: Newsletter) -> dict[str, list[str]]:
    """How this database goes about each query, line by line."""
    with crowded.session() as session:
        return {name: _lines(query, session.connection()) for name, query in ALL.items()}


def _reader(number: int) -> dict[str, object]:
    address = f"reader{number}@example.org"
    known = dict.fromkeys(("address", "ascii_address", "address_key", "address_hash"), address)
    return {**known, "topics": ["policy"], "zone": "Asia/Tokyo", "hour": number % 24}


def _lines(query: Prepared, connection: Connection) -> list[str]:
    rows = query.plan(connection, VALUES)
    return [re.sub(r"'[^']*'::timestamp[a-z ]*", ":moment", str(row[-1])) for row in rows]


@pytest.mark.both_databases
def test_no_query_of_a_round_goes_through_a_table(plans: dict[str, list[str]]) -> None:
    through = [line for lines in plans.values() for line in lines if re.search(r"^SCAN|Seq Scan", line.strip())]
    assert through == []


@pytest.mark.both_databases
def test_nothing_that_a_worker_asks_each_minute_goes_through_a_large_table(crowded: Newsletter) -> None:
    crowded.settings.slot, crowded.settings.unknown = "08:00", "resend"
    with open_outbox(crowded, patient=True) as outbox:
        Rounds(crowded, outbox).make_round()  # writes down what comes today
    statements: dict[str, Any] = {}

    @event.listens_for(crowded.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, sql: str, values: object, *_: object) -> None:
        statements[sql] = values

    with open_outbox(crowded, patient=True) as outbox:
        Rounds(crowded, outbox).make_round()
    Hand(crowded).ledger.release(crowded.clock(), [])
    event.remove(crowded.engine, "before_cursor_execute", note)
    asked = {sql: values for sql, values in statements.items() if re.match(r"SELECT|UPDATE|DELETE|WITH", sql)}
    assert any("delivery.claim" in sql for sql in asked)
    explain = "EXPLAIN QUERY PLAN" if crowded.engine.dialect.name == "sqlite" else "EXPLAIN"
    through = []
    with crowded.engine.connect() as connection:
        for sql, values in asked.items():
            plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(f"{explain} {sql}", values))
            through += [f"{sql}\n{plan}"] if LARGE.search(plan) else []
    assert "\n\n".join(through) == ""


@pytest.mark.both_databases
def test_the_page_shows_a_plan_of_each_query(plans: dict[str, list[str]], newsletter: Newsletter) -> None:
    name = newsletter.engine.dialect.name
    page = PAGE.read_text("utf-8")
    marks = rf"(?<=<!-- plans {name} -->\n).*?(?=<!-- end -->)"
    if os.environ.get("PLANS") == "write":
        shown = "".join(f"{what}:\n\n```\n" + "\n".join(lines) + "\n```\n\n" for what, lines in plans.items())
        PAGE.write_text(re.sub(marks, lambda _: shown, page, count=1, flags=re.DOTALL), "utf-8")
        return
    found = re.search(marks, page, re.DOTALL)
    assert found
    assert re.findall(r"^([a-z].*):\n\n```", found[0], re.MULTILINE) == list(plans)  # versions word them differently
