"""The body of a story as rows of spans: one shape for every kind of block, which both templates walk."""

from dataclasses import dataclass

from newsletter.content.inline import spans
from newsletter.content.issue import Block, Code, Image, Listing, Paragraph, Points, Quote, Table
from newsletter.content.spans import Text, plain
from newsletter.render.spans import Spans, clean_lines, web_url

Row = tuple[Spans, ...]


@dataclass(frozen=True, slots=True)
class BlockView:
    """One block: `rows` are paragraphs, items, lines of code or table rows, each a tuple of cells.

    `kind` is paragraph, points, list, quote, code, table or image; `heading` stands above the rows; `url` is where an
    image lies, empty when it is not http(s); `ordered` says that a list was numbered.
    """

    kind: str
    rows: tuple[Row, ...]
    heading: Spans = ()
    url: str = ""
    ordered: bool = False

    @property
    def row_sizes(self) -> list[int]:
        """The visible characters of each row."""
        return [sum(len(plain(cell)) for cell in row) for row in self.rows]

    @property
    def size(self) -> int:
        """The visible characters of the block."""
        return len(plain(self.heading)) + sum(self.row_sizes)


def block_view(block: Block) -> BlockView:
    """The shape of a block for the templates."""
    match block:
        case Paragraph(text):
            return BlockView("paragraph", ((spans(text),),))
        case Points(heading, points):
            return BlockView("points", _lines(points), heading=spans(heading))
        case Listing(items, ordered):
            return BlockView("list", _lines(items), ordered=ordered)
        case Quote(paragraphs):
            return BlockView("quote", _lines(paragraphs))
        case Code(text):
            return BlockView("code", tuple(((Text(line),),) for line in clean_lines(text).split("\n")))
        case Table(rows):
            return BlockView("table", tuple(tuple(spans(cell) for cell in row) for row in rows))
        case Image(url, alt):
            return BlockView("image", ((spans(alt),),), url=web_url(url))


def _lines(texts: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple((spans(text),) for text in texts)
