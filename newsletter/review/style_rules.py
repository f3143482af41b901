"""Style sheets as far as a check needs them: declarations, selectors and at-rules, read without ever giving up."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_PIECE = re.compile(r"[^{};]*(?:[{};]|\Z)")
_GROUPS = ("@media", "@supports", "@layer", "@container")
"""What holds rules of its own; the block of any other at-rule holds declarations."""
_MOST_RULES = 20_000


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its selector (empty for a bare declaration) and its declarations; `at` are the at-rules around it.

    An at-rule is a rule of its own too, with its words as selector.
    """

    selector: str
    declarations: tuple[tuple[str, str], ...]
    at: tuple[str, ...] = ()


def rules(css: str) -> Iterator[Rule]:
    """Every rule of a style sheet, the nested ones after the one they stand in."""
    around: list[str] = []
    found: list[list[tuple[str, str]]] = [[]]
    for count, piece in enumerate(_PIECE.findall(_COMMENT.sub("", css))):
        words, end = piece.rstrip("{};").strip(), piece[-1:]
        if end == "{":
            around.append(" ".join(words.split()))
            found.append([])
            continue
        if words.startswith("@"):
            yield Rule(" ".join(words.split()), ())
        elif words:
            found[-1] += declarations(words)
        if end == "}" and around:
            yield _closed(around, found.pop())
            around.pop()
        if count > _MOST_RULES:
            return


def declarations(style: str) -> list[tuple[str, str]]:
    """The properties of a style attribute with their values, in small letters."""
    pairs = (part.partition(":") for part in _COMMENT.sub("", style).split(";"))
    return [(name.strip().lower(), value.strip().lower()) for name, colon, value in pairs if colon and name.strip()]


def _closed(around: list[str], pairs: list[tuple[str, str]]) -> Rule:
    *outer, selector = around
    at = tuple(words for words in outer if words.startswith("@"))
    # CSS nesting: a rule inside a rule that is no group
    nested = any(not words.startswith(_GROUPS) for words in outer)
    return Rule(f"& {selector}" if nested else selector, tuple(pairs), at)
