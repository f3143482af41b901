"""Feeds: stories as Atom (RFC 4287) and JSON Feed 1.1 (jsonfeed.org/version/1.1), for any reader to follow.

An entry is a story under its permanent address, which is its id too, so that a story revised is the same entry with a
later `updated`. Its content is the whole story as HTML, escaped once more as either format asks.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from newsletter.app import Newsletter
from newsletter.archive.lines import StoryLine
from newsletter.archive.reading import Archive
from newsletter.archive.story_html import story_html
from newsletter.render.spans import clean, clean_lines
from subscribers.preferences import Preferences

MOST_ENTRIES = 50
"""Entries of a feed: more than come between two looks of any feed reader."""
_PERSONAL_ISSUES = 20
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its title, its own address and that of the page it belongs to (absolute), and its stories.

    `language` (BCP 47) is that of its title and of the names of topics, not of its stories.
    """

    title: str
    url: str
    page: str
    stories: Sequence[StoryLine]
    language: str = "zh"


def all_stories(archive: Archive) -> tuple[StoryLine, ...]:
    """The stories of a feed of everything, the newest first."""
    lines = [line for issue in archive.newest(MOST_ENTRIES) for line in issue.lines]
    return tuple(lines[:MOST_ENTRIES])


def topic_stories(archive: Archive, topic: str) -> tuple[StoryLine, ...]:
    """The stories of a topic's feed, the newest first."""
    return archive.newest_stories(topic, MOST_ENTRIES)


def personal_stories(archive: Archive, preferences: Preferences) -> tuple[StoryLine, ...]:
    """The stories that a reader's own mail brings, of the last issues, the newest issue first."""
    return tuple(
        line
        for issue in archive.newest(_PERSONAL_ISSUES)
        for line in issue.pick(issue.chooser.choose(preferences).stories)
    )


def atom(newsletter: Newsletter, feed: Feed) -> bytes:
    """A feed as an Atom document."""
    root = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": feed.language})
    _add(root, "id", feed.url)
    _add(root, "title", feed.title)
    if about := _about(newsletter, feed.language):
        _add(root, "subtitle", about)
    _add(root, "updated", _moment(max((line.updated_at for line in feed.stories), default=_NEVER)))
    _add(_add(root, "author"), "name", newsletter.name)
    _add(root, "link", rel="self", type="application/atom+xml", href=feed.url)
    _add(root, "link", rel="alternate", type="text/html", href=feed.page)
    names = _topic_names(newsletter, feed.language)
    for line in feed.stories:
        _add_entry(root, line, newsletter.settings.base_url + line.path, names)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_entry(root: ET.Element, line: StoryLine, url: str, names: Mapping[str, str]) -> None:
    entry = ET.SubElement(root, "entry", {"xml:lang": line.lang})
    _add(entry, "id", url)
    _add(entry, "title", line.title)
    _add(entry, "published", _moment(line.published_at))
    _add(entry, "updated", _moment(line.updated_at))
    _add(entry, "link", rel="alternate", type="text/html", href=url)
    if line.source_url:
        _add(entry, "link", rel="via", href=line.source_url, title=line.source or line.source_url)
    for topic in line.topics:
        _add(entry, "category", term=topic, label=names.get(topic, topic))
    if line.summary:
        _add(entry, "summary", line.summary)
    _add(entry, "content", story_html(line.story), type="html")


def json_feed(newsletter: Newsletter, feed: Feed) -> bytes:
    """A feed as JSON."""
    names = _topic_names(newsletter, feed.language)
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": clean(feed.title),
        "description": _about(newsletter, feed.language),
        "home_page_url": feed.page,
        "feed_url": feed.url,
        "language": feed.language,
        "authors": [{"name": clean(newsletter.name)}],
        "items": [_item(line, newsletter.settings.base_url + line.path, names) for line in feed.stories],
    }
    return json.dumps(document, ensure_ascii=False).encode()


def _item(line: StoryLine, url: str, names: Mapping[str, str]) -> dict[str, Any]:
    item = {
        "id": url,
        "url": url,
        "title": line.title,
        "content_html": story_html(line.story),
        "date_published": _moment(line.published_at),
        "date_modified": _moment(line.updated_at),
        "tags": [clean(names.get(topic, topic)) for topic in line.topics],
        "language": line.lang,
    }
    known = {"summary": line.summary, "external_url": line.source_url}
    return item | {name: value for name, value in known.items() if value}


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    """Add an element, without the characters that no XML can hold, however they are written."""
    shown = {key: clean(value) for key, value in attributes.items()}
    element = ET.SubElement(parent, name, shown)
    element.text = clean_lines(text)
    return element


def _about(newsletter: Newsletter, language: str) -> str:
    settings = newsletter.settings
    return clean(settings.about_en if language.startswith("en") else settings.about)


def _topic_names(newsletter: Newsletter, language: str) -> dict[str, str]:
    with newsletter.reading() as session:
        return {topic.slug: topic.name(language[:2]) for topic in newsletter.topics(session).all()}


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
