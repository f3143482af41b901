"""The daily slot: words, days, days off, zones, the hours that summer time leaves out or repeats."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given

from newsletter.delivery.slot import DaysOff, Schedule, Slot, day_of_week

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


def schedule(words: str, zone: ZoneInfo = SHANGHAI, *days_off: str) -> Schedule:
    return Schedule(Slot.parse(words), zone, DaysOff.parse(days_off))


def last(words: str, now: datetime, zone: ZoneInfo = SHANGHAI) -> datetime:
    found = schedule(words, zone).last_before(now)
    assert found
    return found


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
    found = Schedule(Slot(days, hour), zone).last_before(now)
    assert found
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
    words = "mon-fri 02:30"
    assert last(words, now, zone).timestamp() <= last(words, now + later, zone).timestamp()


@given(ZONES, st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), st.integers(0, 23))
def test_the_next_moment_is_the_first_that_has_not_come(zone: str, now: datetime, hour: int) -> None:
    slot = Schedule(Slot(WEEK, time(hour, 30)), ZoneInfo(zone))
    coming = slot.next_after(now)
    assert coming
    assert coming.timestamp() > now.timestamp()
    before = slot.last_before(coming - timedelta(seconds=1))
    assert before
    assert before.timestamp() <= now.timestamp()
    assert slot.last_before(coming) == coming


# days off

FRIDAY = datetime(2026, 9, 25, 12, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("words", "off", "on"),
    [
        ("2026-10-01", ["2026-10-01"], ["2026-09-30", "2026-10-02", "2027-10-01"]),
        ("2026-10-01..2026-10-07", ["2026-10-01", "2026-10-04", "2026-10-07"], ["2026-09-30", "2026-10-08"]),
        ("2026-10-01 .. 2026-10-07", ["2026-10-07"], ["2026-10-08"]),
        ("12-25", ["2026-12-25", "2031-12-25"], ["2026-12-24"]),
        ("02-29", ["2028-02-29"], ["2027-02-28", "2027-03-01"]),
    ],
)
def test_days_off_are_read_from_words(words: str, off: list[str], on: list[str]) -> None:
    days = DaysOff.parse([words])
    assert all(date.fromisoformat(day) in days for day in off)
    assert not any(date.fromisoformat(day) in days for day in on)


@pytest.mark.parametrize(
    "words",
    ["", "soon", "2026-10-1", "2026-02-29", "2026-13-01", "02-30", "13-01", "2026-10-07..2026-10-01", "10-01..10-07",
     "2026-10-01..", "..2026-10-01", "20261001", "2026-10-01..2026-10-02..2026-10-03"],
)  # fmt: skip
def test_what_is_no_day_off_is_refused_with_words(words: str) -> None:
    with pytest.raises(ValueError, match=r"should be days|no year has|not in the calendar|ends before"):
        DaysOff.parse([words])


def test_a_day_off_has_no_moment_and_the_days_about_it_have() -> None:
    found = schedule("mon-fri 08:00", SHANGHAI, "2026-09-28..2026-09-29")
    assert found.next_after(FRIDAY) == datetime(2026, 9, 30, 8, tzinfo=SHANGHAI)
    assert found.last_before(datetime(2026, 9, 29, 12, tzinfo=SHANGHAI)) == datetime(2026, 9, 25, 8, tzinfo=SHANGHAI)
    assert (found.on(date(2026, 9, 28)), found.is_off(date(2026, 9, 28))) == (None, True)
    assert found.on(date(2026, 9, 30)) == datetime(2026, 9, 30, 8, tzinfo=SHANGHAI)


def test_a_day_of_the_week_that_is_none_of_the_slots_has_no_moment_but_its_hour() -> None:
    saturday = date(2026, 9, 26)
    found = schedule("mon-fri 08:00")
    assert (found.on(saturday), found.is_off(saturday)) == (None, False)
    assert found.hour_on(saturday) == datetime(2026, 9, 26, 8, tzinfo=SHANGHAI)


def test_where_every_day_is_off_there_is_no_moment_and_the_search_ends() -> None:
    found = schedule("08:00", SHANGHAI, "2020-01-01..2040-01-01")
    assert (found.next_after(FRIDAY), found.last_before(FRIDAY)) == (None, None)


def test_the_first_moment_after_most_of_a_year_off_is_found() -> None:
    found = schedule("fri 08:00", SHANGHAI, "2026-09-26..2027-09-16")
    assert found.next_after(FRIDAY) == datetime(2027, 9, 17, 8, tzinfo=SHANGHAI)


def test_days_off_to_come_are_told_as_spans_that_do_not_overlap() -> None:
    days = DaysOff.parse(["12-31", "01-01", "2026-10-01..2026-10-03", "2026-10-03..2026-10-05", "2026-09-01"])
    assert [(str(first), str(last)) for first, last in days.coming(FRIDAY.date())] == [
        ("2026-10-01", "2026-10-05"),
        ("2026-12-31", "2027-01-01"),
    ]


def test_a_day_of_the_week_is_told_by_its_word() -> None:
    assert [day_of_week(word) for word in ("mon", "fri", "sun")] == [0, 4, 6]
    with pytest.raises(ValueError, match="should be one of mon, tue"):
        day_of_week("friday")
