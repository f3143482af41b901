"""Reading one article whose points are separated by ` - ` and whose title and source stand in lines of their own."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.fields import unplaced
from newsletter.content.findings import error, quoted, warning
from newsletter.content.inline import escape
from newsletter.content.issue import Block, Issue, Paragraph, Points, Section, Source, Story
from newsletter.content.mark_lines import without_marks
from newsletter.content.paragraphs import columns, ends_sentence
from newsletter.content.reading import Reading
from newsletter.content.story_marks import read_marks

Row = tuple[int, str]

_BYLINE = re.compile(
    r"(?:来源|出处|[Ss]ource)?\s*[:：]?\s*(\S.{0,40}?)[\s·•・‧|｜:：,，—–-]*"
    r"(?<!\d)(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?"
    r"(?:[\sT·]*(\d{1,2})\s*[:：]\s*(\d{2})(?:\s*[:：]\s*(\d{2}))?)?"
)
_SEPARATOR = re.compile(r"(?:^|(?<=\s))[-–—•](?=\s)")
_REFERENCE = re.compile(r"\[\d{1,3}\](?!\()")
_LAST_REFERENCE_END = "。.;；,，、"
_SENTENCE_BREAK = re.compile(r"[。！？!?]\s+")
_MARKDOWN = re.compile(r"\]\(|\*\*")
_WIDEST_HEADING_COLUMNS = 80
_WIDEST_TITLE_COLUMNS = 200
_FEWEST_POINTS = 2


def looks_like_article(lines: Sequence[str]) -> bool:
    """Whether the text is points with references on one line, or such points and a line of source and date."""
    rows = _rows(lines)
    if not rows or any(_MARKDOWN.search(text) for _, text in rows):
        return False
    rows, _ = without_marks(rows)
    inline = max((len(_SEPARATOR.findall(text)) for _, text in rows), default=0) > _FEWEST_POINTS
    points = sum(len(_SEPARATOR.findall(text)) for _, text in rows)
    references = sum(len(_REFERENCE.findall(text)) for _, text in rows)
    return references >= _FEWEST_POINTS and (inline or (points >= _FEWEST_POINTS and _trailer(rows).byline is not None))


def read_article(lines: Sequence[str], resolve: Callable[[str], str | None]) -> Reading:
    """Read an article; `resolve` gives the topic's slug that its title means.

    A heading is what stands between the last reference of a point and the next separator. References stay in the text.
    """
    rows, marked = without_marks(_rows(lines))
    trailer = _trailer(rows)
    findings = list(_findings(trailer))
    blocks = _blocks("\n".join(text for _, text in trailer.body))
    title = escape(trailer.title)
    topic = (trailer.title and resolve(trailer.title)) or ""
    story = Story(
        title=title or next((block.heading for block in blocks if isinstance(block, Points) and block.heading), ""),
        source=Source(trailer.source, "") if trailer.source else None,
        topics=(topic,) if topic else (),
        published=trailer.published,
        body=blocks,
        marks=read_marks(marked, findings),
    )
    day = trailer.published.date() if trailer.published else None
    section = Section(title=title, stories=(story,), topic=topic)
    issue = Issue(title=title, date=day, sections=(section,), format="article")
    place = trailer.title_line or (rows[0][0] if rows else 0)
    ordered = sorted(findings, key=lambda finding: finding.line)
    return Reading(issue, tuple(ordered), (place,), (place,), trailer.title_line)


@dataclass(frozen=True, slots=True)
class _Trailer:
    """What stands in lines of their own: title, source and time; `body` and `after` are the rows that are left."""

    body: list[Row]
    after: list[Row]
    byline: Row | None = None
    title: str = ""
    title_line: int = 0
    source: str = ""
    published: datetime | None = None


def _rows(lines: Sequence[str]) -> list[Row]:
    return [(number, text) for number, line in enumerate(lines, 1) if (text := line.strip())]


def _trailer(rows: Sequence[Row]) -> _Trailer:
    """Find the line of source and date and the title above it, from the end."""
    for at in range(len(rows) - 1, -1, -1):
        found = _BYLINE.fullmatch(rows[at][1]) if len(rows[at][1]) <= _WIDEST_TITLE_COLUMNS else None
        if not found:
            continue
        titled = at > 0 and _may_be_title(rows[at - 1][1])
        number, title = rows[at - 1] if titled else (0, "")
        above, below = list(rows[: at - titled]), list(rows[at + 1 :])
        body, after = (above, below) if above else (below, [])
        return _Trailer(body, after, rows[at], title, number, found[1].strip(), _time(found))
    return _Trailer(list(rows), [])


def _may_be_title(text: str) -> bool:
    wide = len(text) > _WIDEST_TITLE_COLUMNS or columns(text) > _WIDEST_TITLE_COLUMNS
    return not (wide or _SEPARATOR.search(text) or _REFERENCE.search(text))


def _time(found: re.Match[str]) -> datetime | None:
    try:
        year, month, day, hour, minute, second = (int(found[group] or 0) for group in range(2, 8))
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def _blocks(text: str) -> tuple[Block, ...]:
    """Points under their headings; what stands before the first heading is a paragraph."""
    blocks: list[Block] = []
    pieces = _SEPARATOR.split(text)
    intro, heading = _split(pieces[0])
    if not heading and _may_be_heading(intro):
        intro, heading = "", intro
    points: list[str] = []
    if intro:
        blocks.append(Paragraph(escape(intro)))
    for place, piece in enumerate(pieces[1:], 2):
        point, following = _split(piece) if place < len(pieces) else (piece, "")
        points += [escape(point)] if point.strip() else []
        if following:
            blocks += [Points(escape(heading), tuple(points))] if heading or points else []
            heading, points = following, []
    return (*blocks, Points(escape(heading), tuple(points))) if heading or points else tuple(blocks)


def _split(piece: str) -> tuple[str, str]:
    """Part a point from the heading that follows it, empty when none does."""
    text = piece.strip()
    cut = max((found.end() for found in _REFERENCE.finditer(text)), default=0)
    cut = max((found.start() + 1 for found in _SENTENCE_BREAK.finditer(text, cut)), default=cut)
    cut += len(text[cut:]) - len(text[cut:].lstrip(_LAST_REFERENCE_END))
    cut = max(cut, text.rfind("\n"))
    tail = text[cut:]
    if cut and tail[:1].isspace() and _may_be_heading(tail.strip()):
        return text[:cut].strip(), tail.strip()
    return text, ""


def _may_be_heading(text: str) -> bool:
    wide = len(text) > _WIDEST_HEADING_COLUMNS or columns(text) > _WIDEST_HEADING_COLUMNS
    return bool(text) and not (wide or "\n" in text or _REFERENCE.search(text) or ends_sentence(text.rstrip(":：")))


def _findings(trailer: _Trailer) -> Iterator[Diagnostic]:
    if trailer.byline is None:
        message = "the article has no line of source and date; add one such as “示例日报·2026-01-07 20:28”"
        yield warning(0, "byline-missing", message)
    elif trailer.published is None:
        message = f"{quoted(trailer.byline[1])} names a day or time that does not exist; correct it"
        yield error(trailer.byline[0], "date-impossible", message, case="time", what=trailer.byline[1])
    for number, text in trailer.after:
        yield unplaced(text, number, "this stands below the line of source and date; move it above the title", "below")
