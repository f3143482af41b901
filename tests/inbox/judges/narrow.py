"""The narrowest phone: nothing to scroll sideways for, and something that a thumb can hit in order to leave."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from inbox.judge import Ruling, Sample
from inbox.judges import browser

_LEAST_BUTTON = 44
"""Pixels of height that a button has, and a link that unsubscribes (WCAG 2.2, 2.5.5)."""
_LOOK = """() => ({
    over: document.documentElement.scrollWidth - innerWidth,
    targets: [...document.querySelectorAll('a')]
        .map((link) => ({
            words: link.innerText.trim(), height: link.getBoundingClientRect().height,
            leaves: link.href.includes('/unsubscribe/'), inline: getComputedStyle(link).display === 'inline',
        }))
        .filter((link) => link.leaves || !link.inline),
})"""
_LEAVE = '<p><a href="https://news.example.org/unsubscribe/x"%s>Unsubscribe</a></p>'
_BUTTON = _LEAVE % ' style="display:inline-block;padding:10px 32px;line-height:24px"'
_BAD = {
    "table of 600 px": browser.small_mail(f'<table width="600"><tr><td>Wide</td></tr></table>{_BUTTON}'),
    "long word": browser.small_mail(f"<p>https://example.org/{'a' * 80}</p>{_BUTTON}"),
    "low button": browser.small_mail(
        f'<a href="https://example.org/" style="display:inline-block;padding:4px 12px">Read on</a>{_BUTTON}'
    ),
    "leaving by a word in the text": browser.small_mail(_LEAVE % ""),
    "a high line around a link": browser.small_mail(_LEAVE % ' style="line-height:44px"'),
    "no way to leave": browser.small_mail(
        '<a href="https://example.org/" style="display:inline-block;padding:20px 32px">Read on</a>'
    ),
}


class NarrowScreen:
    """Chromium, 320 pixels wide."""

    name = "Narrow screen"
    bar = f"no scrolling sideways at {browser.NARROW} px; buttons, and always Unsubscribe, ≥ {_LEAST_BUTTON} px"

    def lack(self) -> str:
        """The browser."""
        return browser.lack()

    def version(self) -> str:
        """Of Chromium."""
        return browser.version()

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each mail that has HTML."""
        once = {sample.name for sample in samples if b"\r\nList-Unsubscribe:" not in sample.data}
        return list(_rulings({sample.name: sample.html for sample in samples if sample.html}, once))

    def judge_bad(self) -> list[Ruling]:
        """Mails that are too wide, or have a button that is too low, or none to leave by."""
        return list(_rulings(_BAD))


def _rulings(mails: dict[str, str], once: Collection[str] = ()) -> Iterator[Ruling]:
    """The rulings on mails by name; those that come `once`, such as a confirmation, are nothing to leave."""
    with browser.page() as page:
        for name, html in mails.items():
            browser.show(page, html, browser.NARROW)
            yield _ruling(name, name in once, **page.evaluate(_LOOK))


def _ruling(name: str, once: bool, over: int, targets: Sequence[dict[str, Any]]) -> Ruling:
    """`over` is by how many pixels the mail is too wide; `targets` are its buttons and its link to leave."""
    if not any(once or target["leaves"] for target in targets):
        return Ruling(name, False, f"{over} px too wide, no link that unsubscribes", over + _LEAST_BUTTON)
    lowest = min(targets, key=lambda target: float(target["height"]))
    low = lowest["height"] < _LEAST_BUTTON
    figure = f"{over} px too wide, lowest target {lowest['height']:.0f} px, “{lowest['words']}”"
    return Ruling(name, over <= 0 and not low, figure, over + _LEAST_BUTTON / (lowest["height"] or 1))
