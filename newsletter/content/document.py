"""The door for issues: bytes of a file in any encoding and any dialect to a `Reading`."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from newsletter.content.article import looks_like_article, read_article
from newsletter.content.canonical import FORMATS, read_canonical
from newsletter.content.daily import looks_like_daily, read_daily
from newsletter.content.dates import find_date
from newsletter.content.diagnostics import Diagnostic, Fact
from newsletter.content.drafts import Resolve, impossible_date, unknown_topic
from newsletter.content.encoding import decode
from newsletter.content.fields import read_text, unplaced
from newsletter.content.findings import error, named
from newsletter.content.front_matter import FrontMatter, read_front_matter
from newsletter.content.general import read_general
from newsletter.content.inline import canonical, plain
from newsletter.content.issue import Issue, Section
from newsletter.content.lines import split_lines
from newsletter.content.reading import Reading
from newsletter.content.report import looks_like_report, read_report
from newsletter.content.tags import unclosed_spans

MAX_BYTES = 5_000_000  # a hundred times the longest report we know; reading it takes seconds, not minutes


def read_issue(
    data: bytes, *, resolve: Callable[[str], str | None], title: str = "", date: date | None = None
) -> Reading:
    """Read an issue; whatever the bytes are, this raises nothing.

    `resolve` gives the topic's slug that a section heading means (`subscribers.topics.Catalogue().resolve`). `title`
    and `date` go before what the text says. Line numbers count in the file as it is, front matter included.
    """
    if len(data) > MAX_BYTES:
        return _unread(
            "too-large", f"the file has more than the {MAX_BYTES:,} bytes that are read: split it", most=MAX_BYTES
        )
    text = decode(data)
    if text is None:
        return _unread("encoding", "this is not text in UTF-8, UTF-16 or GB18030: save the file as UTF-8")
    lines = split_lines(text)
    if not any(line.strip() for line in lines):
        return _unread("empty", "the file is empty: write an issue into it")
    front = read_front_matter(lines)
    body = [""] * front.lines + lines[front.lines :]
    reading = _read(body, front, resolve)
    said = unclosed_spans(body) if reading.issue else []
    said += [] if canonical(title) else _replaced_title(reading, front, body)
    return _overridden(reading, front, resolve, title, date, said)


def _unread(code: str, message: str, **facts: Fact) -> Reading:
    return Reading(None, (error(0, code, message, **facts),))


def _read(lines: Sequence[str], front: FrontMatter, resolve: Resolve) -> Reading:
    if front.canonical in FORMATS:
        return read_canonical(lines, resolve, front.canonical)
    if looks_like_report(lines):
        return read_report(lines, resolve)
    if looks_like_article(lines):
        return read_article(lines, resolve)
    if looks_like_daily(lines, resolve):
        return read_daily(lines, resolve)
    return read_general(lines, resolve)


def _replaced_title(reading: Reading, front: FrontMatter, lines: Sequence[str]) -> list[Diagnostic]:
    """The warning for a heading that the front matter's title replaces, unless it says the same or names a story."""
    title = canonical(front.title)
    issue = reading.issue
    if issue is None or not title or not reading.title_line or _bare_title(issue.title) == _bare_title(title):
        return []
    if any(story.title == issue.title for story in issue.stories):
        return []
    advice = f"the title in the front matter, {named(title)}, is used; delete this heading or take the other out"
    return [unplaced(lines[reading.title_line - 1], reading.title_line, advice, "title")]


def _bare_title(title: str) -> str:
    return plain(find_date(title).text)


def _overridden(
    reading: Reading, front: FrontMatter, resolve: Resolve, title: str, day: date | None, said: Sequence[Diagnostic]
) -> Reading:
    """What the caller and the front matter say goes before what the text says."""
    issue = reading.issue
    if issue is None:
        return reading
    findings = [*front.diagnostics, *said]
    written = find_date(front.date)
    if front.date and written.date is None:
        findings.append(impossible_date(front.date, front.line("date")))
    if front.canonical and front.canonical not in FORMATS:
        message = (
            f"canonical must be one of {', '.join(FORMATS)}, not {front.canonical!r}: correct it or delete the line"
        )
        facts = {"case": "canonical", "what": front.canonical, "known": ", ".join(FORMATS)}
        findings.append(error(front.line("canonical"), "front-matter", message, **facts))
    replaced = day or written.date
    kept = [found for found in reading.diagnostics if not (replaced and found.code == "date-impossible")]
    changed = replace(
        issue,
        title=canonical(title) or read_text(front.title, front.line("title"), findings) or issue.title,
        date=replaced or issue.date,
        subject=front.subject,
        preheader=front.preheader,
        sections=_with_topics(issue, _topics(front, resolve, findings)),
    )
    ordered = sorted([*findings, *kept], key=lambda found: found.line)
    return replace(reading, issue=changed, diagnostics=tuple(ordered))


def _topics(front: FrontMatter, resolve: Resolve, findings: list[Diagnostic]) -> tuple[str, ...]:
    found: list[str] = []
    for name in front.topics:
        if slug := resolve(name):
            found.append(slug)
        else:
            findings.append(unknown_topic(name, front.line("topics")))
    return tuple(dict.fromkeys(found))


def _with_topics(issue: Issue, topics: tuple[str, ...]) -> tuple[Section, ...]:
    """Give the front matter's topics to the sections that have none of their own."""
    if not topics:
        return issue.sections
    return tuple(
        section
        if section.topic
        else replace(
            section,
            topic=topics[0],
            stories=tuple(
                replace(story, topics=tuple(dict.fromkeys([*topics, *story.topics]))) for story in section.stories
            ),
        )
        for section in issue.sections
    )
