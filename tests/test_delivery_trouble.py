"""What a machine can do wrong in mid-send: the database full, locked or restarted, a clock set back, a worker stalled.

Nobody is lost and nobody is doubled.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from mail_servers import aiosmtpd_server
from postgres import Server, find_programs, running_server
from pydantic import SecretStr
from sending import Hand, add_readers, hand_over, plan, take_in_issue
from sqlalchemy import event, text
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.control import MailingState, finish
from newsletter.delivery.counts import Counts
from newsletter.delivery.lane import CLAIM_SECONDS
from newsletter.delivery.models import Mailing
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial.dispatch import standing
from newsletter.settings import Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate

SLUG = "2026-03-09"
READERS = 60
ISSUE = """# 示例日报 (2026-03-09)

**政策与监管**

- **示例市公布数据细则**
  说明：细则写明哪些数据可以授权。
"""


class Mailbox:
    """Takes every message, does what a test wants once it has so many, and answers at length."""

    def __init__(self, after: int, act: Callable[[], None]) -> None:
        self.taken: Counter[str] = Counter()
        self._after = after
        self._act = act

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.update(envelope.rcpt_tos)
        if self.taken.total() == self._after:
            self._act()
        return "250 2.0.0 " + "taken " * 70  # so that the log of it needs room


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    make_ready(newsletter)
    return newsletter


def make_ready(newsletter: Newsletter) -> None:
    """An approved issue, readers of it, three connections."""
    take_in_issue(newsletter, ISSUE)
    add_readers(newsletter, READERS)
    newsletter.settings.connections = 3


def send_until(newsletter: Newsletter, after: int, act: Callable[[], None]) -> tuple[Counter[str], Counts]:
    """Send everything, with something happening in the middle; what the server took, and the counts in the end."""
    mailbox = Mailbox(after, act)
    with aiosmtpd_server(mailbox) as server:
        newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        _, counts = hand_over(newsletter, SLUG)
    return mailbox.taken, counts


def assert_everybody_once(taken: Counter[str], counts: Counts) -> None:
    assert taken == {f"reader{number}@example.org": 1 for number in range(READERS)}
    assert (counts.accepted, counts.candidates) == (READERS, READERS)


class Disk:
    """The disk under a database file, full or not, as the connections to it see it."""

    def __init__(self, newsletter: Newsletter) -> None:
        self._connections: list[Any] = []
        self._full = False
        event.listen(newsletter.engine, "connect", self._opened)
        newsletter.engine.dispose()

    def fill(self) -> None:
        """Let the file grow no more."""
        self._full = True
        for connection in self._connections:
            self._tell(connection)

    def make_room(self) -> None:
        """Let it grow again."""
        self._full = False
        for connection in self._connections:
            self._tell(connection)

    def set_patience(self, milliseconds: int) -> None:
        """Say how long a connection waits for a lock."""
        for connection in self._connections:
            connection.execute(f"PRAGMA busy_timeout = {milliseconds}")

    def _opened(self, connection: Any, _record: object) -> None:
        self._connections.append(connection)
        self._tell(connection)

    def _tell(self, connection: Any) -> None:
        with suppress(sqlite3.ProgrammingError):  # it is closed
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages if self._full else 4294967294}")


@pytest.fixture
def disk(newsletter: Newsletter) -> Disk:
    return Disk(newsletter)


def test_outcomes_survive_a_full_disk_and_are_written_when_there_is_room(
    ready: Newsletter, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    plan(ready, SLUG)

    def fill_for_a_second() -> None:
        disk.fill()
        threading.Timer(1, disk.make_room).start()

    assert_everybody_once(*send_until(ready, 10, fill_for_a_second))
    assert "full" in caplog.text


def test_while_the_outcomes_cannot_be_written_nothing_more_is_handed_over(ready: Newsletter, disk: Disk) -> None:
    plan(ready, SLUG)
    mailboxes: list[Mailbox] = []
    while_full: list[int] = []

    def fill_for_a_while() -> None:
        disk.fill()
        threading.Timer(1.5, make_room).start()

    def make_room() -> None:
        while_full.append(mailboxes[0].taken.total())
        disk.make_room()

    mailboxes.append(Mailbox(10, fill_for_a_while))
    with aiosmtpd_server(mailboxes[0]) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        hand_over(ready, SLUG)
    # what was in hand may still go, two for each connection, and whoever fits into the pages that are left
    assert while_full[0] < READERS
    assert set(mailboxes[0].taken.values()) == {1}


def test_a_locked_database_holds_the_send_up_and_loses_nothing(
    ready: Newsletter, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    plan(ready, SLUG)
    other = open_engine(ready.settings.database_url)
    holding = other.connect()

    def lock() -> None:
        disk.set_patience(50)
        begun = holding.begin()  # with the right to write, as always
        threading.Timer(1, begun.rollback).start()

    assert_everybody_once(*send_until(ready, 10, lock))
    assert "locked" in caplog.text
    holding.close()
    other.dispose()


@pytest.mark.both_databases
def test_a_clock_that_is_set_back_in_the_middle_changes_nothing(ready: Newsletter) -> None:
    back = [timedelta()]
    honest = ready.clock
    ready.clock = lambda: honest() - back[0]  # type: ignore[method-assign]  # an attribute that holds a function

    def set_back() -> None:
        back[0] = timedelta(hours=3)

    plan(ready, SLUG)
    taken, counts = send_until(ready, 10, set_back)
    # their time has not come yet by the new clock: they wait, and are sent when it has
    assert set(taken.values()) == {1}
    assert counts.accepted == taken.total()
    back[0] = timedelta()
    again, counts = send_until(ready, 0, lambda: None)
    assert_everybody_once(taken + again, counts)


@pytest.mark.both_databases
def test_a_worker_that_was_believed_dead_and_comes_back_writes_the_truth(ready: Newsletter) -> None:
    plan(ready, SLUG)
    stalled, other = Hand(ready), Hand(ready)
    on_the_wire, made_ready = stalled.take(2)
    stalled.seat.leave()  # the database lost sight of it
    assert other.ledger.release(ready.clock(), []) == 2
    assert count(ready).unknown == 2
    stalled.settle(on_the_wire, Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "ok"))
    stalled.settle(made_ready, None)
    counts = count(ready)
    assert (counts.accepted, counts.unknown, counts.queued) == (1, 0, READERS - 1)


@pytest.mark.both_databases
@pytest.mark.parametrize("outcome", [None, Outcome(Verdict.LATER, Stage.RCPT, 450, "later")])
def test_a_mailing_that_ended_without_a_worker_who_comes_back_runs_again(
    ready: Newsletter, outcome: Outcome | None
) -> None:
    plan(ready, SLUG)
    stalled, other = Hand(ready), Hand(ready)
    *_, last = stalled.take(READERS)
    stalled.seat.leave()
    assert other.ledger.release(ready.clock(), []) == READERS
    with ready.session() as session:
        assert finish(session, 1)
    stalled.settle(last, outcome)
    with ready.reading() as session:
        assert session.exec(select(Mailing.state)).one() == MailingState.RUNNING


@pytest.mark.both_databases
def test_what_was_given_to_another_meanwhile_is_not_written_over(ready: Newsletter) -> None:
    plan(ready, SLUG)
    stalled, other = Hand(ready), Hand(ready)
    (row,) = stalled.take(1)
    stalled.seat.leave()
    other.ledger.release(ready.clock(), [])
    with ready.session() as session:
        session.execute(text("UPDATE delivery SET state = 'queued', claim = NULL WHERE state = 'unknown'"))
    (again,) = other.take(1)
    assert again.delivery_id == row.delivery_id
    stalled.settle(row, Outcome(Verdict.REFUSED, Stage.RCPT, 550, "no such user"))
    other.settle(again, Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "ok"))
    assert (count(ready).accepted, count(ready).failed) == (1, 0)


@pytest.mark.both_databases
def test_a_row_whose_claim_is_old_is_claimed_anew_before_it_is_handed_over(ready: Newsletter) -> None:
    moments: list[datetime] = []
    honest = ready.clock
    ahead = [timedelta()]
    ready.clock = lambda: honest() + ahead[0]  # type: ignore[method-assign]  # an attribute that holds a function

    def stall() -> None:
        moments.append(ready.clock())
        ahead[0] = timedelta(seconds=CLAIM_SECONDS + 1)  # as if the process had slept

    plan(ready, SLUG)
    taken, counts = send_until(ready, 10, stall)
    assert_everybody_once(taken, counts)
    with ready.reading() as session:
        oldest = session.execute(text("SELECT max(claimed_at) FROM delivery")).scalar()
    assert oldest is not None and moments


@pytest.fixture
def own_server() -> Iterator[Server]:
    if find_programs() is None:
        pytest.skip("PostgreSQL is not installed: `make system` brings it")
    with running_server() as server:
        yield server


@pytest.mark.parametrize("how", ["restart", "crash"])
def test_a_restart_of_postgresql_in_the_middle_loses_and_doubles_nobody(
    own_server: Server, settings: Settings, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = own_server.create_database()
    settings.database_url = own_server.url(name)
    migrate(open_engine(settings.database_url))
    newsletter = Newsletter(settings)
    with newsletter.session() as session:
        newsletter.topics(session).seed()
    make_ready(newsletter)
    plan(newsletter, SLUG)

    def restart() -> None:
        if how == "crash":
            own_server.kill()
            own_server.start()
        else:
            own_server.restart()

    assert_everybody_once(*send_until(newsletter, 10, restart))
    assert "cannot be written" in caplog.text
    newsletter.engine.dispose()


def count(newsletter: Newsletter) -> Counts:
    with newsletter.reading() as session:
        return standing(newsletter, newsletter.issues(session).find(SLUG)).counts
