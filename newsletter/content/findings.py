"""Making diagnostics: short forms for the two severities, and the way a message quotes the editor's text."""

from newsletter.content.diagnostics import Diagnostic, Fact, Severity
from newsletter.content.escaping import tidy
from newsletter.content.inline import plain

MOST_FACT_CHARACTERS = 200
"""Of a text that is a fact: enough to know it by. It stands whole at its line."""

_QUOTED_CHARACTERS = 40
# Enough inline Markdown to hold the quoted characters; a message need not parse a whole page.
_READ_CHARACTERS = 4 * _QUOTED_CHARACTERS


def error(line: int, code: str, message: str, **facts: Fact) -> Diagnostic:
    """Make a finding that blocks import and approval."""
    return Diagnostic(Severity.ERROR, line, code, message, _pairs(facts))


def warning(line: int, code: str, message: str, **facts: Fact) -> Diagnostic:
    """Make a finding that blocks nothing."""
    return Diagnostic(Severity.WARNING, line, code, message, _pairs(facts))


def quoted(text: str) -> str:
    """Quote the beginning of a plain text."""
    return f"“{text}”" if len(text) <= _QUOTED_CHARACTERS else f"“{text[:_QUOTED_CHARACTERS]}…”"


def named(markdown: str) -> str:
    """Quote the beginning of an inline Markdown text as a reader sees it."""
    return quoted(name_of(markdown))


def name_of(markdown: str) -> str:
    """The beginning of an inline Markdown text as a reader sees it: the fact that `named` quotes."""
    return plain(markdown[:_READ_CHARACTERS])


def _pairs(facts: dict[str, Fact]) -> tuple[tuple[str, Fact], ...]:
    return tuple(sorted((name, _short(fact) if isinstance(fact, str) else fact) for name, fact in facts.items()))


def _short(text: str) -> str:
    """The beginning of a text, without what no database keeps."""
    return tidy(text[: 2 * MOST_FACT_CHARACTERS])[:MOST_FACT_CHARACTERS]
