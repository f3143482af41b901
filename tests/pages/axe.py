"""axe: can everybody use it, on a phone and on a desk, in light and in dark, with its landmarks."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from inbox.judge import Ruling
from inbox.judges import browser, node
from playwright.sync_api import Page, sync_playwright

from pages.view import View, Way

_AXE = node.HOME / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """() => axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    iframes: false,
}).then((said) => said.violations.filter((rule) => ['serious', 'critical'].includes(rule.impact))
  .map((rule) => `${rule.id} ${rule.nodes[0].html.slice(0, 80)}`))"""
_SEND = """([name, value]) => document.querySelectorAll(`input[type=hidden][name=${name}]`)
  .forEach((field) => { field.value = value })"""
_PAGE = (
    '<!doctype html><html lang="en"><head><title>News</title></head><body><main><h1>News</h1>{}</main></body></html>'
)
_BAD = {
    "pale text": '<p style="color:#aaaaaa;background:#ffffff">Hardly there</p>',
    "field without label": '<input type="text">',
    "button without words": "<button></button>",
    "wrong role": '<div role="butten">Go</div>',
}


class Axe:
    """axe-core in Chromium."""

    name = "axe"
    bar = "0 serious, 0 critical"

    def lack(self) -> str:
        """The package or the browser."""
        return node.lack("axe-core") or browser.lack()

    def version(self) -> str:
        """Of axe-core."""
        return node.version("axe-core")

    def judge(self, samples: Sequence[View]) -> list[Ruling]:
        """One ruling for each page, at each of its widths, in light and in dark."""
        with _open() as page:
            return [_ruling(view.name, list(_seen(page, view))) for view in samples]

    def judge_bad(self) -> list[Ruling]:
        """Pages with one mistake each."""
        with _open() as page:
            return [_ruling(name, _faults(page, _PAGE.format(body))) for name, body in _BAD.items()]


@contextmanager
def _open() -> Iterator[Page]:
    """A page of a fresh Chromium, which may run what axe brings whatever the policy of a page says."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            yield chromium.new_context(locale="zh-CN", bypass_csp=True).new_page()
        finally:
            chromium.close()


def _go(page: Page, way: Way) -> int:
    """Take the way as a visitor does; the status of the page at its end."""
    opened = page.goto(way.url, wait_until="load")
    if way.form is None:
        return opened.status if opened else 0
    for name, value in way.form.typed.items():
        page.locator(way.form.button).locator(f"xpath=ancestor::form//*[@name='{name}']").fill(value)
    for name, value in way.form.sent.items():
        page.evaluate(_SEND, [name, value])
    with page.expect_navigation(wait_until="load") as answered:
        page.click(way.form.button)
    if answered.value is None or answered.value.url.partition("?")[0] != way.form.action:
        raise RuntimeError(f"{way.form.button} on {way.url} does not lead to {way.form.action}")
    return answered.value.status


def _seen(page: Page, view: View) -> Iterator[str]:
    way = view.way()
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.context.clear_cookies()
    if view.cookie:
        name, _, value = view.cookie.partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": way.url}])
    status = _go(page, way)
    if status != view.status:
        raise RuntimeError(f"{view.name} has the status {status}, not {view.status}")
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    for width in view.widths:
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            yield from (f"at {width} px {scheme}: {fault}" for fault in page.evaluate(_RUN))


def _faults(page: Page, html: str) -> list[str]:
    page.set_content(html)
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    return list(page.evaluate(_RUN))


def _ruling(name: str, faults: Sequence[str]) -> Ruling:
    said = "; ".join(dict.fromkeys(faults))
    return Ruling(name, not faults, f"{len(faults)} serious or critical{': ' if said else ''}{said}", len(faults))
