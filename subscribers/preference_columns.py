"""Preferences as they stand in a subscriber's row, and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row

from subscribers.models import Subscriber
from subscribers.preferences import Frequency, MailFormat, Preferences


def columns_of(preferences: Preferences) -> dict[str, Any]:
    """Give the column values that keep these preferences."""
    return {
        "topics": list(preferences.topics),
        "frequency": preferences.frequency,
        "language": preferences.language,
        "zone": preferences.zone,
        "hour": preferences.hour,
        "most": preferences.most,
        "follow": list(preferences.follow),
        "mute": list(preferences.mute),
        "format": preferences.format,
        "day": preferences.day,
        "frequencies": {topic: str(own) for topic, own in preferences.frequencies},
    }


def preferences_of(row: Subscriber | Row[Any]) -> Preferences:
    """Read the preferences out of a subscriber, or out of a result row that has the same columns."""
    return preferences_from(*(getattr(row, name) for name in _COLUMNS))


def preferences_from(
    topics: Iterable[str],
    frequency: Frequency,
    language: str,
    zone: str | None,
    hour: int | None,
    most: int | None,
    follow: Iterable[str],
    mute: Iterable[str],
    format: MailFormat,
    day: int | None,
    frequencies: Mapping[str, str],
) -> Preferences:
    """Read the preferences out of the values of the columns, in the order of `columns_of`."""
    own = tuple((topic, Frequency(how)) for topic, how in frequencies.items()) if frequencies else ()
    return Preferences(
        tuple(topics), frequency, language, zone, hour, most, tuple(follow), tuple(mute), format, day, own
    )


_COLUMNS = tuple(columns_of(Preferences(topics=())))
