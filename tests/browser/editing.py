"""What tests of the editor wait for."""

from playwright.sync_api import Page, expect


def is_saved(page: Page) -> None:
    """Wait until what was typed is kept."""
    expect(page.locator("#editor[data-state=saved]")).to_be_attached(timeout=15_000)
