"""Links that confirm a sign-up: a GET shows what is confirmed and one button, a POST does it."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.readers.sign_up import Standing, Waiting, confirm, look, way_on
from newsletter.web.pages import newsletter_of, render, sampler_of, topics_of, words_for
from newsletter.web.rhythm_form import When
from newsletter.web.rhythm_view import sentence_for
from newsletter.web.visitor import client_of, language_of
from subscribers.preferences import Preferences

router = APIRouter()


@router.api_route("/confirm/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str) -> Response:
    """What would be confirmed, and one button, which posts to the same address; nothing changes here."""
    return _page(request, token, look(newsletter_of(request), token))


@router.post("/confirm/{token}")
def act(request: Request, token: str) -> Response:
    """Confirm, however often it is asked; a request that is over stays as it is."""
    newsletter = newsletter_of(request)
    origin = client_of(request, newsletter.settings.trusted_proxies)
    return _page(request, token, confirm(newsletter, token, origin, _wording(request)))


def _wording(request: Request) -> str:
    """What stands above the button, and on it, but for the address: the record has none."""
    words = words_for(request)
    said = " ".join(words[f"confirm_{part}"] for part in ("open_title", "open_text", "button"))
    return said.format(newsletter=newsletter_of(request).name, address="…")


def _page(request: Request, token: str, waiting: Waiting | None) -> Response:
    if waiting is None:
        return render(request, "confirm_unknown.html.j2", status=404, standing="unknown", waiting=None, query="")
    more = _PARTS[waiting.state](request, token, waiting)
    status = 410 if waiting.state is Standing.OVER else 200
    name = f"confirm_{waiting.state}.html.j2"
    return render(request, name, status=status, standing=str(waiting.state), waiting=waiting, **more)


def _open(request: Request, _token: str, waiting: Waiting) -> dict[str, Any]:
    topics = topics_of(request)
    chosen = [topic for slug in waiting.preferences.topics if (topic := topics.get(slug))]
    return {
        "topics": [topic.name(language_of(request)) for topic in chosen],
        "wishes": _wishes(waiting.preferences),
        "sentence": sentence_for(request, waiting.preferences),
    }


def _wishes(asked: Preferences) -> dict[str, str]:
    """What was asked for beside topics, by the key of its label: nobody confirms what they have not seen."""
    said = {
        "pref_follow": " · ".join(asked.follow),
        "pref_mute": " · ".join(asked.mute),
        "pref_most": str(asked.most or ""),
    }
    return {label: wish for label, wish in said.items() if wish}


def _done(request: Request, token: str, waiting: Waiting) -> dict[str, Any]:
    """The way on, and the first story that the newest issue would have brought them."""
    return {
        "latest": sampler_of(request).sample(waiting.preferences, waiting.preferences.language),
        "preferences": way_on(newsletter_of(request), token),
        "sentence": sentence_for(request, waiting.preferences),
    }


def _again(_request: Request, _token: str, waiting: Waiting) -> dict[str, Any]:
    asked = waiting.preferences
    topics = urlencode([("topics", slug) for slug in asked.topics])
    return {"query": "&".join(filter(None, (topics, When.chosen(asked).address)))}


_PARTS = {Standing.OPEN: _open, Standing.DONE: _done, Standing.OVER: _again, Standing.LEFT: _again}
