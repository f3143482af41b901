"""Inline Markdown spans as plain text: a link is its label with the address in angle brackets behind it."""

from collections.abc import Iterable, Iterator

from newsletter.content.spans import CodeSpan, Emphasis, Link, Span, Strike, Strong, Text
from newsletter.render.spans import Spans, clean, web_url

MOST_INLINE = 60
"""The longest address, in characters, that stands in the midst of a sentence."""


def to_text(spans: Iterable[Span]) -> str:
    """Spans on one line (RFC 3986 appendix C)."""
    return "".join(_text(span) for span in spans)


def to_lines(spans: Spans) -> list[str]:
    """Spans as a line of text; below it, with its label again, each link whose address would part a sentence."""
    below = [link for link in _links(spans) if _is_long(link)]
    text = "".join(_text(span, with_long=False) for span in spans)
    return [text, *dict.fromkeys(_text(link) for link in below)]


def _text(span: Span, with_long: bool = True) -> str:
    match span:
        case Text(text) | CodeSpan(text):
            return clean(text)
        case Link(url, spans):
            label, address = to_text(spans), web_url(url)
            if not address or (_is_long(span) and not with_long):
                return label
            return f"<{address}>" if label in (url, address) else f"{label} <{address}>"
        case Strong(spans) | Emphasis(spans) | Strike(spans):
            return "".join(_text(inner, with_long) for inner in spans)


def _is_long(link: Link) -> bool:
    """Whether a link's address is kept out of its sentence; where it is the label too, it has to stand there."""
    label, address = to_text(link.spans), web_url(link.url)
    return len(address) > MOST_INLINE and bool(label.strip()) and label not in (link.url, address)


def _links(spans: Iterable[Span]) -> Iterator[Link]:
    for span in spans:
        match span:
            case Link():
                yield span
            case Strong(inner) | Emphasis(inner) | Strike(inner):
                yield from _links(inner)
