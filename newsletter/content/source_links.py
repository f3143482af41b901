"""Finding the link that a line of a digest is about: the one it begins with, or the one it ends in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.content.escaping import write
from newsletter.content.fields import GENERIC
from newsletter.content.inline import bare_links, canonical, host, is_web_address, spans
from newsletter.content.spans import Emphasis, Link, Span, Strong, Text, joined, plain

_CLOSING = " \t)）]】>》」.。!！,，;；"
_OPENING = " \t(（[【<《「-–—|｜·:：,，→>"
_LEADING = " \t-–—|｜·:：,，.。"
_BEFORE_SOURCE = re.compile(
    r"(?:[(（\[【<《「\-–—|｜:：。.!！?？;；→]|来源|出处|原文|链接|\bvia|\bsource|\bfrom)\s*$", re.IGNORECASE
)
_SOURCE_WORD = re.compile(r"(?:来源出处|来源|出处|原文|链接|\bvia|\bsource|\bread more(?: at| on)?)\s*$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[。！？]|[.!?](?=\s)")
_LONGEST_TITLE = 100


@dataclass(frozen=True, slots=True)
class Linked:
    """A text and the link it is about. `name` is the link's label if that is no part of the text, else the host."""

    title: str
    rest: str
    name: str
    url: str


def _with_bare(found: Sequence[Span]) -> list[Span]:
    """Make links of the addresses that stand in plain text."""
    result: list[Span] = []
    for span in found:
        end = 0
        if isinstance(span, Text):
            for start, stop, url in bare_links(span.text):
                result += [Text(span.text[end:start]), Link(url, (Text(span.text[start:stop]),))]
                end = stop
            result.append(Text(span.text[end:]))
        else:
            result.append(span)
    return [span for span in result if span != Text("")]


def _as_link(span: Span) -> Link | None:
    while isinstance(span, Strong | Emphasis) and len(span.spans) == 1:
        span = span.spans[0]
    return span if isinstance(span, Link) else None


def _written(found: Sequence[Span]) -> str:
    return canonical(write(joined(list(found))))


def _stripped(found: Sequence[Span], left: str = "", right: str = "") -> list[Span]:
    result = [*found]
    if result and isinstance(result[0], Text):
        result[0] = Text(result[0].text.lstrip(left or None))
    if result and isinstance(result[-1], Text):
        result[-1] = Text(result[-1].text.rstrip(right or None))
    return [span for span in result if span != Text("")]


def _title_and_rest(found: Sequence[Span]) -> tuple[str, str]:
    """Part a title from the text behind it: a bold beginning, or the first sentence of what is too long for a title."""
    if len(found) > 1 and isinstance(found[0], Strong):
        return _written(found[0].spans), _written(_stripped(found[1:], left=_LEADING))
    if len(plain(tuple(found))) > _LONGEST_TITLE:
        for index, span in enumerate(found):
            ending = _SENTENCE_END.search(span.text) if isinstance(span, Text) else None
            if ending and isinstance(span, Text):
                before, after = Text(span.text[: ending.end()]), Text(span.text[ending.end() :])
                rest = _written([after, *found[index + 1 :]])
                return (_written([*found[:index], before]), rest) if rest else (_written(found), "")
    return _written(found), ""


def leading_link(text: str) -> Linked | None:
    """A text that is a link, or begins with one: its label is the title, what follows is the rest."""
    found = _with_bare(spans(text))
    link = _as_link(found[0]) if found else None
    if link is None or is_web_address(plain(link.spans)):
        return None
    return Linked(_written(link.spans), _written(_stripped(found[1:], left=_LEADING)), host(link.url), link.url)


def is_link_line(text: str) -> bool:
    """Whether a paragraph is a link alone, or one with a description set off from it."""
    found = _with_bare(spans(text))
    link = _as_link(found[0]) if found else None
    if link is None or is_web_address(plain(link.spans)) or plain(link.spans).lower() in GENERIC:
        return False
    behind = plain(tuple(found[1:])).lstrip()
    return not behind or isinstance(found[0], Strong) or behind[0] in "-–—|｜:："


def _ending(found: list[Span]) -> tuple[Link, list[Span]] | None:
    kept = [*found]
    if kept and isinstance(kept[-1], Text) and not kept[-1].text.strip(_CLOSING):
        kept.pop()
    link = _as_link(kept[-1]) if kept else None
    return (link, kept[:-1]) if link else None


def _is_apart(link: Link, before: Sequence[Span]) -> bool:
    label, text = plain(link.spans), plain(tuple(before))
    return not text.strip() or label.lower() in GENERIC or is_web_address(label) or bool(_BEFORE_SOURCE.search(text))


def _name(link: Link) -> str:
    label = plain(link.spans).strip()
    return host(link.url) if is_web_address(label) or label.lower() in GENERIC else label


def _without_source_word(before: Sequence[Span]) -> list[Span]:
    found = _stripped(before, right=_OPENING)
    if found and isinstance(found[-1], Text):
        found[-1] = Text(_SOURCE_WORD.sub("", found[-1].text))
    return _stripped(found, right=_OPENING)


def closing_source(text: str) -> Linked | None:
    """A paragraph that ends in a link set apart from its sentence: the text before it, and the link."""
    ending = _ending(_with_bare(spans(text)))
    if ending is None or not _is_apart(*ending):
        return None
    return Linked("", _written(_without_source_word(ending[1])), _name(ending[0]), ending[0].url)


def trailing_link(text: str) -> Linked | None:
    """A list item that ends in its source link: the text before it is the title, or title and rest."""
    found = _with_bare(spans(text))
    ending = _ending(found)
    if ending is None:
        return None
    link, before = ending
    if _is_apart(link, before):
        title, rest = _title_and_rest(_without_source_word(before))
        return Linked(title or _written(link.spans), rest, _name(link) if title else host(link.url), link.url)
    title, rest = _title_and_rest([*before, *link.spans])
    return Linked(title, rest, host(link.url), link.url)


def first_sentence(text: str) -> tuple[str, str]:
    """A title for prose that has none, and the rest of it."""
    return _title_and_rest(spans(text))
