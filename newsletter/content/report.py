"""Reading a weekly report: text as it comes out of a PDF, with a table of contents and numbered headings."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from newsletter.content.contents_page import CHAPTER, TITLE, Contents, Entry, Row, numbered
from newsletter.content.dates import DatedText, find_date
from newsletter.content.diagnostics import Diagnostic
from newsletter.content.drafts import impossible_date
from newsletter.content.fields import unplaced
from newsletter.content.findings import quoted, warning
from newsletter.content.headings import TAG_LINE, Heading, find_headings
from newsletter.content.inline import escape
from newsletter.content.issue import Issue, Paragraph, Section, Story
from newsletter.content.mark_lines import Numbered, by_story, without_marks
from newsletter.content.paragraphs import columns, ends_sentence, join_broken
from newsletter.content.reading import Reading
from newsletter.content.story_marks import read_marks

_TAG_BREAK = re.compile(r"[\s、,，;；/]+")
_PAGE_NUMBER = re.compile(r"[-–—·\s]*\d{1,4}[-–—·\s]*|第\s*\d{1,4}\s*页")
_UNTIL = re.compile(r"\s*[-–—~～至到]+\s*(?:(\d{1,2})\s*[月./-])?\s*(\d{1,2})\s*日")
_MARKDOWN = re.compile(r"\]\(|#{1,6}\s|\*\*")
_WIDEST_TITLE_COLUMNS = 80
_SHORTEST_TITLE_CHARACTERS = 4


def looks_like_report(lines: Sequence[str]) -> bool:
    """Whether the text has a report's table of contents, or its numbered titles with 标签 lines, and no Markdown."""
    rows = [line.strip() for line in lines if line.strip()]
    if any(_MARKDOWN.search(text) for text in rows):
        return False
    rows = [text for _, text in without_marks(enumerate(rows))[0]]
    levels = [heading.level if (heading := numbered(text)) else 0 for text in rows]
    pairs = list(pairwise(levels))
    tagged = any(level == TITLE and TAG_LINE.match(below) for level, below in zip(levels, rows[1:], strict=False))
    nested = any(0 < upper < TITLE == lower for upper, lower in pairs)
    told = sum(level == TITLE and below == 0 for level, below in pairs)
    return tagged or (nested and told > 1) or bool(Contents(lines))


def read_report(lines: Sequence[str], resolve: Callable[[str], str | None]) -> Reading:
    """Read a report; `resolve` gives the topic's slug that a heading means.

    Titles of the table of contents that the text never has, and text that belongs to no story, become diagnostics.
    """
    contents = Contents(lines)
    told = [(n, text) for n, line in enumerate(lines, 1) if (text := line.strip()) and n not in contents.lines]
    rows, marked = without_marks(told)
    headings = find_headings(rows, contents)
    first = min(headings, default=len(rows))
    title, title_line, day, findings = _preface(rows[:first])
    parts, left = _collect(rows, first, headings)
    findings += [_unplaced(row) for row in left] + [_missing(entry) for entry in contents.missing]
    _hand_out(marked, parts, findings)
    sections = tuple(part.section(resolve, findings) for part in parts)
    return Reading(
        issue=Issue(title=escape(title), date=day, sections=sections, format="report"),
        diagnostics=tuple(sorted(findings, key=lambda finding: finding.line)),
        section_lines=tuple(part.line for part in parts),
        story_lines=tuple(draft.line for part in parts for draft in part.drafts),
        title_line=title_line,
    )


@dataclass(slots=True)
class _Draft:
    title: str
    line: int
    tags: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    marked: Numbered = field(default_factory=list)

    def story(self, topic: str, findings: list[Diagnostic]) -> Story:
        """Make the story, its paragraphs whole."""
        return Story(
            title=escape(self.title),
            topics=(topic,) if topic else (),
            tags=tuple(dict.fromkeys(self.tags)),
            body=tuple(Paragraph(escape(text)) for text in join_broken(self.fragments)),
            marks=read_marks(self.marked, findings),
        )


@dataclass(slots=True)
class _Part:
    """A section: its headings as the text has them and as the table of contents lists them, outermost first."""

    path: tuple[str, ...]
    listed: tuple[str, ...]
    line: int
    drafts: list[_Draft] = field(default_factory=list)

    def section(self, resolve: Callable[[str], str | None], findings: list[Diagnostic]) -> Section:
        """Make the section; its innermost heading decides the topic, else its outermost."""
        topic = next((slug for heading in (*self.path[-1:], *self.path[:1]) if (slug := resolve(heading))), "")
        path = tuple(escape(heading) for heading in self.path)
        stories = tuple(draft.story(topic, findings) for draft in self.drafts)
        return Section(title=path[-1] if path else "", stories=stories, path=path, topic=topic)


def _collect(rows: Sequence[Row], first: int, headings: Mapping[int, Heading]) -> tuple[list[_Part], list[Row]]:
    """Gather the sections with their stories, and the rows that belong to none."""
    parts: list[_Part] = []
    left: list[Row] = []
    draft: _Draft | None = None
    at = first
    while at < len(rows):
        line, text = rows[at]
        if heading := headings.get(at):
            draft = _place(parts, heading, line)
            at += heading.rows
            continue
        if draft is None or _PAGE_NUMBER.fullmatch(text):
            left.append(rows[at])
        elif tags := TAG_LINE.match(text):
            draft.tags += [tag for tag in _TAG_BREAK.split(tags[1]) if tag]
        else:
            draft.fragments.append(text)
        at += 1
    return parts, left


def _hand_out(marked: Numbered, parts: Sequence[_Part], findings: list[Diagnostic]) -> None:
    """Give the lines of marks to the stories below whose titles they stand."""
    drafts = {draft.line: draft for part in parts for draft in part.drafts}
    for line, marks in by_story(marked, list(drafts), [part.line for part in parts], findings).items():
        drafts[line].marked = marks


def _place(parts: list[_Part], heading: Heading, line: int) -> _Draft | None:
    """Open a section or a story; what the table of contents has goes where it has it, even if a heading is lost."""
    here = parts[-1] if parts else None
    if heading.level != TITLE:
        _open(parts, heading, line)
        return None
    if here is None or (heading.entry and heading.entry.path not in (here.listed, here.path)):
        path = heading.entry.path if heading.entry else ()
        parts.append(_Part(path, path, line))
    parts[-1].drafts.append(_Draft(heading.title, line))
    return parts[-1].drafts[-1]


def _open(parts: list[_Part], heading: Heading, line: int) -> None:
    here = parts[-1] if parts else _Part((), (), line)
    around, listed = ((), ()) if heading.level == CHAPTER else (here.path[:1], here.listed[:1])
    if heading.entry and heading.entry.path != listed:
        around = listed = heading.entry.path
    if parts and not here.drafts and here.path == around:
        parts.pop()
    parts.append(
        _Part((*around, heading.title), (*listed, heading.entry.title if heading.entry else heading.title), line)
    )


def _preface(rows: Sequence[Row]) -> tuple[str, int, date | None, list[Diagnostic]]:
    """Find the title, its line and the date that stand before everything else; the rest is unplaced."""
    title, title_line = "", 0
    dated: DatedText | None = None
    findings: list[Diagnostic] = []
    for line, text in rows:
        found = _end_of_span(text)
        title_like = not title and columns(found.text[:_WIDEST_TITLE_COLUMNS]) <= _WIDEST_TITLE_COLUMNS
        if title_like and len(found.text) >= _SHORTEST_TITLE_CHARACTERS and not ends_sentence(text):
            title, title_line = found.text, line
        elif not found.written or dated:
            findings.append(_unplaced((line, text)))
        if found.written and not dated:
            dated = found
            findings += [] if found.date else [impossible_date(found.written, line)]
    return title, title_line, dated.date if dated else None, findings


def _end_of_span(text: str) -> DatedText:
    """Read the day a line names, or the last day of the span it names (2024年1月20日—1月26日)."""
    found = find_date(text)
    end = text.find(found.written) + len(found.written)
    until = _UNTIL.match(text, end) if found.date else None
    if not found.date or not until:
        return found
    month = int(until[1] or found.date.month)
    year = found.date.year + (month < found.date.month)
    return find_date(f"{text[: end - len(found.written)]}{year}-{month}-{int(until[2])}{text[until.end() :]}")


def _unplaced(row: Row) -> Diagnostic:
    advice = "this belongs to no story and was left out; put it below a numbered title with a 标签 line"
    return unplaced(row[1], row[0], advice)


def _missing(entry: Entry) -> Diagnostic:
    message = f"{quoted(entry.title)} stands in the table of contents, but not in the text"
    return warning(entry.line, "missing-story", f"{message}; add it or take it out of the table", what=entry.title)
