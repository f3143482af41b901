"""The sign-up form for other sites: small, in a frame of theirs, without a script."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.web.pages import newsletter_of, render, topics_of, words_for
from newsletter.web.posted import Posted
from newsletter.web.security import EMBED_POLICY
from newsletter.web.sign_up_form import Mistake, Typed, answer_to, fresh_token, kept_token, send
from newsletter.web.visitor import language_of

router = APIRouter()

_POLICY = {"content-security-policy": EMBED_POLICY, "cross-origin-resource-policy": "cross-origin"}


@router.api_route("/embed", methods=["GET", "HEAD"])
def form(request: Request) -> Response:
    """The form, with the `topics=` of the query ticked, in its `language=`."""
    typed = Typed.of(request.query_params.multi_items())
    return _form(request, replace(typed, token=fresh_token(newsletter_of(request))))


@router.post("/embed")
def subscribe(request: Request, posted: Posted) -> Response:
    """Ask for a confirmation mail, and say so in the frame."""
    typed = Typed.of(posted.multi_items())
    if mistakes := send(request, typed, "embed"):
        return _form(request, replace(typed, token=kept_token(newsletter_of(request), typed.token)), mistakes)
    return render(request, "embed_sent.html.j2", headers=_POLICY)


def _form(request: Request, typed: Typed, mistakes: tuple[Mistake, ...] = ()) -> Response:
    topics, answer = topics_of(request), answer_to(mistakes)
    return render(
        request,
        "embed.html.j2",
        status=answer["status"],
        headers={**answer["headers"], **_POLICY},
        topics=topics.topics,
        typed=typed.among(topics.by_slug, language_of(request)),
        token=typed.token,
        mistakes=mistakes,
        consent=words_for(request)["sign_up_consent"].format(newsletter=newsletter_of(request).name),
    )
