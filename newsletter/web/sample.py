"""The sample beside a form: the newest mail for what was ticked so far, in a frame."""

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from newsletter.readers.sample import Sample, Sampler
from newsletter.web.mail_page import framed, framed_text
from newsletter.web.pages import sampler_of, topics_of
from newsletter.web.sign_up_form import Typed
from newsletter.web.visitor import language_of
from subscribers.preferences import LANGUAGES, MailFormat, Preferences
from subscribers.topics import Catalogue

router = APIRouter()

ANYWHERE = "UTC"
"""A sample is of an issue: at which hour it would have come does not show."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page says of a sample: its address, how many stories, of which date, and whether nothing was chosen.

    `is_digest` tells that they come in the digest, `preferences` what they were chosen by.
    """

    address: str
    stories: int
    date: date
    everything: bool
    is_digest: bool
    preferences: Preferences


@router.api_route("/sample", methods=["GET", "HEAD"])
def mail(request: Request, language: str = "") -> Response:
    """The newest mail for `topics=` (none: all), at most `most=` stories, in `language=`; with `format=text` the text.

    It belongs to nobody, and its personal links do nothing.
    """
    topics = topics_of(request)
    typed = Typed.of(request.query_params.multi_items()).among(topics.by_slug, language)
    wanted = language if language in LANGUAGES else language_of(request)
    found = _made(sampler_of(request), replace(typed, language=wanted), topics)
    if found is None:
        raise HTTPException(404)
    if typed.format is MailFormat.TEXT:
        return framed_text(found.text)
    return framed(found.html)


def _made(sampler: Sampler, typed: Typed, topics: Catalogue) -> Sample | None:
    """The sample for what was ticked; for nothing ticked that of all `topics`."""
    return sampler.sample(_chosen(typed, topics), typed.language)


def _chosen(typed: Typed, topics: Catalogue) -> Preferences:
    return replace(typed, topics=typed.topics or tuple(topics.by_slug)).preferences(ANYWHERE)


def shown(sampler: Sampler, typed: Typed, topics: Catalogue) -> Shown | None:
    """What a page says of the sample for what was ticked, or None when there is none."""
    found = _made(sampler, typed, topics)
    if found is None:
        return None
    query: list[tuple[str, str]] = [("topics", slug) for slug in typed.topics]
    query.append(("language", typed.language))
    query += [("most", str(typed.most))] if typed.most else []
    query += [("format", str(typed.format))] if typed.format is MailFormat.TEXT else []
    query += typed.when.query
    return Shown(
        f"/sample?{urlencode(query)}",
        len(found.stories),
        found.date,
        everything=not typed.topics,
        is_digest=found.is_digest,
        preferences=_chosen(typed, topics),
    )
