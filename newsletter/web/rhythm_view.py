"""What pages show of how often and when mail comes: the sentence that says it, and what the fields for it offer."""

from dataclasses import dataclass

from fastapi import Request
from markupsafe import Markup

from newsletter.render.rhythm_words import Rhythm
from newsletter.web.archive_view import labels
from newsletter.web.pages import newsletter_of, topics_of, words_for
from newsletter.web.rhythm_form import When
from newsletter.web.visitor import language_of
from newsletter.web.zones import zone_options
from subscribers.preferences import DAYS, Preferences


@dataclass(frozen=True, slots=True)
class Clock:
    """What the fields offer: days of the week, zones, and what is meant where nothing is chosen."""

    weekly_day: str
    days: tuple[tuple[str, str], ...]
    city: str
    zones: Markup


def clock_for(request: Request, when: When) -> Clock:
    """What the fields offer, in the visitor's language, with the zone of `when` selected."""
    newsletter, language = newsletter_of(request), language_of(request)
    rhythm = _rhythm(request)
    return Clock(
        weekly_day=rhythm.week_day(rhythm.weekly_day),
        days=tuple((word, rhythm.week_day(day)) for day, word in enumerate(DAYS)),
        city=labels(language).zone_city(newsletter.settings.zone),
        zones=zone_options(words_for(request), language, newsletter.today(), when.zone or ""),
    )


def sentence_for(request: Request, preferences: Preferences) -> str:
    """When mail comes by these choices, in the visitor's language."""
    return _rhythm(request).sentence(preferences)


def digest_words(request: Request, preferences: Preferences) -> dict[str, str]:
    """The day of the digest and the topics that come in it, for words with `{day}` and `{topics}`."""
    rhythm = _rhythm(request)
    return {"day": rhythm.digest_day(preferences), "topics": rhythm.digest_topics(preferences)}


def _rhythm(request: Request) -> Rhythm:
    newsletter, language = newsletter_of(request), language_of(request)
    topics = topics_of(request)
    return Rhythm(
        labels(language),
        lambda slug: topic.name(language) if (topic := topics.get(slug)) else None,
        DAYS.index(newsletter.settings.weekly_day),
    )
