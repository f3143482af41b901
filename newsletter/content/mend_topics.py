"""Mends for headings and words that mean no topic: the names of those there are, the nearest first."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from difflib import SequenceMatcher

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.fields import Field, match_label
from newsletter.content.mending import Catalogue, Mend, Topic, rewritten

_HEADING = re.compile(r"(\s*(?:[#＃]{1,6}\s*)?(?:\*\*|__)?)(.*?)((?:\*\*|__)?[:：]?(?:\*\*|__)?\s*#*\s*)")
_COMPARED_CHARACTERS = 40
_LINES_BELOW = 400
_NEAREST = 3


def offers(lines: Sequence[str], finding: Diagnostic, catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """Each topic's name instead of the one that is not known; above stories without a heading, a heading."""
    if not finding.line:
        return
    if finding.case in ("word", "known"):
        yield from _words(lines, finding.line, str(finding.facts["what"]), catalogue)
    elif finding.case == "nameless":
        line = lines[finding.line - 1]
        for topic in catalogue.topics:
            yield Mend("add", finding.line, line, f"{_bold(topic, line)}\n\n{line}", topic.zh)
    elif finding.case == "section":
        yield from _headings(lines, finding.line, catalogue)


def _headings(lines: Sequence[str], number: int, catalogue: Catalogue) -> Iterator[Mend]:
    found = _HEADING.fullmatch(lines[number - 1])
    if not found or not found[2].strip():
        return
    for topic in _nearest(found[2], catalogue):
        name = topic.en if found[2].isascii() else topic.zh
        yield rewritten("rename", lines, number, f"{found[1]}{name}{found[3]}", shown=name)


def _words(lines: Sequence[str], number: int, word: str, catalogue: Catalogue) -> Iterator[Mend]:
    """The word replaced in the line that names topics: that line itself, or one below the heading of its section."""
    for at in range(number, min(len(lines), number + _LINES_BELOW) + 1):
        line = lines[at - 1]
        label = match_label(line)
        named = at == number and line.lstrip().lower().startswith("topics")
        if word in line and (named or (label and label.field is Field.TOPICS)):
            start = line.rindex(word)
            for topic in _nearest(word, catalogue):
                name = topic.slug if word.isascii() else topic.zh
                yield rewritten("rename", lines, at, line[:start] + name + line[start + len(word) :], shown=name)
            return


def _nearest(word: str, catalogue: Catalogue) -> list[Topic]:
    """The topics of whose names or aliases one is most like the word."""
    short = word[:_COMPARED_CHARACTERS].casefold()

    def likeness(topic: Topic) -> float:
        names = (topic.slug, topic.zh, topic.en, *topic.aliases)
        return max(SequenceMatcher(None, short, name.casefold()).ratio() for name in names)

    return sorted(catalogue.topics, key=likeness, reverse=True)[:_NEAREST]


def _bold(topic: Topic, line: str) -> str:
    """The heading that fits what stands below: Markdown's for a deeper heading, else a bold line."""
    return f"## {topic.zh}" if line.lstrip().startswith("#") else f"**{topic.zh}**"
