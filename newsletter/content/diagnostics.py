"""What the reader of an issue has to say about it: where, what is wrong, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Fact = str | int
"""What a message is made of: a quoted text, a date, a count."""


class Severity(StrEnum):
    """An error blocks import (without `--draft`) and approval; a warning blocks nothing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `line` counts from 1 in the text as the editor wrote it (0 when the finding concerns the whole file); `code` is a
    stable word in kebab case, listed in `docs/reference/diagnostics.md`; `message` says what is wrong and what to do.
    `pairs` holds the facts that the message is made of, in the order of their names, so that it can be said in other
    words; the fact `case` tells apart the sentences of a code that has several.
    """

    severity: Severity
    line: int
    code: str
    message: str
    pairs: tuple[tuple[str, Fact], ...] = ()

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts by their names; none for a finding that was stored before there were any."""
        return dict(self.pairs)

    @property
    def case(self) -> str:
        """Which of its code's sentences this is; empty for a code that has one."""
        return str(self.facts.get("case", ""))
