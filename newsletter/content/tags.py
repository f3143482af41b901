"""Tags that an editor opened and did not close, which would leave the reader guessing where the style should end."""

import re
from collections.abc import Sequence

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.findings import error

_CODE = re.compile(r"`[^`]*`")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_SPAN = re.compile(r"<(/?)span\b[^<>]*>", re.IGNORECASE)


def unclosed_spans(lines: Sequence[str]) -> list[Diagnostic]:
    """An error for every `<span …>` without its `</span>`; what stands in code is no tag."""
    opened: list[int] = []
    fenced = False
    for number, line in enumerate(lines, 1):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        for tag in () if fenced else _SPAN.finditer(_CODE.sub("", line)):
            if not tag[1]:
                opened.append(number)
            elif opened:
                opened.pop()
    return [error(line, "span-unclosed", "this <span> is never closed; write </span> behind it") for line in opened]
