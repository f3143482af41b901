"""Mends for a story's marks: another word for one that is none, and one of two that contradict each other."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.fields import Field, match_label
from newsletter.content.issue import Mark
from newsletter.content.mending import Catalogue, Mend, removed, rewritten
from newsletter.content.story_marks import WORDS, mark_of, words_in

_BULLET = re.compile(r"\s*(?:(?:[-*+•]|\d{1,9}[.)、])\s+)?")
_CONTRARY = {Mark.NEW: Mark.FOLLOW_UP, Mark.FOLLOW_UP: Mark.NEW}


@dataclass(frozen=True, slots=True)
class _MarkLine:
    """A line of marks: what stands before its words, and the words."""

    before: str
    words: tuple[str, ...]

    def having(self, words: Sequence[str]) -> str:
        """The line with other words."""
        return self.before + (", " if all(map(str.isascii, words)) else "、").join(words)


def unknown(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """Each mark that the line lacks and that contradicts none in it, instead of the word that is no mark."""
    line, wrong = _read(lines, finding.line), str(finding.facts["what"])
    if line is None or wrong not in line.words:
        return
    there = {mark for word in line.words if (mark := mark_of(word))}
    at = line.words.index(wrong)
    for mark, words in WORDS.items():
        if mark not in there and _CONTRARY.get(mark) not in there:
            word = words[wrong.isascii()]
            changed = line.having([*line.words[:at], word, *line.words[at + 1 :]])
            yield rewritten("rename", lines, finding.line, changed, shown=word)


def contrary(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """The line without 新, and without 后续; the line out where it says nothing else."""
    line = _read(lines, finding.line)
    if line is None:
        return
    for taken in (Mark.NEW, Mark.FOLLOW_UP):
        kept = [word for word in line.words if mark_of(word) is not taken]
        if not kept:
            yield removed(lines, finding.line, finding.line)
        elif len(kept) < len(line.words):
            yield rewritten("write", lines, finding.line, line.having(kept), shown=line.having(kept).strip())


def _read(lines: Sequence[str], number: int) -> _MarkLine | None:
    if not number:
        return None
    line = lines[number - 1].rstrip()
    bullet = _BULLET.match(line)
    label = match_label(line[bullet.end() :] if bullet else line)
    if label is None or label.field is not Field.MARKS or not label.text or not line.endswith(label.text):
        return None
    return _MarkLine(line[: -len(label.text)], words_in(label.text))
