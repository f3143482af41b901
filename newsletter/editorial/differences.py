"""What differs between two texts, line by line, with the words that changed marked inside lines that stayed alike."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

MOST_LINES = 6_000
"""So many lines are compared; beyond, what lies between the first and the last change counts as replaced."""

_LONGEST_CHARACTERS = 2_000
_ALIKE = 0.4
_WORDS = re.compile(r"[A-Za-z0-9_]+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a difference: same, added or removed.

    `old` and `new` are its numbers in either text, 0 where it is not in it. `parts` are its pieces in order, each with
    whether it changed; a line that was added or removed as a whole has none marked.
    """

    kind: str
    old: int
    new: int
    text: str
    parts: tuple[tuple[str, bool], ...]


def compare(old: str, new: str) -> list[Line]:
    """Every line of both texts, in the order in which one became the other."""
    before, after = old.split("\n"), new.split("\n")
    lines: list[Line] = []
    for tag, a, b, c, d in _steps(before, after):
        if tag == "equal":
            pairs = enumerate(zip(before[a:b], after[c:d], strict=True))
            lines += [Line("same", a + n + 1, c + n + 1, text, ((text, False),)) for n, (text, _) in pairs]
        else:
            lines += _replaced(before[a:b], after[c:d], a, c)
    return lines


def _steps(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Steps as difflib's, without comparing what is the same at the beginning and at the end."""
    head = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    room = min(len(before), len(after)) - head
    backwards = zip(reversed(before[head:]), reversed(after[head:]), strict=False)
    tail = next((n for n, (a, b) in enumerate(backwards) if a != b), room)
    a, b = len(before) - tail, len(after) - tail
    yield "equal", 0, head, 0, head
    if max(a, b) - head > MOST_LINES:
        yield "replace", head, a, head, b
    else:
        for tag, i, j, k, m in SequenceMatcher(None, before[head:a], after[head:b], autojunk=False).get_opcodes():
            yield tag, head + i, head + j, head + k, head + m
    yield "equal", a, len(before), b, len(after)


def _alike(before: Sequence[str], after: Sequence[str]) -> int:
    """How many lines from the first on are the same."""
    differing = (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    return next(differing, min(len(before), len(after)))


def _replaced(before: Sequence[str], after: Sequence[str], a: int, c: int) -> list[Line]:
    """Lines that gave way to others: those that went, then those that came; alike ones mark their words."""
    removed, added = [], []
    for n, (old, new) in enumerate(zip_longest(before, after)):
        old_parts, new_parts = _marked(old, new) if len(before) == len(after) else (None, None)
        if old is not None:
            removed.append(Line("removed", a + n + 1, 0, old, old_parts or ((old, False),)))
        if new is not None:
            added.append(Line("added", 0, c + n + 1, new, new_parts or ((new, False),)))
    return removed + added


def _marked(old: str, new: str) -> tuple[tuple[tuple[str, bool], ...] | None, tuple[tuple[str, bool], ...] | None]:
    if not old.strip() or not new.strip() or max(len(old), len(new)) > _LONGEST_CHARACTERS:
        return None, None
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return None, None
    steps = matcher.get_opcodes()
    return (
        tuple(("".join(before[i:j]), tag != "equal") for tag, i, j, _, _ in steps if j > i),
        tuple(("".join(after[k:m]), tag != "equal") for tag, _, _, k, m in steps if m > k),
    )
