"""The preview: which mail a reader or a set of topics gets of an issue, exactly, for people at this machine."""

from dataclasses import replace

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from newsletter.app import Newsletter
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.pages import newsletter_of, render
from newsletter.web.preview_choice import VIEWS, Choice
from newsletter.web.preview_view import REFUSALS, always_dark, line_of, make, show
from newsletter.web.security import PREVIEW_POLICY
from newsletter.web.visitor import LocalOnly
from subscribers.models import Subscriber
from subscribers.preferences import LANGUAGES

router = APIRouter(prefix="/preview", dependencies=[LocalOnly])

READERS_SHOWN = 50
"""More than anybody looks through; the search finds the others."""


@router.api_route("", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/", methods=["GET", "HEAD"])
def issues(request: Request) -> Response:
    """Every issue, the newest first."""
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        found = newsletter.issues(session).all()
    return render(request, "preview_list.html.j2", lines=[line_of(newsletter, saved) for saved in found])


@router.api_route("/{slug}", methods=["GET", "HEAD"])
def preview(request: Request, slug: str) -> Response:
    """The mail in its frame, and the controls that say whose mail and how it is shown."""
    newsletter = newsletter_of(request)
    saved = _find(newsletter, slug)
    choice = Choice.of(slug, request.query_params)
    readers = _readers(newsletter, choice.search) if choice.by == "reader" else ()
    if choice.by == "reader" and not choice.reader and readers:
        choice = replace(choice, reader=readers[0].address or "")
    shown, refusal = show(newsletter, choice)
    with newsletter.reading() as session:
        topics = newsletter.topics(session).all()
    return render(
        request,
        "preview.html.j2",
        line=line_of(newsletter, saved),
        choice=choice,
        views=VIEWS,
        languages=LANGUAGES,
        topics=[(topic, sum(topic.slug in story.topics for story in saved.issue.stories)) for topic in topics],
        topic_names={topic.slug: topic for topic in topics},
        readers=readers[:READERS_SHOWN],
        more_readers=len(readers) > READERS_SHOWN,
        shown=shown,
        refusal=refusal,
    )


@router.api_route("/{slug}/mail", methods=["GET", "HEAD"])
def mail(request: Request, slug: str, format: str = "html", scheme: str = "") -> Response:
    """One part of the mail as it would be sent: the HTML, or with `format=text` the text.

    With `scheme=dark` the HTML is what a dark screen shows.
    """
    try:
        made = make(newsletter_of(request), Choice.of(slug, request.query_params))
        text, html = made.text, made.html
    except REFUSALS as refusal:
        raise HTTPException(404, str(refusal)) from None
    if format == "text":
        return PlainTextResponse(text, headers={"content-security-policy": PREVIEW_POLICY})
    return HTMLResponse(
        always_dark(html) if scheme == "dark" else html, headers={"content-security-policy": PREVIEW_POLICY}
    )


@router.api_route("/{slug}/message.eml", methods=["GET", "HEAD"])
def message(request: Request, slug: str) -> Response:
    """The whole message, byte for byte, to be kept as a file."""
    try:
        data = make(newsletter_of(request), Choice.of(slug, request.query_params)).message.data
    except REFUSALS as refusal:
        raise HTTPException(404, str(refusal)) from None
    disposition = f'attachment; filename="{slug}.eml"'  # an issue was found, so its slug is a date and a number
    return Response(data, media_type="message/rfc822", headers={"content-disposition": disposition})


def _find(newsletter: Newsletter, slug: str) -> Saved:
    with newsletter.reading() as session:
        try:
            return newsletter.issues(session).find(slug)
        except IssueRefused as refusal:
            raise HTTPException(404, str(refusal)) from None


def _readers(newsletter: Newsletter, search: str) -> tuple[Subscriber, ...]:
    """Those the search finds, one more than are shown, so that it can be said that there are more."""
    with newsletter.reading() as session:
        return newsletter.people(session).search(search, READERS_SHOWN + 1)
