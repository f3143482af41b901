"""Going through a page by keyboard alone: from stop to stop, each of which is seen."""

import pytest
from playwright.sync_api import Page

MOST_STOPS = 200
"""More than any page has."""
_AT = """() => {
    const at = document.activeElement;
    const outlined = (one) => one && (getComputedStyle(one).boxShadow.includes('inset')
        || getComputedStyle(one).outlineStyle !== 'none' && parseFloat(getComputedStyle(one).outlineWidth) >= 1);
    const place = at.getBoundingClientRect();
    return {
        name: at === document.body ? '' : `${at.tagName} ${at.id || at.name || at.textContent.trim().slice(0, 40)}`,
        // a mail in a frame draws its own; a box to tick or a sheet may show it on what it is in or beside
        shown: at.tagName === 'IFRAME'
            || [at, at.closest('label, .topic, .write'), at.nextElementSibling].some(outlined),
        seen: place.width > 0 && place.bottom > 0 && place.top < innerHeight,
    };
}"""


def step(page: Page) -> str:
    """Go to the next stop, which is seen; its name, empty at the end of the page."""
    page.keyboard.press("Tab")
    at = page.evaluate(_AT)
    if at["name"]:
        assert at["shown"], f"no outline around {at['name']} of {page.url}"
        assert at["seen"], f"{at['name']} of {page.url} is outside the window"
    return str(at["name"])


def stops(page: Page) -> list[str]:
    """Go to the end of the page, or `MOST_STOPS` far where it has none."""
    return [name for name, _ in zip(iter(lambda: step(page), ""), range(MOST_STOPS), strict=False)]


def go_to(page: Page, selector: str) -> None:
    """Go from stop to stop until it is one that the selector means."""
    for _ in range(MOST_STOPS):
        step(page)
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"the keyboard does not reach {selector}")


def press(page: Page) -> None:
    """Press what one is at, and wait for the page that it leads to."""
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
