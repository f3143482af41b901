"""Two pages compared as trees: the order of attributes and the blanks that nobody sees make no difference."""

import re
from dataclasses import dataclass, replace

from lxml import etree
from lxml import html as pages

INLINE = {"a", "b", "br", "code", "del", "em", "i", "img", "s", "span", "strong"}
"""Between two of these a blank is seen; beside anything else it is not."""
_BLANKS = re.compile(r"[ \t\r\n]+")
_BLOCK_BEGINS = re.compile(rf"(?<!\n)<(?!/|!|(?:{'|'.join(sorted(INLINE))})\b)")


@dataclass(frozen=True, slots=True)
class Element:
    """One element: what it is, its attributes by name, its declarations in their order, and what stands in it."""

    tag: str
    attributes: tuple[tuple[str, str], ...]
    style: tuple[str, ...]
    children: tuple["Element | str", ...]


def tree(html: str) -> Element:
    """The tree of a page; a comment is an element whose only child is its text, the doctype an attribute of `html`."""
    page = pages.document_fromstring(html, parser=pages.HTMLParser(default_doctype=False))
    root, doctype = _element(page), page.getroottree().docinfo.doctype
    return replace(root, attributes=(("!DOCTYPE", doctype), *root.attributes)) if doctype else root


def difference(wanted: "Element | str", found: "Element | str", path: str = "") -> str:
    """Where two trees first differ and how, as a path of elements; empty when they do not."""
    if isinstance(wanted, str) and isinstance(found, str):
        pairs = enumerate(zip(wanted, found, strict=False))
        at = max(0, next((at for at, (old, new) in pairs if old != new), 0) - 20)
        return "" if wanted == found else f"{path}: {_shown(found[at:])}, not {_shown(wanted[at:])}"
    if isinstance(wanted, str) or isinstance(found, str):
        return f"{path}: {_shown(found)}, not {_shown(wanted)}"
    if wanted.tag != found.tag:
        return f"{path}: {_shown(found)}, not {_shown(wanted)}"
    path = f"{path}/{wanted.tag}"
    for what, old, new in (("@", wanted.attributes, found.attributes), ("@style ", wanted.style, found.style)):
        if old != new:
            gone, come = [item for item in old if item not in new], [item for item in new if item not in old]
            return f"{path}{what}: {come or 'nothing' if gone or come else 'another order'}, not {gone or 'nothing'}"
    for number, (old, new) in enumerate(zip(wanted.children, found.children, strict=False)):
        if said := difference(old, new, f"{path}[{number}]"):
            return said
    both = len(wanted.children), len(found.children)
    if both[0] == both[1]:
        return ""
    longer = found if both[1] > both[0] else wanted
    word = "has also" if longer is found else "lacks"
    return f"{path}[{min(both)}]: {word} {_shown(longer.children[min(both)])}"


def in_lines(html: str) -> str:
    """The same page with each block on a line of its own, so that people can read and compare it."""
    return _BLOCK_BEGINS.sub("\n<", _without_padding(html)).strip() + "\n"


def _without_padding(html: str) -> str:
    """Blanks at the ends of lines and before blocks are there to fill lines of base64."""
    return re.sub(r"[ \t]+(?=\n)", "", re.sub(r"[ \t]{2,}(?=<)", " ", html))


def _element(node: etree._Element) -> Element:
    if not isinstance(node.tag, str):
        said = _BLANKS.sub(" ", node.text or "").strip().replace(" <", "<")
        return Element("comment", (), (), (said,))
    tag = node.tag
    attributes = {name: _BLANKS.sub(" ", value) for name, value in node.attrib.items() if name != "style"}
    style = tuple(_BLANKS.sub(" ", part).strip() for part in node.get("style", "").split(";") if part.strip())
    return Element(tag, tuple(sorted(attributes.items())), style, tuple(_children(node, keep=tag == "pre")))


def _children(node: etree._Element, keep: bool) -> list["Element | str"]:
    """What stands in a node; texts with one blank for several, without those at the edges of blocks."""
    pieces: list[Element | str] = [node.text or ""]
    for child in node:
        pieces += [_element(child), child.tail or ""]
    texts = [piece if keep or isinstance(piece, Element) else _BLANKS.sub(" ", piece) for piece in pieces]
    if not keep:
        texts = [
            piece if isinstance(piece, Element) else _trimmed(piece, texts[at - 1 : at], texts[at + 1 : at + 2])
            for at, piece in enumerate(texts)
        ]
    return [piece for piece in texts if piece != ""]


def _trimmed(text: str, before: list["Element | str"], behind: list["Element | str"]) -> str:
    """A text without the blank beside a block or the edge of one."""
    if not _is_inline(before):
        text = text.lstrip(" ")
    return text if _is_inline(behind) else text.rstrip(" ")


def _is_inline(neighbour: list["Element | str"]) -> bool:
    return any(isinstance(piece, Element) and piece.tag in INLINE for piece in neighbour)


def _shown(piece: "Element | str") -> str:
    return f"<{piece.tag}>" if isinstance(piece, Element) else repr(piece[:80])
