"""The door to Markdown's blocks: headings, paragraphs, lists, quotes and code, with the lines they stand on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.findings import error
from newsletter.content.inline import AnyAddress, References
from newsletter.content.lines import in_fences

# Beyond its maxNesting the library drops what is deeper, and in lists all that follows. So lines that would come near
# are made flat before: a list within a list takes at least two columns, and two levels of the library's counting.
_MOST_NESTING = 100
_MOST_MARKERS = 10
_WIDEST_COLUMNS = 60
_PARSER = AnyAddress("commonmark", {"html": False, "maxNesting": _MOST_NESTING}).disable("inline")
_CONTAINERS = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])(?:[ \t]+|$)|>[ \t]*)*")
_MARKER = re.compile(r"[-*+>.)]")


@dataclass(slots=True)
class Node:
    """One block.

    `kind` is heading, paragraph, list, item, quote, code or rule; `text` is its inline Markdown as written, for code
    the code; `line` is its first line; `marker` is the bullet or the sign behind the number.
    """

    kind: str
    line: int = 0
    text: str = ""
    level: int = 0
    marker: str = ""
    language: str = ""
    children: list["Node"] = field(default_factory=list)

    @property
    def ordered(self) -> bool:
        """Whether a list is numbered."""
        return self.marker in (".", ")")


@dataclass(frozen=True, slots=True)
class Document:
    """Blocks, the link definitions (`[name]: address`) that stood among them, and what could not be read."""

    nodes: tuple[Node, ...]
    references: References
    definition_lines: tuple[tuple[str, int], ...]
    findings: tuple[Diagnostic, ...]


_KINDS = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "blockquote_open": "quote",
    "fence": "code",
    "code_block": "code",
    "hr": "rule",
}


def _node(token: Token, numbers: Sequence[int]) -> Node:
    kind = _KINDS[token.type]
    start = token.map[0] if token.map else 0
    node = Node(kind, numbers[min(start, len(numbers) - 1)], marker=token.markup)
    if kind == "heading":
        node.level = int(token.tag[1:])
    elif kind == "code":
        node.text = token.content.removesuffix("\n")
        node.language = token.info.strip()
    return node


def _too_deep(line: int) -> Diagnostic:
    message = f"lists and quotes are nested more than {_MOST_MARKERS} deep; what is deeper is read as text: flatten it"
    return error(line, "too-deep", message, n=_MOST_MARKERS)


def _flat(line: str) -> str:
    """Take the marks and blanks off a line that begins with more of them than anyone nests on purpose."""
    found = _CONTAINERS.match(line)
    prefix = found.group() if found else ""
    wide = len(prefix.expandtabs(4)) > _WIDEST_COLUMNS
    if not wide and (len(prefix) <= _MOST_MARKERS or len(_MARKER.findall(prefix)) <= _MOST_MARKERS):
        return line
    return line[len(prefix) :]


def read_blocks(lines: Sequence[tuple[int, str]]) -> Document:
    """Take numbered lines apart into blocks; the numbers may have gaps."""
    fences = in_fences([line for _, line in lines])
    numbers = [number for number, _ in lines] or [0]
    environment: dict[str, object] = {}
    root = Node("root")
    open_nodes = [root]
    texts = [line if fenced else _flat(line) for (_, line), fenced in zip(lines, fences, strict=True)]
    pairs = zip(lines, texts, strict=True)
    deep = next((number for (number, line), text in pairs if line != text and len(set(line.split())) > 1), 0)
    for token in _PARSER.parse("\n".join(texts), environment):
        if token.type == "inline":
            open_nodes[-1].text = token.content
        elif token.nesting == -1:
            open_nodes.pop()
        else:
            node = _node(token, numbers)
            open_nodes[-1].children.append(node)
            if token.nesting == 1:
                open_nodes.append(node)
    references, doubled = environment.get("references", {}), environment.get("duplicate_refs", [])
    assert isinstance(references, dict) and isinstance(doubled, list)  # noqa: S101 (what the library puts there)
    definitions = [(name, definition["map"][0]) for name, definition in references.items()]
    definitions += [("", definition["map"][0]) for definition in doubled]
    found = tuple((name, min(start, len(lines) - 1)) for name, start in definitions)
    return Document(tuple(root.children), references, found, (_too_deep(deep),) if deep else ())
