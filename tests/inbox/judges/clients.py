"""caniemail: which features of HTML and CSS the mail clients do not support, beyond what any MJML mail uses."""

from collections.abc import Iterable, Sequence

from inbox.judge import Ruling, Sample
from inbox.judges import node
from newsletter.render.inline_css import mail_html

CLIENTS = (
    "gmail.desktop-webmail", "gmail.ios", "gmail.android", "outlook.windows", "outlook.outlook-com", "outlook.macos",
    "outlook.ios", "apple-mail.macos", "apple-mail.ios", "yahoo.desktop-webmail", "samsung-email.android",
    "thunderbird.macos",
)  # fmt: skip
"""The twelve that count, in caniemail's names; it knows nothing of QQ and NetEase."""
SKELETON = """\
<mjml lang="en"><mj-head><mj-title>Nothing</mj-title></mj-head><mj-body><mj-section><mj-column>
<mj-text>Text</mj-text><mj-image src="https://example.org/a.png" alt="A picture" />
<mj-button href="https://example.org/">Button</mj-button><mj-divider />
</mj-column></mj-section></mj-body></mjml>
"""
"""A mail of MJML's own parts and nothing else: what these use, every mail of MJML uses."""
_BAD = {
    "flex": '<div style="display:flex;gap:8px"><p>one</p><p>two</p></div>',
    "position": '<div style="position:absolute;top:0">above</div>',
    "video": '<video src="https://example.org/a.mp4" controls></video>',
    "layout of a table": '<table style="table-layout:fixed"><tr><td>one</td></tr></table>',
    "narrow grid": "<style>@media (max-width:480px){.a{display:grid}}</style>",
    "form": '<form action="https://example.org/"><input name="a"></form>',
}
"""Each has a feature that one of the twelve or more does not know."""


class Caniemail:
    """The support tables of caniemail.com."""

    name = "caniemail"
    bar = f"0 unsupported in {len(CLIENTS)} clients"

    def lack(self) -> str:
        """The package, or Node."""
        return node.lack("caniemail")

    def version(self) -> str:
        """Of the package, which carries the data."""
        return node.version("caniemail")

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each mail that has HTML."""
        return _rulings({sample.name: sample.html for sample in samples if sample.html})

    def judge_bad(self) -> list[Ruling]:
        """The skeleton with one feature put into it that is not understood everywhere."""
        return _rulings({name: _skeleton().replace("</body>", f"{bad}</body>") for name, bad in _BAD.items()})


def _rulings(mails: dict[str, str]) -> list[Ruling]:
    found = node.ask("clients.mjs", {"clients": CLIENTS, "mails": {**mails, "": _skeleton()}})
    usual = {(client, feature) for client, feature in found.pop("")}
    return [_ruling(name, {(client, feature) for client, feature in pairs} - usual) for name, pairs in found.items()]


def _ruling(name: str, beyond: set[tuple[str, str]]) -> Ruling:
    clients_of: dict[str, list[str]] = {}
    for client, feature in sorted(beyond):
        clients_of.setdefault(feature, []).append(client)
    said = f": {_listed(clients_of.items())}" if beyond else ""
    return Ruling(name, not beyond, f"{len(beyond)} unsupported{said}", len(beyond))


def _listed(features: Iterable[tuple[str, list[str]]]) -> str:
    return "; ".join(f"{feature} ({', '.join(clients)})" for feature, clients in features)


def _skeleton() -> str:
    return mail_html(SKELETON, "")
