"""Spans written as inline Markdown, with a backslash only where a character would otherwise be markup."""

import re
import unicodedata

from newsletter.content.spans import CodeSpan, Emphasis, Link, Span, Strong, Text

_BREAKS = str.maketrans(dict.fromkeys("\r\x0b\x0c\x85\u2028\u2029", "\n"))
_UNSEEN = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_BLANKS = re.compile(r"[ \t]+")
_BREAK = re.compile(r" ?\n[ \n]*")
_SPECIAL = re.compile(r"[\\`*_\[\]<&~!]")
_ENTITY = re.compile(r"&(?:#|[A-Za-z])[A-Za-z0-9]*;")
_TICKS = re.compile(r"`+")


def tidy(text: str) -> str:
    """Drop control characters and lone surrogates, fold blanks, strip the ends; a line break stays as a line feed."""
    clean = _UNSEEN.sub("", text.replace("\r\n", "\n").translate(_BREAKS))
    return _BREAK.sub("\n", _BLANKS.sub(" ", clean)).strip()


def _wordlike(character: str) -> bool:
    return not character.isspace() and not unicodedata.category(character).startswith(("P", "S"))


def _is_markup(text: str, at: int, before: str, after: str, in_link: bool) -> bool:
    character = text[at]
    previous = text[at - 1] if at else before
    following = text[at + 1] if at + 1 < len(text) else after
    match character:
        case "_":
            return not (_wordlike(previous) and _wordlike(following))
        case "[":
            return in_link
        case "]":
            return in_link or following == "("
        case "!":
            return at + 1 == len(text) and after == "["
        case "~":
            return "~" in (previous, following)
        case "<":
            return following.isascii() and not following.isspace()
        case "&":
            return bool(_ENTITY.match(text, at))
    return True


def escaped(text: str, before: str = " ", after: str = " ", in_link: bool = False) -> str:
    """Text with a backslash before what would be read as markup between the two neighbouring characters."""
    parts: list[str] = []
    end = 0
    for found in _SPECIAL.finditer(text):
        at = found.start()
        parts.append(text[end:at])
        if _is_markup(text, at, before, after, in_link):
            parts.append("\\")
        parts.append(text[at])
        end = at + 1
    return "".join(parts) + text[end:]


def _code(text: str) -> str:
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    padded = text.startswith("`") or text.endswith("`") or (text[0] == text[-1] == " " and text.strip(" ") != "")
    return f"{fence} {text} {fence}" if padded else f"{fence}{text}{fence}"


def _address(url: str) -> str:
    safe = _ENTITY.sub(lambda entity: "\\" + entity.group(), url)
    return f"<{safe}>" if "(" in safe or ")" in safe else safe


def write_link(label: str, url: str, written: bool = False) -> str:
    """A link over a label, which is plain text unless it is said to be written as inline Markdown already."""
    return f"[{label if written else escaped(label, '[', ']', True)}]({_address(url)})"


def _marker(span: Span) -> str:
    if isinstance(span, Link):
        return "["
    if isinstance(span, CodeSpan):
        return "`"
    return "**" if isinstance(span, Strong) else "*" if isinstance(span, Emphasis) else "~~"


def write(spans: tuple[Span, ...], before: str = " ", after: str = " ", in_link: bool = False) -> str:
    """Inline Markdown for spans that stand between two characters."""
    written = ""
    parts: list[str] = []
    for index, span in enumerate(spans):
        previous = written[-1] if written else before
        following = _marker(spans[index + 1])[0] if index + 1 < len(spans) else after
        if isinstance(span, Text):
            written = escaped(span.text, previous, following, in_link)
        elif isinstance(span, CodeSpan):
            written = _code(span.text)
        elif isinstance(span, Link):
            written = write_link(write(span.spans, "[", "]", True), span.url, written=True)
        else:
            mark = _marker(span)
            written = f"{mark}{write(span.spans, mark[0], mark[0], in_link)}{mark}"
        parts.append(written)
    return "".join(parts)
