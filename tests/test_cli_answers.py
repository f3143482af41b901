"""`newsletter log --day`, and what `issue send` and `issue status` say of readers' own hours."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from command import Command
from mail_servers import SlowMailbox, aiosmtpd_server
from sending import ISSUE, SLUG, begin_by_command

from newsletter.settings import PREFIX

READERS = 2
SHANGHAI = ZoneInfo("Asia/Shanghai")
LATER = "later@example.org"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowMailbox]:
    mailbox = SlowMailbox()
    with aiosmtpd_server(mailbox) as server:
        monkeypatch.setenv(f"{PREFIX}SMTP_URL", f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


@pytest.fixture
def command(
    mailbox: SlowMailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """An approved issue, two readers, and one whose own hour is some hours away, whenever this runs."""
    monkeypatch.chdir(tmp_path)
    command = Command(monkeypatch, capsys)
    begin_by_command(command, tmp_path, READERS, ISSUE)
    hour = (datetime.now(UTC).hour + 5) % 24
    Path("later.csv").write_text(f"address,topics,zone,hour\n{LATER},policy,UTC,{hour}\n", "utf-8")
    assert command("subscriber", "import", "later.csv").code == 0
    return command


def today(command: Command) -> str:
    """The date on which the issue was released, in the newsletter's zone."""
    (entry,) = json.loads(command("log", "--address", "reader0@example.org", "--json").out)
    zone = datetime.fromisoformat(entry["release"])
    return zone.astimezone(SHANGHAI).date().isoformat()


def read(command: Command, *words: str) -> Any:
    return json.loads(command(*words, "--json").out)


def test_a_send_ends_when_only_hours_to_come_are_left_and_says_so(command: Command, mailbox: SlowMailbox) -> None:
    said = command("issue", "send", SLUG)
    assert said.code == 0
    assert f"{SLUG}: sent to everybody whose hour has come." in said.out
    assert "1 reader waits for their own hour" in said.out
    assert "`newsletter serve` or `newsletter worker`" in said.out
    assert LATER not in mailbox.taken


def test_the_status_tells_who_waits_for_an_hour(command: Command) -> None:
    result = read(command, "issue", "send", SLUG)
    found = read(command, "issue", "status", SLUG)
    assert (found["state"], found["queued"], found["later"]["readers"]) == ("sending", 1, 1)
    assert found["later"] == result["later"]
    assert found["later"]["next_at"] == found["later"]["last_at"]
    assert "1 reader waits for their own hour" in command("issue", "status", SLUG).out


def test_at_once_goes_to_everybody_now(command: Command, mailbox: SlowMailbox) -> None:
    said = command("issue", "send", SLUG, "--at-once")
    assert (said.code, mailbox.taken[LATER]) == (0, 1)
    assert read(command, "issue", "status", SLUG)["state"] == "sent"


def test_at_once_lets_those_go_who_wait_in_a_send_that_was_begun(command: Command, mailbox: SlowMailbox) -> None:
    command("issue", "send", SLUG)
    command("issue", "send", SLUG, "--at-once")
    assert set(mailbox.taken.values()) == {1}
    assert mailbox.taken[LATER] == 1


def test_at_once_is_no_word_for_a_time_or_a_test(command: Command) -> None:
    for other in (("--at", "2099-01-01 08:00"), ("--test", "a@example.org"), ("--dry-run",)):
        assert command("issue", "send", SLUG, "--at-once", *other).code == 2


def test_the_day_of_who_got_it_is_told_with_hour_and_reason(command: Command) -> None:
    command("issue", "send", SLUG)
    said = command("log", "--address", "reader0@example.org", "--day", today(command)).out
    assert "they chose no hour" in said
    assert "- 示例市公布数据细则 (topic policy)" in said
    assert "by hand" in said


def test_the_day_of_who_waits_is_told_in_both_zones(command: Command) -> None:
    command("issue", "send", SLUG)
    said = command("log", "--address", LATER, "--day", today(command)).out
    assert "waits until" in said
    assert "in UTC): their own hour" in said


def test_a_day_is_an_object_for_programs(command: Command) -> None:
    command("issue", "send", SLUG)
    found = read(command, "log", "--address", LATER, "--day", today(command))
    (part,) = found["parts"]
    assert (part["issue"], part["state"], part["hour"], part["own_zone"]) == (SLUG, "queued", "own", "UTC")
    assert part["at"] == part["due"]
    assert [one["title"] for one in part["stories"]] == ["示例市公布数据细则"]


def test_a_day_without_an_issue_says_why(command: Command) -> None:
    found = read(command, "log", "--address", LATER, "--day", "2020-01-01")
    assert [one["why"] for one in found["silent"]] == ["joined later"]
    assert "Nothing: they joined only later, on 20" in command("log", "--address", LATER, "--day", "2020-01-01").out
    assert "no daily slot" in command("log", "--address", LATER, "--day", "2999-01-01").out


def test_the_list_tells_until_when_somebody_waits(command: Command) -> None:
    command("issue", "send", SLUG)
    assert "waits until" in command("log", "--address", LATER).out
    (entry,) = read(command, "log", "--address", LATER)
    assert entry["release"] < entry["due"] == entry["next_at"]


@pytest.mark.parametrize("day", ["1900-01-01", "9999-12-31"])
def test_a_day_out_of_the_years_of_mail_is_said_to_be_too_far_away(command: Command, day: str) -> None:
    said = command("log", "--address", LATER, "--day", day)
    assert (said.code, f"{day} is too far away" in " ".join(said.err.split())) == (2, True)


def test_a_day_needs_an_address_and_a_date(command: Command) -> None:
    assert command("log", "--day", "2026-03-09").code == 2
    assert "is no date" in command("log", "--address", LATER, "--day", "monday").err
    assert command("log", "--address", LATER, "--issue", SLUG, "--day", "2026-03-09").code == 2
