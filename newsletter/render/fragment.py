"""A part of a page: text with slots in it, and the same once it is filled and ready for the wire."""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.render.transfer import base64_lines, padded, quoted_lines, wire


@dataclass(frozen=True, slots=True)
class Fragment:
    """Literal strings with slots between them: `literals` has one more entry than `slots`."""

    literals: tuple[str, ...]
    slots: tuple[str, ...] = ()

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with a value in each slot; values are already escaped for the place."""
        if not self.slots:
            return self.literals[0]
        filled = "".join([literal + values[slot] for literal, slot in zip(self.literals, self.slots, strict=False)])
        return filled + self.literals[-1]


@dataclass(frozen=True, slots=True)
class Piece:
    """HTML that can stand before other HTML in either transfer encoding."""

    html: str
    base64: bytes
    quoted: bytes

    @classmethod
    def of(cls, html: str) -> "Piece":
        """Pad HTML that ends between two block tags, and encode it both ways."""
        html = padded(html)
        data = wire(html)
        return cls(html, base64_lines(data), quoted_lines(data, open_end=True))
