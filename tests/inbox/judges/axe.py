"""axe: can everybody read it, at three widths, in light and in dark.

Where axe cannot tell the contrast of a text, above a gradient for example, nobody has shown that it can be read: that
counts as a violation.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from playwright.sync_api import Page

from inbox.judge import Ruling, Sample
from inbox.judges import browser, node

_AXE = node.HOME / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """(options) => axe.run(document, options).then((said) => [
    ...said.violations, ...said.incomplete.filter((rule) => rule.id === 'color-contrast'),
].map((rule) => ({
    id: rule.id, impact: rule.impact, nodes: rule.nodes.map((node) => ({
        target: node.target.join(' '), html: node.html, contrast: node.any[0]?.data?.contrastRatio,
        headline: document.querySelector(node.target[0]) === document.querySelector('h1 .brand'),
    })),
})))"""
_WIDTHS = (browser.NARROW, browser.PHONE, browser.WIDE)
_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations", "incomplete"],
    # A mail is no page: the mail client around it has the landmarks.
    "rules": {rule: {"enabled": False} for rule in ("landmark-one-main", "region")},
}
_WORDMARK = 4.1
"""The contrast of the masthead's headline on white, which it has to have: it is fixed as #1677ff, 18 px, bold."""
_BAD = {
    name: browser.small_mail(body)
    for name, body in {
        "pale text": '<p style="color:#aaaaaa">Hardly there</p>',
        "pale text on a gradient": '<p style="color:#999999;background:linear-gradient(#777777,#bbbbbb)">Which?</p>',
        "pale headline": '<p style="color:#1677ff;font-size:18px;font-weight:bold">Not the masthead</p>',
        "pale wordmark": '<h1><span class="brand" style="color:#4096ff">News</span></h1>',
        "dark on dark": "<style>@media (prefers-color-scheme:dark){body{background:#111418}}</style><p>Text</p>",
        "picture without alt": '<img src="https://example.org/a.png">',
        "link without text": '<a href="https://example.org/"></a>',
        "cell of no header": '<table><tr><th>A</th><td headers="x">1</td></tr></table>',
    }.items()
}


class Axe:
    """axe-core in Chromium."""

    name = "axe"
    bar = "0 serious, 0 critical; but the headline, a wordmark, 4.1 : 1"

    def lack(self) -> str:
        """The package or the browser."""
        return node.lack("axe-core") or browser.lack()

    def version(self) -> str:
        """Of axe-core."""
        return node.version("axe-core")

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each mail that has HTML, on six views of it."""
        return list(_rulings({sample.name: sample.html for sample in samples if sample.html}))

    def judge_bad(self) -> list[Ruling]:
        """Mails with one mistake each."""
        return list(_rulings(_BAD))


def _rulings(mails: dict[str, str]) -> Iterator[Ruling]:
    with browser.page() as page:
        for name, html in mails.items():
            views = [_violations(page, html, width, dark) for width in _WIDTHS for dark in (False, True)]
            worst = max(sum(map(len, found.values())) for found in views)
            first = {rule: nodes[0] for found in reversed(views) for rule, nodes in found.items()}
            details = "; ".join(f"{rule} {node}" for rule, node in first.items())
            yield Ruling(name, not worst, f"{worst} serious or critical{': ' if worst else ''}{details}", worst)


def _violations(page: Page, html: str, width: int, dark: bool) -> dict[str, list[str]]:
    """The nodes that violate each rule in one view of a mail."""
    browser.show(page, html, width, dark)
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    view = f"at {width} px {'dark' if dark else 'light'}"
    found: dict[str, list[str]] = {}
    for rule in page.evaluate(_RUN, _OPTIONS):
        for seen in rule["nodes"]:
            if rule["impact"] in ("serious", "critical") and not _is_wordmark(rule, seen):
                found.setdefault(rule["id"], []).append(f"{view}, {_said(seen)}")
    return found


def _is_wordmark(rule: dict[str, Any], seen: dict[str, Any]) -> bool:
    return rule["id"] == "color-contrast" and bool(seen["headline"]) and (seen["contrast"] or 0) >= _WORDMARK


def _said(seen: dict[str, Any]) -> str:
    """The element and its contrast, as far as axe can tell."""
    contrast = f"{seen['contrast']} : 1 " if seen["contrast"] else ""
    return f"{contrast}{seen['html'][:60]}"
