"""What programs read of the archive: feeds of everything, of a topic and of one's own choice; sitemap, robots.txt."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from newsletter.app import Newsletter
from newsletter.archive.feeds import Feed, all_stories, atom, json_feed, personal_stories, topic_stories
from newsletter.archive.sitemap import sitemap as sitemap_of
from newsletter.readers.following import followed
from newsletter.web.errors import problem
from newsletter.web.pages import Pages, archive_of, newsletter_of, topics_of, words_for
from subscribers.preferences import LANGUAGES

router = APIRouter()

_WRITERS: dict[str, tuple[Callable[[Newsletter, Feed], bytes], str]] = {
    "xml": (atom, "application/atom+xml; charset=utf-8"),
    "json": (json_feed, "application/feed+json"),
}
_PUBLIC = "public, max-age=300"
_PERSONAL = "private, max-age=300"
"""Feed readers look once an hour; five minutes are for those who press the button again and again."""

FEED_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""A browser that shows a feed as a page runs and loads nothing."""

_CLOSED = (
    *("/preview/", "/unsubscribe/", "/preferences/", "/view/", "/confirm/", "/address/", "/data/", "/feed/my/"),
    *("/api/", "/desk/"),
)
"""What search engines are asked to leave alone: pages for one person."""


@router.api_route("/feed.{ending}", methods=["GET", "HEAD"])
def everything(request: Request, ending: str) -> Response:
    """The newest stories of all issues."""
    newsletter = newsletter_of(request)
    if ending not in _WRITERS:
        return problem(request, 404)
    base, stories = newsletter.settings.base_url, all_stories(archive_of(request))
    feed = Feed(newsletter.name, f"{base}/feed.{ending}", f"{base}/archive", stories)
    return _public(request, feed, ending)


@router.api_route("/feed/{slug}.{ending}", methods=["GET", "HEAD"])
def of_topic(request: Request, slug: str, ending: str) -> Response:
    """The newest stories of a topic."""
    newsletter = newsletter_of(request)
    topic = topics_of(request).get(slug)
    if topic is None or ending not in _WRITERS:
        return problem(request, 404, words_for(request)["archive_no_topic_text"])
    words, base = _words(request, LANGUAGES[0]), newsletter.settings.base_url
    title = words["archive_feed_topic"].format(newsletter=newsletter.name, topic=topic.name(LANGUAGES[0]))
    stories = topic_stories(archive_of(request), slug)
    return _public(request, Feed(title, f"{base}/feed/{slug}.{ending}", f"{base}/topic/{slug}", stories), ending)


@router.api_route("/feed/my/{token}.{ending}", methods=["GET", "HEAD"])
def own(request: Request, token: str, ending: str) -> Response:
    """What a reader's own mail brings, for whoever has the link; it ends when they leave.

    It has no Last-Modified: other choices bring other stories, which are no newer.
    """
    newsletter = newsletter_of(request)
    preferences = followed(newsletter, token)
    if preferences is None or ending not in _WRITERS:
        return problem(request, 404, words_for(request)["archive_no_feed"])
    language, base = preferences.language, newsletter.settings.base_url
    title = _words(request, language)["archive_feed_own"].format(newsletter=newsletter.name)
    stories = personal_stories(archive_of(request), preferences)
    feed = Feed(title, f"{base}/feed/my/{token}.{ending}", f"{base}/archive", stories, language)
    return _answer(request, feed, ending, _PERSONAL)


def _public(request: Request, feed: Feed, ending: str) -> Response:
    """A feed that is the same for everybody, with the moment of its latest change."""
    changed = max((line.updated_at for line in feed.stories), default=None)
    return _answer(request, feed, ending, _PUBLIC, changed)


@router.api_route("/sitemap.xml", methods=["GET", "HEAD"])
def sitemap(request: Request) -> Response:
    """Every page that search engines may list (sitemaps.org/protocol.html), the newest first."""
    body, headers = sitemap_of(newsletter_of(request)), {"cache-control": "public, max-age=3600"}
    return _conditional(request, body, "application/xml; charset=utf-8", headers)


@router.api_route("/robots.txt", methods=["GET", "HEAD"])
def robots(request: Request) -> Response:
    """What robots should not visit, and where the sitemap is."""
    closed = "".join(f"Disallow: {path}\n" for path in _CLOSED)
    text = f"User-agent: *\n{closed}\nSitemap: {newsletter_of(request).settings.base_url}/sitemap.xml\n"
    return PlainTextResponse(text, headers={"cache-control": "public, max-age=3600"})


def _words(request: Request, language: str) -> Mapping[str, str]:
    """The words of a language: a feed is not in that of whoever fetches it."""
    pages: Pages = request.app.state.pages
    return pages.words[language]


def _answer(request: Request, feed: Feed, ending: str, keeping: str, changed: datetime | None = None) -> Response:
    """A feed in one of its two forms; `keeping` says to caches how long."""
    write, media_type = _WRITERS[ending]
    headers = {"cache-control": keeping, "x-robots-tag": "noindex"}
    return _conditional(request, write(newsletter_of(request), feed), media_type, headers, changed)


def _conditional(
    request: Request, body: bytes, media_type: str, headers: dict[str, str], changed: datetime | None = None
) -> Response:
    """A document, or 304 for who has it already; of the two conditions the tag decides (RFC 9110 §13.2.2)."""
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "content-security-policy": FEED_POLICY, **headers}
    if changed:
        headers["last-modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    known = request.headers.get("if-none-match")
    has_it = _names(known, tag) if known is not None else _since(request, changed)
    if has_it:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def _names(known: str, tag: str) -> bool:
    """Whether one of the tags is this one; weak ones count (RFC 9110 §13.1.2)."""
    return known.strip() == "*" or tag in [one.strip().removeprefix("W/") for one in known.split(",")]


def _since(request: Request, changed: datetime | None) -> bool:
    """Whether nothing changed since the moment a client names; what is no date counts as not said."""
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (ValueError, OverflowError):  # the latter for a year or an hour with too many digits
        return False
    return changed is not None and since.tzinfo is not None and changed.replace(microsecond=0) <= since
