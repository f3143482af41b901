"""A database that is restored from a copy sends nothing a second time: real processes, real files, a real server."""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from kill_books import Books, environment, newsletter_with
from mail_servers import CountingSink, counting_sink

from newsletter.app import Newsletter
from newsletter.delivery.outcome import State
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in
from newsletter.storage.witness import held
from newsletter.storage.witness_file import witness_file

FEW = 60
STORIES = ("示例市公布数据授权细则", "港口启用夜间无人集卡", "图书馆开放古籍影像检索")
"""One for each issue, none like another."""
DIES_BEFORE_THE_FILE = """
import os, signal
from newsletter.storage import witness
written, write = [], witness.write_mark
def dying(*what):
    written.append(what)
    if len(written) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    write(*what)
witness.write_mark = dying
import sys
sys.argv = ["newsletter", "worker"]
from newsletter.cli.main import run
run()
"""


class House:
    """A newsletter in a folder, its processes, and the copy of its database."""

    def __init__(self, newsletter: Newsletter, sink: CountingSink, folder: Path) -> None:
        self.newsletter = newsletter
        self.books = Books(newsletter, sink)
        self._folder = folder
        assert newsletter.database_file is not None
        self.file = newsletter.database_file
        self._copy = folder / "copy.db"

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self._words(*words), cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )

    @contextmanager
    def running(self, *words: str) -> Iterator[Path]:
        """A process for the length of a block, and what it says on standard error; it is told to stop in the end."""
        said = self._folder / "said"
        with said.open("wb") as errors:
            process = subprocess.Popen(
                self._words(*words), cwd=self._folder, env=self._environment, stdout=errors, stderr=errors
            )
            try:
                yield said
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                process.kill()
                process.wait()

    def send(self, mailing_id: int) -> None:
        """Hand a mailing over to its end."""
        with self.running("worker"):
            until(lambda: self.books.rows(mailing_id).is_over)

    def copy(self) -> None:
        """Copy the database as the how-to says, whoever writes it at this moment."""
        self._copy.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.file)) as source, closing(sqlite3.connect(self._copy)) as target:
            source.backup(target)

    def restore(self) -> None:
        """Put the copy in the database's place, as the how-to says."""
        self.newsletter.engine.dispose()
        for ending in ("-wal", "-shm"):
            self.file.with_name(self.file.name + ending).unlink(missing_ok=True)
        shutil.copyfile(self._copy, self.file)

    @property
    def held(self) -> str:
        with self.newsletter.reading() as session:
            return held(session)

    @property
    def _environment(self) -> dict[str, str]:
        return environment(self.newsletter.settings)

    @staticmethod
    def _words(*words: str) -> list[str]:
        return [sys.executable, *(("-m", "newsletter", *words) if words[0] != "-c" else words)]


def approve_issue(newsletter: Newsletter, number: int) -> str:
    """Import and approve an issue of its own day and story; its slug."""
    title, slug = STORIES[number - 1], f"2026-01-{1 + number:02}"
    source = f"# 示例日报 ({slug})\n\n**政策与监管**\n\n- **{title}**\n  说明：{title}，今天起施行。\n".encode()
    take_in(newsletter, read(newsletter, source), source)
    approve(newsletter, slug)
    return slug


def begin_issue(newsletter: Newsletter, number: int) -> tuple[str, int]:
    """Import and approve an issue of its own day and story, and begin its mailing; their slug and id."""
    slug = approve_issue(newsletter, number)
    return slug, begin(newsletter, slug)


def until(happened: Callable[[], bool]) -> None:
    """Wait for it, for a minute at most."""
    for _ in range(1200):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


@pytest.fixture
def delay_seconds() -> float:
    return 0.0


@pytest.fixture
def house(tmp_path: Path, delay_seconds: float) -> Iterator[House]:
    """A newsletter whose first issue has gone out."""
    with (
        counting_sink(tmp_path / "received", delay_seconds) as sink,
        newsletter_with(FEW, f"sqlite:///{tmp_path / 'newsletter.db'}", sink.port) as newsletter,
    ):
        yield House(newsletter, sink, tmp_path)


def restored(house: House) -> int:
    """The mailing that waited in the copy, went out after it, and waits again; a first one was sent before."""
    house.send(begin_issue(house.newsletter, 1)[1])
    mailing_id = begin_issue(house.newsletter, 2)[1]
    house.copy()
    house.send(mailing_id)
    house.restore()
    return mailing_id


def once(house: House, mailing_id: int) -> bool:
    """Whether every reader got a mailing once."""
    received = house.books.received(mailing_id)
    return len(received) == FEW and set(received.values()) == {1}


def test_a_restored_database_sends_nothing_and_says_why_and_the_pages_stay(house: House) -> None:
    mailing_id = restored(house)
    with house.running("serve", "--port", "0") as said:
        until(lambda: "older than its witness" in said.read_text())
        assert "newsletter schedule resume --dry-run" in said.read_text()
        until(lambda: "http://127.0.0.1:" in said.read_text())
        url = re.search(r"http://127\.0\.0\.1:\d+/", said.read_text())
        assert url is not None
        with urlopen(url[0]) as page:
            assert page.status == 200
    assert said.read_text().count("older than its witness") == 1
    assert house.held == "ahead"
    for words in (("worker",), ("issue", "send", "2026-01-03")):
        answer = house.command(*words)
        assert answer.returncode == 1
        assert "older than its witness" in answer.stderr
    assert once(house, mailing_id)


def test_after_skipping_what_was_due_nothing_comes_twice_and_the_next_issue_goes_out(house: House) -> None:
    mailing_id = restored(house)
    shown = house.command("schedule", "resume", "--dry-run")
    assert (shown.returncode, "2026-01-03" in shown.stdout) == (0, True)
    assert house.command("worker").returncode == 1
    went_on = house.command("schedule", "resume", "--skip-due")
    assert went_on.returncode == 0
    assert f"Counted as sent elsewhere: {FEW} readers" in went_on.stdout
    next_one = begin_issue(house.newsletter, 3)[1]
    house.send(next_one)
    assert once(house, mailing_id)
    assert once(house, next_one)
    assert house.books.rows(mailing_id).which(State.EXCLUDED) == set(house.books.received(mailing_id))


def test_an_issue_that_was_approved_in_the_copy_and_sent_since_waits_for_an_approval_again(house: House) -> None:
    house.send(begin_issue(house.newsletter, 1)[1])
    approve_issue(house.newsletter, 2)
    house.copy()
    mailing_id = begin(house.newsletter, "2026-01-03")
    house.send(mailing_id)
    house.restore()
    assert "2026-01-03 is approved in the copy" in house.command("schedule", "resume", "--dry-run").stdout
    assert "Not approved any more: 2026-01-03" in house.command("schedule", "resume", "--skip-due").stdout
    refused = house.command("issue", "send", "2026-01-03")
    assert (refused.returncode, "is not approved" in refused.stderr) == (1, True)


def test_after_a_word_to_go_on_with_all_of_it_what_waits_goes_out(house: House) -> None:
    mailing_id = restored(house)
    assert house.command("schedule", "resume").returncode == 0
    house.send(mailing_id)
    assert set(house.books.received(mailing_id).values()) == {2}
    assert house.command("schedule", "resume").stdout == "Nothing is held back.\n"


@pytest.mark.parametrize("delay_seconds", [0.25])
def test_a_copy_from_the_middle_of_a_send_sends_nothing_again(house: House) -> None:
    mailing_id = begin_issue(house.newsletter, 1)[1]
    with house.running("worker"):
        until(lambda: sum(house.books.received(mailing_id).values()) >= FEW // 4)
        house.copy()
        until(lambda: house.books.rows(mailing_id).is_over)
    house.restore()
    assert 0 < len(house.books.rows(mailing_id).which(State.QUEUED)) < FEW
    assert house.command("worker").returncode == 1
    assert house.command("schedule", "resume", "--skip-due").returncode == 0
    next_one = begin_issue(house.newsletter, 2)[1]
    house.send(next_one)
    assert once(house, mailing_id)
    assert once(house, next_one)


@pytest.mark.parametrize("delay_seconds", [0.25])
def test_a_copy_from_the_middle_of_a_send_that_was_stopped_soon_after_is_held_too(house: House) -> None:
    mailing_id = begin_issue(house.newsletter, 1)[1]
    with house.running("worker"):
        until(lambda: sum(house.books.received(mailing_id).values()) >= FEW // 4)
        house.copy()
    house.restore()
    assert house.command("worker").returncode == 1
    assert house.held == "ahead"


def test_a_process_killed_between_its_commit_and_the_file_starts_as_usual_and_loses_nobody(house: House) -> None:
    mailing_id = begin_issue(house.newsletter, 1)[1]
    killed = house.command("-c", DIES_BEFORE_THE_FILE)
    assert killed.returncode == -signal.SIGKILL
    assert not house.books.received(mailing_id)
    house.send(mailing_id)
    assert house.held == ""
    assert once(house, mailing_id)


def test_without_its_witness_a_database_that_has_sent_is_held_and_no_send_begins(house: House) -> None:
    house.send(begin_issue(house.newsletter, 1)[1])
    witness_file(house.file).unlink()
    assert house.command("worker").returncode == 1
    assert house.held == "missing"
    refused = house.command("issue", "send", "2026-01-02")
    assert (refused.returncode, "is gone" in refused.stderr) == (1, True)


def test_init_says_at_once_that_a_witness_of_another_database_lies_there(house: House) -> None:
    house.send(begin_issue(house.newsletter, 1)[1])
    house.newsletter.engine.dispose()
    for file in house.file.parent.glob("newsletter.db*"):
        if file != witness_file(house.file):
            file.unlink()
    begun_anew = house.command("init")
    assert begun_anew.returncode == 0
    assert "belongs to another database" in begun_anew.stderr
    assert house.command("schedule", "resume").returncode == 0
    assert house.command("init").stderr == ""
