"""Every command does what it says, on a small newsletter, in words and in JSON."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from command import Command
from sending import plan
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.models import Delivery
from newsletter.editorial import readership
from newsletter.settings import load

SLUG = "2026-03-09"
ISSUE = """# 示例日报 (2026-03-09)

**政策与监管**

- **示例市公布数据细则**
  说明：细则写明哪些数据可以授权。
  来源出处：[示例市数据局](https://data.example.org/rules)
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """A newsletter with one issue and two readers."""
    monkeypatch.chdir(tmp_path)
    made = Command(monkeypatch, capsys)
    (tmp_path / "issue.md").write_text(ISSUE, "utf-8")
    for words in (
        ("init",),
        ("subscriber", "add", "chen@example.org", "--topics", "policy,models", "--name", "陈晨", "--follow", "算力"),
        ("subscriber", "add", "li@example.org", "--topics", "funding"),
        ("issue", "import", "issue.md"),
    ):
        assert made(*words).code == 0
    return made


READING = [
    ("topic", "list"),
    ("subscriber", "list"),
    ("subscriber", "show", "chen@example.org"),
    ("suppression", "list"),
    ("issue", "check", "issue.md"),
    ("issue", "list"),
    ("issue", "show", SLUG),
    ("issue", "coverage", SLUG),
    ("issue", "status", SLUG),
    ("log",),
]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_is_shown_in_words_is_also_there_in_json(words: tuple[str, ...], command: Command) -> None:
    assert command(*words).code == 0
    said = command(*words, "--json")
    assert said.code == 0
    assert isinstance(json.loads(said.out), list if words[-1] in ("list", "log") else dict)


def test_coverage_counts_everybody_however_many_a_page_would_look_at(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readership, "MOST_COUNTED", 1)
    assert json.loads(command("issue", "coverage", SLUG, "--json").out)["readers"] == 2


def shown(command: Command, address: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(command("subscriber", "show", address, "--json").out)
    return facts


def test_a_reader_may_be_added_with_how_often_and_when(command: Command) -> None:
    often = ("--frequency", "weekly", "--frequencies", "models=daily;policy=important", "--day", "mon")
    command("subscriber", "add", "bo@example.org", "--topics", "policy,models", *often, "--hour", 7)
    facts = shown(command, "bo@example.org")
    assert (facts["frequency"], facts["day"], facts["hour"], facts["zone"]) == ("weekly", "mon", 7, "Asia/Shanghai")
    assert [*facts["frequencies"].items()] == [("policy", "important"), ("models", "daily")]
    assert "policy=important; models=daily" in command("subscriber", "show", "bo@example.org").out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--frequencies", "policy=hourly"), "write policy=weekly"),
        (("--frequencies", "models=weekly"), "add it to them"),
        (("--day", "friday"), "write one of mon"),
        (("--hour", "7", "--zone", "Mars/Olympus"), "Asia/Shanghai"),
    ],
)
def test_a_time_that_is_none_adds_nobody(command: Command, words: tuple[str, ...], why: str) -> None:
    said = command("subscriber", "add", "bo@example.org", "--topics", "policy", *words)
    assert (said.code, why in said.err) == (1, True)
    assert command("subscriber", "show", "bo@example.org").code == 1


def test_an_import_moves_what_waits_for_those_who_get_another_hour(command: Command) -> None:
    hour = datetime.now(UTC).hour
    lists = [f"address,topics,zone,hour\nbo@example.org,policy,UTC,{(hour + hours) % 24}\n" for hours in (6, 3)]
    Path("six.csv").write_text(lists[0])
    Path("three.csv").write_text(lists[1])
    assert command("subscriber", "import", "six.csv").code == command("issue", "approve", SLUG).code == 0
    newsletter = Newsletter(load())
    plan(newsletter, SLUG)
    assert command("subscriber", "import", "three.csv").code == 0
    with newsletter.reading() as session:
        due = session.exec(select(Delivery.due).where(Delivery.address == "bo@example.org")).one()
    assert due.astimezone(UTC).hour == (hour + 3) % 24


def test_show_tells_preferences_and_consent(command: Command) -> None:
    facts = shown(command, "CHEN@example.org")
    assert (facts["topics"], facts["follow"], facts["state"]) == (["policy", "models"], ["算力"], "active")
    assert [consent["kind"] for consent in facts["consent"]] == ["command"]
    assert "policy, models" in command("subscriber", "show", "chen@example.org").out


def test_pause_resume_unsubscribe_and_forget_change_the_state(command: Command) -> None:
    for words, state in (
        (("pause",), "paused"),
        (("resume",), "active"),
        (("unsubscribe",), "unsubscribed"),
    ):
        assert command("subscriber", *words, "chen@example.org").code == 0
        assert shown(command, "chen@example.org")["state"] == state
    assert command("subscriber", "forget", "chen@example.org", "--yes").code == 0
    assert command("subscriber", "show", "chen@example.org").code == 1


def test_a_pause_that_is_over_already_is_refused(command: Command) -> None:
    assert command("subscriber", "pause", "chen@example.org", "--until", "2020-01-01").code == 1
    assert command("subscriber", "pause", "chen@example.org", "--until", "0001-01-01").code == 1


def test_export_and_import_are_a_round_trip(command: Command) -> None:
    assert command("subscriber", "export", "-o", "out.csv").code == 0
    said = command("subscriber", "import", "out.csv", "--json")
    assert json.loads(said.out)["unchanged"] == 2


def test_suppression_is_added_listed_and_taken_off(command: Command) -> None:
    command("suppression", "add", "chen@example.org", "--note", "asked")
    assert json.loads(command("suppression", "list", "--json").out)[0]["note"] == "asked"
    assert shown(command, "chen@example.org")["suppressed"] is True
    command("suppression", "remove", "chen@example.org")
    assert shown(command, "chen@example.org")["suppressed"] is False


def test_several_addresses_are_taken_off_the_suppression_list_or_none(command: Command) -> None:
    for address in ("chen@example.org", "lin@example.org"):
        command("suppression", "add", address)
    assert command("suppression", "remove", "chen@example.org", "nonsense").code == 1
    assert len(json.loads(command("suppression", "list", "--json").out)) == 2
    command("suppression", "remove", "chen@example.org", "lin@example.org")
    assert json.loads(command("suppression", "list", "--json").out) == []


def test_an_alias_makes_a_heading_mean_a_topic(command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(ISSUE.replace("政策与监管", "政经要闻"), "utf-8")
    assert command("issue", "check", "other.md").code == 1
    assert command("topic", "alias", "policy", "政经要闻").code == 0
    assert command("issue", "check", "other.md").code == 0


def test_export_is_read_back_as_the_same_issue(command: Command) -> None:
    command("issue", "export", SLUG, "-o", "canonical.md")
    assert "unchanged" in command("issue", "import", "canonical.md").out


def test_the_original_text_comes_back_byte_for_byte(command: Command) -> None:
    command("issue", "export", SLUG, "--original", "-o", "again.md")
    assert Path("again.md").read_bytes() == Path("issue.md").read_bytes()


def test_another_title_on_the_same_day_gets_a_slug_of_its_own(command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(ISSUE.replace("示例日报", "示例晚报"), "utf-8")
    assert command("issue", "import", "other.md").out.startswith(f"{SLUG}-2: revision 1")


def test_an_issue_without_a_title_gets_the_newsletters_name(command: Command, tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(ISSUE.replace("# 示例日报 (2026-03-09)\n", ""), "utf-8")
    assert command("issue", "import", "other.md", "--date", "2026-03-10").code == 0
    assert json.loads(command("issue", "show", "2026-03-10", "--json").out)["title"] == "Newsletter"


def test_preview_formats_are_the_parts_of_one_message(command: Command) -> None:
    for form, begins in (("html", "<!DOCTYPE html>"), ("text", "示例日报"), ("eml", "From: ")):
        assert command("issue", "preview", SLUG, "--as", "chen@example.org", "--format", form).code == 0
        command("issue", "preview", SLUG, "--as", "chen@example.org", "--format", form, "-o", form)
        assert Path(form).read_text("utf-8").startswith(begins)


def test_a_preview_can_be_that_of_a_send_at_another_time(command: Command) -> None:
    preview = ("issue", "preview", SLUG, "--format", "eml")
    for at in ("2026-03-09 18:30", "2026-03-09T10:30:00Z"):
        said = command(*preview, "--as", "chen@example.org", "--at", at)
        assert (said.code, "Date: Mon, 09 Mar 2026 18:30:00 +0800" in said.out) == (0, True)
    assert command(*preview, "--as", "chen@example.org", "--at", "soon").code == 2
    assert command(*preview, "--topics", "policy", "--at", "2026-03-09 18:30").code == 2


def test_a_reader_with_no_story_is_said_to_get_nothing(command: Command) -> None:
    said = command("issue", "preview", SLUG, "--as", "li@example.org")
    assert (said.code, "no match" in said.err) == (1, True)


def test_approving_with_settings_unfit_for_real_mail_warns(command: Command) -> None:
    said = command("issue", "approve", SLUG)
    assert (said.code, "SENDER is not set" in said.err, "POSTAL_ADDRESS" in said.err) == (0, True, True)
