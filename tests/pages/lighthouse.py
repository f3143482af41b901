"""Lighthouse's score for accessibility."""

import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from inbox.judge import Ruling
from inbox.judges import browser, node

from pages.view import View

_BAD = {
    "field without label": '<!doctype html><html lang="en"><title>News</title><main><h1>News</h1><input></main></html>',
    "no language": "<!doctype html><html><title>News</title><main><h1>News</h1><p>One</p></main></html>",
}


class Lighthouse:
    """Lighthouse in Chromium, as a phone."""

    name = "Lighthouse accessibility"
    bar = "1.0"

    def lack(self) -> str:
        """The package or the browser."""
        return node.lack("lighthouse") or browser.lack()

    def version(self) -> str:
        """Of Lighthouse."""
        return node.version("lighthouse")

    def judge(self, samples: Sequence[View]) -> list[Ruling]:
        """One ruling for each kind of page."""
        return _rulings({view.name: (view.url, view.cookie) for view in samples if view.scored})

    def judge_bad(self) -> list[Ruling]:
        """Pages with one mistake each."""
        with _served(list(_BAD.values())) as urls:
            return _rulings({name: (url, "") for name, url in zip(_BAD, urls, strict=True)})


@contextmanager
def _served(pages: Sequence[str]) -> Iterator[list[str]]:
    """Pages from a small server, because Lighthouse opens no files."""
    with tempfile.TemporaryDirectory() as folder:
        for number, html in enumerate(pages):
            Path(folder, f"{number}.html").write_text(html, encoding="utf-8")
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=folder)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield [f"http://127.0.0.1:{server.server_port}/{number}.html" for number in range(len(pages))]
            server.shutdown()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _rulings(pages: Mapping[str, tuple[str, str]]) -> list[Ruling]:
    """Of pages by name: the address of each and the cookie to come with."""
    answers = node.ask("lighthouse.mjs", {"chromium": shutil.which("chromium"), "pages": dict(pages)})
    return [
        Ruling(name, said["score"] == 1, " ".join([f"{said['score']:.2f}", *said["failed"]]), -said["score"])
        for name, said in answers.items()
    ]
