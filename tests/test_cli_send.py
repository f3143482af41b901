"""`newsletter issue send` as a process of its own: stopped, killed, run twice, without a server."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Command
from mail_servers import SlowMailbox, aiosmtpd_server
from sending import begin_by_command

from newsletter.settings import PREFIX

READERS = 40
SLUG = "2026-03-09"
ISSUE = """# 示例日报 (2026-03-09)

**政策与监管**

- **示例市公布数据细则**
  说明：细则写明哪些数据可以授权。
  来源出处：[示例市数据局](https://data.example.org/rules)
"""


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowMailbox]:
    mailbox = SlowMailbox()
    with aiosmtpd_server(mailbox) as server:
        monkeypatch.setenv(f"{PREFIX}SMTP_URL", f"smtp://127.0.0.1:{server.port}?starttls=never")
        monkeypatch.setenv(f"{PREFIX}CONNECTIONS", "2")
        yield mailbox


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A newsletter with an approved issue and forty readers of it."""
    monkeypatch.chdir(tmp_path)
    command = Command(monkeypatch, capsys)
    begin_by_command(command, tmp_path, READERS, ISSUE)
    return command


def sending() -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "newsletter", "issue", "send", SLUG]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_taken(mailbox: SlowMailbox, many: int) -> None:
    """Wait for the server to have had so many messages, for a minute at most."""
    for _ in range(6000):
        if mailbox.taken.total() >= many:
            return
        time.sleep(0.01)
    raise AssertionError("the send did not get going")


def status(command: Command) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(command("issue", "status", SLUG, "--json").out)
    states = ("accepted", "queued", "deferred", "failed", "unknown", "excluded")
    assert counts["candidates"] == sum(counts[state] for state in states) == READERS
    return counts


def test_ctrl_c_lets_the_wire_finish_and_the_next_run_goes_on(ready: Command, mailbox: SlowMailbox) -> None:
    mailbox.seconds = 0.1
    process = sending()
    until_taken(mailbox, 5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopping: what is on the wire may end" in said
    assert "goes on" in said
    counts = status(ready)
    assert counts["unknown"] == 0
    assert counts["queued"] > 0
    assert counts["accepted"] == mailbox.taken.total()
    mailbox.seconds = 0
    assert ready("issue", "send", SLUG).code == 0
    assert status(ready)["accepted"] == READERS
    assert set(mailbox.taken.values()) == {1}


def test_a_kill_leaves_at_most_two_unknown_per_connection_and_doubles_nobody(
    ready: Command, mailbox: SlowMailbox
) -> None:
    mailbox.seconds = 0.1
    process = sending()
    until_taken(mailbox, 7)
    process.kill()
    process.communicate(timeout=60)
    mailbox.seconds = 0
    assert ready("issue", "send", SLUG).code == 0
    counts = status(ready)
    assert counts["unknown"] <= 4
    assert counts["accepted"] + counts["unknown"] == READERS
    assert max(mailbox.taken.values()) == 1
    assert mailbox.taken.total() >= counts["accepted"]


def test_a_second_send_at_the_same_time_looks_on_and_goes_on_when_the_first_ends(
    ready: Command, mailbox: SlowMailbox
) -> None:
    mailbox.seconds = 0.1
    process = sending()
    until_taken(mailbox, 2)
    second = sending()
    until_taken(mailbox, 12)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    second.communicate(timeout=60)
    assert (process.returncode, second.returncode) == (1, 0)
    assert status(ready)["accepted"] == READERS
    assert set(mailbox.taken.values()) == {1}


def test_sending_twice_says_that_nothing_was_left(ready: Command, mailbox: SlowMailbox) -> None:
    ready("issue", "send", SLUG)
    said = ready("issue", "send", SLUG)
    assert (said.code, "nothing was left" in said.out) == (0, True)
    assert status(ready)["state"] == "sent"


def test_the_log_answers_for_one_reader(ready: Command, mailbox: SlowMailbox) -> None:
    ready("issue", "send", SLUG)
    (entry,) = json.loads(ready("log", "--address", "READER7@example.org", "--json").out)
    assert (entry["state"], entry["code"], entry["reply"]) == ("accepted", 250, "2.0.0 taken")
    assert entry["edition"][0]["topic"] == "policy"


def test_an_unsubscribe_by_command_stops_a_message_that_was_not_handed_over(
    ready: Command, mailbox: SlowMailbox
) -> None:
    mailbox.seconds = 0.1
    process = sending()
    until_taken(mailbox, 2)
    last = f"reader{READERS - 1}@example.org"
    assert ready("subscriber", "unsubscribe", last).code == 0
    process.communicate(timeout=60)
    assert mailbox.taken[last] == 0
    assert status(ready)["excluded"] == 1


def test_a_server_that_is_not_there_is_said_and_loses_nobody(ready: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "smtp://user:hunter2@127.0.0.1:1?starttls=never")
    said = ready("issue", "send", SLUG)
    assert said.code == 1
    assert "127.0.0.1:1" in said.err
    assert "hunter2" not in said.err + said.out
    assert status(ready)["queued"] == READERS
