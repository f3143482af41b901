"""Marks between the parts of a page and slots inside them, in a form that survives MJML and premailer.

Every mark and slot carries a nonce that is a digest of all that goes into the page. A text inside the page would have
to contain its own digest to look like a mark, so no title can be cut at, whatever it holds.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from markupsafe import Markup

from newsletter.render.fragment import Fragment

TOP = "top"
"""The name of what stands before the first mark."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Writes marks and slots for one page, and cuts the page at them again."""

    nonce: str

    @classmethod
    def of(cls, *contents: object) -> "Marks":
        """Marks that nothing in these values can imitate; the same values give the same marks."""
        return cls("n" + sha256(repr(contents).encode("utf-8", "surrogatepass")).hexdigest()[:24])

    def mark(self, name: str) -> Markup:
        """The comment that begins the part called `name`, in HTML."""
        return Markup(f"<!--{self.nonce}:{name}-->")  # noqa: S704 (names are the theme's own words and numbers)

    def text_mark(self, name: str) -> str:
        """The line that begins the part called `name`, in plain text."""
        return f"{self.nonce}:{name}"

    def slot(self, name: str) -> str:
        """A word to stand where a value comes later; safe in text and in an address."""
        return f"{self.nonce}.{name}."

    def parts(self, page: str) -> Iterator[tuple[str, str]]:
        """The parts of a page with their names, in order."""
        pieces = re.split(rf"(?:<!--)?{self.nonce}:([a-z0-9.]+)(?:-->|\n|$)", page)
        return zip([TOP, *pieces[1::2]], pieces[::2], strict=True)

    def cut(self, page: str) -> dict[str, Fragment]:
        """Cut a page into fragments; raises ValueError when two parts of one name differ, for one would be lost."""
        fragments: dict[str, Fragment] = {}
        for name, part in self.parts(page):
            fragment = self._fragment(part)
            if fragments.setdefault(name, fragment) != fragment:
                raise ValueError(f"the part {name!r} of the page depends on where it stands")
        return fragments

    def _fragment(self, part: str) -> Fragment:
        pieces = re.split(rf"{self.nonce}\.([a-z]+)\.", part)
        return Fragment(tuple(pieces[::2]), tuple(pieces[1::2]))
