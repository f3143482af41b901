"""`newsletter issue digest`: what it says of the digest it built."""

import json

import pytest
from command import Command
from sending import Clock
from week_samples import day, reader, sent

from newsletter.app import Newsletter
from newsletter.settings import PREFIX

SLUG = "digest-2026-03-13"


@pytest.fixture
def command(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The commands of the newsletter of this test."""
    for name in ("database_url", "sender", "base_url"):
        monkeypatch.setenv(f"{PREFIX}{name.upper()}", str(getattr(newsletter.settings, name)))
    monkeypatch.setenv(f"{PREFIX}SECRET_KEY", newsletter.settings.secret_key.get_secret_value())
    return Command(monkeypatch, capsys)


@pytest.fixture
def week(newsletter: Newsletter) -> Newsletter:
    """An issue of Thursday, 12 March, and a reader who reads weekly."""
    newsletter.clock = Clock()
    reader(newsletter, "friday")
    sent(newsletter, 12)
    day(newsletter, 13)
    return newsletter


def test_it_says_of_what_and_for_whom_it_is(week: Newsletter, command: Command) -> None:
    said = command("issue", "digest", "2026-03-13")
    assert said.code == 0
    assert f"{SLUG}: 1 story of 1 issue that went out since 2026-03-05 22:00." in said.out
    assert "For 1 weekly reader." in said.out


def test_its_json_is_one_object(week: Newsletter, command: Command) -> None:
    told = json.loads(command("issue", "digest", "2026-03-13", "--json").out)
    assert (told["slug"], told["stories"], told["readers"]) == (SLUG, {"policy": 1}, 1)
    assert told["covers"][-1] == "2026-03-13"
    assert told["days"][-1] == "none"


def test_the_list_tells_it_from_an_issue(week: Newsletter, command: Command) -> None:
    command("issue", "digest", "2026-03-13")
    kinds = {one["slug"]: one["kind"] for one in json.loads(command("issue", "list", "--json").out)}
    assert kinds == {SLUG: "digest", "2026-03-12": "issue"}


@pytest.mark.parametrize(
    ("on", "code", "said"),
    [
        ("2026-01-01", 1, "no issue went out"),
        ("friday", 2, "a date such"),
        ("9999-12-31", 1, "9999-12-31 is too far away"),
        ("0001-01-01", 1, "0001-01-01 is too far away"),
        ("9998-12-31", 1, "no issue went out"),
        ("1971-01-01", 1, "no issue went out"),
    ],
)
def test_what_cannot_be_built_is_refused_with_the_reason(
    week: Newsletter, command: Command, on: str, code: int, said: str
) -> None:
    answer = command("issue", "digest", on)
    assert answer.code == code
    assert said in answer.err
