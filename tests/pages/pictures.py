"""`make pictures`: the pages and a letter as readers see them, for docs/how-to and docs/explanation."""

import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from inbox.judges import browser, pixels
from inbox.pictures import save
from inbox.samples import confirmation, letter_sample
from playwright.sync_api import Page, sync_playwright

from pages.site import open_desk, open_tour
from pages.view import View

_ELSEWHERE = {"x-forwarded-for": "203.0.113.7"}
"""So that the pages take the browser for a visitor's, not for one at their own machine."""


_PAINTING_MS = 500
"""A frame whose page may run no script cannot say when it is painted."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of one of the pages, in CSS pixels: of a window, or down to the end of the page.

    `query` is added to its address.
    """

    file: str
    page: str
    width: int
    height: int = 900
    whole: bool = False
    dark: bool = False
    query: str = ""


SHOTS = (
    Shot("sign-up.png", "sign-up, two topics", 1280),
    Shot("sign-up-phone.png", "sign-up, two topics", 375, whole=True, dark=True),
    Shot("preferences.png", "preferences", 1280, whole=True),
    Shot("archive-issue.png", "issue", 1280, 1000),
    Shot("confirm.png", "confirm", 375, 490),
    Shot("leave.png", "leave", 375, 715),
)
AT_DESK = (
    Shot("desk.png", "editor", 1280, query="?figures=1&reader=lin.xiaolan%40example.org"),
    Shot("desk-checks.png", "checks", 1280),
    Shot("desk-sending.png", "sending, running", 1280),
    Shot("desk-overview.png", "overview", 1280),
)


def main() -> int:
    """Take all pictures; the exit code."""
    if lacking := browser.lack():
        sys.stderr.write(f"{lacking}\n")
        return 1
    with _visitor() as page:
        with open_tour() as tour:
            _take(page, tour.views(), SHOTS, 64)
        with open_desk() as desk, desk.newsroom.with_a_sender():
            _take(page, desk.views(), AT_DESK, 192)  # pills of many shades
    with browser.page() as page:
        browser.show(page, letter_sample(confirmation("zh"), "zh").html, browser.WIDE)
        save(pixels.shot(page), "letter.png")
    return 0


@contextmanager
def _visitor() -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield chromium.new_context(locale="zh-CN").new_page()
        finally:
            chromium.close()


def _take(page: Page, views: Iterable[View], shots: Iterable[Shot], colours: int) -> None:
    found = {view.name: view for view in views}
    for shot in shots:
        view = found[shot.page]
        page.set_extra_http_headers({"cookie": view.cookie} if view.cookie else _ELSEWHERE)
        _show(page, view.url + shot.query, shot)
        save(pixels.shot(page, whole=False), shot.file, colours)


def _show(page: Page, url: str, shot: Shot) -> None:
    page.set_viewport_size({"width": shot.width, "height": shot.height})
    page.emulate_media(color_scheme="dark" if shot.dark else "light", reduced_motion="reduce")
    page.goto(url, wait_until="networkidle")
    if shot.whole:  # a frame below the window is not painted, so the window grows
        whole = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": shot.width, "height": whole})
        page.wait_for_timeout(_PAINTING_MS)


if __name__ == "__main__":
    sys.exit(main())
