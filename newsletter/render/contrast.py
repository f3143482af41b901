"""How well the text of a finished mail can be read: its size, and its colours by daylight and in the dark (WCAG 2.2).

By daylight everything counts that is written into the elements; in the dark, the rules for `prefers-color-scheme` go
before it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser

from newsletter.render.inline_css import with_rules

HEADLINE = "color:#1677ff;font-size:18px;font-weight:bold"
"""The style of an issue's title, to the letter: the publication's mark, and the one text that may be fainter."""

ENOUGH = 4.5
ENOUGH_LARGE = 3.0
"""The least contrast of text and of large text (WCAG 2.2, 1.4.3)."""

SMALLEST_PX = 10.0
"""Below this nobody reads; filters for spam know it as a way to hide text."""

_LARGE_PX = 24.0
_LARGE_BOLD_PX = 18.66
_BOLD = {"h1", "h2", "h3", "h4", "h5", "h6", "b", "strong", "th"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
_DARK = re.compile(r"@media\s*\(\s*prefers-color-scheme:\s*dark\s*\)\s*\{((?:[^{}]*\{[^{}]*\})*)\s*\}")
_DECLARED = re.compile(r"(?<![\w-])(color|background(?:-color)?)\s*:\s*([^;}!]+?)\s*(?:!important)?\s*(?=[;}])")
_HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_SIZES = re.compile(r"(?<![\w-])(font(?:-size)?)\s*:\s*([^;}!]+)")
_LENGTH = re.compile(r"(?<![\w.#-])(\d*\.?\d+)(px|pt|rem|em|%|(?=\s|$))")
_NAMED_PX = {"x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0, "xx-large": 32.0}
_SEE_THROUGH = re.compile(
    r"(?<![\w-])(opacity|zoom)\s*:\s*(?!(?:1(?:\.0*)?|100%|normal|inherit|initial)\s*[;}!]|\s)([^;}!]*)"
)
_BLOCK = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INHERITED = {"", "inherit", "transparent", "none", "initial"}


@dataclass(frozen=True, slots=True)
class Faint:
    """A text that is hard to read, or whose colours cannot be judged (`ratio` 0): `ink` on `ground`."""

    text: str
    ink: str
    ground: str
    ratio: float
    dark: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    """What an element hands to those inside it."""

    tag: str
    ink: str
    ground: str
    size_px: float = 16.0
    bold: bool = False
    hidden: bool = False
    headline: bool = False


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def faint_texts(html: str) -> Iterator[Faint]:
    """The texts of a finished page that are too faint by daylight or in the dark, each pair of colours once."""
    yield from _faint(html, dark=False)
    rules = "".join(body for block in _BLOCK.findall(html) for body in _DARK.findall(block))
    if rules:
        # under a name of their own, for what an element says already would go before them
        yield from _faint(with_rules(html, _DECLARED.sub(r"-dark-\1:\2", rules)), dark=True)


def hardly_seen(html: str) -> Iterator[tuple[str, str]]:
    """What in a finished page is too small or see-through: what to look for in the theme's files, and in words.

    What only Outlook reads is left out: it needs a size for cells that are rules.
    """
    shown = _COMMENT.sub("", html)
    walk = _Walk(dark=False)
    walk.feed(shown)
    for size, text in walk.small.items():
        words = f"font-size:{size:g}px" if size else "font-size:0"
        yield words, f"{text[:20]!r} stands in type of {size:g} px; at least {SMALLEST_PX:g} px can be read (write px)"
    styles = [rule for block in _BLOCK.findall(shown) for rule in re.findall(r"\{([^{}]*)\}", block)]
    for hiding in dict.fromkeys(words for style in (*styles, *walk.styles) for words in _hiding(style)):
        yield hiding, f"{hiding} hides what readers should see: take it out"
    for style in styles:
        if (size := _size_px(style, 16.0)) < SMALLEST_PX:
            yield (
                "font-size",
                f"a style block sets type of {size:g} px; at least {SMALLEST_PX:g} px can be read (write px)",
            )


def _hiding(style: str) -> Iterator[str]:
    for name, value in _SEE_THROUGH.findall(f"{style};".lower()):
        yield f"{name}:{value.strip()}"


def _size_px(style: str, outer_px: float) -> float:
    """The size of type that a style gives, the smallest where it gives several; 0 when that cannot be told."""
    sizes = [_told_px(name, value.strip(), outer_px) for name, value in _SIZES.findall(style.lower())]
    return min(sizes, default=outer_px)


def _told_px(name: str, value: str, outer_px: float) -> float:
    if value in _INHERITED | {"unset"}:
        return outer_px
    units = {"px": 1.0, "pt": 4 / 3, "em": outer_px, "%": outer_px / 100, "rem": 16.0}
    lengths = [(number, unit) for number, unit in _LENGTH.findall(value) if unit or name == "font-size"]
    return float(lengths[0][0]) * units.get(lengths[0][1], 0.0) if lengths else _NAMED_PX.get(value, 0.0)


def _luminance(colour: str) -> float:
    digits = "".join(digit * 2 for digit in colour[1:]) if len(colour) == 4 else colour[1:]
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _faint(html: str, dark: bool) -> Iterator[Faint]:
    walk = _Walk(dark)
    walk.feed(html)
    for (ink, ground, least), text in walk.seen.items():
        if not (_HEX.fullmatch(ink) and _HEX.fullmatch(ground)):
            yield Faint(text, ink, ground, 0, dark)
        elif (ratio := contrast(ink, ground)) < least:
            yield Faint(text, ink, ground, ratio, dark)


class _Walk(HTMLParser):
    """Goes through a page and keeps, for each pair of colours and the contrast it needs, the first text in them.

    `small` is a text for each size that is too small; `styles` what the elements are written with.
    """

    def __init__(self, dark: bool) -> None:
        super().__init__()
        self.seen: dict[tuple[str, str, float], str] = {}
        self.small: dict[float, str] = {}
        self.styles: dict[str, None] = {}
        self._dark = dark
        self._stack = [_Frame("", "#ffffff" if dark else "#000000", "#000000" if dark else "#ffffff", hidden=True)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element."""
        if tag not in _VOID:
            self._stack.append(self._frame(tag, dict(attrs).get("style") or ""))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those inside it that were not closed."""
        while len(self._stack) > 1 and tag not in _VOID:
            if self._stack.pop().tag == tag:
                break

    def handle_data(self, data: str) -> None:
        """Look at a text."""
        frame = self._stack[-1]
        if frame.hidden or not data.strip():
            return
        large = frame.size_px >= _LARGE_PX or (frame.bold and frame.size_px >= _LARGE_BOLD_PX) or frame.headline
        if frame.size_px < SMALLEST_PX:
            self.small.setdefault(frame.size_px, data.strip())
        least = ENOUGH_LARGE if large else ENOUGH
        self.seen.setdefault((frame.ink, frame.ground, least), data.strip())

    def _frame(self, tag: str, style: str) -> _Frame:
        outer = self._stack[-1]
        said = dict(re.findall(r"([\w-]+)\s*:\s*([^;]+)", style))
        self.styles[style] = None
        weight = said.get("font-weight", "")
        return replace(
            outer,
            tag=tag,
            ink=self._said(said, "color") or outer.ink,
            ground=self._said(said, "background-color", "background") or outer.ground,
            size_px=_size_px(style, outer.size_px),
            bold=weight in ("bold", "600", "700", "800", "900") if weight else outer.bold or tag in _BOLD,
            hidden=(outer.hidden and tag != "body") or said.get("display", "").startswith("none") or tag == "style",
            headline=outer.headline or style.startswith(HEADLINE),
        )

    def _said(self, said: dict[str, str], *names: str) -> str:
        """The colour that a style gives under one of these names, the dark ones first; empty when it gives none."""
        wanted = [f"-dark-{name}" for name in names if self._dark] + list(names)
        values = (said.get(name, "").removesuffix("!important").strip() for name in wanted)
        return next((value for value in values if value not in _INHERITED), "")
