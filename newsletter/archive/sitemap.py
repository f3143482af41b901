"""The sitemap (sitemaps.org): every address that search engines may list."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.archive.models import ArchivedStory
from newsletter.storage.models import IssueRow, RevisionRow

_MOST = 50_000
"""Addresses that one sitemap may hold (sitemaps.org/protocol.html)."""


def sitemap(newsletter: Newsletter) -> bytes:
    """The start page, the archive, its topics, issues and stories; the last two with the moment they were written.

    The newest come first, and what is beyond 50,000 addresses stays out: links within the archive lead to it.
    """
    root = ET.Element("urlset", {"xmlns": "http://www.sitemaps.org/schemas/sitemap/0.9"})
    with newsletter.reading() as session:
        topics = [f"/topic/{topic.slug}" for topic in newsletter.topics(session).all()]
    for path in ("/", "/archive", *topics):
        _add(root, newsletter, path)
    for path, written_at in _places(newsletter, _MOST - len(root)):
        _add(root, newsletter, path, written_at)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(root: ET.Element, newsletter: Newsletter, path: str, at: datetime | None = None) -> None:
    url = ET.SubElement(root, "url")
    ET.SubElement(url, "loc").text = newsletter.settings.base_url + path
    if at:
        ET.SubElement(url, "lastmod").text = at.astimezone(UTC).isoformat(timespec="seconds")


def _places(newsletter: Newsletter, most: int) -> list[tuple[str, datetime]]:
    """Issues and their stories, the newest issues first, at most so many: path, and when it was written."""
    with newsletter.reading() as session:
        rows = session.exec(
            select(IssueRow.slug, ArchivedStory.story_id, RevisionRow.created_at)
            .join(ArchivedStory, col(ArchivedStory.issue_id) == col(IssueRow.id))
            .join(RevisionRow, col(RevisionRow.id) == col(IssueRow.published_revision_id))
            .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc(), col(ArchivedStory.position))
            .limit(most)
        ).all()
    return list(_paths(rows))[:most]


def _paths(rows: Sequence[tuple[str, str, datetime]]) -> Iterator[tuple[str, datetime]]:
    before = ""
    for slug, story_id, written_at in rows:
        if slug != before:
            yield f"/archive/{slug}", written_at
        yield f"/archive/{slug}/{story_id}", written_at
        before = slug
