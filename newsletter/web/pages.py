"""Pages from the templates in `templates/web`: every value is escaped, every word comes from `words/`."""

import tomllib
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.archive.reading import Archive
from newsletter.editorial.progress import Watch
from newsletter.readers.sample import Sampler
from newsletter.render.theme import templates_dir
from newsletter.web.visitor import LANGUAGE_FIELD, is_local, keep_language, language_of
from subscribers.preferences import LANGUAGES
from subscribers.topics import Catalogue

Link = tuple[str, str]
"""An address and its label, for the navigation."""

_PIECES = 64
"""Pieces of pages that are kept: two languages of the issues that most visitors read."""


class Pages:
    """What the pages of one application are made with: templates, words, the archive, samples, and a watch.

    `links` stand in the navigation of people at this machine.
    """

    def __init__(self, newsletter: Newsletter, folders: Sequence[Path] = (), links: Sequence[Link] = ()) -> None:
        home = templates_dir() / "web"
        self.words = _read_words(home / "words")
        self.links = tuple(links)
        self.newsletter = newsletter
        self.archive = Archive(newsletter)
        self.sampler = Sampler(newsletter, self.archive)
        self.watch = Watch(newsletter)
        self._pieces = OrderedDict[tuple[str, str, Hashable], str]()
        self._lock = Lock()
        self._environment = Environment(
            loader=FileSystemLoader([home, *folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters["kilobytes"] = kilobytes

    def render(self, name: str, language: str, context: Mapping[str, Any]) -> str:
        """One page as text."""
        shared = {
            "words": self.words[language],
            "language": language,
            "lang": "en" if language == "en" else "zh-CN",
            "newsletter_name": self.newsletter.name,
            "settings": self.newsletter.settings,
            "links": self.links,
        }
        return self._environment.get_template(name).render({**shared, **context})

    def piece(self, name: str, language: str, key: Hashable, context: Mapping[str, Any]) -> str:
        """A piece of a page, rendered once and kept; the `key` has all in it that tells its context from another's."""
        place = name, language, key
        with self._lock:
            kept = self._pieces.get(place)
        text = self.render(name, language, context) if kept is None else kept
        with self._lock:
            self._pieces[place] = text
            self._pieces.move_to_end(place)
            while len(self._pieces) > _PIECES:
                self._pieces.popitem(last=False)
        return text


def _read_words(folder: Path) -> dict[str, dict[str, str]]:
    """The words of all files by language."""
    files = [tomllib.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.toml"))]
    return {language: {key: word for file in files for key, word in file[language].items()} for language in LANGUAGES}


def render(
    request: Request, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """A page in the visitor's language, from the template `name` and what is given by keyword.

    Templates may also use `words`, `language`, `lang`, `newsletter_name`, `settings`, `local`, `path` and
    `other_language`, which is this page's address in the other language.
    """
    pages: Pages = request.app.state.pages
    language = language_of(request)
    other = next(one for one in LANGUAGES if one != language)
    context = {
        "local": is_local(request),
        "path": request.url.path,
        "other_language": "?" + urlencode([*_without_language(request), (LANGUAGE_FIELD, other)]),
        **context,
    }
    response = HTMLResponse(pages.render(name, language, context), status_code=status, headers=headers)
    keep_language(request, response, https=pages.newsletter.settings.base_url.startswith("https:"))
    return response


def _without_language(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name != LANGUAGE_FIELD]


def words_for(request: Request, language: str = "") -> Mapping[str, str]:
    """The words of a language; of the visitor's where none is given."""
    pages: Pages = request.app.state.pages
    return pages.words[language or language_of(request)]


def newsletter_of(request: Request) -> Newsletter:
    """The newsletter that an application serves."""
    found: Newsletter = request.app.state.pages.newsletter
    return found


def archive_of(request: Request) -> Archive:
    """The archive of an application."""
    found: Archive = request.app.state.pages.archive
    return found


def sampler_of(request: Request) -> Sampler:
    """What makes samples of mails in an application."""
    found: Sampler = request.app.state.pages.sampler
    return found


def watch_of(request: Request) -> Watch:
    """What looks at mailings for everybody who watches in an application."""
    found: Watch = request.app.state.pages.watch
    return found


def topics_of(request: Request) -> Catalogue:
    """The topics as they are now."""
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        return newsletter.topics(session).catalogue()


def back_to(request: Request, *path: str) -> Response:
    """The page that a form stands on, for whoever opens the address the form is sent to; `path` is in pieces.

    The query stays: a page that answers a form offers itself in the other language, under that very address.
    """
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse("/" + "/".join(quote(piece, safe="") for piece in path) + query, 303)


def kilobytes(size_bytes: int) -> str:
    """A size in units of 1,000 bytes with one decimal."""
    return f"{size_bytes / 1000:,.1f} kB"
