"""Forced dark: the contrast of every text when the browser inverts the mail, measured on a picture of it."""

from __future__ import annotations  # Pillow may be missing

from collections import Counter
from collections.abc import Iterator, Sequence

from inbox.judge import Ruling, Sample
from inbox.judges import browser, pixels
from inbox.judges.pixels import Image

_FORCE = "--enable-features=WebContentsForceDark"
_SCALE = 2  # at one device pixel a pixel, thin strokes of small print are nowhere of their full colour
_TEXT, _LARGE_TEXT = 4.5, 3.0
"""WCAG 2.2, 1.4.3: the least contrast of text, and of text from 24 px or 18.66 px bold on."""
_STROKES = 0.005
"""At least this share of a text's boxes is of its own colour, or further from the background."""
_DARK = 0.2
"""The relative luminance that a background in the dark stays below."""
_WHITE = (
    "url(data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22%20width=%22900%22%20height=%22900%22%3E"
    "%3Crect%20width=%22900%22%20height=%22900%22%20fill=%22white%22/%3E%3C/svg%3E)"
)
"""A picture: browsers leave its colours alone when they invert the text upon it."""
_BAD = {
    "grey on grey": browser.small_mail('<p style="background:#909090;color:#707070">Neither light nor dark</p>'),
    "on a white picture": browser.small_mail(f"<p style='background:{_WHITE}'>White upon white</p>"),
    "white all over": browser.small_mail("<p>It never gets dark</p>", f"<style>body{{background:{_WHITE}}}</style>"),
}
_Colour = tuple[int, ...]


class ForcedDark:
    """Chromium's automatic dark mode, for mail clients that invert every mail."""

    name = "Forced dark"
    bar = "≥ 4.5 : 1, large ≥ 3; but the headline, a wordmark"

    def lack(self) -> str:
        """The browser, or Pillow."""
        return pixels.lack()

    def version(self) -> str:
        """Of Chromium."""
        return browser.version()

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each mail that has HTML."""
        return list(_rulings({sample.name: sample.html for sample in samples if sample.html}))

    def judge_bad(self) -> list[Ruling]:
        """Mails that cannot be read when they are inverted, or cannot be inverted."""
        return list(_rulings(_BAD))


def _rulings(mails: dict[str, str]) -> Iterator[Ruling]:
    with browser.page(_FORCE, scale=_SCALE) as page:
        for name, html in mails.items():
            browser.show(page, html, browser.WIDE)
            yield _ruling(name, pixels.shot(page), browser.texts(page))


def _ruling(name: str, picture: Image.Image, texts: Sequence[browser.Text]) -> Ruling:
    if luminance(_colours(picture).most_common(1)[0][0]) > _DARK:
        return Ruling(name, False, "it does not become dark", 100)
    measured = [(contrast(picture, text) / _least(text), text) for text in texts if not text.headline]
    share, palest = min(measured, key=lambda found: found[0])
    pale = sum(found < 1 for found, _ in measured)
    figure = f"{share * _least(palest):.1f} : 1 where {_least(palest)} is needed, “{palest.words[:20]}”"
    return Ruling(name, not pale, f"{pale} texts too pale: {figure}" if pale else figure, 1 / share)


def _least(text: browser.Text) -> float:
    return _LARGE_TEXT if text.size >= 24 or (text.bold and text.size >= 18.66) else _TEXT


def contrast(picture: Image.Image, text: browser.Text) -> float:
    """The contrast between the commonest colour in the boxes of a text and the colours furthest from it."""
    colours: Counter[_Colour] = Counter()
    for box in text.boxes:
        left, top, right, bottom = (round(edge * _SCALE) for edge in box)
        colours += _colours(picture.crop((left, top, right, bottom)))
    background = colours.most_common(1)[0][0]
    rest = colours.total() * _STROKES
    ratios = [(_ratio(background, colour), count) for colour, count in colours.items()]
    for ratio, count in sorted(ratios, reverse=True):
        rest -= count
        if rest <= 0:
            return ratio
    return 1


def luminance(colour: _Colour) -> float:
    """The relative luminance of an sRGB colour, 0 to 1 (WCAG 2.2, definition of "relative luminance")."""
    red, green, blue = ((c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _ratio(one: _Colour, other: _Colour) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, definition of "contrast ratio")."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _colours(picture: Image.Image) -> Counter[_Colour]:
    counted = picture.getcolors(picture.width * picture.height) or []
    return Counter({colour: count for count, colour in counted if isinstance(colour, tuple)})
