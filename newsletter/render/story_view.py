"""A story as the templates see it: cleaned, its links checked, its body shortened."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from newsletter.content.inline import spans
from newsletter.content.issue import Mark, Origin, Story
from newsletter.content.spans import plain
from newsletter.render.blocks import BlockView, block_view
from newsletter.render.shorten import ENTRY_COLUMNS, brief, headline, shortened
from newsletter.render.spans import Spans, clean, has_link, language_of, web_url
from newsletter.render.widths import cut_to_columns

_SHOWN = (Mark.IMPORTANT, Mark.FOLLOW_UP)  # that a story is one of its own says nothing to who reads it


@dataclass(frozen=True, slots=True)
class StoryView:
    """What stands in the mail about one story.

    `index` counts from 0 in the issue; `url` is the source's address (empty when it has none) and `title_url` the same
    unless the title brings links of its own; `name` is the title as plain text; `lang` is the language of its text;
    `more` is where a body goes on that was cut, empty when it is whole; `marks` are those that readers see, `important`
    and `follow-up`. In a digest `issue_date` is that of the issue that the story stood in, else None, and `title_url`
    leads to its page in the archive.
    """

    index: int
    id: str
    name: str
    title: Spans
    lang: str
    url: str
    title_url: str
    summary: Spans
    background: Spans
    points: tuple[Spans, ...]
    body: tuple[BlockView, ...]
    more: str
    source: str
    published: datetime | None
    tags: tuple[str, ...]
    topics: tuple[str, ...]
    marks: tuple[str, ...]
    issue_date: date | None

    @property
    def teaser(self) -> Spans:
        """What a preview line says about it: its summary, else its first point, else its body's first paragraph."""
        paragraphs = (block.rows[0][0] for block in self.body if block.kind == "paragraph")
        return next((told for told in (self.summary, *self.points, *paragraphs) if plain(told).strip()), ())

    @property
    def headline(self) -> Spans:
        """The title, cut where it is very long."""
        return headline(self.title)

    @property
    def entry(self) -> str:
        """The title as plain text, cut to a line of a list of contents."""
        return cut_to_columns(self.name, ENTRY_COLUMNS)

    @property
    def brief(self) -> Spans:
        """The same in a sentence or two, for a mail that leads to the whole story elsewhere."""
        return brief(self.teaser)


def story_view(
    index: int, story: Story, pages: str = "", base_url: str = "", origin: Origin | None = None
) -> StoryView:
    """Prepare one story; `origin` is where it stood, in a digest.

    `pages` is the address below which the archive has a page for each story of the issue. What is cut goes on there,
    without an archive at the source; without either a body stays whole, for there would be no place to read the rest.
    Pictures that were uploaded lie below `base_url`.
    """
    if origin:
        pages = f"{base_url}/archive/{origin.issue}"
    title, summary, background = spans(story.title), spans(story.summary), spans(story.background)
    points = tuple(spans(point) for point in story.points)
    url = web_url(story.source.url) if story.source else ""
    whole, rest = tuple(block_view(block, base_url) for block in story.body), f"{pages}/{story.id}" if pages else url
    body, cut = shortened(whole) if rest else (whole, False)
    return StoryView(
        index=index,
        id=story.id,
        name=clean(plain(title)),
        title=title,
        lang=language_of(" ".join(_prose((title, summary, background, *points), body))),
        url=url,
        title_url="" if has_link(title) else f"{pages}/{story.id}" if origin else url,
        summary=summary,
        background=background,
        points=points,
        body=body,
        more=rest if cut else "",
        source=_source_name(story, url),
        published=story.published,
        tags=tuple(clean(tag) for tag in story.tags if clean(tag).strip()),
        topics=story.topics,
        marks=tuple(str(mark) for mark in Mark if mark in story.marks and mark in _SHOWN),
        issue_date=origin.date if origin else None,
    )


def _prose(parts: Iterable[Spans], body: Iterable[BlockView]) -> Iterator[str]:
    """The texts of a story in its own language: neither code nor tables, whose words are mostly names."""
    yield from (plain(part) for part in parts)
    for block in body:
        if block.kind not in ("code", "table"):
            yield from (plain(row[0]) for row in block.rows)


def _source_name(story: Story, url: str) -> str:
    if story.source is None:
        return ""
    return clean(story.source.name).strip() or url
