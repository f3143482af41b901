"""The sitemap (sitemaps.org): every address that search engines may list."""

from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from newsletter.app import Newsletter
from newsletter.archive.places import addresses

_MOST = 50_000
"""Addresses that one sitemap may hold, by its protocol."""


def sitemap(newsletter: Newsletter) -> bytes:
    """The start page, the archive, its topics, issues and stories; the last with the moment they were written.

    The newest come first, and what is beyond 50,000 addresses stays out: links within the archive lead to it.
    """
    root = ET.Element("urlset", {"xmlns": "http://www.sitemaps.org/schemas/sitemap/0.9"})
    with newsletter.reading() as session:
        topics = [f"/topic/{topic.slug}" for topic in newsletter.topics(session).all()]
    for path in ("/", "/archive", *topics):
        _add(root, newsletter, path)
    for address in addresses(newsletter, _MOST - len(root)):
        _add(root, newsletter, address.path, address.written_at)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add(root: ET.Element, newsletter: Newsletter, path: str, at: datetime | None = None) -> None:
    url = ET.SubElement(root, "url")
    ET.SubElement(url, "loc").text = newsletter.settings.base_url + path
    if at:
        ET.SubElement(url, "lastmod").text = at.astimezone(UTC).isoformat(timespec="seconds")
