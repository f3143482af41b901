"""The daily slot: on which days and at what hour an issue goes out by itself, as a value and plain arithmetic."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SHAPE = re.compile(r"(?:([a-z,-]+) +)?([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Slot:
    """An hour of the clock on some days of the week (0 is Monday)."""

    days: frozenset[int]
    hour: time

    @classmethod
    def parse(cls, text: str) -> "Slot":
        """A slot from words such as `mon-fri 08:00`, `mon,wed,fri 7:30` or `08:00` (every day); raises ValueError."""
        found = _SHAPE.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError("should be days and an hour such as `mon-fri 08:00`, or an hour alone for every day")
        days = frozenset(day for part in (found[1] or "mon-sun").split(",") for day in _span(part))
        return cls(days, time(int(found[2]), int(found[3])))

    def last_before(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The latest moment of this slot that is not after `now`, in `zone`.

        An hour that the change to summer time leaves out comes when the clock has jumped over it; one that comes twice
        counts the first time (PEP 495).
        """
        moments = self._moments(now, zone, -1)
        return next(moment for moment in moments if moment.timestamp() <= now.timestamp())

    def next_after(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The earliest moment of this slot after `now`, in `zone`."""
        moments = self._moments(now, zone, 1)
        return next(moment for moment in moments if moment.timestamp() > now.timestamp())

    def _moments(self, now: datetime, zone: ZoneInfo, step: int) -> Iterator[datetime]:
        """The moments of today and of a week into the future (`step` 1) or the past (-1)."""
        today = now.astimezone(zone).date()
        days = (today + timedelta(days=step * distance) for distance in range(8))
        return (datetime.combine(day, self.hour, zone) for day in days if day.weekday() in self.days)


def _span(part: str) -> list[int]:
    """The days that `mon` or `mon-fri` or `sat-mon` mean."""
    first, dash, last = part.partition("-")
    if first not in _DAYS or (dash and last not in _DAYS):
        raise ValueError(f"knows the days {', '.join(_DAYS)}, not {part!r}")
    begin = _DAYS.index(first)
    length = (_DAYS.index(last or first) - begin) % 7 + 1
    return [(begin + offset) % 7 for offset in range(length)]
