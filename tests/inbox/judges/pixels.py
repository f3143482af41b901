"""The door to Pillow for judges: a mail as the pixels that a reader sees.

`make judges` installs Pillow; without it these judges are not run, and the others still are.
"""

from __future__ import annotations  # where Pillow is missing there is no Image to name

import io

from playwright.sync_api import Page

from inbox.judges import browser

try:
    from PIL import Image, ImageChops
except ImportError:
    Image = ImageChops = None

__all__ = ["Image", "ImageChops", "lack", "shot"]


def lack() -> str:
    """What is missing before a mail can be measured in pixels, and the command that brings it; empty when nothing."""
    return browser.lack() if Image else "Pillow is missing; `make judges` installs it"


def shot(page: Page, *, whole: bool = True) -> Image.Image:
    """The whole mail or page that is shown, or what the window shows of it, as a picture."""
    return Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
