"""Checks that the text part of a mail says what its HTML part says: a filter for spam compares them, too."""

import re
from collections.abc import Iterator
from html import unescape

from newsletter.render.compiled import LINKS, PERSONAL, CompiledIssue
from newsletter.review.specimen import Specimen, title_of
from newsletter.review.verdicts import Check, Place, Verdict, judged, not_checked

_HREF = re.compile(r"(?:href|src)=\"(https?:[^\"]*)\"", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s<>\"“”]+")
_ENDS = ".,;:!?)]}'。，；：！？）】」』、"
_TAG = re.compile(r"<[^>]*>")


def part_checks(specimen: Specimen) -> Iterator[Check]:
    """The same links and the same titles in both parts."""
    mail = next(iter(specimen.mails.values()), None)
    if mail is None:
        yield from (not_checked(name, "no_mail") for name in ("parts-links", "parts-titles"))
        return
    yield judged("parts-links", Verdict.WARNING, [*_links(specimen, mail), *_around(mail), *_personal(mail)])
    yield judged("parts-titles", Verdict.WARNING, list(_titles(specimen, mail)))


def _links(specimen: Specimen, mail: CompiledIssue) -> Iterator[Place]:
    for place, story in enumerate(specimen.stories):
        html, text = _story(mail, place)
        linked, written = {unescape(url) for url in _HREF.findall(html)}, set(_URL.findall(text))
        shown = unescape(_TAG.sub("", html))
        lost = [(url, "text") for url in sorted(linked) if url not in text]
        trimmed = {url.rstrip(_ENDS) for url in written - linked}
        lost += [(url, "HTML") for url in sorted(trimmed - linked) if url not in shown]
        for url, part in lost:
            yield Place(url, part, specimen.line_of(story, url), title_of(story))


def _around(mail: CompiledIssue) -> Iterator[Place]:
    """The links that stand outside of stories, at the head or among headings."""
    text = "\n".join(literal for part in mail.text.values() for literal in part.literals)
    around = "".join("".join(part.literals) for name, part in mail.html.items() if not name.startswith("story."))
    linked = {unescape(url) for url in _HREF.findall(around)}
    yield from (Place(url, "text") for url in sorted(linked) if url not in text)


def _personal(mail: CompiledIssue) -> Iterator[Place]:
    """The reader's own links, which stand at the end of either part."""
    for name, fragments in (("HTML", mail.html), ("text", mail.text)):
        slots = fragments[PERSONAL].slots
        other = mail.text if name == "HTML" else mail.html
        wanted = {"unsubscribe", *(slot for slot in other[PERSONAL].slots if slot in LINKS)}
        yield from (Place(f"/{slot}/…", name) for slot in sorted(wanted.difference(slots)))


def _titles(specimen: Specimen, mail: CompiledIssue) -> Iterator[Place]:
    for place, story in enumerate(specimen.stories):
        html, text = _story(mail, place)
        title = _words(mail.stories[place].name)
        parts = (("HTML", unescape(_TAG.sub("", html))), ("text", text))
        for name, part in parts:
            if title not in _words(part):
                yield Place(title_of(story), name, specimen.line_of(story))


def _story(mail: CompiledIssue, place: int) -> tuple[str, str]:
    name = f"story.{place}"
    return "".join(mail.html[name].literals), "".join(mail.text[name].literals)


def _words(text: str) -> str:
    """Without blanks, which either part sets as it likes."""
    return "".join(text.split())
