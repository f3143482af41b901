"""Tables in the text part: columns one below the other, or, where they would be too wide, a list of records."""

from collections.abc import Iterable, Sequence

from newsletter.render.plain_text import to_text
from newsletter.render.spans import Spans
from newsletter.render.widths import columns

MOST_COLUMNS = 72
"""What a mail program shows on one line of its narrowest usual window."""


def text_table(rows: Iterable[Sequence[Spans]], colon: str) -> list[str]:
    """The lines of a table whose first row is its head; `colon` stands between head and cell in a list of records."""
    cells = [[to_text(cell).strip() for cell in row] for row in rows]
    number = max(map(len, cells), default=0)
    cells = [row + [""] * (number - len(row)) for row in cells]
    widths = [max(map(columns, column)) for column in zip(*cells, strict=True)]
    if len(cells) > 1 and sum(widths) + 3 * (number - 1) > MOST_COLUMNS:
        return _records(cells, colon)
    lines = [" | ".join(_padded(row, widths)).rstrip() for row in cells]
    rule = "-+-".join("-" * width for width in widths)
    return [*lines[:1], rule, *lines[1:]] if len(lines) > 1 else lines


def _padded(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    """The cells of a row, filled up with blanks; a Chinese character is as wide as two of them."""
    return (cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True))


def _records(cells: Sequence[Sequence[str]], colon: str) -> list[str]:
    """A list with an item for each row but the head, and in it a line for each cell that is not empty."""
    lines = []
    for row in cells[1:]:
        told = [f"{head}{colon}{cell}" if head else cell for head, cell in zip(cells[0], row, strict=True) if cell]
        lines += [("  " if place else "- ") + line for place, line in enumerate(told)]
    return lines
