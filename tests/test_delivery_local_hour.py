"""When a reader's own hour comes after a release."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.delivery.local_hour import LATEST, due_for

ZONES = st.sampled_from(sorted(available_timezones()))
RELEASES = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
HOURS = st.integers(0, 23)
BERLIN = "Europe/Berlin"


def local(text: str, zone: str, fold: int = 0) -> datetime:
    """A moment as the clocks of a zone show it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@given(RELEASES, ZONES, HOURS)
def test_nobody_is_due_before_the_release_or_more_than_a_day_after_it(release: datetime, zone: str, hour: int) -> None:
    assert release <= due_for(release, zone, hour) <= release + LATEST


@given(RELEASES, ZONES, HOURS)
@example(local("2026-03-28T12:00", BERLIN), BERLIN, 2)
def test_somebody_is_due_in_their_own_hour_unless_that_day_has_none(release: datetime, zone: str, hour: int) -> None:
    place = ZoneInfo(zone)
    due = due_for(release, zone, hour).astimezone(place)
    wall = due.replace(hour=hour, minute=0, second=0)
    exists = wall.astimezone(UTC).astimezone(place).hour == hour
    assert due.hour == hour or not exists or due.astimezone(UTC) == (release + LATEST).astimezone(UTC)


@given(RELEASES, ZONES, HOURS, st.integers(0, 23 * 60))
def test_a_later_release_is_never_due_earlier(release: datetime, zone: str, hour: int, minutes: int) -> None:
    later = release + timedelta(minutes=minutes)
    assert due_for(release, zone, hour) <= due_for(later, zone, hour)


@given(RELEASES)
def test_who_chose_no_hour_is_due_at_the_release(release: datetime) -> None:
    assert due_for(release, None, None) == due_for(release, BERLIN, None) == release


def test_a_release_within_the_hour_is_not_put_off_to_the_next_day() -> None:
    release = local("2026-05-04T07:40", BERLIN)
    assert due_for(release, BERLIN, 7) == release


@pytest.mark.parametrize(
    ("release", "hour", "due"),
    [
        (local("2026-03-28T12:00", BERLIN), 2, local("2026-03-29T03:00", BERLIN)),  # two o'clock is left out
        (local("2026-03-29T03:00", BERLIN), 2, local("2026-03-29T03:00", BERLIN)),  # and the release comes just then
        (local("2026-10-24T12:00", BERLIN), 2, local("2026-10-25T02:00", BERLIN)),  # and comes twice
        (local("2026-10-25T02:30", BERLIN, fold=1), 2, local("2026-10-25T02:30", BERLIN, fold=1)),
        (local("2026-10-25T03:00", BERLIN), 2, local("2026-10-26T02:00", BERLIN)),
        (local("2026-10-24T08:30", BERLIN), 7, local("2026-10-25T07:00", BERLIN)),  # a night of 25 hours
        (local("2026-10-24T09:00", BERLIN), 8, local("2026-10-25T08:00", BERLIN)),  # exactly a day
    ],
)
def test_nights_in_which_the_clock_is_changed(release: datetime, hour: int, due: datetime) -> None:
    assert due_for(release, BERLIN, hour) == due


def test_the_other_side_of_the_world_reads_it_the_next_morning() -> None:
    release = local("2026-03-09T08:00", "Asia/Shanghai")
    assert due_for(release, "America/New_York", 7) == local("2026-03-09T07:00", "America/New_York")
    assert due_for(release, "Pacific/Auckland", 7) == local("2026-03-10T07:00", "Pacific/Auckland")


def test_a_zone_that_is_known_no_more_does_not_hold_anybody_up() -> None:
    release = local("2026-03-09T08:00", "Asia/Shanghai")
    assert due_for(release, "Atlantis/Capital", 7) == release
