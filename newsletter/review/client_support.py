"""Which mail clients do not know what a mail uses, by the data of caniemail.com (the npm package `caniemail`).

What every mail made with MJML uses is no finding: the shipped themes were built around what it does where a client
lacks it, and nobody can write a mail without it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from newsletter.render.inline_css import mail_html
from newsletter.review.features import used

_SKELETON = """\
<mjml lang="en"><mj-head><mj-title>Nothing</mj-title></mj-head><mj-body><mj-section><mj-column>
<mj-text>Text</mj-text><mj-image src="https://example.org/a.png" alt="A picture" />
<mj-button href="https://example.org/">Button</mj-button><mj-divider />
</mj-column></mj-section></mj-body></mjml>
"""
"""A mail of MJML's own parts and nothing else, the same by which `make inbox` judges."""
_ENHANCING = frozenset({"html-meta-color-scheme", "css-color-scheme"})
"""Asked for to be dark where that is known, and nothing is lost elsewhere."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A feature that some clients lack: its title at caniemail.com, what it was seen by, and the clients."""

    slug: str
    title: str
    seen: str
    clients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """The data: clients by their names, and of each feature the places of those that lack it."""

    updated: str
    clients: tuple[str, ...]
    titles: Mapping[str, str]
    lacking: Mapping[str, tuple[str, ...]]


@lru_cache(maxsize=1)
def support() -> Support:
    """The vendored data."""
    read = json.loads(files("newsletter.review").joinpath("data/caniemail/caniemail.json").read_text("utf-8"))
    clients = tuple(read["clients"].values())
    lacking = {
        slug: tuple(name for name, level in zip(clients, feature["support"], strict=True) if level == "n")
        for slug, feature in read["features"].items()
    }
    titles = {slug: feature["title"] for slug, feature in read["features"].items()}
    return Support(read["updated"], clients, titles, lacking)


def unsupported(html: str) -> list[Unsupported]:
    """What a mail uses beyond any mail of MJML and not every client knows, what the most of them lack first."""
    data = support()
    beyond = used(html)
    found = [
        Unsupported(slug, data.titles[slug], seen, data.lacking[slug])
        for slug, seen in beyond.items()
        if slug in data.lacking and slug not in _usual() | _ENHANCING
    ]
    return sorted(found, key=lambda one: (-len(one.clients), one.slug))


@lru_cache(maxsize=1)
def _usual() -> frozenset[str]:
    return frozenset(used(mail_html(_SKELETON, "")))
