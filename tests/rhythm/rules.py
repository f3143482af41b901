"""What should happen in a month, by the written rules alone: the oracle that the newsletter is compared with.

It looks at one reader at a time, goes through what happens to them in its order, and knows nothing of tables, plans or
claims. Where `docs/explanation/rhythm.md` states a rule, this states it anew, and shares no code with what sends.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from rhythm.script import (
    DAYS_OFF,
    LIMIT,
    SLOT,
    TOO_OLD,
    WEEKLY_DAY,
    ZONE,
    Change,
    Day,
    Kind,
    Month,
    News,
    Reader,
    local,
)
from subscribers.preferences import Frequency, Preferences

SAME_DATE = timedelta(minutes=10)
"""What begins so little after the slot still bears the slot's moment."""
QUARTER = timedelta(minutes=15)
"""Every zone's clock is whole quarters of an hour from UTC, and so is every change of one."""
OVERLAP = timedelta(hours=2)
"""How much more than its week a digest looks back."""


@dataclass(frozen=True)
class Send:
    """An issue or a digest that goes out: opened, planned in the round of `planned`, and released.

    `days` are the days of the week of a digest's readers, None among them standing for those who chose none.
    """

    name: str
    on: date
    news: tuple[News, ...]
    release: datetime
    opened: datetime
    planned: datetime
    days: frozenset[int | None] | None = None


@dataclass
class Row:
    """What a reader gets of one send, and when; or why nothing.

    `how` is as `own_hour` says, or `moved` where they moved past their hour; `zone` and `hour` are those that counted.
    """

    send: Send
    stories: frozenset[str]
    due: datetime
    zone: str | None
    hour: int | None
    reason: str = ""
    handed: datetime | None = None
    how: str = ""
    is_after_outage: bool = False

    @property
    def waits(self) -> bool:
        """Whether it is to be handed over."""
        return not self.reason and self.handed is None


@dataclass
class _Person:
    preferences: Preferences
    there: bool
    paused: bool = False
    until: datetime | None = None
    suppressed: bool = False
    rows: list[Row] = field(default_factory=list)

    def is_paused(self, at: datetime) -> bool:
        return self.paused and (self.until is None or self.until > at)


class Rules:
    """The rules of one month."""

    def __init__(self, month: Month) -> None:
        self._rounds = month.rounds
        self._readers = month.readers
        self._returns = {back for _, back in month.outages}
        self.begin = month.begin
        self.slots: dict[date, str] = {}
        """What becomes of the slot of each date."""
        self.digests: dict[date, str] = {}
        """And of its digest."""
        self.sends = self._all_sends(month)

    # the machine

    def round_from(self, at: datetime) -> datetime | None:
        """The first round that is made at a moment or after it."""
        place = bisect_left(self._rounds, at)
        return self._rounds[place] if place < len(self._rounds) else None

    # issues

    def _all_sends(self, month: Month) -> list[Send]:
        issues = {day.on: day for day in month.days}
        found: list[Send] = []
        kept: list[date] = []
        first, last = self._rounds[0], self._rounds[-1]
        on = first.astimezone(ZONE).date()
        while (slot := local(on, SLOT.hour)) <= last:
            if slot >= first:
                found += self._daily(issues.get(on), on, slot)
                found += self._digest(on, slot, found, kept)
            on += timedelta(days=1)
        # of two that are planned in one round, the issue before the digest
        return sorted(found, key=lambda send: (send.planned, send.days is not None, send.opened))

    def _daily(self, day: Day | None, on: date, slot: datetime) -> Iterator[Send]:
        """What becomes of a date: at its slot, at a time of its own, by hand."""
        begun, self.slots[on] = self._at_slot(day, on, slot)
        if day and begun:
            yield self._issue(day, slot if begun - slot <= SAME_DATE else begun, begun)
        if day and day.own_time and (at := self.round_from(day.own_time)) and at - day.own_time <= LIMIT:
            yield self._issue(day, day.own_time if at - day.own_time <= SAME_DATE else at, at)
        if day and day.by_hand:
            yield self._issue(day, day.by_hand, day.by_hand)

    def _at_slot(self, day: Day | None, on: date, slot: datetime) -> tuple[datetime | None, str]:
        """When the issue of a date begins by the slot, if it does, and what the slot is then."""
        if on in DAYS_OFF:
            return None, "cancelled"
        look = self.round_from(slot)
        if look is None or look > slot + LIMIT:
            return None, "missed"
        if day and day.own_time:
            return None, "started" if day.own_time < slot else "nothing"
        approved = day.approved if day else None
        begin = self.round_from(max(slot, approved)) if approved else None
        if begin and begin <= slot + LIMIT:
            return begin, "started"
        return None, "missed" if approved and approved <= slot + LIMIT else "nothing"

    def _issue(self, day: Day, release: datetime, opened: datetime) -> Send:
        return Send(str(day.on), day.on, day.news, release, opened, self.round_from(opened) or opened)

    def _digest(self, on: date, slot: datetime, before: list[Send], kept: list[date]) -> Iterator[Send]:
        """The digest of a date: for those whose day was since the last one, of what went out in their week."""
        if on in DAYS_OFF:
            return
        begin = self.round_from(slot)
        if begin is None or begin > slot + LIMIT:
            self.digests[on] = "missed"
            return
        days = [on]
        while kept and len(days) < 7 and days[0] - timedelta(days=1) > kept[-1]:
            days.insert(0, days[0] - timedelta(days=1))
        kept.append(on)
        since = local(on - timedelta(days=6 + len(days)), SLOT.hour) - OVERLAP
        issues = [send for send in before if send.days is None and since <= send.opened <= begin]
        weekdays = {day.weekday() for day in days}
        readers = frozenset(weekdays | {None} if WEEKLY_DAY in weekdays else weekdays)
        if not issues or not any(_reads_weekly(reader, readers, begin) for reader in self._readers):
            self.digests[on] = "nothing"
            return
        self.digests[on] = "started"
        news = {one.tells: one for send in sorted(issues, key=lambda send: send.on) for one in send.news}
        release = slot if begin - slot <= SAME_DATE else begin
        yield Send(f"digest-{on}", on, tuple(news.values()), release, begin, begin, readers)

    # readers

    def rows_of(self, reader: Reader) -> list[Row]:
        """What there is for one reader of all that was sent: a row for each send that they were a candidate of."""
        person = _Person(reader.preferences, there=reader.joins is None, paused=reader.is_paused)
        joined = reader.joins or self._rounds[0]
        steps: list[tuple[datetime, Change | Send]] = [(change.at, change) for change in reader.changes]
        steps += [(send.planned, send) for send in self.sends if send.opened > joined]
        for at, step in sorted(steps, key=lambda pair: pair[0]):
            self._hand_over(person, at)
            if isinstance(step, Change):
                self._change(person, step)
            else:
                self._plan(person, step)
        self._hand_over(person, None)
        return person.rows

    def _hand_over(self, person: _Person, before: datetime | None) -> None:
        """Hand over what is due in the rounds before a moment; None for all there are."""
        for row in person.rows:
            if not row.waits:
                continue
            at = self.round_from(max(row.due, row.send.planned))
            if at is None or (before and at >= before):
                continue
            if at - row.due > TOO_OLD:
                row.reason = "too late"
            elif person.suppressed:
                row.reason = "suppressed"
            elif not person.there:
                row.reason = "unsubscribed"
            elif person.is_paused(at):
                row.reason = "paused"
            else:
                row.handed = at
                row.is_after_outage = at in self._returns and max(row.due, row.send.planned) < at

    def _plan(self, person: _Person, send: Send) -> None:
        if not person.there or not _is_for(send, person.preferences):
            return
        had = {story for row in person.rows if not row.reason for story in row.stories}
        wanted = _wanted(send, person.preferences)
        stories = frozenset(one.tells for one in wanted if one.tells not in had)
        due, how = own_hour(send.release, person.preferences.zone, person.preferences.hour)
        row = Row(send, stories, due, person.preferences.zone, person.preferences.hour, how=how)
        if person.suppressed:
            row.reason = "suppressed"
        elif person.is_paused(due):
            row.reason = "paused"
        elif not stories:
            row.reason = _why_nothing(send, person.preferences, had)
        if row.reason:
            row.stories = frozenset()
        person.rows.append(row)

    def _change(self, person: _Person, change: Change) -> None:
        if change.kind is Kind.JOIN:
            person.there = True
        elif change.kind is Kind.LEAVE:
            person.there = False
        elif change.kind is Kind.RETURN:
            person.there = True
        elif change.kind is Kind.SUPPRESS:
            person.suppressed = True
        elif change.kind is Kind.PAUSE:
            person.paused, person.until = True, local(change.until, 0) if change.until else None
        elif change.kind is Kind.RESUME:
            person.paused, person.until = False, None
        if change.preferences and change.preferences != person.preferences:
            person.preferences = change.preferences
            _follow(person, change.at)


def _reads_weekly(reader: Reader, days: frozenset[int | None], at: datetime) -> bool:
    """Whether a reader who has not left by then wants a digest of these days."""
    there, preferences = reader.joins is None, reader.preferences
    for change in (change for change in reader.changes if change.at < at):
        there = change.kind is not Kind.LEAVE and (there or change.kind in (Kind.JOIN, Kind.RETURN))
        preferences = change.preferences or preferences
    return there and _is_on(days, preferences)


def _follow(person: _Person, at: datetime) -> None:
    """What waits moves to the reader's new hour; who wants nothing daily any more does not get an issue that waits."""
    often = {_often(person.preferences, topic) for topic in person.preferences.topics}
    for row in person.rows:
        if not row.waits or row.due <= at:
            continue
        if row.send.days is None and often == {Frequency.WEEKLY}:
            row.reason = "weekly"
            continue
        due, how = own_hour(row.send.release, person.preferences.zone, person.preferences.hour)
        row.due, row.how = (due, how) if due >= at else (at, "moved")
        row.zone, row.hour = person.preferences.zone, person.preferences.hour


def _often(preferences: Preferences, topic: str) -> Frequency:
    return dict(preferences.frequencies).get(topic, preferences.frequency)


def _is_for(send: Send, preferences: Preferences) -> bool:
    """Whether a reader is a candidate: of an issue everybody is, of a digest who wants something on such a day."""
    return send.days is None or _is_on(send.days, preferences)


def _is_on(days: frozenset[int | None], preferences: Preferences) -> bool:
    often = {preferences.frequency, *(frequency for _, frequency in preferences.frequencies)}
    return Frequency.WEEKLY in often and preferences.day in days


def _wanted(send: Send, preferences: Preferences) -> list[News]:
    """The stories that a reader wants of a send."""
    found = []
    for one in send.news:
        if one.topic not in preferences.topics:
            continue
        often = _often(preferences, one.topic)
        if send.days is not None:
            wanted = often is Frequency.WEEKLY
        else:
            wanted = often is Frequency.DAILY or (often is Frequency.IMPORTANT and "重要" in one.marks)
        if wanted:
            found.append(one)
    return found


def _why_nothing(send: Send, preferences: Preferences, had: set[str]) -> str:
    wanted = _wanted(send, preferences)
    if wanted:
        return "already had"
    often = {_often(preferences, topic) for topic in preferences.topics}
    if send.days is None and often == {Frequency.WEEKLY}:
        return "weekly"
    sparing = [topic for topic in preferences.topics if _often(preferences, topic) is Frequency.IMPORTANT]
    left = [one for one in send.news if one.topic in sparing and one.tells not in had]
    return "nothing important" if left and send.days is None else "no match"


@lru_cache(None)
def own_hour(release: datetime, zone: str | None, hour: int | None) -> tuple[datetime, str]:
    """When a reader's hour comes for a release, and how: one quarter of an hour after the other is looked at.

    `slot` without an hour of their own, `in hour` where the release falls into it, `own` when it begins, `jumped` when
    the clock has jumped over it, `day` a day after the release at the latest.
    """
    if zone is None or hour is None:
        return release, "slot"
    place = ZoneInfo(zone)
    if release.astimezone(place).hour == hour:
        return release, "in hour"
    before = release - timedelta(microseconds=1)  # the clock may have jumped at the release itself
    quarter = before.replace(minute=before.minute // 15 * 15, second=0, microsecond=0)
    while (after := quarter + QUARTER) <= release + timedelta(days=1):
        before_hour, after_hour = quarter.astimezone(place).hour, after.astimezone(place).hour
        if after_hour == hour != before_hour:
            return after, "own"
        if (after_hour - before_hour) % 24 == 2 and hour == (before_hour + 1) % 24:
            return after, "jumped"
        quarter = after
    return release + timedelta(days=1), "day"
