"""The words of the pages: one thing has one name, which docs/reference/words.md gives, in both languages."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "templates/web/words").glob("*.toml"))
GLOSSARY = (ROOT / "docs/reference/words.md").read_text("utf-8")
ROWS = [line.strip("| ").split(" | ") for line in GLOSSARY.splitlines() if line.startswith("| ")][1:]
SAME = {
    "queued": ("log_state_queued", "readers_mail_queued", "sending_count_queued"),
    "in hand": ("log_state_in_hand",),
    "accepted": (
        "log_state_accepted", "log_verdict_accepted", "readers_mail_accepted", "sending_count_accepted",
        "trial_verdict_accepted", "desk_overview_accepted",
    ),
    "deferred": ("log_state_deferred", "sending_count_deferred"),
    "failed": (
        "log_state_failed", "log_verdict_refused", "readers_mail_failed", "sending_count_failed",
        "trial_verdict_refused",
    ),
    "unknown": (
        "log_state_unknown", "log_verdict_unknown", "readers_mail_unknown", "sending_count_unknown",
        "trial_verdict_unknown",
    ),
    "excluded": ("log_state_excluded", "readers_mail_excluded", "sending_count_excluded", "desk_overview_excluded"),
    "withdraw": ("sending_unschedule",),
    "write a new issue": ("new_issue_button", "issues_first", "desk_overview_write"),
}  # fmt: skip
"""By the English of the glossary, the words that say just this."""


def said(language: str) -> Iterator[tuple[str, str]]:
    for file in FILES:
        yield from tomllib.loads(file.read_text("utf-8"))[language].items()


@pytest.mark.parametrize(("chinese", "rejected"), [(row[1], row[3]) for row in ROWS], ids=[row[2] for row in ROWS])
def test_a_rejected_name_does_not_come_back(chinese: str, rejected: str) -> None:
    names = rejected.split(", ")
    found = [
        (key, text)
        for language in ("zh", "en")
        for key, text in said(language)
        if any(name.casefold() in text.replace("投递记录", "").casefold() for name in names)
    ]
    assert not found, f"{chinese} is the word"


@pytest.mark.parametrize("english", SAME)
def test_what_means_the_same_is_said_the_same(english: str) -> None:
    row = next(row for row in ROWS if row[2] == english)
    for language, word in (("zh", row[1]), ("en", english)):
        words = dict(said(language))
        assert {key: words[key].casefold() for key in SAME[english]} == dict.fromkeys(SAME[english], word.casefold())


def test_a_refusal_is_a_reason_and_no_outcome() -> None:
    names = {name for name, text in said("zh") if "拒收" in text}
    assert not [name for name in names if not re.search(r"_reason_|_why_|checks_sender_|_hint$|_about$", name)]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_both_languages_say_as_much(file: Path) -> None:
    words = tomllib.loads(file.read_text("utf-8"))
    assert words["zh"].keys() == words["en"].keys()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_word_leaves_the_plural_to_the_reader(language: str) -> None:
    assert not [name for name, text in said(language) if "(s)" in text]
