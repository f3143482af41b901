"""The door to Chromium for judges: a page without a network, and where the text of a mail stands in it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

NARROW, PHONE, WIDE = 320, 375, 700
"""Widths in CSS pixels: the narrowest phone, a usual one, and a window in which a mail has its full width."""
_HEAD = '<!DOCTYPE html><html lang="en"><head><title>News</title>'
_TEXTS = Path(__file__).with_name("texts.js").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Text:
    """A run of visible text: its boxes (left, top, right, bottom) in CSS pixels from the top of the page, one a line.

    `size` in pixels; `block` numbers the block-level element around it; `headline` marks the masthead's wordmark, and
    `cell` text in a table of data.
    """

    words: str
    boxes: tuple[tuple[float, float, float, float], ...]
    size: float
    bold: bool
    block: int
    headline: bool
    cell: bool


def lack() -> str:
    """What is missing before a mail can be looked at, and the command that brings it; empty when nothing."""
    if not shutil.which("chromium"):
        return "Chromium is missing; `make system` installs it"
    listed = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, text=True, check=False)
    return "" if listed.stdout.strip() else "Chinese fonts are missing; `make system` installs them"


def version() -> str:
    """Chromium's own."""
    said = subprocess.run(["chromium", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[1]


@contextmanager
def page(*flags: str, scale: float = 1) -> Iterator[Page]:
    """An empty page of a fresh Chromium, started with `flags`; `scale` is device pixels for each CSS pixel."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu", *flags]
        )
        try:
            yield chromium.new_context(offline=True, device_scale_factor=scale).new_page()
        finally:
            chromium.close()


def show(page: Page, html: str, width: int, dark: bool = False) -> None:
    """Show a mail in a window `width` pixels wide, with or without the reader's wish for dark colours.

    The window is lower than any mail, so that a picture of the whole page holds no empty rest.
    """
    page.set_viewport_size({"width": width, "height": 200})
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.set_content(html, wait_until="load")


def small_mail(body: str, head: str = "") -> str:
    """A sound mail of one heading and `body`: what bad samples are made of."""
    return f"{_HEAD}{head}</head><body><h1>News</h1>{body}</body></html>"


def texts(page: Page) -> list[Text]:
    """The visible text of the mail that is shown, in order."""
    return [Text(**{**found, "boxes": tuple(tuple(box) for box in found["boxes"])}) for found in page.evaluate(_TEXTS)]
