"""Stories and sections while they are being read: lines collected under their fields, then made into values."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Protocol

from newsletter.content.body import read_body
from newsletter.content.dates import find_date
from newsletter.content.diagnostics import Diagnostic
from newsletter.content.escaping import write
from newsletter.content.fields import Field, read_source, read_tags, read_text, unplaced
from newsletter.content.findings import error
from newsletter.content.inline import References, canonical, host, spans
from newsletter.content.issue import Issue, Section, Source, Story
from newsletter.content.reading import Reading
from newsletter.content.spans import Link, Strong
from newsletter.content.story_marks import read_marks

Resolve = Callable[[str], str | None]
Numbered = list[tuple[int, str]]
_SEPARATORS = ("：", ":", "—", "–", "-", "|", "｜")


@dataclass(frozen=True, slots=True)
class Heading:
    """The title in a heading, the address it links to, and text behind a bold title on the same line."""

    title: str
    url: str = ""
    rest: str = ""


def take_heading(raw: str, line: int, findings: list[Diagnostic], references: References | None = None) -> Heading:
    """Take a heading apart; emphasis and a link around the whole of it are not part of the title."""
    found = spans(read_text(raw, line, findings, references))
    rest = write(found[1:]).strip()
    if isinstance(found[0] if found else None, Strong | Link) and rest.startswith(_SEPARATORS):
        found, rest = found[:1], rest.lstrip("".join(_SEPARATORS) + " ")
    else:
        rest = ""
    url = ""
    while len(found) == 1 and isinstance(found[0], Strong | Link):
        url = found[0].url if isinstance(found[0], Link) else url
        found = found[0].spans
    return Heading(canonical(write(found)), url, canonical(rest))


def take_name(raw: str, line: int, findings: list[Diagnostic], references: References | None = None) -> str:
    """Take the name of a section or an issue from its heading: bold around the whole of it is not part of the name."""
    found = spans(read_text(raw, line, findings, references))
    while len(found) == 1 and isinstance(found[0], Strong):
        found = found[0].spans
    return canonical(write(found))


def joined(lines: Numbered) -> str:
    """Lines of one text, with the line breaks in it."""
    return "\n".join(text for _, text in lines)


@dataclass(slots=True)
class StoryDraft:
    """A story being read; `fields` hold what stood behind each label, line by line."""

    heading: Heading
    line: int
    fields: dict[Field, Numbered] = field(default_factory=dict)
    points: list[Numbered] = field(default_factory=list)
    body: Numbered = field(default_factory=list)

    def story(self, topic: str, resolve: Resolve, findings: list[Diagnostic]) -> Story:
        """Make the value; what a field cannot hold becomes a finding."""
        return Story(
            title=self.heading.title,
            summary=self._text(Field.SUMMARY, findings),
            background=self._text(Field.BACKGROUND, findings),
            points=tuple(filter(None, (read_text(joined(point), point[0][0], findings) for point in self.points))),
            source=self._source(findings),
            topics=self._topics(topic, resolve, findings),
            tags=read_tags(joined(self.fields.get(Field.TAGS, []))),
            published=self._published(findings),
            body=read_body(self.body, findings),
            marks=read_marks(self.fields.get(Field.MARKS, []), findings),
        )

    def _text(self, name: Field, findings: list[Diagnostic]) -> str:
        lines = self.fields.get(name)
        return read_text(joined(lines), lines[0][0], findings) if lines else ""

    def _source(self, findings: list[Diagnostic]) -> Source | None:
        lines = self.fields.get(Field.SOURCE)
        name, url = read_source(joined(lines), lines[0][0], findings) if lines else ("", "")
        if url and self.heading.url not in ("", url):
            advice = "the source label goes before the link in the title; put this link into the text"
            findings.append(unplaced(self.heading.url, self.line, advice, "source"))
        url = url or self.heading.url
        return Source(name or host(url), url) if name or url else None

    def _topics(self, topic: str, resolve: Resolve, findings: list[Diagnostic]) -> tuple[str, ...]:
        found = [topic] if topic else []
        lines = self.fields.get(Field.TOPICS, [])
        for name in read_tags(joined(lines)):
            if slug := resolve(name):
                found.append(slug)
            else:
                findings.append(unknown_topic(name, lines[0][0]))
        return tuple(dict.fromkeys(found))

    def _published(self, findings: list[Diagnostic]) -> datetime | None:
        lines = self.fields.get(Field.PUBLISHED)
        if not lines or not joined(lines).strip():
            return None
        written = joined(lines).strip()
        try:
            return datetime.fromisoformat(written)
        except ValueError:
            if day := find_date(written).date:
                return datetime.combine(day, time())
        advice = "no time of publication can be read here; write 2026-02-04 08:30"
        findings.append(unplaced(written, lines[0][0], advice, "time"))
        return None


def unknown_topic(name: str, line: int) -> Diagnostic:
    """The error for a topic that the catalogue does not have."""
    message = f"there is no topic {name!r}: add it, give an alias, or correct the name"
    return error(line, "topic-unknown", message, case="word", what=name)


class Draft(Protocol):
    """What a section collects: anything that becomes a story."""

    line: int

    def story(self, topic: str, resolve: Resolve, findings: list[Diagnostic]) -> Story:
        """Make the value."""


@dataclass(slots=True)
class SectionDraft:
    """A section being read."""

    title: str
    line: int
    topic: str = ""
    path: tuple[str, ...] = ()
    stories: list[Draft] = field(default_factory=list)


@dataclass(slots=True)
class IssueDraft:
    """An issue being read."""

    title: str = ""
    dated: str = ""
    title_line: int = 0
    dated_line: int = 0
    sections: list[SectionDraft] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)

    def take_title(self, raw: str, line: int) -> None:
        """Take the issue's heading, and the date in it. A second one that says the same adds nothing."""
        found = find_date(raw)
        title = take_name(found.text, line, self.findings)
        if self.title and title and title != self.title:
            advice = "the issue has a title already; delete this or make it a section"
            self.findings.append(unplaced(raw, line, advice, "title"))
            return
        if title and not self.title:
            self.title, self.title_line = title, line
        if found.written and not self.dated:
            self.dated, self.dated_line = found.written, line

    def reading(self, name: str, resolve: Resolve) -> Reading:
        """The values, with findings in the order of their lines."""
        sections = tuple(
            Section(
                draft.title,
                tuple(story.story(draft.topic, resolve, self.findings) for story in draft.stories),
                draft.path or ((draft.title,) if draft.title else ()),
                draft.topic,
            )
            for draft in self.sections
        )
        day = find_date(self.dated).date if self.dated else None
        if self.dated and day is None:
            self.findings.append(impossible_date(self.dated, self.dated_line))
        return Reading(
            Issue(self.title, day, sections, name),
            tuple(sorted(self.findings, key=lambda finding: finding.line)),
            tuple(draft.line for draft in self.sections),
            tuple(story.line for draft in self.sections for story in draft.stories),
            self.title_line,
        )


def impossible_date(written: str, line: int) -> Diagnostic:
    """The error for a date that no calendar has."""
    message = f"there is no day {written.strip()[:40]!r}: write the date like 2026-02-04"
    return error(line, "date-impossible", message, case="day", what=written.strip()[:40])
