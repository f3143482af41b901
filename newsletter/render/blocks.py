"""The body of a story as rows of spans: one shape for every kind of block, which both templates walk."""

from dataclasses import dataclass

from markupsafe import Markup

from newsletter.content.inline import spans
from newsletter.content.issue import Block, Code, Image, Listing, Paragraph, Points, Quote, Table
from newsletter.content.picture_address import picture_at
from newsletter.content.spans import Text, plain
from newsletter.render.spans import Spans, clean, clean_lines, web_url

_PICTURE = Markup('<img src="{}" alt="{}" width="{}" style="display:block;max-width:100%;height:auto;border:0" />')

Row = tuple[Spans, ...]


@dataclass(frozen=True, slots=True)
class BlockView:
    """One block: `rows` are paragraphs, items, lines of code or table rows, each a tuple of cells.

    `kind` is paragraph, points, list, quote, code, table or image; `heading` stands above the rows; `url` is where an
    image lies, empty when it is not http(s), and `width` how wide it is shown in pixels, 0 when it is not ours and only
    a link stands for it; `ordered` says that a list was numbered.
    """

    kind: str
    rows: tuple[Row, ...]
    heading: Spans = ()
    url: str = ""
    ordered: bool = False
    width: int = 0

    @property
    def row_sizes(self) -> list[int]:
        """The visible characters of each row."""
        return [sum(len(plain(cell)) for cell in row) for row in self.rows]

    @property
    def size(self) -> int:
        """The visible characters of the block."""
        return len(plain(self.heading)) + sum(self.row_sizes)


def block_view(block: Block, base_url: str = "") -> BlockView:
    """The shape of a block for the templates; pictures that were uploaded lie below `base_url`."""
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
            ours = picture_at(url, base_url)
            return BlockView("image", ((spans(alt),),), url=web_url(url), width=ours.shown_width if ours else 0)


def to_picture(block: BlockView) -> Markup:
    """A picture of ours as HTML that holds in every mail program: its width in whole pixels, never beyond its column.

    Themes cannot write this themselves, so that whatever they are, a mail fetches nothing but pictures of its own.
    """
    alt = clean(plain(block.rows[0][0]))
    return _PICTURE.format(block.url, alt, block.width) if block.width else Markup()


def _lines(texts: tuple[str, ...]) -> tuple[Row, ...]:
    return tuple((spans(text),) for text in texts)
