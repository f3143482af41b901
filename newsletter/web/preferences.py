"""The preferences page behind the link in every mail, and the preview in it."""

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.readers import preferences as reader
from newsletter.readers.preferences import LONGEST_PAUSE, Held
from newsletter.readers.sample import Sample, sample
from newsletter.render.recipient import INERT_TOKEN
from newsletter.storage.issues import IssueRefused
from newsletter.web.archive_view import labels
from newsletter.web.mail_page import framed, framed_text
from newsletter.web.pages import newsletter_of, render
from newsletter.web.posted import Posted
from newsletter.web.preferences_form import Form, Mistakes, form_from, form_of, read
from newsletter.web.visitor import client_of, language_of
from subscribers.preferences import LANGUAGES, MailFormat, Preferences
from subscribers.topics import Topic

router = APIRouter()

_NOTICES = ("saved", "resumed", "data")
"""What a page may say was done, by what stands in its address after it."""


@router.api_route("/preferences/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str, done: str = "") -> Response:
    """A reader's choices, their address masked; nothing changes here."""
    newsletter = newsletter_of(request)
    held = reader.look(newsletter, token)
    if held is None or held.left:
        return _nobody(request, token, held, done)
    topics = _topics(newsletter)
    return _page(request, token, held, topics, form_of(held, tuple(topics)), notice=done if done in _NOTICES else "")


@router.post("/preferences/{token}")
def change(request: Request, token: str, posted: Posted) -> Response:
    """Keep the choices, or end a pause; with a mistake in them nothing changes and everything typed stays."""
    newsletter = newsletter_of(request)
    held = reader.look(newsletter, token)
    if held is None or held.left:
        return _nobody(request, token, held)
    origin = client_of(request, newsletter.settings.trusted_proxies)
    if posted.get("do") == "resume":
        reader.resume(newsletter, token, origin)
        return RedirectResponse(f"/preferences/{token}?done=resumed", 303)
    topics = _topics(newsletter)
    form = form_from(posted, tuple(topics))
    choices, until, mistakes = read(form, held.preferences, newsletter.today())
    if mistakes:
        return _page(request, token, held, topics, form, mistakes=mistakes, status=422)
    reader.save(newsletter, token, choices, until, origin)
    return RedirectResponse(f"/preferences/{token}?done=saved", 303)


@router.post("/preferences/{token}/look")
def try_out(request: Request, token: str, posted: Posted) -> Response:
    """The page with choices that are not kept: another order of topics, another preview. Nothing changes."""
    newsletter = newsletter_of(request)
    held = reader.look(newsletter, token)
    if held is None or held.left:
        return _nobody(request, token, held)
    topics = _topics(newsletter)
    form = form_from(posted, tuple(topics))
    mistakes = read(form, held.preferences, newsletter.today())[2]
    return _page(request, token, held, topics, form, mistakes=mistakes, unsaved=True)


@router.api_route("/preferences/{token}/look", methods=["GET", "HEAD"])
def go_back(request: Request, token: str) -> Response:
    """The page as it is kept, for whoever loads the address of a preview anew or switches its language."""
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/preferences/{quote(token, safe='')}{query}", 303)


@router.api_route("/preferences/{token}/mail", methods=["GET", "HEAD"])
def mail(request: Request, token: str) -> Response:
    """The mail that the choices in the query would have brought, for the frame of the page."""
    newsletter = newsletter_of(request)
    held = reader.look(newsletter, token)
    if held is None:
        raise HTTPException(404)
    form = form_from(request.query_params, tuple(_topics(newsletter)))
    choices = read(form, held.preferences, newsletter.today())[0]
    made = _sample(newsletter, choices)
    if made is None:
        raise HTTPException(404)
    if choices.format is MailFormat.TEXT:
        return framed_text(made.text)
    return framed(made.html)


def _page(
    request: Request,
    token: str,
    held: Held,
    topics: Mapping[str, Topic],
    form: Form,
    *,
    mistakes: Mistakes | None = None,
    notice: str = "",
    unsaved: bool = False,
    status: int = 200,
) -> Response:
    newsletter = newsletter_of(request)
    today = newsletter.today()
    choices, language = read(form, held.preferences, today)[0], language_of(request)
    return render(
        request,
        "preferences.html.j2",
        status=status,
        token=token,
        held=held,
        topics=topics,
        form=form,
        mistakes=mistakes or {},
        notice=notice,
        unsaved=unsaved,
        languages=LANGUAGES,
        earliest=today.fromordinal(today.toordinal() + 1),
        latest=today + LONGEST_PAUSE,
        made=_sample(newsletter, choices),
        names={one.name(choices.language): one.name(language) for one in topics.values()},
        long_date=labels(language).long_date,
    )


def _nobody(request: Request, token: str, held: Held | None, done: str = "") -> Response:
    """The pages for a link from a test mail, for one that opens nothing, and for somebody who left."""
    if token == INERT_TOKEN:
        return render(request, "preferences_test.html.j2")
    if held is None:
        return render(request, "preferences_unknown.html.j2", status=404)
    return render(request, "preferences_left.html.j2", token=token, held=held, notice=done == "data")


def _topics(newsletter: Newsletter) -> dict[str, Topic]:
    with newsletter.reading() as session:
        return {topic.slug: topic for topic in newsletter.topics(session).all()}


def _sample(newsletter: Newsletter, choices: Preferences) -> Sample | None:
    try:
        return sample(newsletter, choices, choices.language)
    except IssueRefused:  # its theme cannot be used: the rest of the page is as good without a preview
        return None
