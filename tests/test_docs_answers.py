"""The words that an answer about a reader's day is told in are all in the reference, and no others."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

from newsletter.editorial.answers import Absent, Began
from newsletter.editorial.arrival import Hour, Late
from newsletter.editorial.silence import Silence, What

COMMANDS = Path(__file__).resolve().parent.parent / "docs" / "reference" / "commands.md"


@pytest.mark.parametrize(
    ("field", "words"),
    [("began", Began), ("reason", Absent), ("hour", Hour), ("late", Late), ("what", What), ("why", Silence)],
)
def test_every_word_of_an_answer_is_in_the_reference(field: str, words: type[StrEnum]) -> None:
    (row,) = re.findall(rf"^\| `{field}`.*? \| (.*) \|$", COMMANDS.read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"`([^`]+)`", row)) - {"state"} == set(words)
