"""Checks of the text itself: what the reader of an issue has to say, and the pictures in it."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.content.inline import plain
from newsletter.content.issue import Image, Story
from newsletter.content.picture_address import picture_at
from newsletter.review.specimen import Specimen, title_of
from newsletter.review.verdicts import Check, Place, Verdict, judged
from newsletter.storage.pictures import PictureStore

MOST_PICTURE_BYTES = 200_000
"""A picture that takes a second on a slow phone (1.6 Mbit/s); 1 kB = 1,000 bytes."""

_SAID_ELSEWHERE = ("image-foreign", "image-alt-missing", "subject-names-story")
"""Codes of the reader that have a check of their own here."""


def text_checks(specimen: Specimen) -> Iterator[Check]:
    """Diagnostics of the reader; errors keep an issue from being approved."""
    found = [one for one in specimen.saved.diagnostics if one.code not in _SAID_ELSEWHERE]
    for name, severity, verdict in (
        ("text-errors", Severity.ERROR, Verdict.ERROR),
        ("text-warnings", Severity.WARNING, Verdict.WARNING),
    ):
        yield judged(name, verdict, [_place(one) for one in found if one.severity is severity])


def picture_checks(specimen: Specimen) -> Iterator[Check]:
    """Pictures: what stands for them where they are not shown, where they lie, and how large they are."""
    pictures = [(story, block) for story in specimen.stories for block in story.body if isinstance(block, Image)]
    bare = [_at(specimen, *one) for one in pictures if not plain(one[1].alt).strip()]
    yield judged("alt-text", Verdict.WARNING, bare, pictures=len(pictures))
    own_host = urlsplit(specimen.newsletter.settings.base_url).hostname
    foreign = [_at(specimen, *one, note=_host(one[1].url) or "") for one in pictures if _host(one[1].url) != own_host]
    yield judged("picture-host", Verdict.WARNING, foreign, host=own_host or "")
    yield judged("picture-size", Verdict.WARNING, _heavy(specimen, pictures), most=MOST_PICTURE_BYTES // 1000)


def _place(found: Diagnostic) -> Place:
    return Place(found.code, found.message, found.line, finding=found)


def _at(specimen: Specimen, story: Story, picture: Image, note: str = "") -> Place:
    return Place(picture.url, note, specimen.line_of(story, picture.url), title_of(story))


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:  # brackets that hold no address
        return None


def _heavy(specimen: Specimen, pictures: list[tuple[Story, Image]]) -> list[Place]:
    """Pictures of ours that are too large, or that we do not have."""
    base_url = specimen.newsletter.settings.base_url.rstrip("/")
    ours = [(story, one, found.key) for story, one in pictures if (found := picture_at(one.url, base_url))]
    with specimen.newsletter.reading() as session:
        kept = {key: PictureStore(session).find(key) for key in dict.fromkeys(key for _, _, key in ours)}
    notes = {key: f"{one.size_bytes / 1000:,.0f} kB" if one else "404" for key, one in kept.items()}
    heavy = {key for key, one in kept.items() if one is None or one.size_bytes > MOST_PICTURE_BYTES}
    return [_at(specimen, story, one, notes[key]) for story, one, key in ours if key in heavy]
