"""`issue status, pause, resume, cancel, resend, unknown` and the options of `issue send`, as a person calls them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Command
from mail_servers import aiosmtpd_server
from sending import ISSUE, SLUG, begin_by_command

from newsletter.settings import PREFIX

READERS = 6


class Provider:
    """Takes mail; a test says what it answers to an address."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.taken: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        answer = self.answers.get(address, "250 taken")
        if answer == "hang up":
            server.transport.abort()
        elif answer.startswith("250"):
            self.taken.append((address, envelope.original_content))
        return answer


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    provider = Provider()
    with aiosmtpd_server(provider) as server:
        monkeypatch.setenv(f"{PREFIX}SMTP_URL", f"smtp://127.0.0.1:{server.port}?starttls=never")
        monkeypatch.setenv(f"{PREFIX}CONNECTIONS", "2")
        yield provider


@pytest.fixture
def command(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """A newsletter with an approved issue and six readers of it."""
    monkeypatch.chdir(tmp_path)
    command = Command(monkeypatch, capsys)
    begin_by_command(command, tmp_path, READERS, ISSUE)
    return command


def status(command: Command) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(command("issue", "status", SLUG, "--json").out)
    return counts


def test_the_states_of_an_issue_from_its_draft_to_its_end(command: Command) -> None:
    seen = []
    Path("issue.md").write_text(ISSUE.replace("细则写明", "细则说明"), "utf-8")
    command("issue", "import", "issue.md")
    seen.append(status(command)["state"])
    command("issue", "approve", SLUG)
    seen.append(status(command)["state"])
    command("issue", "send", SLUG)
    seen.append(status(command)["state"])
    assert seen == ["draft", "approved", "sent"]


def test_a_paused_send_says_so_and_how_it_goes_on(command: Command, provider: Provider) -> None:
    provider.answers = {f"reader{number}@example.org": "451 4.7.1 later" for number in range(2)}
    assert command("issue", "send", SLUG).code == 0
    assert status(command)["state"] == "sending"
    assert f"issue resume {SLUG}" in command("issue", "pause", SLUG).out
    assert (status(command)["state"], status(command)["why"]) == ("paused", "by hand")
    said = command("issue", "send", SLUG)
    assert (said.code, f"newsletter issue resume {SLUG}" in said.err) == (1, True)
    assert command("issue", "resume", SLUG).code == 0
    assert status(command)["state"] == "sending"


def test_a_cancelled_send_is_over(command: Command, provider: Provider) -> None:
    provider.answers = {"reader1@example.org": "451 4.7.1 later"}
    command("issue", "send", SLUG)
    assert "1 reader" in command("issue", "cancel", SLUG).out
    assert (status(command)["state"], status(command)["excluded"]) == ("cancelled", 1)
    for word in ("resume", "pause", "resend"):
        said = command("issue", word, SLUG)
        assert (said.code, "cancelled" in said.err) == (1, True)
    assert command("issue", "send", SLUG).code == 1


def test_what_was_never_begun_can_be_controlled_in_no_way_and_the_words_say_why(command: Command) -> None:
    for word in (("pause",), ("resume",), ("cancel",), ("resend",), ("unknown", "--accepted")):
        said = command("issue", word[0], SLUG, *word[1:])
        assert (said.code, f"newsletter issue send {SLUG}" in said.err) == (1, True)


def test_resend_tries_who_was_refused_and_says_how_many(command: Command, provider: Provider) -> None:
    provider.answers = {
        "reader1@example.org": "554 5.7.1 looks like advertising",
        "reader2@example.org": "550 5.1.1 no such user",
    }
    command("issue", "send", SLUG)
    assert status(command)["failed"] == 2
    provider.answers = {}
    assert "1 reader" in command("issue", "resend", SLUG).out
    command("issue", "send", SLUG)
    assert (status(command)["accepted"], status(command)["failed"]) == (READERS - 1, 1)
    assert "none" in command("issue", "resend", SLUG).out


def test_unknown_rows_are_listed_and_settled(command: Command, provider: Provider) -> None:
    provider.answers = {"reader3@example.org": "hang up"}
    said = command("issue", "send", SLUG)
    assert f"issue status {SLUG}" in said.out
    shown = command("issue", "status", SLUG).out
    assert "reader3@example.org" in shown
    assert "--accepted" in shown
    assert command("issue", "unknown", SLUG).code == 2
    assert command("issue", "unknown", SLUG, "--accepted", "--resend").code == 2
    assert "1 message" in command("issue", "unknown", SLUG, "--accepted").out
    assert (status(command)["accepted"], status(command)["unknown"]) == (READERS, 0)


def test_an_unknown_row_that_is_sent_again_waits_for_its_time(command: Command, provider: Provider) -> None:
    provider.answers = {"reader3@example.org": "hang up"}
    command("issue", "send", SLUG)
    assert "at the earliest 26 min after" in command("issue", "unknown", SLUG, "--resend").out
    provider.answers = {}
    command("issue", "send", SLUG)
    assert (status(command)["queued"], status(command)["unknown"]) == (1, 0)


def test_an_appointed_time_is_shown_and_called_off(command: Command) -> None:
    said = command("issue", "send", SLUG, "--at", "2999-03-09 08:00")
    assert (said.code, "2999-03-09 08:00 (Asia/Shanghai)" in said.out) == (0, True)
    assert status(command)["at"].startswith("2999-03-09T00:00")
    assert "2999-03-09 08:00" in command("issue", "status", SLUG).out
    assert command("issue", "cancel", SLUG).code == 0
    assert "at" not in status(command)
    assert status(command)["state"] == "approved"


def test_an_issue_that_was_changed_needs_another_approval_and_keeps_its_time(command: Command) -> None:
    command("issue", "send", SLUG, "--at", "2999-03-09 08:00")
    Path("issue.md").write_text(ISSUE.replace("细则写明", "细则说明"), "utf-8")
    command("issue", "import", "issue.md")
    assert "is not sent at 2999-03-09 08:00" in " ".join(command("issue", "status", SLUG).out.split())
    assert "keeps its time" in command("issue", "approve", SLUG).out
    assert "is sent by itself at 2999-03-09 08:00" in " ".join(command("issue", "status", SLUG).out.split())


@pytest.mark.parametrize(("at", "words"), [("tomorrow", "is no time"), ("2020-01-01 08:00", "is past")])
def test_a_time_that_is_none_or_past_is_refused(command: Command, at: str, words: str) -> None:
    said = command("issue", "send", SLUG, "--at", at)
    assert (said.code, words in said.err) == (1, True)


def test_options_that_exclude_each_other_are_refused_and_nothing_is_sent(command: Command, provider: Provider) -> None:
    for words in (
        ("--at", "2999-03-09 08:00", "--dry-run"),
        ("--test", "you@example.org", "--at", "2999-03-09 08:00"),
        ("--dry-run", "--test", "you@example.org"),
        ("--to", "folder"),
    ):
        assert command("issue", "send", SLUG, *words).code == 2
    assert provider.taken == []


def test_progress_as_json_is_an_object_a_line_and_the_last_one_is_the_result(command: Command) -> None:
    lines = [json.loads(line) for line in command("issue", "send", SLUG, "--json-lines").out.splitlines()]
    assert {line["slug"] for line in lines} == {SLUG}
    end = lines[-1]
    assert (end["event"], end["state"], end["accepted"], end["stopped"]) == ("end", "sent", READERS, False)


def test_a_test_goes_to_the_named_addresses_alone(command: Command, provider: Provider) -> None:
    said = command("issue", "send", SLUG, "--test", "you@example.org", "--test", "me@example.org")
    assert (said.code, said.out.count("accepted")) == (0, 2)
    assert [address for address, _ in provider.taken] == ["you@example.org", "me@example.org"]
    assert status(command)["state"] == "approved"


def test_a_test_that_is_refused_ends_with_the_servers_words_and_exit_code_1(
    command: Command, provider: Provider
) -> None:
    provider.answers = {"you@example.org": "554 5.7.1 looks like advertising"}
    said = command("issue", "send", SLUG, "--test", "you@example.org")
    assert (said.code, "554 5.7.1 looks like advertising" in said.out) == (1, True)


def test_a_dry_run_leaves_a_file_per_message_and_sends_nothing(command: Command, provider: Provider) -> None:
    said = command("issue", "send", SLUG, "--dry-run", "--to", "rehearsal")
    assert (said.code, "nobody got one" in said.out) == (0, True)
    assert len(list(Path("rehearsal").glob("*.eml"))) == READERS
    assert provider.taken == []
    assert status(command)["state"] == "approved"


def test_a_paused_send_is_said_to_be_paused_though_no_server_is_there(
    command: Command, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.answers = {"reader1@example.org": "451 4.7.1 later"}
    command("issue", "send", SLUG)
    command("issue", "pause", SLUG)
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "smtp://127.0.0.1:1?starttls=never")
    said = command("issue", "send", SLUG)
    assert (said.code, "paused" in said.err, "server" in said.err) == (1, True, False)


def test_a_test_without_a_server_says_where_to_look(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}SMTP_URL", "smtp://127.0.0.1:1?starttls=never")
    said = command("issue", "send", SLUG, "--test", "you@example.org")
    assert (said.code, "127.0.0.1:1" in said.err, "newsletter doctor" in said.err) == (1, True, True)


def test_an_issue_is_not_begun_while_there_is_nobody_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = Command(monkeypatch, capsys)
    (tmp_path / "issue.md").write_text(ISSUE, "utf-8")
    for words in (("init",), ("issue", "import", "issue.md"), ("issue", "approve", SLUG)):
        assert command(*words).code == 0
    said = command("issue", "send", SLUG)
    assert (said.code, "no reader yet" in said.err) == (1, True)
    assert json.loads(command("issue", "status", SLUG, "--json").out)["state"] == "approved"


def test_two_forms_of_the_result_at_once_are_wrong_usage(command: Command) -> None:
    said = command("issue", "send", SLUG, "--json", "--json-lines")
    assert (said.code, status(command)["accepted"]) == (2, 0)
