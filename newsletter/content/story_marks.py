"""What an editor says of a story beyond its text (标记：重要、后续): the words for it, read and written."""

import re
import unicodedata
from collections.abc import Iterable

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.findings import quoted, warning
from newsletter.content.inline import plain
from newsletter.content.issue import Mark
from newsletter.content.paragraphs import ends_sentence

WORDS: dict[Mark, tuple[str, str]] = {
    Mark.IMPORTANT: ("重要", "important"),
    Mark.FOLLOW_UP: ("后续", "follow-up"),
    Mark.NEW: ("新", "new"),
}
"""Each mark's word in Chinese, which canonical Markdown writes, and in English."""

_BREAK = re.compile(r"[\s,，、;；]+")
_TWO_WORDS = re.compile(r"\b(follow)[ \t_]+(up)\b", re.IGNORECASE)
_AROUND = "#＃.。!！"
_KNOWN = {word.replace("-", ""): mark for mark, words in WORDS.items() for word in words}
_MOST_WORDS = 4
"""More, unless all of them are marks, is what somebody called Mark says."""


def words_in(text: str) -> tuple[str, ...]:
    """The words behind a label of marks, parted by blanks, commas or 、 as tags are, without a leading #."""
    words = (word.strip(_AROUND) for word in _BREAK.split(_TWO_WORDS.sub(r"\1-\2", plain(text))))
    return tuple(word for word in words if word)


def mark_of(word: str) -> Mark | None:
    """The mark that a word means in either language, whatever its case and width."""
    return _KNOWN.get(unicodedata.normalize("NFKC", word).casefold().replace("-", ""))


def may_be_marks(text: str) -> bool:
    """Whether a text behind a label of marks names marks, known or not, rather than being a sentence."""
    words = words_in(text)
    return all(map(mark_of, words)) or (len(words) <= _MOST_WORDS and not ends_sentence(text))


def read_marks(lines: Iterable[tuple[int, str]], findings: list[Diagnostic]) -> tuple[Mark, ...]:
    """The marks in numbered lines, each once and in the order in which they are written.

    A word that is none is a finding, and so is a story that is both new and a follow-up: it counts as a follow-up,
    for a reader who gets it without need can pass it over, and one who lacks it cannot know.
    """
    said: dict[Mark, int] = {}
    for number, text in lines:
        for word in words_in(text):
            if mark := mark_of(word):
                said.setdefault(mark, number)
            else:
                findings.append(_unknown(word, number))
    if {Mark.FOLLOW_UP, Mark.NEW} <= said.keys():
        findings.append(_contrary(max(said[Mark.FOLLOW_UP], said.pop(Mark.NEW))))
    return tuple(mark for mark in Mark if mark in said)


def write_marks(marks: Iterable[Mark]) -> str:
    """The words of marks as canonical Markdown has them."""
    return "、".join(WORDS[mark][0] for mark in marks)


def _unknown(word: str, line: int) -> Diagnostic:
    there = ", ".join(f"{zh} ({en})" for zh, en in WORDS.values())
    return warning(line, "mark-unknown", f"there is no mark {quoted(word)}; there are {there}: correct it", what=word)


def _contrary(line: int) -> Diagnostic:
    message = "a story is a follow-up (后续) or one of its own (新); this one counts as a follow-up: take one word out"
    return warning(line, "mark-contrary", message)
