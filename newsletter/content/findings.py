"""Making diagnostics: short forms for the two severities, and the way a message quotes the editor's text."""

from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.content.inline import plain

_QUOTED_CHARACTERS = 40
# Enough inline Markdown to hold the quoted characters; a message need not parse a whole page.
_READ_CHARACTERS = 4 * _QUOTED_CHARACTERS


def error(line: int, code: str, message: str) -> Diagnostic:
    """Make a finding that blocks import and approval."""
    return Diagnostic(Severity.ERROR, line, code, message)


def warning(line: int, code: str, message: str) -> Diagnostic:
    """Make a finding that blocks nothing."""
    return Diagnostic(Severity.WARNING, line, code, message)


def quoted(text: str) -> str:
    """Quote the beginning of a plain text."""
    return f"“{text}”" if len(text) <= _QUOTED_CHARACTERS else f"“{text[:_QUOTED_CHARACTERS]}…”"


def named(markdown: str) -> str:
    """Quote the beginning of an inline Markdown text as a reader sees it."""
    return quoted(plain(markdown[:_READ_CHARACTERS]))
