"""A whole story as plain HTML for feed readers, which have a style of their own."""

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup, escape

from newsletter.content.inline import spans
from newsletter.content.issue import Block, Source, Story
from newsletter.render.blocks import block_view
from newsletter.render.spans import Spans, clean, to_html, web_url

_KEPT = 500
"""Stories kept, of some kilobytes each: those of the feeds that are asked for again and again."""


@lru_cache(_KEPT)
def story_html(story: Story) -> str:
    """All that an issue says about a story, but its title; empty when that is nothing."""
    told = _each("p", (spans(text) for text in (story.summary, story.background) if text))
    points = _within("ul", _each("li", map(spans, story.points))) if story.points else Markup()
    body = Markup().join(map(_block, story.body))
    return str(told + points + body + (_source(story.source) if story.source else Markup()))


def _block(block: Block) -> Markup:
    view = block_view(block)
    cells = [row[0] for row in view.rows if row]
    match view.kind:
        case "points" | "list":
            heading = _within("p", _within("strong", to_html(view.heading))) if view.heading else Markup()
            return heading + _within("ol" if view.ordered else "ul", _each("li", cells))
        case "quote":
            return _within("blockquote", _each("p", cells))
        case "code":
            return _within("pre", _within("code", Markup("\n").join(map(to_html, cells))))
        case "table":
            kinds = ["th", *["td"] * len(view.rows)]
            rows = (_within("tr", _each(kind, row)) for kind, row in zip(kinds, view.rows, strict=False))
            return _within("table", Markup().join(rows))
        case "image":  # as in the mail: nobody's feed reader is made to call on a stranger
            return _within("p", Markup().join(_linked(view.url, to_html(cell) or escape(view.url)) for cell in cells))
        case _:
            return _each("p", cells)


def _source(source: Source) -> Markup:
    url = web_url(source.url)
    name = clean(source.name).strip() or url
    return _within("p", _linked(url, escape(name))) if name else Markup()


def _linked(url: str, label: Markup) -> Markup:
    return Markup('<a href="{}">{}</a>').format(url, label) if url else label


def _each(tag: str, texts: Iterable[Spans]) -> Markup:
    """Every text in an element of its own."""
    return Markup().join(_within(tag, to_html(text)) for text in texts)


def _within(tag: str, content: Markup) -> Markup:
    return Markup("<{0}>{1}</{0}>").format(tag, content)
