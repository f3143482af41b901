"""Checks of who gets what: how many readers get nothing, and which topics they want that have no story."""

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.compose.edition import FOLLOWED
from newsletter.review.specimen import Specimen
from newsletter.review.verdicts import Check, Place, Verdict, judged, not_checked, ok

MANY_WITHOUT = 0.2
"""From this share of readers with nothing on, an editor wants to know before sending."""


@dataclass(frozen=True, slots=True)
class TopicReach:
    """A topic with the readers who want it, those who get something of it now, and its stories in the issue."""

    slug: str
    subscribed: int
    reached: int
    stories: int


def readership_checks(specimen: Specimen) -> Iterator[Check]:
    """Who gets nothing, and why that may be."""
    yield _without(specimen)
    empty = [topic for topic in topics_reached(specimen) if topic.subscribed and not topic.stories]
    places = [Place(topic.slug, str(topic.subscribed)) for topic in empty]
    yield judged("topics-without-story", Verdict.WARNING, places)


def topics_reached(specimen: Specimen) -> tuple[TopicReach, ...]:
    """Every topic of the newsletter in its order."""
    reach = specimen.reach
    return tuple(
        TopicReach(
            topic.slug,
            reach.subscribed.get(topic.slug, 0),
            reach.coverage.by_topic.get(topic.slug, 0),
            sum(topic.slug in story.topics for story in specimen.stories),
        )
        for topic in specimen.topics.topics
    )


def followed(specimen: Specimen) -> int:
    """How many readers get a story because of a keyword."""
    return specimen.reach.coverage.by_topic.get(FOLLOWED, 0)


def _without(specimen: Specimen) -> Check:
    coverage = specimen.reach.coverage
    without = coverage.by_stories.get(0, 0)
    if not coverage.readers:
        return not_checked("readers-without")
    values = {"readers": coverage.readers, "without": without, "share": round(100 * without / coverage.readers)}
    if without == coverage.readers:
        return Check("readers-without", Verdict.ERROR, values=values)
    if without / coverage.readers > MANY_WITHOUT:
        return Check("readers-without", Verdict.WARNING, values=values)
    return ok("readers-without", **values)
