"""Without style blocks, as QQ mail and some Gmail apps show it: the same text, the same look, one column."""

from __future__ import annotations  # Pillow may be missing

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from playwright.sync_api import Page

from inbox.judge import Ruling, Sample
from inbox.judges import browser, pixels
from inbox.judges.pixels import Image, ImageChops

_STYLE = re.compile(r"<style[\s>].*?</style>", re.DOTALL | re.IGNORECASE)
_MOST_DIFFERENT = 0.01
"""Of all pixels at 700 px, this share may differ: the colour of list markers, the hair's breadth of a margin."""
_MOST_HIGHER = 0.01
"""The height may differ by this share."""
_VISIBLE = 48  # of 255: what differs less in each colour, nobody sees
_BRAND = "rgb(22, 119, 255)"
_LOOK = """() => ({
    text: document.body.innerText, over: document.documentElement.scrollWidth - innerWidth,
    headline: (getComputedStyle(document.querySelector('h1 .brand') ?? document.body)).color,
})"""
_MAIL = (
    '<!DOCTYPE html><html lang="en"><head><title>News</title><style>%s</style></head><body style="margin:0">'
    '<h1><span class="brand" style="color:#1677ff">News</span></h1><div class="a">One</div><div class="b"%s>Two</div>'
    "</body></html>"
)
_BAD = {
    "headline of the block": _MAIL.replace('style="color:#1677ff"', "") % (".brand{color:#1677ff}", ""),
    "hidden by the block": _MAIL % (".a{display:none}", ""),
    "side by side": (_MAIL % ("", "")).replace("<div", "<td").replace("</div", "</td").replace("<td", "<table><td", 1),
    "spaced by the block": _MAIL % (".a{padding:60px}", ""),
    "coloured by the block": _MAIL % ("body{background:#202020}", ""),
    "too wide": _MAIL % (".b{width:auto!important}", ' style="width:600px"'),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a mail looks: its text in order, its headline's colour, and its picture at 700 px."""

    text: str
    headline: str
    picture: Image.Image


class NoStyleBlocks:
    """Chromium, shown the mail with every style block cut out."""

    name = "Stripped of style blocks"
    bar = f"same text, blue headline, one column, ≤ {_MOST_DIFFERENT:.0%} of the picture differs"

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
        """Mails that need their style block."""
        return list(_rulings(_BAD))


def _rulings(mails: dict[str, str]) -> Iterator[Ruling]:
    with browser.page() as page:
        for name, html in mails.items():
            whole = _look(page, html)
            bare = _look(page, _STYLE.sub("", html))
            columns = list(_columns(browser.texts(page)))
            browser.show(page, _STYLE.sub("", html), browser.NARROW)
            over = page.evaluate(_LOOK)["over"]
            different, higher = _difference(whole.picture, bare.picture)
            wrong = {
                "other text": bare.text != whole.text,
                f"the headline is {bare.headline}": bare.headline != _BRAND,
                ", ".join(columns): bool(columns),
                f"{over} px too wide at {browser.NARROW} px": over > 0,
                "it looks different": different > _MOST_DIFFERENT or higher > _MOST_HIGHER,
            }
            said = [
                f"{different:.1%} of the picture, {higher:.1%} of the height",
                *(w for w, so in wrong.items() if so),
            ]
            yield Ruling(name, not any(wrong.values()), "; ".join(said), different)


def _look(page: Page, html: str) -> Look:
    browser.show(page, html, browser.WIDE)
    seen = page.evaluate(_LOOK)
    return Look(seen["text"], seen["headline"], pixels.shot(page))


def _columns(texts: Sequence[browser.Text]) -> Iterator[str]:
    """Every block of text that stands beside the one above it; cells of a table of data may."""
    blocks: dict[int, list[browser.Text]] = {}
    for text in texts:
        if not text.cell:
            blocks.setdefault(text.block, []).append(text)
    framed = sorted((_frame(block), block[0].words[:12]) for block in blocks.values())
    for ((top, bottom, left, right), words), ((top_2, bottom_2, left_2, right_2), words_2) in pairwise(framed):
        shared = min(bottom, bottom_2) - max(top, top_2)
        if shared > min(bottom - top, bottom_2 - top_2) / 2 and (right <= left_2 or right_2 <= left):
            yield f"“{words}” beside “{words_2}”"


def _frame(texts: Sequence[browser.Text]) -> tuple[float, float, float, float]:
    """Top, bottom, left and right of all boxes of some texts."""
    lefts, tops, rights, bottoms = zip(*(box for text in texts for box in text.boxes), strict=True)
    return min(tops), max(bottoms), min(lefts), max(rights)


def _difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """Which share of the pixels visibly differs, and by which share the heights do; what one lacks is white."""
    height = max(one.height, other.height)
    pictures = [Image.new("RGB", (one.width, height), "white") for _ in (one, other)]
    for sheet, picture in zip(pictures, (one, other), strict=True):
        sheet.paste(picture)
    bands = ImageChops.difference(*pictures).split()
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    histogram = most.histogram()
    return sum(histogram[_VISIBLE:]) / sum(histogram), abs(one.height - other.height) / height
