"""The daily slot: words, days, zones, the hours that summer time leaves out or repeats."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from newsletter.delivery.slot import Slot

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"])
WEEK = frozenset(range(7))


@pytest.mark.parametrize(
    ("words", "days", "hour"),
    [
        ("08:00", WEEK, time(8)),
        ("7:30", WEEK, time(7, 30)),
        ("mon-fri 08:00", {0, 1, 2, 3, 4}, time(8)),
        ("mon,wed,fri 23:59", {0, 2, 4}, time(23, 59)),
        ("sat-mon 00:00", {5, 6, 0}, time(0)),
        ("Sun  08:00 ", {6}, time(8)),
        ("mon-tue,sat 8:05", {0, 1, 5}, time(8, 5)),
        ("wed-tue 08:00", WEEK, time(8)),
    ],
)
def test_a_slot_is_read_from_words(words: str, days: set[int], hour: time) -> None:
    assert Slot.parse(words) == Slot(frozenset(days), hour)


@pytest.mark.parametrize(
    "words", ["", "8", "24:00", "08:60", "monday 08:00", "mon fri 08:00", "mon- 08:00", "mon--fri 08:00", "08:00 mon"]
)
def test_anything_else_is_refused_with_an_example(words: str) -> None:
    with pytest.raises(ValueError, match=r"mon-fri 08:00|knows the days"):
        Slot.parse(words)


def last(words: str, now: datetime, zone: ZoneInfo = SHANGHAI) -> datetime:
    return Slot.parse(words).last_before(now, zone)


def test_the_moment_itself_has_come_and_the_second_before_it_has_not() -> None:
    eight = datetime(2026, 3, 9, 8, tzinfo=SHANGHAI)
    assert last("08:00", eight) == eight
    assert last("08:00", eight - timedelta(seconds=1)) == eight - timedelta(days=1)


def test_over_the_weekend_it_is_still_fridays() -> None:
    assert last("mon-fri 08:00", datetime(2026, 3, 8, 23, tzinfo=SHANGHAI)) == datetime(2026, 3, 6, 8, tzinfo=SHANGHAI)


def test_the_day_is_that_of_the_newsletters_zone() -> None:
    monday_in_shanghai = datetime(2026, 3, 8, 16, 30, tzinfo=UTC)
    assert last("mon 00:15", monday_in_shanghai) == datetime(2026, 3, 9, 0, 15, tzinfo=SHANGHAI)


def test_an_hour_that_summer_time_leaves_out_comes_when_the_clock_has_jumped_over_it() -> None:
    jumped = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 in summer time, where 02:30 would have been
    assert last("02:30", jumped, BERLIN).timestamp() == jumped.timestamp()
    before = datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert last("02:30", before, BERLIN).date() == datetime(2026, 3, 28).date()


def test_an_hour_that_comes_twice_counts_the_first_time() -> None:
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert last("02:30", first, BERLIN).timestamp() == first.timestamp()
    assert last("02:30", second, BERLIN).timestamp() == first.timestamp()


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    hour=st.times().map(lambda one: one.replace(second=0, microsecond=0)),
    zone=ZONES.map(ZoneInfo),
)
def test_the_last_moment_is_one_of_the_slot_not_after_now_and_none_lies_between(
    now: datetime, days: frozenset[int], hour: time, zone: ZoneInfo
) -> None:
    slot = Slot(days, hour)
    found = slot.last_before(now, zone)
    assert found.timestamp() <= now.timestamp()
    assert (found.weekday() in days, found.timetz().replace(tzinfo=None, fold=0)) == (True, hour)
    between = (found.date() + timedelta(days=ahead) for ahead in range(1, 9))
    later = (datetime.combine(day, hour, zone) for day in between if day.weekday() in days)
    assert all(moment.timestamp() > now.timestamp() for moment in later)


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    later=st.timedeltas(timedelta(0), timedelta(days=9)),
    zone=ZONES.map(ZoneInfo),
)
def test_as_time_goes_on_the_last_moment_never_goes_back(now: datetime, later: timedelta, zone: ZoneInfo) -> None:
    slot = Slot.parse("mon-fri 02:30")
    assert slot.last_before(now, zone).timestamp() <= slot.last_before(now + later, zone).timestamp()


@given(ZONES, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), st.integers(0, 23))
def test_the_next_moment_is_the_first_that_has_not_come(zone: str, now: datetime, hour: int) -> None:
    slot = Slot(WEEK, time(hour, 30))
    coming = slot.next_after(now, ZoneInfo(zone))
    assert coming.timestamp() > now.timestamp()
    assert slot.last_before(coming - timedelta(seconds=1), ZoneInfo(zone)).timestamp() <= now.timestamp()
    assert slot.last_before(coming, ZoneInfo(zone)) == coming
