"""The archive's pages: all issues and what a search finds, an issue, a story, and a topic's stories."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import groupby
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from newsletter.archive.lines import ArchivedIssue, IssueLine
from newsletter.archive.reading import Page
from newsletter.render.labels import Labels
from newsletter.render.spans import has_link, language_of, to_html
from newsletter.web.archive_view import (
    EXCERPT_CHARACTERS,
    Card,
    Sheet,
    address,
    description_of,
    labels,
    marked,
    sheet_of,
    shortened,
)
from newsletter.web.errors import problem
from newsletter.web.pages import Pages, archive_of, newsletter_of, render, topics_of, words_for
from newsletter.web.visitor import LANGUAGE_FIELD, is_local
from newsletter.web.visitor import language_of as language_for

router = APIRouter()

SEARCH_CHARACTERS = 100
"""Longer texts are not typed into a search box."""

_ECHO_CHARACTERS = 40
"""What a headline says of a text that was searched for."""
_PAGE_DIGITS = 6
_CACHED = {"cache-control": "public, max-age=60", "vary": "accept-language, cookie"}
"""An issue is corrected seldom, and nobody minds to see it a minute late; what a page says hangs on no person."""
_OWN = {"cache-control": "private, no-cache"}
_TOOLS: Mapping[str, Any] = {
    "html": to_html,
    "has_link": has_link,
    "language_of": language_of,
    "marked": marked,
    "address": address,
    "excerpt": EXCERPT_CHARACTERS,
}


@router.api_route("/archive", methods=["GET", "HEAD"])
def archive(request: Request, q: str = "", page: str = "1") -> Response:
    """All issues by month, or the stories that a search finds."""
    searched = " ".join(q.split())[:SEARCH_CHARACTERS]
    if searched:
        return _search(request, searched, _number(request, page))
    number = _number(request, page)
    found = archive_of(request).issues(number)
    if _beyond(found, number):
        return problem(request, 404, words_for(request)["archive_no_page_text"])
    words = words_for(request)
    description = words["archive_description"].format(newsletter=newsletter_of(request).name)
    return _page(
        request,
        "archive.html.j2",
        _card(request, words["archive_title"], description, _paged("/archive", number)),
        page=found,
        months=_months(found.items, _labels(request), words["archive_month"]),
        topics=topics_of(request).by_slug,
    )


def _search(request: Request, q: str, page: int) -> Response:
    """Stories with every word of `q`; result pages are not for search engines."""
    found = archive_of(request).search(q, page)
    if _beyond(found, page):
        return problem(request, 404, words_for(request)["archive_no_page_text"])
    echo = shortened(q, _ECHO_CHARACTERS)
    title = words_for(request)["archive_found_title"].format(text=echo)
    card = _card(request, title, title, address("/archive", q=q), indexed=False)
    return _page(request, "archive_search.html.j2", card, q=q, echo=echo, page=found, topics=topics_of(request).by_slug)


@router.api_route("/archive/{slug}", methods=["GET", "HEAD"])
def issue(request: Request, slug: str) -> Response:
    """A whole issue, as it was approved last."""
    archived = archive_of(request).issue(slug)
    if archived is None:
        return problem(request, 404, words_for(request)["archive_no_issue_text"])
    before, after = archive_of(request).beside(slug)
    sheet = sheet_of(archived.issue, newsletter_of(request).settings.base_url)
    told = " · ".join(story.name for story in sheet.stories)
    description = description_of(sheet.stories[0]) if sheet.single else shortened(told, 160)
    return _page(
        request,
        "archive_issue.html.j2",
        _card(request, _dated(request, archived, sheet.title), description, f"/archive/{slug}", of=archived),
        archived=archived,
        sheet=sheet,
        text=_text(request, archived, sheet),
        revised=_revised(request, archived),
        before=before,
        after=after,
    )


@router.api_route("/archive/{slug}/{story_id}", methods=["GET", "HEAD"])
def story(request: Request, slug: str, story_id: str) -> Response:
    """One story of an issue, under an address that stays."""
    archived = archive_of(request).issue(slug)
    sheet = sheet_of(archived.issue, newsletter_of(request).settings.base_url) if archived else None
    found = sheet.story(story_id) if sheet else None
    if archived is None or sheet is None or found is None:
        return problem(request, 404, words_for(request)["archive_no_story_text"])
    topics = topics_of(request).by_slug
    return _page(
        request,
        "archive_story.html.j2",
        _card(request, found.name, description_of(found), f"/archive/{slug}/{story_id}", of=archived),
        archived=archived,
        sheet=sheet,
        story=found,
        others=[one for one in sheet.stories if one.id != story_id],
        topics=topics,
        topic=next((topics[slug] for slug in found.topics if slug in topics), None),
    )


@router.api_route("/topic/{slug}", methods=["GET", "HEAD"])
def topic(request: Request, slug: str, page: str = "1") -> Response:
    """A topic: what it is about, and its stories from all issues."""
    topics = topics_of(request).by_slug
    if slug not in topics:
        return problem(request, 404, words_for(request)["archive_no_topic_text"])
    number = _number(request, page)
    found = archive_of(request).stories(slug, number)
    if _beyond(found, number):
        return problem(request, 404, words_for(request)["archive_no_page_text"])
    shown, words = topics[slug], words_for(request)
    name = shown.name(language_for(request))
    description = shown.about(language_for(request)) or words["archive_topic_lead"].format(topic=name)
    where = _paged(f"/topic/{slug}", number)
    title = words["archive_feed_topic"].format(newsletter=newsletter_of(request).name, topic=name)
    return _page(
        request,
        "archive_topic.html.j2",
        _card(request, name, description, where, feeds=((title, f"/feed/{slug}"),)),
        topic=shown,
        page=found,
        other_topics={key: one for key, one in topics.items() if key != slug},
    )


def _page(request: Request, template: str, card: Card, **context: Any) -> Response:
    """A page that caches may keep, unless it is made for one visitor: switching the language, or at this machine."""
    own = LANGUAGE_FIELD in request.query_params or is_local(request)
    return render(
        request, template, headers=_OWN if own else _CACHED, card=card, labels=_labels(request), **_TOOLS, **context
    )


def _text(request: Request, archived: ArchivedIssue, sheet: Sheet) -> str:
    """The stories of an issue as HTML, which is most of what its page costs."""
    pages: Pages = request.app.state.pages
    topics = topics_of(request)
    context = {
        "slug": archived.slug,
        "date": archived.date,
        "sheet": sheet,
        "topics": topics.by_slug,
        "labels": _labels(request),
        **_TOOLS,
    }
    key = archived.slug, archived.date, sheet, topics.topics
    return pages.piece("archive_issue_text.html.j2", language_for(request), key, context)


def _card(
    request: Request,
    title: str,
    description: str,
    path: str,
    *,
    of: ArchivedIssue | None = None,
    indexed: bool = True,
    feeds: tuple[tuple[str, str], ...] = (),
) -> Card:
    """What a page says about itself, with the feed of everything; a page `of` an issue is an article."""
    newsletter = newsletter_of(request)
    every = (words_for(request)["archive_feed_all"].format(newsletter=newsletter.name), "/feed")
    kind, published = ("article", of.published_at.isoformat(timespec="seconds")) if of else ("website", "")
    url = newsletter.settings.base_url + path
    return Card(title, description, url, kind, published, indexed, (every, *feeds))


def _dated(request: Request, archived: ArchivedIssue, title: str) -> str:
    """The title of an issue with its date, since most issues of a newsletter have the same title."""
    return f"{title} · {_labels(request).short_date(archived.date)}"


def _revised(request: Request, archived: ArchivedIssue) -> date | None:
    """The day of the last revision, in the newsletter's zone, of an issue that was revised on a later one."""
    zone = newsletter_of(request).settings.time_zone
    published, updated = archived.published_at.astimezone(zone).date(), archived.updated_at.astimezone(zone).date()
    return updated if updated > published else None


def _months(lines: Iterable[IssueLine], said: Labels, pattern: str) -> list[tuple[str, list[IssueLine]]]:
    """Issues under the names of their months, in their own order."""
    grouped = groupby(lines, key=lambda line: (line.date.year, line.date.month))
    months = [list(of_month) for _, of_month in grouped]
    return [(said.dated(of_month[0].date, pattern), of_month) for of_month in months]


def _labels(request: Request) -> Labels:
    return labels(language_for(request))


def _number(request: Request, page: str) -> int:
    """Which page is asked for, the first if none is named; ends in 404 for what is no number of a page."""
    if not page:
        return 1
    if page.isascii() and page.isdecimal() and len(page) <= _PAGE_DIGITS and int(page):
        return int(page)
    raise HTTPException(404, words_for(request)["archive_no_page_text"])


def _paged(path: str, number: int) -> str:
    """The address of a page of a list; the first needs no number."""
    return address(path, page=number if number > 1 else "")


def _beyond(found: Page[Any], page: int) -> bool:
    """Whether a page was asked for that is not there; an empty list still has its first page."""
    return page > max(1, found.pages)
