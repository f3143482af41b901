"""Pieces of the editor page, which its script puts in place, and whose mail it looks at."""

from typing import Any
from urllib.parse import quote

from fastapi import Request
from starlette.datastructures import QueryParams

from newsletter.staff.rights import Right
from newsletter.web.desk.seat import actor_of
from newsletter.web.pages import Pages
from newsletter.web.preview_choice import Choice
from newsletter.web.visitor import language_of


def piece(request: Request, name: str, **context: Any) -> str:
    """A piece of the page, from the template `desk/<name>`."""
    pages: Pages = request.app.state.pages
    me = actor_of(request)
    rights = {right.value for right in Right if me.may(right)}
    return pages.render(f"desk/{name}.html.j2", language_of(request), {"may": rights, **context})


def home_of(slug: str) -> str:
    """The path of an issue's editor."""
    return f"/desk/issues/{quote(slug, safe='')}"


def choice_of(slug: str, query: QueryParams) -> Choice:
    """Whose mail a query asks for."""
    return Choice.of(slug, query, at=f"{home_of(slug)}/preview")
