"""Markdown blocks to the values that a story's body is made of."""

import re
from collections.abc import Iterator, Sequence

from newsletter.content.blocks import Document, Node, read_blocks
from newsletter.content.diagnostics import Diagnostic
from newsletter.content.fields import read_text, unplaced
from newsletter.content.inline import References, escape, pictures
from newsletter.content.issue import Block, Code, Image, Listing, Paragraph, Points, Quote, Table

_BRACKETED = re.compile(r"\[([^\[\]]+)\](:?)")
Numbered = Sequence[tuple[int, str]]


class BodyReader:
    """Turns blocks into body values, and keeps what it finds on the way in `findings`."""

    def __init__(self, references: References, findings: list[Diagnostic]) -> None:
        self.references = references
        self.findings = findings

    def text(self, node: Node) -> str:
        """The canonical inline Markdown of a heading or a paragraph."""
        return read_text(node.text, node.line, self.findings, self.references)

    def blocks(self, nodes: Sequence[Node]) -> tuple[Block, ...]:
        """The body that these blocks make; a heading and a list of `-` right below it become one `Points`."""
        result: list[Block] = []
        index = 0
        while index < len(nodes):
            node = nodes[index]
            below = nodes[index + 1] if index + 1 < len(nodes) else None
            if node.kind == "heading" and below and below.kind == "list" and below.marker == "-":
                items, rest = self._items(below)
                result += [Points(self.text(node), items), *rest]
                index += 1
            else:
                result += self._block(node)
            index += 1
        return tuple(result)

    def _block(self, node: Node) -> Iterator[Block]:
        match node.kind:
            case "heading":
                yield Points(self.text(node), ())
            case "paragraph":
                yield from self._paragraph(node)
            case "list":
                items, rest = self._items(node)
                if items:
                    yield Listing(items, node.ordered)
                yield from rest
            case "quote":
                yield from self._quote(node)
            case "code":
                yield Code(node.text, node.language)

    def _items(self, node: Node) -> tuple[tuple[str, ...], list[Block]]:
        """The items of a list, those of lists within it in their place, and the blocks that are no text of an item."""
        items: list[str] = []
        rest: list[Block] = []
        for item in node.children:
            texts = [self.text(child) for child in item.children if child.kind in ("paragraph", "heading")]
            items += [" ".join(filter(None, texts))] if texts else []
            for child in item.children:
                if child.kind == "list":
                    inner, below = self._items(child)
                    items += inner
                    rest += below
                elif child.kind not in ("paragraph", "heading"):
                    rest += self._block(child)
        return tuple(filter(None, items)), rest

    def _quote(self, node: Node) -> Iterator[Block]:
        paragraphs: list[str] = []
        rest: list[Block] = []
        for child in node.children:
            if child.kind in ("paragraph", "heading"):
                paragraphs.append(self.text(child))
            elif child.kind == "list":
                items, below = self._items(child)
                paragraphs += items
                rest += below
            else:
                rest += self._block(child)
        if any(paragraphs):
            yield Quote(tuple(filter(None, paragraphs)))
        yield from rest

    def _paragraph(self, node: Node) -> Iterator[Block]:
        lines = node.text.split("\n")
        rule = next((i for i in range(1, len(lines)) if _is_table_rule(lines[i], lines[i - 1])), 0)
        if rule:
            yield from self._paragraph(Node("paragraph", node.line, "\n".join(lines[: rule - 1])))
            rows = [_cells(line) for line in [lines[rule - 1], *lines[rule + 1 :]]]
            width = max(map(len, rows))
            yield Table(tuple(self._row(row, width, node.line + rule - 1 + n) for n, row in enumerate(rows)))
        elif found := pictures(node.text, self.references):
            yield from (Image(url, escape(alt)) for url, alt in found)
        elif text := self.text(node):
            yield Paragraph(text)

    def _row(self, cells: Sequence[str], width: int, line: int) -> tuple[str, ...]:
        texts = [read_text(cell, line, self.findings, self.references) for cell in cells]
        return tuple(texts + [""] * (width - len(texts)))


def _cells(line: str) -> list[str]:
    """The cells of a table's line; a backslash keeps a bar inside its cell (GFM section 4.10)."""
    cells, cell = [], ""
    row = line.strip()
    for at, character in enumerate(row):
        if character != "|":
            cell += character
        elif row[at - 1 : at] == "\\":
            cell = cell[:-1] + "|"
        else:
            cells.append(cell)
            cell = ""
    cells.append(cell)
    if row.startswith("|"):
        cells = cells[1:]
    return cells[:-1] if len(cells) > 1 and not cells[-1].strip() else cells


def _is_table_rule(line: str, above: str) -> bool:
    if "|" not in line or "-" not in line or set(line) - set("|-: \t"):
        return False
    return "|" in above and all("-" in cell for cell in _cells(line)) and len(_cells(line)) == len(_cells(above))


def unused_definitions(document: Document, lines: Numbered) -> Iterator[Diagnostic]:
    """Link definitions that no text refers to would vanish, so each is a finding."""
    text = "\n".join(line for _, line in lines).casefold()
    used = {name for name, colon in _BRACKETED.findall(text) if not colon}
    for name, index in document.definition_lines:
        if name.casefold() not in used:
            number, line = lines[index]
            yield unplaced(line, number, "nothing in the text refers to this link; use it or delete it", "link")


def read_body(lines: Numbered, findings: list[Diagnostic]) -> tuple[Block, ...]:
    """The body values in numbered lines of Markdown; a common indentation does not count."""
    indents = [len(line) - len(line.lstrip(" ")) for _, line in lines if line.strip()]
    margin = min(indents, default=0)
    dedented = [(number, line[margin:]) for number, line in lines]
    document = read_blocks(dedented)
    findings.extend([*document.findings, *unused_definitions(document, dedented)])
    return BodyReader(document.references, findings).blocks(document.nodes)
