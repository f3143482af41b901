"""What an import says afterwards: counts, and the lines somebody should look at."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

LINES_REPORTED = 1000
"""So many lines are kept in a report; all of them go to `on_line`."""


class Outcome(StrEnum):
    """What became of a line; `kept` means an unsubscribed or suppressed person, left as they are."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Why:
    """Why a line was kept or refused, in a sentence of English.

    `code` names it for pages that say it in words of their own, which `value` fills: `suppressed`, `unsubscribed`, or
    what is wrong, a column for the most part; `value` is what stands there, safe to show.
    """

    code: str
    text: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class LineReport:
    """What became of one line, and why if it was kept or refused; `address` is safe to show."""

    line: int
    address: str
    outcome: Outcome
    why: Why | None = None

    @property
    def reason(self) -> str:
        """Why, in a sentence; nothing for a line that was taken."""
        return self.why.text if self.why else ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How many lines went which way; the first `LINES_REPORTED` kept or refused ones; columns that were not read.

    `without_topics` counts people who were added and will get nothing, because they chose no topic.
    """

    added: int
    updated: int
    unchanged: int
    kept: int
    refused: int
    without_topics: int
    lines: tuple[LineReport, ...]
    ignored_columns: tuple[str, ...]


class Tally:
    """Counts lines as they are committed, in constant memory; `on_line` hears of every one kept or refused."""

    def __init__(self, on_line: Callable[[LineReport], None] | None) -> None:
        self._on_line = on_line
        self._counts: Counter[Outcome] = Counter()
        self._lines: list[LineReport] = []

    def add(self, lines: Iterable[LineReport]) -> None:
        """Count some lines, in the order of the file."""
        for line in sorted(lines, key=lambda line: line.line):
            self._counts[line.outcome] += 1
            if line.outcome in (Outcome.KEPT, Outcome.REFUSED):
                self._point_out(line)

    def report(self, without_topics: int, ignored_columns: tuple[str, ...]) -> ImportReport:
        """Sum up."""
        return ImportReport(
            added=self._counts[Outcome.ADDED],
            updated=self._counts[Outcome.UPDATED],
            unchanged=self._counts[Outcome.UNCHANGED],
            kept=self._counts[Outcome.KEPT],
            refused=self._counts[Outcome.REFUSED],
            without_topics=without_topics,
            lines=tuple(self._lines),
            ignored_columns=ignored_columns,
        )

    def _point_out(self, line: LineReport) -> None:
        if len(self._lines) < LINES_REPORTED:
            self._lines.append(line)
        if self._on_line:
            self._on_line(line)
