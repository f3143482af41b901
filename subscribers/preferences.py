"""What one reader asked for, as a value."""

from dataclasses import dataclass
from enum import StrEnum


class Frequency(StrEnum):
    """How often a reader is written to."""

    DAILY = "daily"
    WEEKLY = "weekly"


class MailFormat(StrEnum):
    """Both parts (HTML with a text alternative), or the text alone."""

    HTML = "html"
    TEXT = "text"


LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Preferences:
    """Topics in the reader's order, and the rest of their choices.

    `hour` is the local hour of day (0 to 23) in the IANA `zone`, both None when the newsletter's own slot is meant;
    `most` is the greatest number of stories per mail (None: all); `follow` and `mute` are keywords, compared case-folded;
    `language` chooses labels and dates, one of `LANGUAGES`.
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
