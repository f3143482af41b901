"""What the reader of an issue has to say about it: where, what is wrong, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error blocks import (without `--draft`) and approval; a warning blocks nothing."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `line` counts from 1 in the text as the editor wrote it (0 when the finding concerns the whole file); `code` is a
    stable word in kebab case, listed in `docs/reference/diagnostics.md`; `message` says what is wrong and what to do.
    """

    severity: Severity
    line: int
    code: str
    message: str
