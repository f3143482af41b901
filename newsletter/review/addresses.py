"""Checks of the links in an issue: where they lead, and whether they say so."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.content.identity import words
from newsletter.content.inline import plain, spans
from newsletter.content.issue import Image, Story
from newsletter.content.spans import Emphasis, Link, Span, Strike, Strong
from newsletter.content.spans import plain as label_of
from newsletter.review import fetch
from newsletter.review.links import LinkResult
from newsletter.review.specimen import Specimen, title_of
from newsletter.review.verdicts import Check, Place, Verdict, judged, not_checked

_NAMES_A_HOST = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,24})(?::\d+)?(?:/\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoryLink:
    """A link where it stands in a story."""

    story: Story
    label: str
    url: str

    @property
    def host(self) -> str:
        """The host it leads to; empty when the address cannot be read."""
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:  # brackets that hold no address
            return ""


def story_links(stories: Iterable[Story]) -> list[StoryLink]:
    """Every link that readers can follow: sources, pictures, and those in the text."""
    return [StoryLink(story, label, url) for story in stories for label, url in _of_story(story)]


def link_checks(specimen: Specimen, known: Mapping[str, LinkResult]) -> Iterator[Check]:
    """All checks of links; `known` is what was found out about where they lead."""
    links = story_links(specimen.stories)
    yield _reached(specimen, links, known)
    insecure = [link for link in links if link.url.lower().startswith("http://")]
    yield judged("links-insecure", Verdict.WARNING, _places(specimen, insecure))
    yield judged("links-address", Verdict.WARNING, _places(specimen, (one for one in links if _is_address(one.host))))
    disguised = [(link, host) for link in links if (host := _names_another(link))]
    said = [_place(specimen, link, host) for link, host in disguised]
    yield judged("links-disguised", Verdict.WARNING, said)


def _reached(specimen: Specimen, links: list[StoryLink], known: Mapping[str, LinkResult]) -> Check:
    bad, unsure, unasked = [], [], 0
    for link in {link.url: link for link in links}.values():
        result = known.get(link.url)
        verdict = result.verdict if result else fetch.Verdict.NOT_CHECKED
        reason = result.reason if result else ""
        if verdict in (fetch.Verdict.BROKEN, fetch.Verdict.REFUSED):
            bad.append(_place(specimen, link, reason))
        elif verdict is fetch.Verdict.UNREACHABLE:
            unsure.append(_place(specimen, link, reason))
        unasked += verdict is fetch.Verdict.NOT_CHECKED
    counts = {"links": len({link.url for link in links}), "unasked": unasked}
    if bad:
        return judged("links-broken", Verdict.WARNING, bad, **counts)
    if unsure:
        return judged("links-broken", Verdict.NOT_CHECKED, unsure, "unsure", **counts)
    return (
        not_checked("links-broken", "later", **counts) if unasked else judged("links-broken", Verdict.OK, (), **counts)
    )


def _of_story(story: Story) -> Iterator[tuple[str, str]]:
    if story.source and story.source.url:
        yield plain(story.source.name), story.source.url
    texts = [story.title, story.summary, story.background, *story.points]
    for block in story.body:
        if isinstance(block, Image):
            yield plain(block.alt), block.url
        texts += words(block)
    for text in texts:
        if "[" in text or "<" in text or "://" in text:
            yield from ((label_of(link.spans), link.url) for link in _in(spans(text)))


def _in(found: tuple[Span, ...]) -> Iterator[Link]:
    for span in found:
        match span:
            case Link():
                yield span
            case Strong(inner) | Emphasis(inner) | Strike(inner):
                yield from _in(inner)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _names_another(link: StoryLink) -> str:
    """The host that a link's own words name, when it is another one than it leads to; else empty."""
    named = _NAMES_A_HOST.fullmatch(link.label.strip())
    if not named or not link.host:
        return ""
    said, leads = (host.lower().removeprefix("www.") for host in (named[1], link.host))
    related = said == leads or leads.endswith(f".{said}") or said.endswith(f".{leads}")
    return "" if related else named[1]


def _places(specimen: Specimen, links: Iterable[StoryLink]) -> list[Place]:
    return [_place(specimen, link) for link in links]


def _place(specimen: Specimen, link: StoryLink, note: str = "") -> Place:
    return Place(link.url, note, specimen.line_of(link.story, link.url), title_of(link.story))
