"""A small kill table: whatever is killed and whenever, nobody is lost or doubled, and the send goes on."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from kill_books import Books, environment, newsletter_with
from kill_table import SEND, SERVE, TWO, WORKER
from kill_trial import Tally, Variant, begin_issue, try_variant
from mail_servers import counting_sink

from newsletter.delivery.outcome import State

FEW, SLOWER = 300, 8
"""A send to few readers lasts as long as one to many when the server takes its time."""
SOME = 2_500
"""So many that there is work for both workers: a job is a thousand rows."""


def assert_kept(tally: Tally, kills: int) -> None:
    assert tally.faults == []
    assert (tally.kills, tally.lost, tally.doubled) == (kills, 0, 0)


@pytest.mark.parametrize("variant", [SEND, SERVE], ids=["send", "serve"])
def test_a_killed_sender_on_sqlite_loses_and_doubles_nobody(variant: Variant, tmp_path: Path) -> None:
    slow = replace(variant, delay_seconds=variant.delay_seconds * SLOWER)
    tally = try_variant(slow, f"sqlite:///{tmp_path / 'newsletter.db'}", tmp_path, kills=3, readers=FEW)
    assert_kept(tally, kills=3)


def test_of_two_workers_on_postgresql_the_other_takes_over_what_a_killed_one_left(
    own_postgres_url: str, tmp_path: Path
) -> None:
    tally = try_variant(replace(TWO, most_seconds=4), own_postgres_url, tmp_path, kills=6, readers=SOME)
    assert_kept(tally, kills=6)


def test_a_worker_that_is_told_to_stop_lets_the_wire_finish_and_says_nothing_of_it(tmp_path: Path) -> None:
    with (
        counting_sink(tmp_path / "received", 0.3) as sink,
        newsletter_with(FEW, f"sqlite:///{tmp_path / 'newsletter.db'}", sink.port) as newsletter,
        (tmp_path / "said").open("w+b") as said,
    ):
        books = Books(newsletter, sink)
        _, mailing_id = begin_issue(newsletter, number=1)
        command = [sys.executable, "-m", "newsletter", *WORKER.command]
        worker = subprocess.Popen(command, cwd=tmp_path, env=environment(newsletter.settings), stderr=said)
        try:
            until(lambda: books.record_bytes > 0)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:
            worker.kill()
        said.seek(0)
        assert said.read() == b""
        rows = books.rows(mailing_id)
        assert rows.which(State.ACCEPTED) == set(books.received(mailing_id))
        assert rows.counts.accepted + rows.counts.queued == FEW
        assert rows.counts.queued > 0


def until(happened: Callable[[], bool]) -> None:
    """Wait for it, for a minute at most."""
    for _ in range(6000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
