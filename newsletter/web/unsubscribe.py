"""Unsubscribe links: a GET shows a page with one button, a POST acts at once (RFC 8058)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import PlainTextResponse, Response

from newsletter.app import Newsletter
from newsletter.render.recipient import INERT_TOKEN
from newsletter.render.wording import masked
from newsletter.web.pages import newsletter_of, render, words_for
from subscribers.models import State, Subscriber
from subscribers.people import SubscriberStore
from subscribers.tokens import Purpose

router = APIRouter()

_BODY_BYTES = 10_000
"""A one-click body has some 200 bytes; what is longer says nothing we wait for."""


async def said_one_click(request: Request) -> bool:
    """Whether the body is a mail service's `List-Unsubscribe=One-Click`, as a form or as multipart (RFC 8058 §3.2).

    Looked for and not parsed: whatever else a body holds, its owner has posted to an unsubscribe link.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES:
            break
    return b"List-Unsubscribe" in body and b"One-Click" in body


OneClick = Annotated[bool, Depends(said_one_click)]


@router.api_route("/unsubscribe/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str) -> Response:
    """One button, which posts to the same address; nothing changes here."""
    if token == INERT_TOKEN:
        return render(request, "unsubscribe_test.html.j2")
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        person = _person(newsletter, newsletter.people(session), token)
    if person is None:
        return render(request, "unsubscribe_unknown.html.j2", status=404)
    name = "unsubscribe_done.html.j2" if person.state is State.UNSUBSCRIBED else "unsubscribe_ask.html.j2"
    return render(request, name, address=_shown(person))


@router.post("/unsubscribe/{token}")
def act(request: Request, token: str, one_click: OneClick) -> Response:
    """Unsubscribe, however often it is asked; a line for mail services, a page for people."""
    if token == INERT_TOKEN:
        return render(request, "unsubscribe_test.html.j2")
    newsletter = newsletter_of(request)
    with newsletter.session() as session:
        people = newsletter.people(session)
        person = _person(newsletter, people, token)
        if person is not None:
            people.unsubscribe(person, "one-click" if one_click else "page")
    words = words_for(request)
    if person is None:
        if one_click:
            return PlainTextResponse(words["unsubscribe_unknown"] + "\n", status_code=404)
        return render(request, "unsubscribe_unknown.html.j2", status=404)
    if one_click:
        return PlainTextResponse(words["unsubscribe_done"] + "\n")
    return render(request, "unsubscribe_done.html.j2", address=_shown(person))


def _person(newsletter: Newsletter, people: SubscriberStore, token: str) -> Subscriber | None:
    """The person a link was made for, or None for a link that we never made."""
    public_id = newsletter.tokens.read(Purpose.UNSUBSCRIBE, token)
    return people.by_public_id(public_id) if public_id else None


def _shown(person: Subscriber) -> str:
    """The address as its owner recognises it; empty once it was forgotten."""
    return masked(person.address) if person.address else ""
