"""Pages from the templates in `templates/web`: every value is escaped, every word comes from `words.toml`."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from newsletter.app import Newsletter
from newsletter.render.theme import templates_dir
from newsletter.web.visitor import is_local, language_of

Link = tuple[str, str]
"""An address and its label, for the navigation."""


class Pages:
    """The templates and words of one application; `links` stand in the navigation of people at this machine."""

    def __init__(self, newsletter: Newsletter, folders: Sequence[Path] = (), links: Sequence[Link] = ()) -> None:
        home = templates_dir() / "web"
        self.words: Mapping[str, Mapping[str, str]] = tomllib.loads((home / "words.toml").read_text("utf-8"))
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
            "links": self.links,
        }
        return self._environment.get_template(name).render({**shared, **context})


def render(
    request: Request, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
) -> HTMLResponse:
    """A page in the visitor's language, from the template `name` and what is given by keyword.

    Templates may also use `words`, `language`, `lang`, `newsletter_name`, `local` and `path`.
    """
    pages: Pages = request.app.state.pages
    context = {"local": is_local(request), "path": request.url.path, **context}
    return HTMLResponse(pages.render(name, language_of(request), context), status_code=status, headers=headers)


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
