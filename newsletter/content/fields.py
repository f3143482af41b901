"""The labelled lines of a story (说明：…) and what stands behind them: text, source, tags, marks."""

import re
from dataclasses import dataclass
from enum import StrEnum

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.findings import error, warning
from newsletter.content.inline import References, bad_links, bare_links, canonical, host, is_web_address, plain, spans
from newsletter.content.spans import Link, Span
from newsletter.content.spans import plain as shown
from newsletter.content.story_marks import may_be_marks


class Field(StrEnum):
    """What a label announces."""

    SUMMARY = "summary"
    BACKGROUND = "background"
    POINTS = "points"
    SOURCE = "source"
    TAGS = "tags"
    MARKS = "marks"
    TOPICS = "topics"
    PUBLISHED = "published"
    PATH = "path"
    BODY = "body"


LABELS: dict[Field, tuple[str, ...]] = {
    Field.SUMMARY: ("说明", "摘要", "Summary"),
    Field.BACKGROUND: ("背景", "Background"),
    Field.POINTS: ("要点", "Key points", "Points"),
    Field.SOURCE: ("来源出处", "来源", "出处", "Source"),
    Field.TAGS: ("标签", "Tags"),
    Field.MARKS: ("标记", "Marks", "Mark"),
    Field.TOPICS: ("主题", "Topics"),
    Field.PUBLISHED: ("发布时间", "Published"),
    Field.PATH: ("路径", "Path"),
    Field.BODY: ("正文", "Body"),
}
_FIELDS = {word.lower(): field for field, words in LABELS.items() for word in words}
_WORDS = "|".join(sorted(map(re.escape, _FIELDS), key=len, reverse=True))
_LABEL = re.compile(
    rf"(\*\*|__)?[ \t]?({_WORDS})[ \t]?(\*\*|__)?[ \t]?[:：][ \t]?(\*\*|__)?[ \t\u3000]*", re.IGNORECASE
)
_AROUND_NAME = " \t:：-–—|,，、.。;；"
_EMPTY_BRACKETS = re.compile(r"[(（\[【][\s:：]*[)）\]】]")
_TAG_BREAK = re.compile(r"[\s,，、;；]+")
_OTHER_SCHEME = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z][A-Za-z0-9+.-]{0,20}://|(?:javascript|vbscript|data|file|mailto|tel):)\S",
    re.IGNORECASE,
)
# Labels of a link that say nothing about who is behind it.
GENERIC = frozenset(
    {
        *(
            "link",
            "source",
            "read",
            "more",
            "read more",
            "full story",
            "read the article",
            "original article",
            "original",
        ),
        *("article", "story", "here", "details", "via", "source link", "continue reading"),
        *(
            "原文",
            "原文链接",
            "阅读原文",
            "查看原文",
            "链接",
            "来源",
            "来源出处",
            "出处",
            "详情",
            "全文",
            "阅读全文",
            "阅读更多",
            "更多",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A line that begins with a label, and the text behind it (still as it was written)."""

    field: Field
    text: str


def match_label(text: str) -> Labelled | None:
    """Take a line apart that begins with a label, in Chinese or English, bold or not, with `：` or `:`.

    `Mark:` before a sentence is no label: there are people of that name, and they are quoted.
    """
    text = text.strip()
    found = _LABEL.match(text)
    if not found:
        return None
    opened, word, closed, closed_late = found.groups()
    rest = text[found.end() :]
    if opened and not (closed or closed_late):
        rest = opened + rest  # the whole line is bold, not the label alone
    elif closed_late and (closed or not opened):
        rest = closed_late + rest  # the text behind the label begins in bold
    elif closed and not opened:
        return None
    field = _FIELDS[word.lower()]
    return None if field is Field.MARKS and not may_be_marks(rest) else Labelled(field, rest)


def link_finding(url: str, line: int) -> Diagnostic:
    """The error for a link that is not http(s)."""
    message = f"the link to {url[:200]!r} is not http or https, so only its label is kept: give a web address"
    return error(line, "link-scheme", message, case="to", what=url)


def unplaced(text: str, line: int, advice: str, case: str = "text") -> Diagnostic:
    """The warning for text that becomes part of no story; it quotes all of it, so that nothing is lost unseen."""
    return warning(line, "unplaced", f"{advice}: {text.strip()}", case=case, what=text)


def read_text(raw: str, line: int, findings: list[Diagnostic], references: References | None = None) -> str:
    """The canonical form of a text; links that cannot stay are added to the findings."""
    findings.extend(link_finding(url, line) for url in bad_links(raw, references))
    return canonical(raw, references)


def _first_link(found: tuple[Span, ...]) -> Link | None:
    for span in found:
        if isinstance(span, Link):
            return span
        if hasattr(span, "spans") and (inner := _first_link(span.spans)):
            return inner
    return None


def _bare_name(text: str) -> str:
    """A name without what had set it apart from the address that stood beside it."""
    return " ".join(_EMPTY_BRACKETS.sub(" ", text).split()).strip(_AROUND_NAME)


def _bare_source(text: str, line: int, findings: list[Diagnostic]) -> tuple[str, str]:
    """The name and address in plain text; of several addresses the first is the source, the others are a finding."""
    found = list(bare_links(text))
    if not found:
        if _OTHER_SCHEME.search(text):
            findings.append(link_finding(text, line))
        return text, ""
    if len(found) > 1:
        findings.append(_surplus(text, line))
    between = zip([0, *(stop for _, stop, _ in found)], [*(start for start, _, _ in found), len(text)], strict=True)
    return _bare_name(" ".join(text[start:stop] for start, stop in between)), found[0][2]


def _surplus(text: str, line: int) -> Diagnostic:
    return unplaced(text, line, "only the first link of this source is kept; put the rest elsewhere", "source")


def read_source(raw: str, line: int, findings: list[Diagnostic]) -> tuple[str, str]:
    """The name and the http(s) address behind a source label, each empty when it is not there.

    The source may be a Markdown link, a bare address, a name, or a name beside a link. Text that is neither the name
    nor the address is a finding.
    """
    text = read_text(raw, line, findings)
    whole, link = plain(text), _first_link(spans(text))
    if link is None:
        return ("", "") if not whole else _named(*_bare_source(whole, line, findings))
    label = shown(link.spans)
    beside = _bare_name(whole.replace(label, " ", 1))
    if label.lower() in GENERIC or is_web_address(label):
        label, beside = beside or "", ""
    if beside:
        findings.append(_surplus(raw, line))
    return _named(label, link.url)


def _named(name: str, url: str) -> tuple[str, str]:
    return name or host(url), url


def read_tags(raw: str) -> tuple[str, ...]:
    """The tags of a line, parted by blanks, commas or 、, each once, without a leading #."""
    tags = (tag.lstrip("#＃") for tag in _TAG_BREAK.split(plain(raw)))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
