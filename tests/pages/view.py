"""A page as a judge sees it, and the way there: an address, and a form on it where the page answers one."""

import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True)
class Form:
    """What a visitor does on a page: types into fields, by their names, and presses the `button` (a CSS selector).

    `action` is where that goes; `sent` goes along, from hidden fields and from the button.
    """

    action: str
    button: str
    typed: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """An address, and the form that is sent from there; None where the page itself is meant."""

    url: str
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A page to be judged: its name, a way to it, its status.

    Some pages are there once, because they change something: every call of `way` gives a fresh one, of another reader.
    `scored` says that it stands for its kind: Lighthouse, which takes seconds for a page, looks at these alone.
    `cookie` is a session's, for pages that only those see who are signed in; `widths` are in px.
    """

    name: str
    way: Callable[[], Way]
    status: int = 200
    scored: bool = False
    cookie: str = ""
    widths: tuple[int, ...] = (375, 1280)

    @property
    def url(self) -> str:
        """Where the way to it begins."""
        return self.way().url

    def html(self, language: str) -> str:
        """What the server sends for it; raises RuntimeError where that has another status."""
        way = self.way()
        headers = {"accept": "text/html", "accept-language": language, "cookie": self.cookie}
        if way.form is None:
            wish = urllib.request.Request(way.url, headers=headers)
        else:
            body = urlencode({**way.form.typed, **way.form.sent}).encode()
            wish = urllib.request.Request(way.form.action, body, headers)
        status, text = _fetched(wish)
        if status != self.status:
            raise RuntimeError(f"{self.name} has the status {status}, not {self.status}")
        return text


def _fetched(wish: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(wish) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
