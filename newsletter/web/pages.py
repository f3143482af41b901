"""Pages from the templates in `templates/web`: every value is escaped, every word comes from `words/`."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from newsletter.app import Newsletter
from newsletter.render.theme import templates_dir
from newsletter.web.visitor import LANGUAGE_FIELD, is_local, keep_language, language_of
from subscribers.preferences import LANGUAGES

Link = tuple[str, str]
"""An address and its label, for the navigation."""


class Pages:
    """The templates and words of one application; `links` stand in the navigation of people at this machine."""

    def __init__(self, newsletter: Newsletter, folders: Sequence[Path] = (), links: Sequence[Link] = ()) -> None:
        home = templates_dir() / "web"
        self.words = _read_words(home / "words")
        self.links = tuple(links)
        self.newsletter = newsletter
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


def words_for(request: Request) -> Mapping[str, str]:
    """The words of the visitor's language."""
    pages: Pages = request.app.state.pages
    return pages.words[language_of(request)]


def newsletter_of(request: Request) -> Newsletter:
    """The newsletter that an application serves."""
    found: Newsletter = request.app.state.pages.newsletter
    return found


def kilobytes(size_bytes: int) -> str:
    """A size in units of 1,000 bytes with one decimal."""
    return f"{size_bytes / 1000:,.1f} kB"
