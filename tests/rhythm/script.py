"""What happens in the month: issues and what their editors do, outages, readers and what they choose. All by a seed.

The newsletter is Berlin's and goes out at eight each day. In this month summer time begins in North America (8 March)
and in Europe (29 March), and ends in Australia, New Zealand and Chile (5 April).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from subscribers.preferences import Frequency, Preferences

ZONE = ZoneInfo("Europe/Berlin")
SLOT = time(8)
LIMIT = timedelta(minutes=120)
TOO_OLD = timedelta(hours=24)
"""The settings TOO_LATE_MINUTES and GIVE_UP_HOURS, as they are when nobody sets them."""
WEEKLY_DAY = 4
DAYS_OFF = (date(2026, 3, 17), date(2026, 3, 30))
FIRST, LAST = date(2026, 3, 5), date(2026, 4, 7)
"""The dates of the first and the last issue."""
LAST_DAYS = date(2026, 3, 27)
"""From here on the month has nearly everything in it that it has before; a shorter one begins here."""

ZONES = (
    "Pacific/Honolulu", "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York",
    "America/St_Johns", "America/Santiago", "America/Sao_Paulo", "Atlantic/Azores", "Europe/London", "Africa/Lagos",
    "Europe/Berlin", "Europe/Athens", "Africa/Nairobi", "Asia/Tehran", "Asia/Karachi", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Jakarta", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Australia/Lord_Howe",
    "Pacific/Auckland",
)  # fmt: skip
TOPICS = {
    "policy": "政策与监管",
    "models": "模型与技术进展",
    "products": "产品与应用发布",
    "funding": "投融资与并购",
    "industry": "行业落地与生态",
}
MOST_WEEKLY = 3
"""Topics that anybody wants weekly: of more, a digest could have more stories than it brings to one reader."""
_SIGNS = [chr(code) for code in range(0x4E00, 0x8000)]


def local(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment by the clock of the newsletter's zone."""
    return datetime.combine(day, time(hour, minute, second), ZONE).astimezone(UTC)


@dataclass(frozen=True)
class News:
    """A story in an issue. `tells` names what it tells: two stories that tell the same are one to a reader."""

    title: str
    text: str
    topic: str
    tells: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Day:
    """The issue of a date and when somebody approves it; `own_time` is when it is to go out instead of at the slot.

    `by_hand` is when somebody sends it by a command.
    """

    on: date
    news: tuple[News, ...]
    approved: datetime | None
    own_time: datetime | None = None
    by_hand: datetime | None = None

    @property
    def title(self) -> str:
        """The issue's title."""
        return f"日报 {self.on:%m%d}"


class Kind(StrEnum):
    """What a reader does, or what is done about them."""

    JOIN = "join"
    LEAVE = "leave"
    RETURN = "return"
    DROP = "drop a topic"
    CHOOSE = "choose"
    PAUSE = "pause"
    RESUME = "resume"
    SUPPRESS = "suppress"


@dataclass(frozen=True)
class Change:
    """Something about one reader at a moment, which is never one at which rounds are made.

    `preferences` are all of theirs afterwards, `until` when their pause ends, `topic` the one they drop.
    """

    at: datetime
    kind: Kind
    preferences: Preferences | None = None
    until: date | None = None
    topic: str = ""


@dataclass(frozen=True)
class Reader:
    """A reader as the month finds them, or as they join; `is_paused` has no end."""

    number: int
    preferences: Preferences
    is_paused: bool = False
    changes: tuple[Change, ...] = ()

    @property
    def address(self) -> str:
        """Where they are written to."""
        return f"reader{self.number}@example.org"

    @property
    def joins(self) -> datetime | None:
        """When they join; None for who is there from the beginning."""
        first = self.changes[:1]
        return first[0].at if first and first[0].kind is Kind.JOIN else None


@dataclass(frozen=True)
class Month:
    """All of it. No process runs in an outage; at its end another one begins and makes a round at once."""

    begin: datetime
    days: tuple[Day, ...]
    readers: tuple[Reader, ...]
    outages: tuple[tuple[datetime, datetime], ...]
    rounds: tuple[datetime, ...] = field(repr=False)


OUTAGES = (
    (local(date(2026, 3, 9), 14, 10), local(date(2026, 3, 9), 15, 40)),  # in the afternoon
    (local(date(2026, 3, 12), 7, 55), local(date(2026, 3, 12), 8, 5)),  # over the slot, so short that its Date holds
    (local(date(2026, 3, 13), 14), local(date(2026, 3, 15), 2)),  # a day and a half
    (local(date(2026, 3, 18), 6), local(date(2026, 3, 18), 11, 15)),  # over the slot, beyond the limit
    (local(date(2026, 3, 29), 1, 30), local(date(2026, 3, 29), 4, 20)),  # over the hour that summer time leaves out
    (local(date(2026, 4, 1), 7, 50), local(date(2026, 4, 1), 8, 25)),  # over the slot, within the limit
    (local(date(2026, 4, 2), 8, 30), local(date(2026, 4, 2), 9, 30)),  # while an approval is waited for
    (local(date(2026, 4, 3), 6), local(date(2026, 4, 3), 11, 15)),  # over the slot, beyond the limit
    (local(date(2026, 4, 6), 14), local(date(2026, 4, 8), 2)),  # a day and a half
)


@dataclass(frozen=True)
class Extent:
    """Which part of the month, and how much of it: dates of issues, and readers' zones and hours.

    Where it is calm, no process is away but by a kill, all that is approved is so in good time, and nobody sends by
    hand; where it is still, no reader changes anything, and nobody joins.
    """

    first: date = FIRST
    last: date = LAST
    zones: tuple[str, ...] = ZONES
    hours: tuple[int, ...] = tuple(range(24))
    is_calm: bool = False
    is_still: bool = False

    @property
    def begin(self) -> datetime:
        """Noon of the day before the first issue."""
        return local(self.first - timedelta(days=1), 12)

    @property
    def end(self) -> datetime:
        """When everybody's hour has come for the last issue, after a calm day or a rough one, and no slot has."""
        return local(self.last + timedelta(days=1 if self.is_calm else 2), SLOT.hour - 1, 30)


def write(seed: int, readers: int, step: timedelta, extent: Extent) -> Month:
    """A month with so many readers at its beginning, in which rounds are made every `step`."""
    chance = random.Random(f"month {seed}")
    begin, end = extent.begin, extent.end
    there = [_reader(chance, extent) for _ in range(readers)]
    joining = [_reader(chance, extent, joins=True) for _ in range(0 if extent.is_still else readers // 10)]
    joining.sort(key=lambda one: one.joins or begin)  # so that numbers, like ids, are in the order of joining
    people = tuple(replace(one, number=number) for number, one in enumerate((*there, *joining)))
    days = _days(chance, extent)
    outages = () if extent.is_calm else tuple(one for one in OUTAGES if begin < one[0] and one[1] < end)
    grid = [begin + step * count for count in range(int((end - begin) / step) + 1)]
    rounds = {moment for moment in grid if not any(down <= moment < back for down, back in outages)}
    rounds |= {back for _, back in outages}
    # of what is sent by hand a hair after somebody's hour began, nobody is to wait for the next step
    rounds |= {day.by_hand.replace(second=0) + timedelta(minutes=1) for day in days if day.by_hand}
    return Month(begin, days, people, outages, tuple(sorted(rounds)))


# issues

_NO_ISSUE = {date(2026, 3, 22), date(2026, 4, 5)}
_LATE = {
    date(2026, 3, 10): (8, 47),  # within the limit
    date(2026, 3, 11): (10, 31),  # beyond it
    date(2026, 3, 26): (9, 51),
    date(2026, 3, 27): (10, 31),
    date(2026, 4, 2): (8, 41),  # while the machine is down, which is back within the limit
}
_NEVER = {date(2026, 3, 16), date(2026, 3, 31)}
_BY_HAND = {date(2026, 3, 18): (11, 21), date(2026, 3, 27): (16, 21), date(2026, 4, 3): (11, 21)}
_OWN_TIME = {date(2026, 3, 20): (6, 30), date(2026, 4, 6): (13, 30)}
_REPEATS = {date(2026, 3, day) for day in (7, 10, 12, 19, 20, 28)} | {date(2026, 4, day) for day in (1, 2, 4)}
_FOLLOW_UPS = {date(2026, 3, day) for day in (8, 13, 19, 27)} | {date(2026, 4, 3), date(2026, 4, 7)}


def _days(chance: random.Random, extent: Extent) -> tuple[Day, ...]:
    found: list[Day] = []
    dates = (extent.first + timedelta(days=distance) for distance in range((extent.last - extent.first).days + 1))
    for on in (one for one in dates if one not in _NO_ISSUE):
        news = [_news(chance, on, topic) for topic in TOPICS]
        before = {one.topic: one for one in found[-1].news} if found else {}
        if before and on in _REPEATS:
            _put(news, replace(chance.choice(list(before.values())), marks=()))
        if before and on in _FOLLOW_UPS:
            topic = chance.choice(list(TOPICS))
            _put(news, replace(_news(chance, on, topic), title=before[topic].title, marks=("后续",)))
        in_time = 5, chance.randrange(60)
        hour, minute = in_time if extent.is_calm else _LATE.get(on, in_time)
        found.append(
            Day(
                on,
                tuple(news),
                None if on in _NEVER else local(on, hour, minute, 17),
                local(on, *_OWN_TIME[on]) if on in _OWN_TIME and not extent.is_calm else None,
                local(on, *_BY_HAND[on], 11) if on in _BY_HAND and not extent.is_calm else None,
            )
        )
    return tuple(found)


def _put(news: list[News], one: News) -> None:
    """In the place of the story of its topic."""
    place = next(number for number, other in enumerate(news) if other.topic == one.topic)
    news[place] = one


def _news(chance: random.Random, on: date, topic: str) -> News:
    title = "".join(chance.choices(_SIGNS, k=12))
    text = "".join(chance.choices(_SIGNS, k=60))
    marks = ("重要",) if chance.random() < 0.25 else ()
    return News(title, text, topic, f"{on} {topic}", marks)


# readers


class _Life:
    """What one reader does in the month, one thing after the other."""

    def __init__(self, chance: random.Random, extent: Extent, *, joins: bool) -> None:
        self._chance, self._extent = chance, extent
        self.first = self._now = _preferences(chance, extent)
        self.is_paused = self._open_pause = not joins and chance.random() < 0.02
        self._until: date | None = None
        self._gone = False
        self._at, end = extent.begin, extent.end
        self.changes: list[Change] = []
        if joins:
            self._at = self._moment(end - timedelta(days=3))
            self._note(Kind.JOIN)
        for _ in range(chance.choices((0, 1, 2, 4), (35, 35, 20, 10))[0]):
            if not (self._gone or extent.is_still) and self._at < end - timedelta(days=2):
                self._at = self._moment(end - timedelta(days=1))
                self._do_something()

    def _do_something(self) -> None:
        if self._until and local(self._until, 0) <= self._at:
            self._until = None
        kinds = {Kind.CHOOSE: 50, Kind.LEAVE: 12, Kind.SUPPRESS: 3}
        if len(self._now.topics) > 1:
            kinds[Kind.DROP] = 10
        if self._until or self._open_pause:
            kinds[Kind.RESUME] = 40
        else:
            kinds[Kind.PAUSE] = 20
        {
            Kind.CHOOSE: self._choose,
            Kind.LEAVE: self._leave,
            Kind.SUPPRESS: self._suppress,
            Kind.DROP: self._drop,
            Kind.RESUME: self._resume,
            Kind.PAUSE: self._pause,
        }[self._chance.choices(list(kinds), list(kinds.values()))[0]]()

    def _choose(self) -> None:
        """Mostly they move; else they want it more or less often."""
        if self._chance.random() < 0.7:
            self._now = replace(self._now, **_own_hour(self._chance, self._extent))
        else:
            fresh = _rhythm(self._chance, self._now.topics)
            self._now = replace(self._now, **fresh)
        self._note(Kind.CHOOSE)

    def _leave(self) -> None:
        self._note(Kind.LEAVE)
        self._gone = True
        if self._chance.random() < 0.3 and not self._until and not self._open_pause:
            self._at = self._moment(self._at + timedelta(hours=20))
            self._note(Kind.RETURN)
            self._gone = False

    def _suppress(self) -> None:
        self._note(Kind.SUPPRESS)
        self._gone = True

    def _drop(self) -> None:
        topic = self._chance.choice(self._now.topics)
        self._now = replace(
            self._now,
            topics=tuple(one for one in self._now.topics if one != topic),
            frequencies=tuple(one for one in self._now.frequencies if one[0] != topic),
        )
        self._note(Kind.DROP, topic)

    def _resume(self) -> None:
        self._until, self._open_pause = None, False
        self._note(Kind.RESUME)

    def _pause(self) -> None:
        self._until = self._at.astimezone(ZONE).date() + timedelta(days=self._chance.randint(1, 9))
        self._note(Kind.PAUSE)

    def _note(self, kind: Kind, topic: str = "") -> None:
        self.changes.append(Change(self._at, kind, self._now, self._until, topic))

    def _moment(self, before: datetime) -> datetime:
        """A moment after the last one; its seconds are such that no round is made then."""
        minutes = self._chance.randint(1, max(1, int((before - self._at) / timedelta(minutes=1))))
        return (self._at + timedelta(minutes=minutes)).replace(second=self._chance.randint(1, 59))


def _reader(chance: random.Random, extent: Extent, *, joins: bool = False) -> Reader:
    life = _Life(chance, extent, joins=joins)
    return Reader(0, life.first, life.is_paused, tuple(life.changes))


def _preferences(chance: random.Random, extent: Extent) -> Preferences:
    topics = tuple(chance.sample(list(TOPICS), chance.randint(1, len(TOPICS))))
    language = "en" if chance.random() < 0.1 else "zh"
    return Preferences(topics, language=language, **_own_hour(chance, extent), **_rhythm(chance, topics))


def _own_hour(chance: random.Random, extent: Extent) -> dict[str, Any]:
    """An hour anywhere in the day for most, the slot's own for some, none for others."""
    zone = chance.choice(extent.zones)
    kind = chance.random()
    if kind < 0.25:
        return {"zone": chance.choice((None, zone)), "hour": None}
    if kind < 0.35:
        return {"zone": zone, "hour": local(extent.first, SLOT.hour).astimezone(ZoneInfo(zone)).hour}
    return {"zone": zone, "hour": chance.choice(extent.hours)}


def _rhythm(chance: random.Random, topics: Sequence[str]) -> dict[str, Any]:
    """Everything daily for most; some want all of it weekly, or only what is important; others mix."""
    day = chance.choice((None, None, *range(7)))
    kind = chance.random()
    if kind < 0.6:
        return {"frequency": Frequency.DAILY, "frequencies": (), "day": None}
    if kind < 0.7:
        return {"frequency": Frequency.IMPORTANT, "frequencies": (), "day": None}
    if kind < 0.8 and len(topics) <= MOST_WEEKLY:
        return {"frequency": Frequency.WEEKLY, "frequencies": (), "day": day}
    own = {topic: chance.choice(list(Frequency)) for topic in topics if chance.random() < 0.7}
    weekly = [topic for topic, frequency in own.items() if frequency is Frequency.WEEKLY]
    own |= dict.fromkeys(weekly[MOST_WEEKLY:], Frequency.DAILY)
    return {"frequency": Frequency.DAILY, "frequencies": tuple(own.items()), "day": day}
