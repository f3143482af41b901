"""The narrowest phone: nothing to scroll sideways for, and buttons that a thumb can hit."""

from collections.abc import Iterator, Sequence
from typing import Any

from inbox.judge import Ruling, Sample
from inbox.judges import browser

_LEAST_BUTTON = 44
"""Pixels of height that a button has (WCAG 2.2, 2.5.5)."""
_LOOK = """() => ({
    over: document.documentElement.scrollWidth - innerWidth,
    buttons: [...document.querySelectorAll('a')]
        .filter((link) => getComputedStyle(link).display !== 'inline')
        .map((link) => ({ words: link.innerText.trim(), height: link.getBoundingClientRect().height })),
})"""
_BAD = {
    "table of 600 px": browser.small_mail('<table width="600"><tr><td>Wide</td></tr></table>'),
    "long word": browser.small_mail(f"<p>https://example.org/{'a' * 80}</p>"),
    "low button": browser.small_mail('<a href="#" style="display:inline-block;padding:4px 12px">Read on</a>'),
}


class NarrowScreen:
    """Chromium, 320 pixels wide."""

    name = "Narrow screen"
    bar = f"no scrolling sideways at {browser.NARROW} px, buttons ≥ {_LEAST_BUTTON} px"

    def lack(self) -> str:
        """The browser."""
        return browser.lack()

    def version(self) -> str:
        """Of Chromium."""
        return browser.version()

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each mail that has HTML."""
        return list(_rulings({sample.name: sample.html for sample in samples if sample.html}))

    def judge_bad(self) -> list[Ruling]:
        """Mails that are too wide, or have a button that is too low."""
        return list(_rulings(_BAD))


def _rulings(mails: dict[str, str]) -> Iterator[Ruling]:
    with browser.page() as page:
        for name, html in mails.items():
            browser.show(page, html, browser.NARROW)
            yield _ruling(name, **page.evaluate(_LOOK))


def _ruling(name: str, over: int, buttons: Sequence[dict[str, Any]]) -> Ruling:
    """`over` is by how many pixels the mail is too wide."""
    if not buttons:
        return Ruling(name, over <= 0, f"{over} px too wide, no button", over)
    lowest = min(buttons, key=lambda button: float(button["height"]))
    low = lowest["height"] < _LEAST_BUTTON
    figure = f"{over} px too wide, lowest button {lowest['height']:.0f} px, “{lowest['words']}”"
    return Ruling(name, over <= 0 and not low, figure, over + low)
