"""Writing an issue as canonical Markdown, which `newsletter.content.canonical` reads back to the same issue."""

import re
from collections.abc import Iterator, Sequence

from newsletter.content.escaping import write, write_link
from newsletter.content.fields import LABELS, Field
from newsletter.content.front_matter import write_front_matter
from newsletter.content.inline import escape, spans
from newsletter.content.issue import (
    Block,
    Code,
    Image,
    Issue,
    Listing,
    Paragraph,
    Points,
    Quote,
    Section,
    Source,
    Story,
    Table,
)
from newsletter.content.story_marks import write_marks

# What would begin a block of another kind at the start of a line. Emphasis, code and backslashes are escaped already.
_BLOCK_START = re.compile(r"[#>=]|[-+](?![A-Za-z0-9])|\d{1,9}[.)]|\[(?:\\.|[^\]\\])*\]:")
_TICKS = re.compile(r"`+")


def to_markdown(issue: Issue) -> str:
    """The canonical Markdown of an issue: `read_issue` makes the same issue of it, story ids aside."""
    front = {"canonical": issue.format}
    if issue.date:
        front["date"] = issue.date.isoformat()
    front |= {key: value for key in ("subject", "preheader") if (value := str(getattr(issue, key)))}
    parts = [write_front_matter(front) + f"# {issue.title}".rstrip()]
    parts += ["\n".join(_section(section)) for section in issue.sections]
    return "\n\n".join(parts) + "\n"


def label(field: Field) -> str:
    """The label of a field as canonical Markdown writes it, colon included."""
    return LABELS[field][0] + "："


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}".rstrip()
    if section.path != ((section.title,) if section.title else ()):
        yield from (f"{label(Field.PATH)}{level}" for level in section.path or ("",))
    if section.topic:
        yield label(Field.TOPICS) + escape(section.topic)
    for story in section.stories:
        yield ""
        yield from _story(story, (section.topic,) if section.topic else ())


def _story(story: Story, inherited: tuple[str, ...]) -> Iterator[str]:
    yield f"### {story.title}".rstrip()
    if story.summary:
        yield label(Field.SUMMARY) + story.summary
    if story.background:
        yield label(Field.BACKGROUND) + story.background
    if story.points:
        yield label(Field.POINTS)
        yield from (f"- {point}" for point in story.points)
    if story.source:
        yield label(Field.SOURCE) + _source(story.source)
    if story.tags:
        yield label(Field.TAGS) + "、".join(map(escape, story.tags))
    if story.marks:
        yield label(Field.MARKS) + write_marks(story.marks)
    if story.topics != inherited:
        yield label(Field.TOPICS) + "、".join(map(escape, story.topics))
    if story.published:
        yield label(Field.PUBLISHED) + story.published.isoformat()
    if story.body:
        yield label(Field.BODY)
        yield from write_body(story.body)


def _source(source: Source) -> str:
    return write_link(source.name, source.url) if source.url else escape(source.name)


def _guarded(text: str) -> str:
    """Text that begins no other kind of block: its first character is written as its number (CommonMark 2.5)."""
    return f"&#{ord(text[0])};{text[1:]}" if _BLOCK_START.match(text) else text


def _heading(text: str) -> str:
    closed = text[:-1] + "&#35;" if text.endswith("#") else text  # a trailing # would close the heading
    return f"#### {closed}".rstrip()


def _list(items: Sequence[str], marks: Iterator[str]) -> list[str]:
    return [f"{next(marks)} {_guarded(item)}" for item in items]


def _bullets(mark: str) -> Iterator[str]:
    while True:
        yield mark


def _numbers(mark: str) -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"{number}{mark}"


def write_body(body: Sequence[Block]) -> Iterator[str]:
    """The lines of a body. Of two lists in a row the second has another mark, or Markdown would read them as one."""
    other = False
    for index, block in enumerate(body):
        previous = body[index - 1] if index else None
        beside = isinstance(block, Listing) and isinstance(previous, Listing) and previous.ordered == block.ordered
        other = beside and not other
        yield ""
        yield from _block(block, other)


def _block(block: Block, other: bool) -> list[str]:
    match block:
        case Paragraph(text):
            return [_guarded(text)]
        case Points(heading, points):
            return [_heading(heading), *_list(points, _bullets("-"))]
        case Listing(items, ordered):
            return _list(items, _numbers(")" if other else ".") if ordered else _bullets("+" if other else "*"))
        case Quote(paragraphs):
            return "\n>\n".join(f"> {_guarded(text)}" for text in paragraphs).split("\n")
        case Code(text, language):
            fence = "`" * max(3, 1 + max((len(run) for run in _TICKS.findall(text)), default=0))
            return [fence + language, *text.split("\n"), fence]
        case Table(rows):
            return _table(rows)
        case Image(url, alt):
            return ["!" + write_link(write(spans(alt), "[", "]", True), url, written=True)]


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [*lines[:1], "|" + " --- |" * len(rows[0]), *lines[1:]] if rows else []
