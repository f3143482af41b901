"""Mends for a story that an earlier issue had: the mark that says how it is meant, or the story out."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.fields import Field
from newsletter.content.issue import Mark
from newsletter.content.mending import Catalogue, Mend, added, removed, rewritten
from newsletter.content.rows import Look, Row, read_rows
from newsletter.content.story_marks import WORDS, mark_of, words_in

_STORY_LINES = 400
"""So far below its title a story's end is looked for."""

_BEFORE_LABEL = re.compile(r"\s*(?:[-*+]\s+)?")
_ENDS = frozenset({Look.HEADING, Look.BOLD, Look.STYLED})


def offers(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """The story marked as a follow-up, marked as new, and taken out where its end is certain."""
    if not finding.line:
        return
    title, *below = read_rows(lines[finding.line - 1 : finding.line + _STORY_LINES])
    told = below[: _length(title, below)]
    for mark in (Mark.FOLLOW_UP, Mark.NEW):
        yield _marked(lines, finding.line, told, mark)
    if _is_whole(title, below, len(told), finding.line, len(lines)):
        last = finding.line + len(told)
        while not lines[last - 1].strip():
            last -= 1
        following = next((n for n in range(last, len(lines)) if lines[n].strip()), last)
        yield removed(lines, finding.line, max(following, last))


def _length(title: Row, below: Sequence[Row]) -> int:
    """How many of the lines below a title are its story's."""
    return next((n for n, row in enumerate(below) if _begins_other(title, row)), len(below))


def _begins_other(title: Row, row: Row) -> bool:
    if title.look is Look.HEADING:
        return row.look is Look.HEADING and row.level <= title.level
    return row.look in _ENDS or (row.look is Look.ITEM and row.list_key == title.list_key and row.bold == title.bold)


def _is_whole(title: Row, below: Sequence[Row], length: int, line: int, many: int) -> bool:
    """Whether a story's end is certain by its look: a bold item of a list, or a heading, up to the next."""
    if title.look is not Look.HEADING and not (title.look is Look.ITEM and title.bold):
        return False
    return length < len(below) or line + length >= many


def _marked(lines: Sequence[str], line: int, told: Sequence[Row], mark: Mark) -> Mend:
    """A mark in the line of marks that the story has, else in one of its own, where its other labels stand."""
    labels = [(line + place, row) for place, row in enumerate(told, 1) if row.label]
    english = any(row.label and row.raw.strip(" -*+\t_")[:1].isascii() for _, row in labels)
    word = WORDS[mark][english]
    for number, row in labels:
        if row.label and row.label.field is Field.MARKS:
            words = [*(one for one in words_in(row.label.text) if mark_of(one) is Mark.IMPORTANT), word]
            before = lines[number - 1].rstrip().removesuffix(row.label.text)
            new = before + (", " if english else "、").join(words)
            return rewritten("write", lines, number, new, shown=new.strip())
    written = f"Mark: {word}" if english else f"标记：{word}"
    return _own_line(lines, line, labels, written)


def _own_line(lines: Sequence[str], line: int, labels: Sequence[tuple[int, Row]], written: str) -> Mend:
    """A line above that of the source or the tags, which end a story; else below its last label, or its title."""
    for number, row in labels:
        if row.label and row.label.field in (Field.SOURCE, Field.TAGS):
            new = f"{_before(row)}{written}\n{lines[number - 1]}"
            return Mend("add", number, lines[number - 1], new, written)
    if not labels:
        return added(lines, line, written)
    number, row = labels[-1]
    while number < len(lines) and lines[number].strip() and row.label and row.label.field is Field.POINTS:
        number += 1  # its points
    return added(lines, number, _before(row) + written)


def _before(row: Row) -> str:
    found = _BEFORE_LABEL.match(row.raw)
    return found[0] if found else ""
