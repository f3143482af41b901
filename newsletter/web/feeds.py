"""What programs read of the archive: feeds of everything, of a topic and of one's own choice; sitemap, robots.txt."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from xml.etree import ElementTree as ET

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from newsletter.app import Newsletter
from newsletter.archive.feeds import Feed, all_stories, atom, json_feed, personal_stories, topic_stories
from newsletter.archive.places import addresses
from newsletter.archive.reading import Archive
from newsletter.web.errors import problem
from newsletter.web.pages import Pages, newsletter_of, words_for
from subscribers.models import State, Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import LANGUAGES
from subscribers.tokens import Purpose

router = APIRouter()

SITEMAP_ADDRESSES = 50_000
"""As many as one sitemap may hold (sitemaps.org/protocol.html)."""

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
    base, stories = newsletter.settings.base_url, all_stories(Archive(newsletter))
    feed = Feed(newsletter.name, f"{base}/feed.{ending}", f"{base}/archive", stories)
    return _answer(request, feed, ending, _PUBLIC)


@router.api_route("/feed/{slug}.{ending}", methods=["GET", "HEAD"])
def of_topic(request: Request, slug: str, ending: str) -> Response:
    """The newest stories of a topic."""
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        topic = newsletter.topics(session).catalogue().get(slug)
    if topic is None or ending not in _WRITERS:
        return problem(request, 404, words_for(request)["archive_no_topic_text"])
    words, base = _words(request, LANGUAGES[0]), newsletter.settings.base_url
    title = words["archive_feed_topic"].format(newsletter=newsletter.name, topic=topic.name(LANGUAGES[0]))
    stories = topic_stories(Archive(newsletter), slug)
    return _answer(
        request, Feed(title, f"{base}/feed/{slug}.{ending}", f"{base}/topic/{slug}", stories), ending, _PUBLIC
    )


@router.api_route("/feed/my/{token}.{ending}", methods=["GET", "HEAD"])
def own(request: Request, token: str, ending: str) -> Response:
    """What a reader's own mail brings, for whoever has the link; it ends when they leave."""
    newsletter = newsletter_of(request)
    person = _reader(newsletter, token)
    if person is None or ending not in _WRITERS:
        return problem(request, 404, words_for(request)["archive_no_feed"])
    preferences = preferences_of(person)
    language, base = preferences.language, newsletter.settings.base_url
    title = _words(request, language)["archive_feed_own"].format(newsletter=newsletter.name)
    stories = personal_stories(Archive(newsletter), preferences)
    feed = Feed(title, f"{base}/feed/my/{token}.{ending}", f"{base}/archive", stories, language)
    return _answer(request, feed, ending, _PERSONAL)


@router.api_route("/sitemap.xml", methods=["GET", "HEAD"])
def sitemap(request: Request) -> Response:
    """Every page that search engines may list (sitemaps.org/protocol.html), the newest first."""
    newsletter = newsletter_of(request)
    base = newsletter.settings.base_url
    with newsletter.reading() as session:
        topics = [f"/topic/{topic.slug}" for topic in newsletter.topics(session).all()]
    root = ET.Element("urlset", {"xmlns": "http://www.sitemaps.org/schemas/sitemap/0.9"})
    pages = ["/", "/archive", *topics]
    for path in pages:
        ET.SubElement(ET.SubElement(root, "url"), "loc").text = base + path
    for place in addresses(newsletter, SITEMAP_ADDRESSES - len(pages)):
        url = ET.SubElement(root, "url")
        ET.SubElement(url, "loc").text = base + place.path
        ET.SubElement(url, "lastmod").text = place.written_at.astimezone(UTC).isoformat(timespec="seconds")
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return _conditional(request, body, "application/xml; charset=utf-8", {"cache-control": "public, max-age=3600"})


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


def _reader(newsletter: Newsletter, token: str) -> Subscriber | None:
    """The reader a link was made for, as long as they get mail or have paused it."""
    public_id = newsletter.tokens.read(Purpose.FEED, token)
    if not public_id:
        return None
    with newsletter.reading() as session:
        person = newsletter.people(session).by_public_id(public_id)
    return person if person and person.address and person.state in (State.ACTIVE, State.PAUSED) else None


def _answer(request: Request, feed: Feed, ending: str, keeping: str) -> Response:
    """A feed in one of its two forms; `keeping` says to caches how long."""
    write, media_type = _WRITERS[ending]
    headers = {"cache-control": keeping, "x-robots-tag": "noindex"}
    changed = max((line.updated_at for line in feed.stories), default=None)
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
    except ValueError:
        return False
    return changed is not None and since.tzinfo is not None and changed.replace(microsecond=0) <= since
