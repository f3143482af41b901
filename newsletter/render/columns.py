"""Whether a finished mail is one column when its style blocks are gone, as some mail programs take them away."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

_SIDE_BY_SIDE = re.compile(
    r"float:\s*(?:left|right)|display:\s*(?:inline-)?(?:flex|grid)|position:\s*(?:absolute|fixed)"
)
_WIDTH = re.compile(r"(?<![\w-])(?:min-)?width:\s*(\d+)px")
_NARROW_PX = 320
"""The narrowest screen that a mail has to fit."""


def beside_each_other(html: str) -> Iterator[str]:
    """What in a finished page would stand beside something else, or not fit a narrow screen, in words."""
    body = re.sub(r"<!--.*?-->", "", html.partition("<body")[2], flags=re.DOTALL)
    for found in _SIDE_BY_SIDE.finditer(body):
        yield f"{found[0]} puts texts beside each other"
    for found in _WIDTH.finditer(body):
        if int(found[1]) > _NARROW_PX:
            yield f"{found[0]} does not fit a screen of {_NARROW_PX} px"
    rows = _Rows()
    rows.feed(body)
    for first, second in rows.pairs:
        yield f"{first!r} and {second!r} stand beside each other in a table"


class _Rows(HTMLParser):
    """Finds rows with text in more than one cell, in tables that are there for the layout."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self._rows: list[list[str]] = []
        self._tables: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A table with a role of its own is the editor's, and may have columns."""
        if tag == "table":
            self._tables.append(dict(attrs).get("role") == "presentation")
        elif tag == "tr":
            self._rows.append([])
        elif tag == "td" and self._rows:
            self._rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """At the end of a row, see which of its cells have text; a cell of the row around it has it too."""
        if tag == "table" and self._tables:
            self._tables.pop()
        if tag != "tr" or not self._rows:
            return
        cells = self._rows.pop()
        texts = [cell for cell in cells if cell]
        if len(texts) > 1 and self._tables and self._tables[-1]:
            self.pairs.append((texts[0], texts[1]))
        if texts and self._rows and self._rows[-1]:
            self._rows[-1][-1] = self._rows[-1][-1] or texts[0]

    def handle_data(self, data: str) -> None:
        """Keep the first words of each cell."""
        text = data.strip()
        if text and self._rows and self._rows[-1]:
            self._rows[-1][-1] = self._rows[-1][-1] or text[:20]
