"""What a line of inline Markdown is made of, as frozen values that a renderer can walk."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """Characters as they are shown; nothing in them is markup."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeSpan:
    """Characters shown as code, kept letter by letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong:
    """Bold."""

    spans: "tuple[Span, ...]"


@dataclass(frozen=True, slots=True)
class Emphasis:
    """Italic."""

    spans: "tuple[Span, ...]"


@dataclass(frozen=True, slots=True)
class Strike:
    """Crossed out."""

    spans: "tuple[Span, ...]"


@dataclass(frozen=True, slots=True)
class Link:
    """A label over an http(s) address; a link never holds another link."""

    url: str
    spans: "tuple[Span, ...]"


Span = Text | CodeSpan | Strong | Emphasis | Strike | Link


def plain(spans: tuple[Span, ...]) -> str:
    """Only the characters that a reader sees."""
    return "".join(span.text if isinstance(span, Text | CodeSpan) else plain(span.spans) for span in spans)


def joined(spans: list[Span]) -> tuple[Span, ...]:
    """Drop what is empty and make one span of neighbours of the same kind, so that equal looks have equal values."""
    result: list[Span] = []
    for span in spans:
        last = result[-1] if result else None
        if not (span.text if isinstance(span, Text | CodeSpan) else span.spans):
            continue
        if isinstance(span, Text | CodeSpan) and isinstance(last, type(span)):
            result[-1] = type(span)(last.text + span.text)
        elif isinstance(span, Strong | Emphasis | Strike) and isinstance(last, type(span)):
            result[-1] = type(span)(joined([*last.spans, *span.spans]))
        else:
            result.append(span)
    return tuple(result)
