"""An issue as plain JSON values and back: what `issue check --json` prints and what a stored revision keeps."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.issue import (
    Block,
    Code,
    Image,
    Issue,
    Listing,
    Mark,
    Origin,
    Paragraph,
    Points,
    Quote,
    Section,
    Source,
    Story,
    Table,
)
from newsletter.content.reading import Reading

Json = dict[str, Any]


def reading_to_json(reading: Reading) -> Json:
    """A reading with its diagnostics; the issue's keys are there (and empty) even when nothing could be read."""
    issue = reading.issue or Issue(title="", date=None, sections=(), format="")
    return issue_to_json(issue) | {"diagnostics": [_finding(finding) for finding in reading.diagnostics]}


def reading_to_document(reading: Reading) -> Json:
    """What a stored revision keeps: the same, and beside each diagnostic's message the facts it is made of."""
    findings = [_finding(finding) | {"facts": dict(finding.pairs)} for finding in reading.diagnostics]
    return reading_to_json(reading) | {"diagnostics": findings}


def issue_to_json(issue: Issue) -> Json:
    """Everything an issue holds, dates as ISO 8601; `origins` only where there are some, as in a digest."""
    origins = {story: {"issue": origin.issue, "date": origin.date.isoformat()} for story, origin in issue.origins}
    return {
        "format": issue.format,
        "title": issue.title,
        "date": issue.date.isoformat() if issue.date else None,
        "subject": issue.subject,
        "preheader": issue.preheader,
        "sections": [_section(section) for section in issue.sections],
    } | ({"origins": origins} if origins else {})


def issue_from_json(data: Mapping[str, Any]) -> Issue:
    """The issue that `issue_to_json` wrote."""
    return Issue(
        title=data["title"],
        date=date.fromisoformat(data["date"]) if data["date"] else None,
        sections=tuple(_read_section(section) for section in data["sections"]),
        format=data["format"],
        subject=data["subject"],
        preheader=data["preheader"],
        origins=tuple(
            (story, Origin(origin["issue"], date.fromisoformat(origin["date"])))
            for story, origin in data.get("origins", {}).items()
        ),
    )


def _finding(finding: Diagnostic) -> Json:
    return {
        "severity": str(finding.severity),
        "line": finding.line,
        "code": finding.code,
        "message": finding.message,
    }


def _section(section: Section) -> Json:
    stories = [_story(story) for story in section.stories]
    return {"title": section.title, "path": list(section.path), "topic": section.topic, "stories": stories}


def _story(story: Story) -> Json:
    """A story; its marks only where there are some, so that what was stored before there were any is still the same."""
    marks = {"marks": [str(mark) for mark in story.marks]} if story.marks else {}
    return {
        "id": story.id,
        "title": story.title,
        "summary": story.summary,
        "background": story.background,
        "points": list(story.points),
        "source": {"name": story.source.name, "url": story.source.url} if story.source else None,
        "topics": list(story.topics),
        "tags": list(story.tags),
        "published": story.published.isoformat() if story.published else None,
        "body": [_block(block) for block in story.body],
    } | marks


def _block(block: Block) -> str | Json:
    match block:
        case Paragraph(text):
            return text
        case Points(heading, points):
            return {"heading": heading, "points": list(points)}
        case Listing(items, ordered):
            return {"list": list(items), "ordered": ordered}
        case Quote(paragraphs):
            return {"quote": list(paragraphs)}
        case Code(text, language):
            return {"code": text, "language": language}
        case Table(rows):
            return {"table": [list(row) for row in rows]}
        case Image(url, alt):
            return {"image": url, "alt": alt}


def _read_section(data: Mapping[str, Any]) -> Section:
    stories = tuple(_read_story(story) for story in data["stories"])
    return Section(title=data["title"], stories=stories, path=tuple(data["path"]), topic=data["topic"])


def _read_story(data: Mapping[str, Any]) -> Story:
    return Story(
        id=data["id"],
        title=data["title"],
        summary=data["summary"],
        background=data["background"],
        points=tuple(data["points"]),
        source=Source(**data["source"]) if data["source"] else None,
        topics=tuple(data["topics"]),
        tags=tuple(data["tags"]),
        published=datetime.fromisoformat(data["published"]) if data["published"] else None,
        body=tuple(_read_block(block) for block in data["body"]),
        marks=tuple(map(Mark, data.get("marks", ()))),
    )


def _read_block(data: str | Mapping[str, Any]) -> Block:
    match data:
        case str():
            return Paragraph(data)
        case {"heading": heading, "points": points}:
            return Points(heading, tuple(points))
        case {"list": items, "ordered": ordered}:
            return Listing(tuple(items), ordered)
        case {"quote": paragraphs}:
            return Quote(tuple(paragraphs))
        case {"code": text, "language": language}:
            return Code(text, language)
        case {"table": rows}:
            return Table(_read_rows(rows))
        case {"image": url, "alt": alt}:
            return Image(url, alt)
    raise ValueError(f"a stored body block has none of the known shapes: {sorted(data)}")


def _read_rows(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row) for row in rows)
