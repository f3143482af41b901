"""The door to Markdown: one line of it read as spans and written back in one canonical way.

CommonMark decides by its flanking rules whether an asterisk may open or close emphasis, and those rules fail beside
full-width punctuation (`**重点：**内容` stays literal; commonmark/commonmark-spec#650). Here a CJK neighbour counts
like punctuation. Raw HTML is text. Only http and https addresses become links.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline, image
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from newsletter.content.escaping import tidy, write
from newsletter.content.spans import CodeSpan, Emphasis, Link, Span, Strike, Strong, Text, joined
from newsletter.content.spans import plain as _plain

References = Mapping[str, Any]
CJK = "\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_IS_CJK = re.compile(f"[{CJK}]")
_MARKUP = re.compile(r"[\\`*_\[\]<&~!\n]")
_BARE = re.compile(rf"https?://[^\s<>\"\\^`{{|}}“”‘’—…\u3000-\u303f{CJK}]+", re.IGNORECASE)
# No paragraph that a person wrote has more marks; beyond, only backslashes and entities are read, which costs little.
_MOST_MARKS = 1_000
# A renderer that walks spans calls itself once a level; nobody nests emphasis deeper than this on purpose.
_DEEPEST = 6
_DEEPEST_IMAGE = 2
# Texts that are remembered: those of the issues that are being written, in some 10 MB, and never more than a tenfold.
_KEPT_TEXTS = 8_192
_MOST_KEPT_CHARACTERS = 1_000
_KINDS: dict[str, type[Strong | Emphasis | Strike]] = {"strong": Strong, "em": Emphasis, "s": Strike}


class AnyAddress(MarkdownIt):
    """Takes every address as a link, so that its label is found; what kind of address it is, is judged here."""

    def validateLink(self, url: str) -> bool:  # noqa: N802 (the library's name)
        """Whatever its scheme."""
        return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Tokenise a run of `*` or `_` as CommonMark 0.31 section 6.2 does, with CJK neighbours taken for punctuation."""
    marker = state.src[state.pos]
    if silent or marker not in "_*":
        return False
    start = pos = state.pos
    while pos < state.posMax and state.src[pos] == marker:
        pos += 1
    before = state.src[start - 1] if start else " "
    after = state.src[pos] if pos < state.posMax else " "
    blank_before, blank_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
    mark_before, mark_after = (isMdAsciiPunct(ord(c)) or isPunctChar(c) for c in (before, after))
    left = not blank_after and (not mark_after or blank_before or mark_before or bool(_IS_CJK.match(before)))
    right = not blank_before and (not mark_before or blank_after or mark_after or bool(_IS_CJK.match(after)))
    opens = left if marker == "*" else left and (not right or mark_before)
    closes = right if marker == "*" else right and (not left or mark_after)
    for _ in range(pos - start):
        state.push("text", "", 0).content = marker
        state.delimiters.append(
            Delimiter(
                marker=ord(marker), length=pos - start, token=len(state.tokens) - 1, end=-1, open=opens, close=closes
            )
        )
    state.pos = pos
    return True


def _image(state: StateInline, silent: bool) -> bool:
    """Read an image; the library reads its alt text by calling itself, so the depth is held here."""
    depth = state.env.get("image depth", 0)
    if depth >= _DEEPEST_IMAGE:
        return False
    state.env["image depth"] = depth + 1
    try:
        return image(state, silent)
    finally:
        state.env["image depth"] = depth


def _inline_parser() -> MarkdownIt:
    # maxNesting bounds how far the library looks ahead from each bracket, and with it the time hostile text takes.
    parser = AnyAddress("commonmark", {"html": False, "maxNesting": 8}).enable("strikethrough")
    parser.inline.ruler.at("emphasis", _emphasis)
    parser.inline.ruler.at("image", _image)
    return parser


_INLINE = _inline_parser()
_PLAIN = MarkdownIt("zero").enable(["escape", "entity", "newline"])


def is_web_address(url: str) -> bool:
    """Whether an address is http or https and names a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:  # a port or an IPv6 host that is none
        return False


def host(url: str) -> str:
    """The host that an http(s) address names, without `www.`; empty when it names none."""
    return (urlsplit(url).hostname or "").removeprefix("www.") if is_web_address(url) else ""


def bare_links(text: str) -> Iterator[tuple[int, int, str]]:
    """Find http(s) addresses that stand in plain text: first character, the one after the last, address.

    An address ends where Chinese text or full-width punctuation begins; closing punctuation is not part of it.
    """
    for found in _BARE.finditer(text):
        written = found.group().rstrip(".,;:!?'\"*_~")
        if written.endswith(")") and written.count(")") > written.count("("):
            written = written[:-1]
        url = _INLINE.normalizeLink(written)
        if is_web_address(url):
            yield found.start(), found.start() + len(written), url


def _resolve_breaks(tokens: list[Token]) -> list[Token]:
    """Turn line breaks into text: nothing between two CJK characters, one space elsewhere."""
    shown = [token for token in tokens if token.content or token.type in ("softbreak", "hardbreak")]
    for before, token, after in zip([None, *shown], shown, [*shown[1:], None], strict=False):
        if token.type in ("softbreak", "hardbreak"):
            left = before.content[-1:] if before else ""
            right = after.content[:1] if after else ""
            token.content = "" if _IS_CJK.match(left) and _IS_CJK.match(right) else " "
            token.type = "text"
    return tokens


def _titled(spans: list[Span], token: Token) -> list[Span]:
    title = tidy(str(token.attrs.get("title", "")))
    return [*spans, Text(f" ({title})")] if title else spans


def _image_spans(token: Token) -> list[Span]:
    url = str(token.attrs["src"])
    alt = _plain(_tree(token.children or [])) or url
    return _titled([Link(url, (Text(alt),)) if is_web_address(url) else Text(alt)], token)


def _closed(opening: Token, inner: tuple[Span, ...], depth: int, in_link: bool) -> list[Span]:
    if opening.type == "link_open":
        url = str(opening.attrs["href"])
        label = inner or (Text(url),)
        return _titled([Link(url, label)] if is_web_address(url) and not in_link else list(label), opening)
    kind = _KINDS[opening.tag]
    return [kind(inner)] if depth <= _DEEPEST else list(inner)


def _tree(tokens: list[Token]) -> tuple[Span, ...]:
    """Fold the library's flat tokens into spans; markup deeper than `_DEEPEST` is dropped, its text stays."""
    levels: list[list[Span]] = [[]]
    open_tokens: list[Token] = []
    links = 0
    for token in _resolve_breaks(tokens):
        if token.nesting == 1:
            levels.append([])
            open_tokens.append(token)
            links += token.type == "link_open"
        elif token.nesting == -1:
            opening, inner = open_tokens.pop(), joined(levels.pop())
            links -= opening.type == "link_open"
            levels[-1].extend(_closed(opening, inner, len(levels), links > 0))
        elif token.type == "image":
            picture = _image_spans(token)
            levels[-1].extend(picture if not links else [Text(_plain(tuple(picture)))])
        elif token.type == "code_inline":
            levels[-1].append(CodeSpan(token.content))
        else:
            levels[-1].append(Text(token.content))
    return joined(levels[0])


def _inline(text: str, references: References | None = None) -> list[Token]:
    parser = _PLAIN if sum(map(text.count, "[*_`~<&!")) > _MOST_MARKS else _INLINE
    return parser.parseInline(text, {"references": references or {}})[0].children or []


def _read(text: str, references: References | None = None) -> tuple[Span, ...]:
    if not _MARKUP.search(text):
        return (Text(text),) if text else ()
    return _tree(_inline(text, references))


def canonical(text: str, references: References | None = None) -> str:
    """Inline Markdown in its one canonical form: reading that form again, and writing it again, changes nothing.

    Control characters go, blanks and line breaks become one space (nothing between two CJK characters), links to
    anything but http(s) leave their label, images become links over their alt text. `references` are the link
    definitions of the document that the text stands in (see `newsletter.content.blocks`).
    """
    return _settled(text, references)[0]


def _settled(text: str, references: References | None = None) -> tuple[str, tuple[Span, ...]]:
    """The canonical form of a text and its spans; a short text is remembered, since an editor changes one at a time."""
    if references or len(text) > _MOST_KEPT_CHARACTERS:
        return _settle(text, references)
    return _settle_once(text)


@lru_cache(maxsize=_KEPT_TEXTS)
def _settle_once(text: str) -> tuple[str, tuple[Span, ...]]:
    return _settle(text)


def _settle(text: str, references: References | None = None) -> tuple[str, tuple[Span, ...]]:
    """Write spans so that they read back as themselves; emphasis that Markdown cannot write there gives way."""
    clean = tidy(text)
    found = _read(clean, references)
    if not _MARKUP.search(clean):
        return clean, found
    for change in (_as_found, _trimmed, _without_emphasis):
        found = change(found)
        written = write(found)
        if tidy(written) == written and _read(written) == found:
            return written, found
    text = tidy(_plain(found))
    return escape(text), ((Text(text),) if text else ())


def _as_found(found: tuple[Span, ...]) -> tuple[Span, ...]:
    return found


def _trimmed(found: tuple[Span, ...]) -> tuple[Span, ...]:
    return _read(tidy(write(found)))


def _without_emphasis(found: tuple[Span, ...]) -> tuple[Span, ...]:
    result: list[Span] = []
    for span in found:
        if isinstance(span, Strong | Emphasis | Strike):
            result.extend(_without_emphasis(span.spans))
        else:
            result.append(Link(span.url, _without_emphasis(span.spans)) if isinstance(span, Link) else span)
    return joined(result)


def escape(text: str) -> str:
    """Plain text as inline Markdown that reads back as exactly that text (blanks folded, control characters gone)."""
    clean = tidy(text.replace("\n", " "))
    return write((Text(clean),)) if clean else ""


def spans(text: str) -> tuple[Span, ...]:
    """Inline Markdown as a tree of spans, nested at most six levels deep."""
    return _settled(text)[1]


def plain(text: str) -> str:
    """The characters that a reader of this inline Markdown sees."""
    return _plain(spans(text))


def _bad(tokens: Iterable[Token]) -> Iterable[str]:
    for token in tokens:
        url = str(token.attrs.get("href") or token.attrs.get("src") or "")
        mail = token.info == "auto" and url.startswith("mailto:")  # <name@example.org>: nothing of it is dropped
        if token.type in ("link_open", "image") and not mail and not is_web_address(url):
            yield url
        yield from _bad(token.children or [])


def bad_links(text: str, references: References | None = None) -> tuple[str, ...]:
    """The addresses of links and images in this text that are not http(s); `canonical` drops them."""
    if "[" not in text and "<" not in text:
        return ()
    if references or len(text) > _MOST_KEPT_CHARACTERS:
        return tuple(_bad(_inline(tidy(text), references)))
    return _bad_once(text)


@lru_cache(maxsize=_KEPT_TEXTS)
def _bad_once(text: str) -> tuple[str, ...]:
    return tuple(_bad(_inline(tidy(text))))


def pictures(text: str, references: References | None = None) -> tuple[tuple[str, str], ...]:
    """Address and alt text of the images in a text that consists of http(s) images alone; empty for any other text."""
    if "![" not in text:
        return ()
    tokens = [token for token in _inline(tidy(text), references) if token.type != "text" or token.content.strip()]
    tokens = [token for token in tokens if token.type != "softbreak"]
    if not all(token.type == "image" and is_web_address(str(token.attrs["src"])) for token in tokens):
        return ()
    return tuple(
        (str(token.attrs["src"]), _plain(tuple(_titled(list(_tree(token.children or [])), token)))) for token in tokens
    )
