"""Rounds find what is to be done, and a worker process does it by itself."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from queue import Queue
from threading import Event
from typing import Any

import pytest
from mail_servers import SlowMailbox, aiosmtpd_server
from pydantic import SecretStr
from sending import ISSUE, SLUG, Clock, Hand, add_readers, plan, take_in_issue
from sqlalchemy import inspect, text
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery import control
from newsletter.delivery import plan as planning
from newsletter.delivery.claims import Range
from newsletter.delivery.counts import Counts, count
from newsletter.delivery.engine import Due, Engine
from newsletter.delivery.models import Mailing
from newsletter.delivery.outcome import Outcome, Stage, Verdict
from newsletter.editorial import rounds
from newsletter.editorial.dispatch import begin
from newsletter.editorial.outbox import Outbox, open_outbox
from newsletter.editorial.rounds import Rounds
from newsletter.settings import PREFIX, Settings
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate
from newsletter.storage.seat import is_anybody_there

READERS = 10
ACCEPTED = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
LATER = Outcome(Verdict.LATER, Stage.RCPT, 451, "4.7.1 later")


@pytest.fixture
def ready(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> Newsletter:
    """An approved issue, ten readers, and jobs of four rows."""
    monkeypatch.setattr(rounds, "ROWS_PER_JOB", 4)
    newsletter.clock = Clock()
    newsletter.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=never")
    take_in_issue(newsletter)
    add_readers(newsletter, READERS)
    return newsletter


@pytest.fixture
def outbox(ready: Newsletter) -> Iterator[Outbox]:
    with open_outbox(ready, patient=True) as outbox:
        yield outbox


def clock(newsletter: Newsletter) -> Clock:
    assert isinstance(newsletter.clock, Clock)
    return newsletter.clock


def state(newsletter: Newsletter) -> str:
    with newsletter.reading() as session:
        return session.exec(select(Mailing.state)).one()


def parts(newsletter: Newsletter) -> list[Range]:
    """The parts of the one mailing, whose readers all get it at its release."""
    with newsletter.reading() as session:
        release = session.exec(select(Mailing.due)).one()
    return [Range(1, first, first + 3, release) for first in (0, 4, 8)]


@pytest.mark.both_databases
def test_what_is_due_is_found_in_parts_that_are_the_same_whenever_they_are_named(
    ready: Newsletter, outbox: Outbox
) -> None:
    found = Rounds(ready, outbox)
    assert found.due() == []
    plan(ready, SLUG)
    assert found.due() == parts(ready)
    hand = Hand(ready)
    for row in hand.take(5):
        hand.settle(row, ACCEPTED)
    assert found.due() == parts(ready)[1:]
    hand.seat.leave()


def test_deferred_rows_are_found_again_when_they_are_due(ready: Newsletter, outbox: Outbox) -> None:
    plan(ready, SLUG)
    hand = Hand(ready)
    for row in hand.take(READERS):
        hand.settle(row, LATER if row.delivery_id == 6 else ACCEPTED)
    found = Rounds(ready, outbox)
    assert found.due() == []
    clock(ready).move(minutes=2)
    assert found.due() == parts(ready)[1:2]


def test_nothing_is_found_of_what_is_paused_or_cancelled(ready: Newsletter, outbox: Outbox) -> None:
    plan(ready, SLUG)
    found = Rounds(ready, outbox)
    with ready.session() as session:
        control.pause(session, 1, "by hand")
    assert found.due() == []
    with ready.session() as session:
        control.resume(session, 1)
    assert found.due() == parts(ready)
    with ready.session() as session:
        control.cancel(session, 1, ready.clock())
    assert (found.due(), found.unplanned()) == ([], [])


def test_a_plan_that_was_killed_is_found_and_goes_on_and_adds_nobody_twice(
    ready: Newsletter, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "ROWS_PER_COMMIT", 3)
    mailing_id = begin(ready, SLUG)
    found = Rounds(ready, outbox)
    assert found.unplanned() == [mailing_id]
    next(iter(planning_of(ready, mailing_id)))
    assert found.unplanned() == [mailing_id]
    found.plan(mailing_id)
    assert found.unplanned() == []
    with ready.reading() as session:
        assert count(session, mailing_id) == Counts(READERS, 0, READERS, 0, 0, 0, 0)


def planning_of(newsletter: Newsletter, mailing_id: int) -> Iterator[int]:
    return rounds.plan_mailing(newsletter, mailing_id)


def test_a_mailing_of_which_nothing_is_left_is_finished_by_the_next_round(ready: Newsletter, outbox: Outbox) -> None:
    plan(ready, SLUG)
    hand = Hand(ready)
    *most, last = hand.take(READERS)
    for row in most:
        hand.settle(row, ACCEPTED)
    found = Rounds(ready, outbox)
    found.make_round()
    assert state(ready) == "running"
    hand.settle(last, ACCEPTED)
    found.make_round()
    assert state(ready) == "finished"


def test_an_issue_for_nobody_is_finished_too(newsletter: Newsletter) -> None:
    take_in_issue(newsletter)
    begin(newsletter, SLUG)
    newsletter.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=never")
    with open_outbox(newsletter, patient=True) as outbox:
        Rounds(newsletter, outbox).make_round()
    assert state(newsletter) == "finished"


# a worker as a process of its own

SECOND = ISSUE.replace("2026-03-09", "2026-03-10").replace("  来源出处", "  标记：新\n  来源出处")
FOLLOWED, ALONE = SLUG, "2026-03-10"
MANY = 40


@dataclass
class Story:
    """What happened: a worker sent one issue while `issue send` looked on, was stopped in the next, another went on."""

    send_code: int
    send_lines: list[dict[str, Any]]
    worker_codes: list[int]
    worker_errors: list[str]
    after_send: Counts
    followed: Counter[str]
    after_stop: Counts
    taken_at_stop: int
    in_the_end: Counts
    alone: Counter[str]
    init_code: int
    tables: set[str]


def command(env: dict[str, str], *words: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-m", "newsletter", *words], env=env, stdout=pipe, stderr=pipe, text=True)


def wait_until(true: Any) -> None:
    for _ in range(1200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("a minute was not enough")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    folder = tmp_path_factory.mktemp("worker")
    mailbox = SlowMailbox()
    with aiosmtpd_server(mailbox) as server:
        env = {
            "DATABASE_URL": f"sqlite:///{folder / 'newsletter.db'}",
            "SECRET_KEY": "a key that is only used in these tests",
            "SMTP_URL": f"smtp://127.0.0.1:{server.port}?starttls=never",
            "CONNECTIONS": "2",
        }
        settings = Settings(**{name.lower(): value for name, value in env.items()})  # type: ignore[arg-type]  # words
        engine = open_engine(settings.database_url)
        migrate(engine)
        engine.dispose()
        newsletter = Newsletter(settings)
        with newsletter.session() as session:
            newsletter.topics(session).seed()
        add_readers(newsletter, MANY)
        for issue in (ISSUE, SECOND):
            take_in_issue(newsletter, issue)
        return _play(newsletter, mailbox, {**os.environ, **{PREFIX + name: value for name, value in env.items()}})


def _play(newsletter: Newsletter, mailbox: SlowMailbox, env: dict[str, str]) -> Story:
    def counts(mailing_id: int) -> Counts:
        with newsletter.reading() as session:
            return count(session, mailing_id)

    def is_sender_there() -> bool:
        with newsletter.reading() as session:
            return is_anybody_there(session, newsletter.database_file)

    workers = [command(env, "worker")]
    try:
        wait_until(is_sender_there)
        said, _ = (send := command(env, "issue", "send", FOLLOWED, "--json-lines")).communicate(timeout=60)
        after_send, followed = counts(1), mailbox.taken.copy()
        mailbox.taken.clear()
        mailbox.seconds = 0.1
        begin(newsletter, ALONE)
        wait_until(lambda: mailbox.taken.total() >= 5)
        workers[0].send_signal(signal.SIGTERM)
        _, error = workers[0].communicate(timeout=60)
        after_stop, taken_at_stop = counts(2), mailbox.taken.total()
        mailbox.seconds = 0
        workers.append(command(env, "worker"))
        wait_until(lambda: counts(2).accepted == MANY)
        workers[1].send_signal(signal.SIGINT)
        _, other_error = workers[1].communicate(timeout=60)
    finally:
        for worker in workers:
            worker.kill()
    init = subprocess.run([sys.executable, "-m", "newsletter", "init"], env=env, capture_output=True, check=False)
    tables = set(inspect(newsletter.engine).get_table_names())
    in_the_end = counts(2)
    newsletter.engine.dispose()
    return Story(
        send.returncode,
        [json.loads(line) for line in said.splitlines()],
        [worker.returncode for worker in workers],
        [error, other_error],
        after_send,
        followed,
        after_stop,
        taken_at_stop,
        in_the_end,
        mailbox.taken,
        init.returncode,
        tables,
    )


ALL_ACCEPTED = Counts(MANY, MANY, 0, 0, 0, 0, 0)
EVERYBODY = {f"reader{number}@example.org": 1 for number in range(MANY)}


def test_a_worker_sends_what_another_process_began_and_that_one_looks_on_to_the_end(story: Story) -> None:
    assert story.send_code == 0
    assert (story.after_send, story.followed) == (ALL_ACCEPTED, EVERYBODY)
    assert story.send_lines[-1]["accepted"] == MANY


def test_a_worker_plans_and_sends_by_itself_and_sigterm_lets_the_wire_finish(story: Story) -> None:
    assert story.worker_codes[0] == 0
    assert (story.after_stop.unknown, story.after_stop.accepted) == (0, story.taken_at_stop)
    assert story.after_stop.queued > 0


def test_the_next_worker_goes_on_where_the_last_one_stopped_and_doubles_nobody(story: Story) -> None:
    assert (story.in_the_end, story.alone) == (ALL_ACCEPTED, EVERYBODY)


def test_a_worker_that_is_told_to_end_says_nothing_on_standard_error(story: Story) -> None:
    assert story.worker_errors == ["", ""]
    assert story.worker_codes == [0, 0]


def test_the_engines_own_tables_do_not_disturb_a_second_init(story: Story) -> None:
    assert story.init_code == 0
    assert {"workflow_status", "delivery"} <= story.tables


# what another version left, and who waits for whom

FORMER = r"""
import sys, time
from newsletter.delivery import engine
from newsletter.delivery.claims import Range

class Stuck:
    def make_round(self):
        return engine.Due([1], [Range(1, first, first + 3) for first in range(0, 20, 4)], letters=True)

    def plan(self, *what):
        sys.stdout.write("begun\n")  # in one piece, beside those of other threads
        sys.stdout.flush()
        time.sleep(60)

    send = deliver_letters = plan

    def living(self, workers):
        return []

engine._VERSION = "former"
with engine.Engine(sys.argv[1], sys.argv[2], Stuck()):
    time.sleep(60)
"""
WORKER = "the worker"


class Told:
    """Work that notes what it is told to do; parts go on until `freed`, and are all at work before there is a plan."""

    def __init__(self, parts: int = 0, living: Sequence[str] = ()) -> None:
        self.noted: Queue[str] = Queue()
        self.freed = Event()
        self._parts = [Range(1, first * 4, first * 4 + 3) for first in range(parts)]
        self._living = living
        self._sending = 0

    def make_round(self) -> Due:
        at_work = self._sending >= len(self._parts)
        return Due([1] if at_work else [], self._parts, letters=at_work)

    def plan(self, mailing_id: int) -> None:
        self.noted.put("plan")

    def send(self, part: Range) -> None:
        self._sending += 1
        self.freed.wait(60)

    def deliver_letters(self) -> None:
        self.noted.put("letters")

    def purge(self) -> None:
        pass

    def living(self, workers: Sequence[str]) -> Sequence[str]:
        return self._living

    def heard(self) -> set[str]:
        """The first two things that it was told, each once."""
        heard: set[str] = set()
        while len(heard) < 2:
            heard.add(self.noted.get(timeout=30))
        return heard


def former_jobs(newsletter: Newsletter) -> Counter[str]:
    """What has become of the jobs that the former version left, its rounds aside."""
    jobs = text("SELECT status FROM workflow_status WHERE application_version = 'former' AND name <> 'make round'")
    with newsletter.reading() as session:
        return Counter(session.connection().scalars(jobs))


@pytest.fixture
def cut_off(newsletter: Newsletter) -> Newsletter:
    """A plan, letters and three parts were at work, and two more parts waited, when the former version was killed."""
    worker = subprocess.Popen(
        [sys.executable, "-c", FORMER, newsletter.settings.database_url, WORKER], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout
    assert [worker.stdout.readline() for _ in range(5)] == ["begun\n"] * 5
    worker.kill()
    worker.communicate()
    assert former_jobs(newsletter) == {"PENDING": 5, "ENQUEUED": 2}
    return newsletter


def test_what_a_former_version_left_is_cancelled_and_keeps_nobody_from_planning_and_letters(
    cut_off: Newsletter,
) -> None:
    work = Told()
    with Engine(cut_off.settings.database_url, WORKER, work):
        assert work.heard() == {"plan", "letters"}
    assert former_jobs(cut_off) == {"CANCELLED": 7}


def test_jobs_of_a_living_worker_of_another_version_are_left_alone_and_hold_nobody_up(cut_off: Newsletter) -> None:
    work = Told(living=[WORKER])
    with Engine(cut_off.settings.database_url, "another worker", work):
        assert work.heard() == {"plan", "letters"}
    assert former_jobs(cut_off) == {"PENDING": 5, "ENQUEUED": 2}


def test_a_plan_does_not_wait_for_parts_that_fill_all_places(newsletter: Newsletter) -> None:
    work = Told(parts=3)
    with Engine(newsletter.settings.database_url, WORKER, work):
        try:
            assert work.heard() == {"plan", "letters"}
        finally:
            work.freed.set()
