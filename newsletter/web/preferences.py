"""The preferences page behind the link in every mail, and the preview in it."""

from collections.abc import Mapping
from email.utils import parseaddr

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from newsletter.readers import preferences as reader
from newsletter.readers.preferences import LONGEST_PAUSE, Held
from newsletter.render.recipient import INERT_TOKEN
from newsletter.web.archive_view import labels
from newsletter.web.mail_page import framed, framed_text
from newsletter.web.pages import back_to, newsletter_of, render, sampler_of, topics_of
from newsletter.web.posted import Posted
from newsletter.web.preferences_form import Form, Mistakes, form_from, form_of, read
from newsletter.web.rhythm_view import clock_for, digest_words, sentence_for
from newsletter.web.visitor import client_of, language_of
from subscribers.preferences import LANGUAGES, MailFormat
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
    topics = topics_of(request).by_slug
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
        if reader.resume(newsletter, token, origin) is None:  # they left meanwhile
            return _nobody(request, token, reader.look(newsletter, token))
        return RedirectResponse(f"/preferences/{token}?done=resumed", 303)
    topics = topics_of(request).by_slug
    form = form_from(posted, tuple(topics))
    choices, until, mistakes = read(form, held.preferences, newsletter.today(), newsletter.settings.zone)
    if mistakes:
        return _page(request, token, held, topics, form, mistakes=mistakes, status=422)
    if posted.get("seen", held.version) != held.version:  # another tab, or another device, was quicker
        return _page(request, token, held, topics, form, overtaken=True, status=409)
    if reader.save(newsletter, token, choices, until, origin) is None:  # they left meanwhile
        return _nobody(request, token, reader.look(newsletter, token))
    return RedirectResponse(f"/preferences/{token}?done=saved", 303)


@router.post("/preferences/{token}/look")
def try_out(request: Request, token: str, posted: Posted) -> Response:
    """The page with choices that are not kept: another order of topics, another preview. Nothing changes."""
    newsletter = newsletter_of(request)
    held = reader.look(newsletter, token)
    if held is None or held.left:
        return _nobody(request, token, held)
    topics = topics_of(request).by_slug
    form = form_from(posted, tuple(topics))
    mistakes = read(form, held.preferences, newsletter.today(), newsletter.settings.zone)[2]
    return _page(request, token, held, topics, form, mistakes=mistakes, unsaved=True)


@router.api_route("/preferences/{token}/look", methods=["GET", "HEAD"])
def go_back(request: Request, token: str) -> Response:
    """The page as it is kept, for whoever loads the address of a preview anew or switches its language."""
    return back_to(request, "preferences", token)


@router.api_route("/preferences/{token}/mail", methods=["GET", "HEAD"])
def mail(request: Request, token: str) -> Response:
    """The mail that the choices in the query would have brought, for the frame of the page."""
    newsletter = newsletter_of(request)
    held = reader.look(newsletter, token)
    if held is None:
        raise HTTPException(404)
    form = form_from(request.query_params, tuple(topics_of(request).by_slug))
    choices = read(form, held.preferences, newsletter.today(), newsletter.settings.zone)[0]
    made = sampler_of(request).sample(choices, choices.language)
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
    overtaken: bool = False,
    status: int = 200,
) -> Response:
    newsletter = newsletter_of(request)
    today = newsletter.today()
    choices, language = read(form, held.preferences, today, newsletter.settings.zone)[0], language_of(request)
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
        overtaken=overtaken,
        languages=LANGUAGES,
        earliest=today.fromordinal(today.toordinal() + 1),
        latest=today + LONGEST_PAUSE,
        made=sampler_of(request).sample(choices, choices.language),
        sentence=sentence_for(request, choices),
        of_digest=digest_words(request, choices),
        clock=clock_for(request, form.when),
        names={one.name(choices.language): one.name(language) for one in topics.values()},
        long_date=labels(language).long_date,
        zone=labels(language).zone_name(newsletter.settings.time_zone),
        publisher=_publisher(request),
    )


def _nobody(request: Request, token: str, held: Held | None, done: str = "") -> Response:
    """The pages for a link from a test mail, for one that opens nothing, and for somebody who left."""
    if token == INERT_TOKEN:
        return render(request, "preferences_test.html.j2")
    if held is None:
        return render(request, "preferences_unknown.html.j2", status=404)
    return render(
        request,
        "preferences_left.html.j2",
        token=token,
        held=held,
        notice=done == "data",
        publisher=_publisher(request),
    )


def _publisher(request: Request) -> str:
    """The address that answers to our mails go to."""
    settings = newsletter_of(request).settings
    return parseaddr(settings.reply_to or settings.sender)[1]
