"""What would mend a finding: for each code that has a safe answer, the lines as they stand and what to write instead.

A mend is an offer for a person to take, one click and undone as easily; where mending takes knowledge of the news
(a title, a source, which of two stories of an issue to keep) there is none.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from newsletter.content import mend_front_matter, mend_links, mend_marks, mend_repeats, mend_topics
from newsletter.content.dates import find_date
from newsletter.content.diagnostics import Diagnostic
from newsletter.content.lines import split_lines
from newsletter.content.mending import Catalogue, Mend, appended, removed, rewritten
from newsletter.content.rows import Look, Row, read_rows

__all__ = ["Mend", "mended", "mends", "mends_in"]

_MOST = 6
"""Offers for one finding: more is a list that nobody reads."""

_LINES_LOOKED_AT = 60


def mends(text: str, finding: Diagnostic, catalogue: Catalogue, on: date) -> tuple[Mend, ...]:
    """What would mend a finding in the text it was found in, the likeliest first; nothing where no answer is safe.

    `catalogue` holds the topics that headings may be renamed to; `on` is the day to write where a date lacks or is
    wrong. Applying any of these (`mended`) takes that finding away.
    """
    return mends_in(split_lines(text), finding, catalogue, on)


def mends_in(lines: Sequence[str], finding: Diagnostic, catalogue: Catalogue, on: date) -> tuple[Mend, ...]:
    """The same for a text in lines (`split_lines`), for those who ask about many findings."""
    offer = _OFFERS.get(finding.code)
    if offer is None or finding.line > len(lines):
        return ()
    return tuple(dict.fromkeys(offer(lines, finding, catalogue, on)))[:_MOST]


def mended(text: str, mend: Mend) -> str | None:
    """The text with a mend applied; None when the lines it was made for do not stand there any more."""
    lines = text.split("\n")
    old = mend.old.split("\n")
    start = mend.line - 1
    if lines[start : start + len(old)] != old:
        return None
    lines[start : start + len(old)] = [] if mend.new is None else mend.new.split("\n")
    return "\n".join(lines)


def _date_missing(lines: Sequence[str], _finding: Diagnostic, _catalogue: Catalogue, on: date) -> Iterator[Mend]:
    in_front = mend_front_matter.add_date(lines, on)
    if in_front:
        yield in_front
        return
    first = next((n for n, line in enumerate(lines, 1) if line.strip()), 0)
    if first and lines[first - 1].startswith("# "):
        title = lines[first - 1].rstrip().rstrip("#").rstrip()
        yield rewritten("write", lines, first, f"{title} ({on})", shown=str(on))
    else:
        yield Mend("add", 1, lines[0], f'---\ndate: "{on}"\n---\n{lines[0]}', f"date: {on}")


def _date_wrong(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, on: date) -> Iterator[Mend]:
    """Another date where one stands that is impossible or old; a finding about the whole issue does not say where."""
    numbers = [finding.line] if finding.line else range(1, min(len(lines), _LINES_LOOKED_AT) + 1)
    for number in numbers:
        line = lines[number - 1]
        written = find_date(line).written
        if written and (finding.line or str(find_date(line).date) == finding.facts.get("what")):
            yield rewritten("write", lines, number, line.replace(written, str(on), 1), shown=str(on))
            return


def _span_unclosed(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    yield appended("write", lines, finding.line, "</span>")


def _section_empty(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """The heading out, with the labels that belong to it; not where text stands below that would change its place."""
    if not finding.line:
        return
    heading, *below = read_rows(lines[finding.line - 1 : finding.line + _LINES_LOOKED_AT])
    if heading.look not in (Look.BOLD, Look.HEADING):
        return
    taken = next((n for n, row in enumerate(below) if row.look not in (Look.BLANK, Look.LABEL)), len(below))
    if any(row.label for row in below[:taken]) or taken == len(below) or _begins_part(below[taken]):
        yield removed(lines, finding.line, finding.line + taken)


def _begins_part(row: Row) -> bool:
    return row.look in (Look.BOLD, Look.HEADING)


def _unplaced(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """A line out that repeats what stands elsewhere; never a text that would be lost."""
    if not finding.line:
        return
    if finding.case == "title" and not find_date(lines[finding.line - 1]).written:
        yield removed(lines, finding.line, finding.line)
    elif finding.case == "setting":
        yield from mend_front_matter.take_out(lines, finding.line)


Offer = Callable[[Sequence[str], Diagnostic, Catalogue, date], Iterator[Mend]]
_OFFERS: Mapping[str, Offer] = {
    "date-missing": _date_missing,
    "date-impossible": _date_wrong,
    "date-old": _date_wrong,
    "front-matter": mend_front_matter.offers,
    "link-scheme": mend_links.schemes,
    "mark-contrary": mend_marks.contrary,
    "mark-unknown": mend_marks.unknown,
    "section-empty": _section_empty,
    "source-mismatch": mend_links.labels,
    "source-missing": mend_links.sources,
    "span-unclosed": _span_unclosed,
    "story-earlier": mend_repeats.offers,
    "subject-names-story": mend_front_matter.subject,
    "topic-unknown": mend_topics.offers,
    "unplaced": _unplaced,
}
