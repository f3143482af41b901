"""Links that confirm a sign-up: a GET shows what is confirmed and one button, a POST does it."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.app import Newsletter
from newsletter.archive.lines import ArchivedIssue
from newsletter.archive.reading import Archive
from newsletter.readers.sign_up import Standing, Waiting, confirm, look
from newsletter.web.pages import newsletter_of, render
from newsletter.web.visitor import client_of, language_of
from subscribers.sign_ups import SignUpStore
from subscribers.tokens import Purpose

router = APIRouter()


@router.api_route("/confirm/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str) -> Response:
    """What would be confirmed, and one button, which posts to the same address; nothing changes here."""
    return _page(request, token, look(newsletter_of(request), token))


@router.post("/confirm/{token}")
def act(request: Request, token: str) -> Response:
    """Confirm, however often it is asked; a request that is over stays as it is."""
    newsletter = newsletter_of(request)
    return _page(request, token, confirm(newsletter, token, client_of(request, newsletter.settings.trusted_proxies)))


def _page(request: Request, token: str, waiting: Waiting | None) -> Response:
    if waiting is None:
        return render(request, "confirm_unknown.html.j2", status=404, standing="unknown", waiting=None, query="")
    more = _PARTS[waiting.state](request, token, waiting)
    status = 410 if waiting.state is Standing.OVER else 200
    name = f"confirm_{waiting.state}.html.j2"
    return render(request, name, status=status, standing=str(waiting.state), waiting=waiting, **more)


def _open(request: Request, _token: str, waiting: Waiting) -> dict[str, Any]:
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        catalogue = newsletter.topics(session).catalogue()
    chosen = [topic for slug in waiting.preferences.topics if (topic := catalogue.get(slug))]
    return {"topics": [topic.name(language_of(request)) for topic in chosen]}


def _done(request: Request, token: str, _waiting: Waiting) -> dict[str, Any]:
    newsletter = newsletter_of(request)
    return {
        "latest": _headline(Archive(newsletter).latest()),
        "preferences": _preferences_token(newsletter, token),
    }


def _over(_request: Request, _token: str, waiting: Waiting) -> dict[str, Any]:
    return {"query": urlencode([("topics", slug) for slug in waiting.preferences.topics])}


_PARTS = {Standing.OPEN: _open, Standing.DONE: _done, Standing.OVER: _over}


def _headline(latest: ArchivedIssue | None) -> dict[str, str] | None:
    """The newest issue by its first story, which says more than its title."""
    if latest is None:
        return None
    first = latest.lines[0].title if latest.lines else ""
    return {"slug": latest.slug, "headline": first or latest.title}


def _preferences_token(newsletter: Newsletter, token: str) -> str:
    """The way to the preferences of the person who confirmed; empty when they are forgotten by now."""
    public_id = newsletter.tokens.read(Purpose.CONFIRM, token)
    with newsletter.reading() as session:
        row = SignUpStore(session).by_public_id(public_id or "")
        person = newsletter.people(session).get(row.address) if row else None
    return newsletter.tokens.make(Purpose.PREFERENCES, person.public_id) if person else ""
