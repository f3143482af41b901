"""Preferences as they stand in a subscriber's row, and back."""

from typing import Any

from sqlalchemy import Row

from subscribers.models import Subscriber
from subscribers.preferences import Frequency, Preferences


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
    return Preferences(
        topics=tuple(row.topics),
        frequency=row.frequency,
        language=row.language,
        zone=row.zone,
        hour=row.hour,
        most=row.most,
        follow=tuple(row.follow),
        mute=tuple(row.mute),
        format=row.format,
        day=row.day,
        frequencies=tuple((topic, Frequency(own)) for topic, own in row.frequencies.items()) if row.frequencies else (),
    )
