"""Mends for the block between two lines of `---` at the top."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.front_matter import KEYS
from newsletter.content.mending import Catalogue, Mend, added, removed, rewritten

_KEY = re.compile(rf"(\s*)({'|'.join(KEYS)})(\s*)[:：](\s*)(.*)", re.IGNORECASE)
_ANY_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\s*:(?:\s|$)")
_QUOTED = re.compile(r"""\s*(?:"[^"]*"|'[^']*')\s*""")


def add_date(lines: Sequence[str], on: date) -> Mend | None:
    """A date in the block that the text begins with; None where there is no block."""
    first, last = _block(lines)
    if not first or not last:
        return None
    for number in range(first + 1, last):
        found = _KEY.fullmatch(lines[number - 1])
        if found and found[2].lower() == "date":
            return rewritten("write", lines, number, f'date: "{on}"', shown=f"date: {on}")
    opening = next((line for line in lines[first : last - 1] if line.strip()), "")
    return added(lines, first, f'date: "{on}"') if _ANY_KEY.match(opening) else None


def subject(lines: Sequence[str], _finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """The subject out, so that each mail names its own first story."""
    first, last = _block(lines)
    for number in range(first + 1, last):
        found = _KEY.fullmatch(lines[number - 1])
        if found and found[2].lower() == "subject":
            yield from take_out(lines, number)
            return


def take_out(lines: Sequence[str], number: int) -> Iterator[Mend]:
    """The line of a key out, where its value is on that line alone."""
    following = lines[number] if number < len(lines) else ""
    if _ANY_KEY.match(following) or following.rstrip() in ("---", "..."):
        yield removed(lines, number, number)


def offers(lines: Sequence[str], finding: Diagnostic, _catalogue: Catalogue, _on: date) -> Iterator[Mend]:
    """Close the block, quote a value, or take out a line that stands twice or says what is not known."""
    number, case = finding.line, finding.case
    if not number:
        return
    if case == "unclosed":
        last = number
        while last < len(lines) and _ANY_KEY.match(lines[last]):
            last += 1
        yield added(lines, last, "---")
    elif case in ("twice", "canonical"):
        yield from take_out(lines, number)
    elif case == "yaml":
        yield from _quoted_value(lines, number)


def _quoted_value(lines: Sequence[str], number: int) -> Iterator[Mend]:
    """A value in quotes, where its line is the one that is broken."""
    found = _KEY.fullmatch(lines[number - 1])
    if found and not _QUOTED.fullmatch(found[5]) and _is_alone(lines, number):
        value = json.dumps(found[5].strip().strip("\"'"), ensure_ascii=False)
        yield rewritten("write", lines, number, f"{found[2]}: {value}", shown=f"{found[2]}: {value}")


def _is_alone(lines: Sequence[str], number: int) -> bool:
    """Whether the lines around are keys of their own, so that what is broken is on this one."""
    first, last = _block(lines)
    others = [line for n, line in enumerate(lines[first : last - 1], first + 1) if n != number and line.strip()]
    return all(_ANY_KEY.match(line) and line.count(": ") <= 1 for line in others)


def _block(lines: Sequence[str]) -> tuple[int, int]:
    """The numbers of the lines that open and close the block; zeros where there is none."""
    first = next((n for n, line in enumerate(lines, 1) if line.strip()), 0)
    if not first or lines[first - 1].rstrip() != "---":
        return 0, 0
    last = next((n for n in range(first + 1, len(lines) + 1) if lines[n - 1].rstrip() in ("---", "...")), 0)
    return (first, last) if last else (0, 0)
