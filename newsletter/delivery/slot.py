"""The daily slot and its days off: when an issue goes out by itself, as values and plain arithmetic."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The words for the days of the week, in their order."""
_SHAPE = re.compile(r"(?:([a-z,-]+) +)?([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_OF_A_YEAR = re.compile(r"\d\d-\d\d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_A_YEAR_DAYS = 366
"""Nobody plans further ahead, and where every day is off the search must end."""


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


@dataclass(frozen=True, slots=True)
class DaysOff:
    """Days on which nothing goes out by itself: single ones and spans of them, and some that come every year."""

    spans: tuple[tuple[date, date], ...] = ()
    yearly: frozenset[tuple[int, int]] = frozenset()
    """Months and days, such as (12, 25); the 29th of February comes every four years."""

    @classmethod
    def parse(cls, words: Iterable[str]) -> "DaysOff":
        """Days off from words such as `2026-10-01`, `2026-10-01..2026-10-07` or `12-25` (every year).

        Raises ValueError for a word that is none of these.
        """
        spans, yearly = [], set()
        for word in (word.strip() for word in words):
            if _OF_A_YEAR.fullmatch(word):
                yearly.add(_day_of_any_year(word))
            else:
                spans.append(_span_of_dates(word))
        return cls(tuple(spans), frozenset(yearly))

    def __contains__(self, day: date) -> bool:
        """Whether a date is a day off."""
        return (day.month, day.day) in self.yearly or any(first <= day <= last for first, last in self.spans)

    def coming(self, today: date) -> tuple[tuple[date, date], ...]:
        """The days off from a date on and for a year, as spans from the first to the last day."""
        found: list[tuple[date, date]] = []
        for day in (today + timedelta(days=ahead) for ahead in range(_A_YEAR_DAYS + 1)):
            if day not in self:
                continue
            if found and found[-1][1] + timedelta(days=1) == day:
                found[-1] = found[-1][0], day
            else:
                found.append((day, day))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the newsletter goes out by itself: a slot in a zone, but not on days off."""

    slot: Slot
    zone: ZoneInfo
    days_off: DaysOff = DaysOff()

    def is_off(self, day: date) -> bool:
        """Whether nothing goes out by itself on a date because it is a day off."""
        return day in self.days_off

    def on(self, day: date) -> datetime | None:
        """The moment of the slot on a date; None on a day off, and on a day of the week that is none of the slot's."""
        return None if day.weekday() not in self.slot.days or self.is_off(day) else self.hour_on(day)

    def hour_on(self, day: date) -> datetime:
        """The slot's hour on a date, whatever day of the week that is.

        An hour that the change to summer time leaves out comes when the clock has jumped over it; one that comes twice
        counts the first time (PEP 495).
        """
        return datetime.combine(day, self.slot.hour, self.zone)

    def last_before(self, now: datetime) -> datetime | None:
        """The latest moment that is not after `now`; None where there was none within a year."""
        return next((moment for moment in self._moments(now, -1) if moment.timestamp() <= now.timestamp()), None)

    def next_after(self, now: datetime) -> datetime | None:
        """The earliest moment after `now`; None where there is none within a year."""
        return next((moment for moment in self._moments(now, 1) if moment.timestamp() > now.timestamp()), None)

    def off_after(self, now: datetime) -> tuple[date, date] | None:
        """The first and the last day off that the slot passes over before its next moment; None where it passes none.

        Where every day of a year is off, the last one is that of the year.
        """
        coming, in_any_case = self.next_after(now), replace(self, days_off=DaysOff())
        moments = in_any_case._moments(now, 1)
        off = [at.date() for at in moments if at.timestamp() > now.timestamp() and (coming is None or at < coming)]
        return (off[0], off[-1]) if off else None

    def _moments(self, now: datetime, step: int) -> Iterator[datetime]:
        """The moments of today and of a year into the future (`step` 1) or the past (-1)."""
        today = now.astimezone(self.zone).date()
        found = (self.on(today + timedelta(days=step * distance)) for distance in range(_A_YEAR_DAYS + 1))
        return (moment for moment in found if moment)


def day_of_week(word: str) -> int:
    """The day of the week (0 is Monday) that a word such as `fri` means; raises ValueError."""
    if word not in DAYS:
        raise ValueError(f"should be one of {', '.join(DAYS)}")
    return DAYS.index(word)


def _day_of_any_year(word: str) -> tuple[int, int]:
    with suppress(ValueError):
        day = date.fromisoformat(f"2000-{word}")  # a leap year: the 29th of February is a day
        return day.month, day.day
    raise ValueError(f"has the day {word!r}, which no year has")


def _span_of_dates(word: str) -> tuple[date, date]:
    first, dots, last = (part.strip() for part in word.partition(".."))
    if not _DATE.fullmatch(first) or (dots and not _DATE.fullmatch(last)):
        raise ValueError(
            f"should be days such as 2026-10-01, 2026-10-01..2026-10-07 or 12-25 (every year), not {word!r}"
        )
    try:
        begin, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise ValueError(f"has {word!r}, which is not in the calendar") from None
    if end < begin:
        raise ValueError(f"has {word!r}, which ends before it begins")
    return begin, end


def _span(part: str) -> list[int]:
    """The days that `mon` or `mon-fri` or `sat-mon` mean."""
    first, dash, last = part.partition("-")
    if first not in DAYS or (dash and last not in DAYS):
        raise ValueError(f"knows the days {', '.join(DAYS)}, not {part!r}")
    begin = DAYS.index(first)
    length = (DAYS.index(last or first) - begin) % 7 + 1
    return [(begin + offset) % 7 for offset in range(length)]
