"""Unsubscribe links: a GET shows a page with one button, a POST acts at once (RFC 8058)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import QueryParams
from starlette.responses import PlainTextResponse, Response

from newsletter.readers.leaving import ONE_CLICK, PAGE, REASON_CHARACTERS, Left, come_back, explain, leave, look
from newsletter.render.recipient import INERT_TOKEN
from newsletter.web.pages import back_to, newsletter_of, render, topics_of, words_for
from newsletter.web.posted import Body, Posted, body_of
from newsletter.web.visitor import client_of
from subscribers.tokens import Purpose
from subscribers.topics import Topic

router = APIRouter()

_BODY_BYTES = 10_000
"""A one-click body has some 200 bytes, our own form with a reason some 5,000; what is longer says nothing more."""


@router.api_route("/unsubscribe/{token}", methods=["GET", "HEAD"])
def ask(request: Request, token: str) -> Response:
    """A button to leave, which posts to the same address, and the topics to leave instead; nothing changes here."""
    if token == INERT_TOKEN:
        return render(request, "unsubscribe_test.html.j2")
    found = look(newsletter_of(request), token)
    if found is None:
        return render(request, "unsubscribe_unknown.html.j2", status=404)
    return _done(request, token, found) if found.out else _ask(request, token, found)


@router.post("/unsubscribe/{token}")
def act(request: Request, token: str, body: Annotated[Body, Depends(body_of(_BODY_BYTES))]) -> Response:
    """Unsubscribe, however often it is asked; a line for mail services, a page for people.

    A mail service's `List-Unsubscribe=One-Click`, as a form or as multipart, is looked for and not parsed (RFC 8058
    §3.2): whatever else a body holds, its owner has posted to an unsubscribe link. Only our own form can ask for less.
    """
    if token == INERT_TOKEN:
        return render(request, "unsubscribe_test.html.j2")
    if b"List-Unsubscribe" in body.data and b"One-Click" in body.data:
        return _one_click(request, token)
    posted = QueryParams(body.data.decode("utf-8", "replace"))
    topics = posted.getlist("topics") if posted.get("do") == "topics" else []
    newsletter = newsletter_of(request)
    found = look(newsletter, token)
    if found and not found.out and posted.get("do") == "topics" and not set(topics) & set(found.topics):
        return _ask(request, token, found, mistaken=True)
    left = leave(newsletter, token, PAGE, topics=topics, reason=posted.get("reason", ""), origin=_origin(request))
    if left is None:
        return render(request, "unsubscribe_unknown.html.j2", status=404)
    return _done(request, token, left)


@router.api_route("/goodbye/{token}", methods=["GET", "HEAD"])
def after(request: Request, token: str) -> Response:
    """How it stands, for whoever loads anew what answered the form below."""
    return back_to(request, "unsubscribe", token)


@router.post("/goodbye/{token}")
def afterwards(request: Request, token: str, posted: Posted) -> Response:
    """The way back, or a word on why; an address of its own, for what other sites may not post."""
    newsletter = newsletter_of(request)
    if posted.get("do") == "back":
        words = words_for(request)
        wording = f"{words['unsubscribe_back']} {words['unsubscribe_back_hint']}"
        found = come_back(newsletter, token, _origin(request), wording)
        name = "unsubscribe_back.html.j2"
    else:
        found = explain(newsletter, token, posted.get("reason", ""))
        name = "unsubscribe_thanks.html.j2"
        if found and not found.explained:  # an empty field, or too late
            return back_to(request, "unsubscribe", token)
    if found is None:
        return render(request, "unsubscribe_unknown.html.j2", status=404)
    return render(request, name, token=token, found=found, preferences=_preferences(request, token))


def _one_click(request: Request, token: str) -> Response:
    left = leave(newsletter_of(request), token, ONE_CLICK, origin=_origin(request))
    word = "unsubscribe_unknown" if left is None else "unsubscribe_done"
    return PlainTextResponse(words_for(request)[word] + "\n", status_code=404 if left is None else 200)


def _ask(request: Request, token: str, found: Left, *, mistaken: bool = False) -> Response:
    """The page before leaving; `mistaken` says that no topic was ticked."""
    return render(
        request,
        "unsubscribe_ask.html.j2",
        status=422 if mistaken else 200,
        found=found,
        topics=_named(request, found.topics),
        mistaken=mistaken,
        preferences=_preferences(request, token),
        longest=REASON_CHARACTERS,
    )


def _done(request: Request, token: str, found: Left) -> Response:
    return render(
        request,
        "unsubscribe_done.html.j2",
        token=token,
        found=found,
        gone=_named(request, found.gone),
        preferences=_preferences(request, token),
        longest=REASON_CHARACTERS,
    )


def _named(request: Request, slugs: Sequence[str]) -> list[Topic]:
    topics = topics_of(request)
    return [topic for slug in slugs if (topic := topics.get(slug))]


def _preferences(request: Request, token: str) -> str:
    """The address of the same person's preferences, for a token that is good."""
    tokens = newsletter_of(request).tokens
    public_id = tokens.read(Purpose.UNSUBSCRIBE, token)
    return "/preferences/" + tokens.make(Purpose.PREFERENCES, public_id) if public_id else "/preferences"


def _origin(request: Request) -> str:
    return client_of(request, newsletter_of(request).settings.trusted_proxies)
