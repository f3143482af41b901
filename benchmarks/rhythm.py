"""What a day of readers' own hours costs beside sending to them: planning, and finding what is due in 28,800 rounds."""

import gc
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import case, func, select, update
from sqlmodel import col

from benchmarks.measure import Result, cpu_seconds
from benchmarks.newsroom import Newsroom, open_newsroom
from benchmarks.sending import url_of
from benchmarks.servers import missing, smtp_sink
from newsletter.delivery.claims import Range
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import State
from newsletter.editorial.dispatch import plan_mailing
from newsletter.editorial.outbox import open_outbox
from newsletter.editorial.rounds import Rounds
from subscribers.models import Subscriber

ZONES = (
    "Pacific/Honolulu", "America/Los_Angeles", "America/Denver", "America/Chicago", "America/New_York",
    "America/St_Johns", "America/Santiago", "America/Sao_Paulo", "Atlantic/Azores", "Europe/London", "Africa/Lagos",
    "Europe/Berlin", "Europe/Athens", "Africa/Nairobi", "Asia/Tehran", "Asia/Karachi", "Asia/Kolkata",
    "Asia/Kathmandu", "Asia/Jakarta", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Australia/Lord_Howe",
    "Pacific/Auckland",
)  # fmt: skip
ROUNDS_A_DAY = 28_800
"""One every three seconds."""
SLACK, MOST_SHARE = 1.25, 0.15
MILLION = 1_000_000
_PAIRS, _PAIRS_LONG = 3, 1
_BETWEEN_ROUNDS = timedelta(days=1) / ROUNDS_A_DAY
_IDLE, _SENDS = 300, 3
_SENT_TO = 10_000


@dataclass(frozen=True, slots=True)
class _Day:
    """CPU seconds of a mailing's day: its plan, the rounds about its hours, and each of those between."""

    readers: int
    planning: float
    finding: float
    rounds: int
    idle_each: float

    @property
    def per_reader(self) -> float:
        """Planning and finding, in seconds."""
        return (self.planning + self.finding) / self.readers

    def of(self, readers: int) -> float:
        """All of a day with so many readers, idle rounds included, in seconds."""
        return self.per_reader * readers + ROUNDS_A_DAY * self.idle_each


def rhythm() -> list[Result]:
    """100,000 readers against 10,000, and their share of the CPU of sending."""
    return _both(_SENT_TO, MILLION // 10, _PAIRS)


def rhythm_long() -> list[Result]:
    """A million against 100,000."""
    return _both(MILLION // 10, MILLION, _PAIRS_LONG)


def _both(few: int, many: int, pairs: int) -> list[Result]:
    with _day(few) as small, _day(many) as large:
        runs = [(small(), large()) for _ in range(pairs)]
    ratio = statistics.median(more.per_reader / less.per_reader for less, more in runs)
    less, more = (sorted((run[place] for run in runs), key=lambda day: day.per_reader)[pairs // 2] for place in (0, 1))
    detail = (
        f"{more.per_reader * 1e6:.1f} µs against {less.per_reader * 1e6:.1f} µs of CPU, in {len(ZONES)} zones; the "
        f"former are {more.planning:.1f} s planning and {more.finding:.2f} s in {more.rounds} rounds that looked "
        "at its hours; SQLite"
    )
    name = f"planning and finding what is due, {many:,} readers against {few:,}"
    return [Result(name, ratio, f"at most {SLACK} times per reader", ratio <= SLACK, detail), _share(more)]


def _share(day: _Day) -> Result:
    measured = "" if day.readers == MILLION else f", by the figures of {day.readers:,}"
    name = f"a day of {MILLION:,} readers' hours, beside sending to them{measured}"
    bar = f"at most {MOST_SHARE:.0%} of the CPU"
    if lack := missing():
        return Result(name, None, bar, None, lack)
    sending = _sending_each()
    share = day.of(MILLION) / (sending * MILLION)
    detail = (
        f"planning and finding {day.per_reader * 1e6:.0f} µs a reader, {ROUNDS_A_DAY:,} rounds a day "
        f"{ROUNDS_A_DAY * day.idle_each:.0f} s ({day.idle_each * 1e3:.2f} ms each), sending {sending * 1e6:.0f} µs a "
        "message of some 50 kB"
    )
    return Result(name, share, bar, share <= MOST_SHARE, detail)


@contextmanager
def _day(readers: int) -> Iterator[Callable[[], _Day]]:
    """Something that plans a new issue and lives through its day, as often as it is called."""
    with open_newsroom(readers, smtp_url=url_of(1), slot="00:00", days_off=["2000-01-01..2100-01-01"]) as newsroom:
        _spread(newsroom)
        newsletter = newsroom.newsletter
        real_clock = newsletter.clock
        with open_outbox(newsletter, patient=True) as outbox:
            rounds = Rounds(newsletter, outbox)

            def live() -> _Day:
                newsletter.clock = real_clock
                mailing_id = newsroom.begin_next()
                gc.collect()  # what the last day left is not this one's
                planning = cpu_seconds(lambda: list(plan_mailing(newsletter, mailing_id)))
                finding, made = _live_through(newsroom, rounds, mailing_id)
                newsletter.clock = real_clock
                rounds.make_round()
                return _Day(readers, planning, finding, made, _wait(newsroom, rounds))

            yield live


def _spread(newsroom: Newsroom) -> None:
    """Give three in four readers an hour of their own, over all zones and hours."""
    place = col(Subscriber.id) % len(ZONES)
    zone = case(dict(enumerate(ZONES)), value=place)
    hour = (col(Subscriber.id) / len(ZONES)) % 24
    with newsroom.newsletter.session() as session:
        session.execute(update(Subscriber).where(col(Subscriber.id) % 4 > 0).values(zone=zone, hour=func.floor(hour)))


def _live_through(newsroom: Newsroom, rounds: Rounds, mailing_id: int) -> tuple[float, int]:
    """CPU seconds of the rounds that found something in a mailing's day, and how many those were."""
    finding, made = 0.0, 0
    for wave in _waves(newsroom, mailing_id):
        newsroom.newsletter.clock = partial(_at, max(wave, newsroom.newsletter.clock()) + timedelta(seconds=1))
        while True:
            parts: list[Range] = []
            seconds = cpu_seconds(partial(_look, rounds, parts))
            finding, made = finding + seconds, made + 1
            if not parts:  # the last such round marks the mailing as finished
                break
            _hand_over(newsroom, parts)
    return finding, made


def _wait(newsroom: Newsroom, rounds: Rounds) -> float:
    """CPU seconds of each of the rounds in the last quarter of an hour before the last wave of a mailing's day."""
    mailing_id = newsroom.begin_next()
    list(plan_mailing(newsroom.newsletter, mailing_id))
    *before, last = _waves(newsroom, mailing_id)
    _hand_over(newsroom, [Range(mailing_id, 0, 1 << 60, wave) for wave in before])
    ticks = (last - _BETWEEN_ROUNDS * left for left in range(_IDLE, 0, -1))

    def wait() -> None:
        for tick in ticks:
            newsroom.newsletter.clock = partial(_at, tick)
            if rounds.make_round().parts:
                raise AssertionError(f"something was due at {tick}, before {last}")

    gc.collect()
    seconds = cpu_seconds(wait)
    _hand_over(newsroom, [Range(mailing_id, 0, 1 << 60, last)])
    newsroom.newsletter.clock = partial(_at, last)
    rounds.make_round()  # it is finished, and not by the first round of whoever waits next
    return seconds / _IDLE


def _at(moment: datetime) -> datetime:
    return moment


def _look(rounds: Rounds, found: list[Range]) -> None:
    found.extend(rounds.make_round().parts)


def _waves(newsroom: Newsroom, mailing_id: int) -> list[datetime]:
    """The moments at which something of a mailing is due, in their order."""
    waiting = col(Delivery.mailing_id) == mailing_id, col(Delivery.state) == State.QUEUED
    with newsroom.newsletter.reading() as session:
        return sorted(session.execute(select(col(Delivery.next_at)).where(*waiting).distinct()).scalars())


def _hand_over(newsroom: Newsroom, parts: list[Range]) -> None:
    """Mark what is due of these parts as accepted; what that costs belongs to sending."""
    with newsroom.newsletter.session() as session:
        for part in parts:
            session.execute(
                update(Delivery)
                .where(
                    col(Delivery.mailing_id) == part.mailing_id,
                    col(Delivery.state) == State.QUEUED,
                    col(Delivery.next_at) == part.wave,
                    col(Delivery.id).between(part.first, part.last),
                )
                .values(state=State.ACCEPTED)
            )


def _sending_each() -> float:
    """CPU seconds of the worker for a message, without planning it."""
    with smtp_sink() as port, open_newsroom(_SENT_TO, smtp_url=url_of(port)) as newsroom, newsroom.worker() as worker:
        newsroom.send_next()

        def each() -> float:
            before = worker.cpu_seconds()
            newsroom.send_next()
            return (worker.cpu_seconds() - before) / newsroom.readers

        whole = statistics.median(each() for _ in range(_SENDS))
    with open_newsroom(_SENT_TO, smtp_url=url_of(1)) as newsroom:
        mailing_id = newsroom.begin_next()
        planning = cpu_seconds(lambda: list(plan_mailing(newsroom.newsletter, mailing_id)))
    return whole - planning / _SENT_TO
