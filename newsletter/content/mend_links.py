"""Mends for addresses that are no web addresses, and for the names and links of sources."""

import re
from collections.abc import Iterator, Sequence
from datetime import date

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.fields import Field, match_label
from newsletter.content.hosts import expected_domains
from newsletter.content.inline import bad_links, bare_links, host, is_web_address
from newsletter.content.mending import Catalogue, Mend, added, rewritten

_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(\s*<?([^()<>\s]+)>?\s*\)")
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?::\d{1,5})?(?:[/?#]\S*)?")
_NEARLY_HTTP = re.compile(r"(?:[htps]{3,7}\s*[:：;；]?\s*)?[/／\\]{1,3}", re.IGNORECASE)
_ITEM = re.compile(r"\s*[-*+]\s")
_QUOTED_CHARACTERS = 30
_STORY_LINES = 80
"""So far below its title a story's source is looked for."""


def web_address(url: str) -> str:
    """The https address that was meant, where a scheme is missing or mistyped; empty where nothing safe can be said."""
    slip = _NEARLY_HTTP.match(url)
    bare = url[slip.end() :] if slip else url
    meant = f"https://{bare}"
    return meant if _HOST.fullmatch(bare) and is_web_address(meant) else ""


def schemes(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """The address with https before it where that is what was meant, and the label without its link."""
    if not finding.line:
        return
    quoted = str(finding.facts.get("what", ""))
    for number in range(finding.line, min(len(lines), finding.line + _STORY_LINES) + 1):
        for found in _LINK.finditer(lines[number - 1]):
            if not any(url[:_QUOTED_CHARACTERS] in quoted for url in bad_links(found[0])):
                continue
            if meant := web_address(found[3]):
                yield rewritten("write", lines, number, _put(lines[number - 1], found.span(3), meant), shown=meant)
            bare = _put(lines[number - 1], found.span(), found[2])
            yield rewritten("unlink", lines, number, bare, shown=found[2])
            return


def labels(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """The host as the name of a source that is said to be somebody else."""
    for number, _ in _source_lines(lines, finding.line):
        for found in _LINK.finditer(lines[number - 1]):
            name = host(found[3])
            if found[1] or not expected_domains(found[2], found[3]) or expected_domains(name, found[3]):
                continue
            yield rewritten("write", lines, number, _put(lines[number - 1], found.span(2), name), shown=name)
            return


def sources(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """A link for a source that is named by its address, or the link in a story's text as its source."""
    if not finding.line:
        return
    for number, text in _source_lines(lines, finding.line):
        if _HOST.fullmatch(text.strip()) and (meant := web_address(text.strip())):
            at = lines[number - 1].rindex(text.strip())
            link = f"[{host(meant)}]({meant})"
            new = _put(lines[number - 1], (at, at + len(text.strip())), link)
            yield rewritten("write", lines, number, new, shown=link)
        return
    yield from _from_text(lines, finding.line)


def _from_text(lines: Sequence[str], start: int) -> Iterator[Mend]:
    """The first address in a labelled line of the story as its source, below the last labelled line."""
    told = [(n, label.text) for n in _labelled(lines, start) if (label := match_label(lines[n - 1]))]
    address = next((url for _, text in told for _, _, url in bare_links(text)), "")
    if address:
        indent = lines[told[-1][0] - 1][: -len(lines[told[-1][0] - 1].lstrip()) or None]
        last = told[-1][0]
        while last < len(lines) and _ITEM.match(lines[last]) and lines[last].startswith(indent or "- "):
            last += 1
        yield added(lines, last, f"{indent if indent.isspace() else ''}来源出处：[{host(address)}]({address})")


def _labelled(lines: Sequence[str], start: int) -> Iterator[int]:
    """The numbers of the labelled lines below a story's title, up to the blank line that ends them."""
    for number in range(start + 1, min(len(lines), start + _STORY_LINES) + 1):
        if not lines[number - 1].strip():
            return
        if match_label(lines[number - 1]):
            yield number


def _source_lines(lines: Sequence[str], start: int) -> Iterator[tuple[int, str]]:
    """The lines that name the source of the story that begins on a line, and what stands behind the label."""
    seen: set[Field] = set()
    for number in range(max(start, 1), min(len(lines), start + _STORY_LINES) + 1):
        label = match_label(lines[number - 1])
        if label is None:
            continue
        if label.field in seen and label.field is not Field.POINTS:
            return  # the next story's
        seen.add(label.field)
        if label.field is Field.SOURCE:
            yield number, label.text


def _put(line: str, span: tuple[int, int], new: str) -> str:
    return line[: span[0]] + new + line[span[1] :]
