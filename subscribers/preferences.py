"""What one reader asked for, as a value, and the rules it must keep."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from subscribers.characters import shown, unwritable


class Frequency(StrEnum):
    """How often a reader hears of a topic: of each issue, once a week, or only of what an editor marks as important."""

    DAILY = "daily"
    WEEKLY = "weekly"
    IMPORTANT = "important"


DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week as lists and commands name them; a day is kept as its place here (0 is Monday)."""


class MailFormat(StrEnum):
    """Both parts (HTML with a text alternative), or the text alone."""

    HTML = "html"
    TEXT = "text"


LANGUAGES = ("zh", "en")

KEYWORD_CHARACTERS = 80
"""A keyword is a word or a short phrase; anything longer matches nothing."""

_BETWEEN = re.compile(r"[;；]")
"""What separates items in a list; so no item can have it inside."""


class PreferencesRefused(ValueError):
    """Preferences that nobody could be served by, and what to write instead.

    `code` is the field that is wrong (`keyword` for `follow` and `mute`) and `value` what stands there, made safe to
    show; both are empty where it is none of these.
    """

    def __init__(self, message: str, code: str = "", value: object = "") -> None:
        super().__init__(message)
        self.code, self.value = code, shown(str(value))


@dataclass(frozen=True, slots=True)
class Preferences:
    """Topics in the reader's order, and the rest of their choices.

    `frequency` holds for every topic but those that `frequencies` names, as (slug, frequency) in the order of topics;
    `day` is the day of the week (0 is Monday) for what comes weekly, None when the newsletter's own is meant. `hour` is
    the local hour of day (0 to 23) in the IANA `zone`, both None when the newsletter's own slot is meant;
    `most` is the greatest number of stories per mail (None: all); `follow` and `mute` are keywords, compared
    case-folded; `language` chooses labels and dates, one of `LANGUAGES`.
    """

    topics: tuple[str, ...]
    frequency: Frequency = Frequency.DAILY
    language: str = "zh"
    zone: str | None = None
    hour: int | None = None
    most: int | None = None
    follow: tuple[str, ...] = ()
    mute: tuple[str, ...] = ()
    format: MailFormat = MailFormat.HTML
    day: int | None = None
    frequencies: tuple[tuple[str, Frequency], ...] = ()

    def topics_at(self, *wanted: Frequency) -> tuple[str, ...]:
        """The topics that the reader wants to hear of as often as one of these, in their order."""
        if not self.frequencies:
            return self.topics if self.frequency in wanted else ()
        own = dict(self.frequencies)
        return tuple(topic for topic in self.topics if own.get(topic, self.frequency) in wanted)

    @property
    def is_weekly(self) -> bool:
        """Whether something is to come once a week."""
        return self.frequency is Frequency.WEEKLY or any(own is Frequency.WEEKLY for _, own in self.frequencies)

    @property
    def rhythm(self) -> tuple[object, ...]:
        """What decides when mail comes; where two of these are the same, nothing that waits has to move."""
        often = bool(self.topics_at(Frequency.DAILY, Frequency.IMPORTANT))
        return self.zone, self.hour, self.day, self.frequency, self.frequencies, often


def of_topics(frequencies: Iterable[tuple[str, Frequency]], topics: Sequence[str]) -> tuple[tuple[str, Frequency], ...]:
    """The frequencies of these topics, in their order: who drops a topic drops how often it comes."""
    own = dict(frequencies)
    return tuple((topic, own[topic]) for topic in topics if topic in own)


def split_list(text: str) -> tuple[str, ...]:
    """Read a list whose items are separated by `;` (or `；`): blanks around items, empty and repeated ones go."""
    return tuple(dict.fromkeys(item for piece in _BETWEEN.split(text) if (item := piece.strip())))


def check_preferences(preferences: Preferences) -> Preferences:
    """Give the preferences back when they can be kept.

    Raises `PreferencesRefused` for a language that is none of `LANGUAGES`, an unknown zone, an hour that is not 0 to 23
    or stands without a zone, a day that is not 0 to 6, a frequency of a topic that is not among the topics, a `most`
    below 1, and a keyword that is empty, padded, too long, or holds `;` or a control character.
    """
    if preferences.language not in LANGUAGES:
        raise PreferencesRefused(
            f"language is one of {', '.join(LANGUAGES)}, not {shown(preferences.language)}",
            "language",
            preferences.language,
        )
    if preferences.zone is not None and not is_zone(preferences.zone):
        raise PreferencesRefused(
            f"zone is a name like Asia/Shanghai, not {shown(preferences.zone)}", "zone", preferences.zone
        )
    _check_numbers(preferences)
    for topic, _ in preferences.frequencies:
        if topic not in preferences.topics:
            raise PreferencesRefused(
                f"{shown(topic)} has a frequency and is none of the topics: add it to them", "frequencies", topic
            )
    for keyword in (*preferences.follow, *preferences.mute):
        _check_keyword(keyword)
    return preferences


def _check_numbers(preferences: Preferences) -> None:
    if preferences.hour is not None and not 0 <= preferences.hour <= 23:
        raise PreferencesRefused(
            f"hour is a whole number from 0 to 23, not {preferences.hour}", "hour", preferences.hour
        )
    if preferences.hour is not None and preferences.zone is None:
        raise PreferencesRefused(
            f"hour {preferences.hour} needs a zone, such as Asia/Shanghai", "no-zone", preferences.hour
        )
    if preferences.day is not None and not 0 <= preferences.day < len(DAYS):
        raise PreferencesRefused(f"day is one of {', '.join(DAYS)}, not {preferences.day}", "day", preferences.day)
    if preferences.most is not None and not 1 <= preferences.most <= 1000:
        raise PreferencesRefused(
            f"most is a whole number from 1 to 1000, or nothing for all, not {preferences.most}",
            "most",
            preferences.most,
        )


def _check_keyword(keyword: str) -> None:
    if not keyword or keyword != keyword.strip() or len(keyword) > KEYWORD_CHARACTERS:
        raise PreferencesRefused(
            f"a keyword has 1 to {KEYWORD_CHARACTERS} characters and no blanks around it, not {shown(keyword)!r}",
            "keyword",
            keyword,
        )
    if unwritable(keyword) or _BETWEEN.search(keyword):
        raise PreferencesRefused(
            f"a keyword has no semicolon or control character in it: {shown(keyword)}", "keyword", keyword
        )


@lru_cache(maxsize=1024)
def is_zone(name: str) -> bool:
    """Whether the zone database has a zone of this name."""
    if len(name) > 64:
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of the zone database raises OSError
        return False
    return True
