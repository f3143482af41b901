"""Inline Markdown spans as escaped HTML, and the cleaning that every shown string goes through."""

import html
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit, urlunsplit

from markupsafe import Markup, escape

from newsletter.content.inline import is_web_address
from newsletter.content.spans import CodeSpan, Emphasis, Link, Span, Strike, Strong, Text, plain

Spans = tuple[Span, ...]

# Neither HTML nor a mail header can hold these; what separates lines or words becomes a blank, the rest goes.
_GONE = dict.fromkeys((*range(32), *range(127, 160), 65534, 65535, 65279, *range(55296, 57344)))
_CLEAN = _GONE | dict.fromkeys((0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), " ")
_CLEAN_LINES = _CLEAN | {0x0A: "\n", 0x0D: None}
_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f][A-Za-z\u00c0-\u024f'’]*")
_ITALIC = Markup("<em>{}</em>")
_UPRIGHT = Markup('<em class="upright">{}</em>')  # slanted Chinese type is hard to read
_URL_SAFE = "%/:=&?~#+!$,;'@()*[]"


def clean(text: str) -> str:
    """A string on one line, without the characters that HTML and mail headers cannot hold."""
    return text.translate(_CLEAN)


def clean_lines(text: str) -> str:
    """The same for preformatted text, which keeps its line ends, as LF."""
    return text.replace("\r\n", "\n").replace("\t", "    ").translate(_CLEAN_LINES)


def is_chinese(text: str) -> bool:
    """Whether a text holds Chinese (or Japanese) characters, which no type has in italics."""
    return _HAN.search(text) is not None


def language_of(text: str) -> str:
    """The language that a text is marked with in HTML (BCP 47), by what most of it is written in.

    Chinese is full of Latin names, while English has few Chinese ones: two Latin words weigh as much as a character.
    """
    return "zh-CN" if 2 * len(_HAN.findall(text)) > len(_LATIN_WORD.findall(text)) else "en"


def web_url(url: str) -> str:
    """An http(s) address in ASCII (RFC 3986), the same in both parts of a mail; empty when it is anything else."""
    if not is_web_address(url):
        return ""
    if not url.isascii():
        parts = urlsplit(url)
        try:
            host = parts.netloc.encode("idna").decode()
        except UnicodeError:
            host = quote(parts.netloc, safe=_URL_SAFE)
        url = urlunsplit(parts._replace(netloc=host))
    return quote(url.translate(_CLEAN), safe=_URL_SAFE, errors="ignore")


def markup(text: str) -> str:
    """Text escaped as premailer writes it: quotes stay. It may stand between tags and, being an address, in a link."""
    return html.escape(text, quote=False)


def to_html(spans: Iterable[Span]) -> Markup:
    """Spans as HTML; every character of their texts is escaped."""
    return Markup("").join(_html(span) for span in spans)


def _html(span: Span) -> Markup:
    match span:
        case Text(text):
            return escape(clean(text))
        case CodeSpan(text):
            return Markup("<code>{}</code>").format(clean(text))
        case Strong(spans):
            return Markup("<strong>{}</strong>").format(to_html(spans))
        case Emphasis(spans):
            return (_UPRIGHT if is_chinese(plain(spans)) else _ITALIC).format(to_html(spans))
        case Strike(spans):
            return Markup("<s>{}</s>").format(to_html(spans))
        case Link(url, spans):
            address = web_url(url)
            return Markup('<a href="{}">{}</a>').format(address, to_html(spans)) if address else to_html(spans)


def has_link(spans: Iterable[Span]) -> bool:
    """Whether any of these spans is a link."""
    return any(
        isinstance(span, Link) or (isinstance(span, Strong | Emphasis | Strike) and has_link(span.spans))
        for span in spans
    )


def first_characters(spans: Iterable[Span], number: int) -> Spans:
    """The spans that hold the first `number` visible characters."""
    result: list[Span] = []
    for span in spans:
        if number <= 0:
            break
        length = len(plain((span,)))
        match span:
            case Text(text) | CodeSpan(text):
                result.append(type(span)(text[:number]))
            case Link(url, inner):
                result.append(Link(url, first_characters(inner, number)))
            case Strong(inner) | Emphasis(inner) | Strike(inner):
                result.append(type(span)(first_characters(inner, number)))
        number -= length
    return tuple(result)
