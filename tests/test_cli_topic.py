"""What a topic is about can be said and read on the command line."""

import json
from pathlib import Path

import pytest
from command import Command


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    made = Command(monkeypatch, capsys)
    assert made("init").code == 0
    return made


def about(command: Command, slug: str) -> tuple[str, str]:
    (topic,) = [topic for topic in json.loads(command("topic", "list", "--json").out) if topic["slug"] == slug]
    return topic["about_zh"], topic["about_en"]


def test_what_a_topic_is_about_is_kept_and_shown(command: Command) -> None:
    assert command("topic", "about", "policy", "--zh", "示例说明", "--en", "Sample words").code == 0
    assert about(command, "policy") == ("示例说明", "Sample words")
    assert "示例说明" in command("topic", "list").out


def test_the_language_that_is_not_given_stays_as_it_is(command: Command) -> None:
    before = about(command, "policy")
    command("topic", "about", "policy", "--en", "Sample words")
    assert about(command, "policy") == (before[0], "Sample words")
    command("topic", "about", "policy", "--zh", "")
    assert about(command, "policy") == ("", "Sample words")


def test_without_a_language_it_is_wrong_usage(command: Command) -> None:
    assert command("topic", "about", "policy").code == 2


@pytest.mark.parametrize("words", [("weather", "--zh", "x"), ("policy", "--zh", "x" * 201), ("policy", "--en", "\x1b")])
def test_an_unknown_topic_and_an_impossible_text_are_refused(words: tuple[str, ...], command: Command) -> None:
    before = about(command, "policy")
    said = command("topic", "about", *words)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert about(command, "policy") == before
