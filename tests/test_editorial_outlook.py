"""What the schedule brings next: the moments with their issues, days off, the moment that waits, the readers' hours."""

from datetime import date, datetime, timedelta

import pytest
from moments import at, change
from sending import ISSUE, SLUG, Clock, add_readers, take_in_issue

from newsletter.app import Newsletter
from newsletter.editorial.appointments import appoint, keep_appointments
from newsletter.editorial.dispatch import begin
from newsletter.editorial.outlook import Moment, outlook
from subscribers.preferences import Preferences

pytestmark = pytest.mark.both_databases


@pytest.fixture
def early(newsletter: Newsletter) -> Newsletter:
    """It is seven in the morning of the sample issue's day, a Monday, with a slot at eight."""
    newsletter.clock = Clock()
    newsletter.clock.move(hours=-1)
    newsletter.settings.slot = "mon-fri 08:00"
    add_readers(newsletter, 2)
    return newsletter


def days(newsletter: Newsletter) -> list[tuple[str, str]]:
    return [(f"{moment.at:%m-%d}", moment.state) for moment in outlook(newsletter).moments]


def test_the_next_three_moments_stand_with_their_issues(early: Newsletter) -> None:
    take_in_issue(early)
    tomorrow = ISSUE.replace("2026-03-09", "2026-03-10")
    take_in_issue(early, tomorrow)
    change(early, tomorrow)
    assert outlook(early).moments == (
        Moment(at(8), "approved", SLUG, "示例日报"),
        Moment(at(8, 10), "draft", "2026-03-10", "示例日报"),
        Moment(at(8, 11), "none"),
    )


def test_days_off_and_weekends_are_passed_over(early: Newsletter) -> None:
    early.settings.days_off = ("2026-03-10..2026-03-12",)
    assert days(early) == [("03-09", "none"), ("03-13", "none"), ("03-16", "none")]
    assert outlook(early).days_off == ((date(2026, 3, 10), date(2026, 3, 12)),)


def test_without_a_slot_or_with_every_day_off_there_is_no_moment(early: Newsletter) -> None:
    early.settings.days_off = ("2020-01-01..2040-01-01",)
    assert days(early) == []
    early.settings.slot = ""
    assert (days(early), outlook(early).days_off) == ([], ())


def test_an_issue_that_was_sent_or_has_a_time_of_its_own_says_so(early: Newsletter) -> None:
    take_in_issue(early)
    appoint(early, SLUG, at(9))
    assert days(early)[0] == ("03-09", "own time")
    begin(early, SLUG)
    assert days(early)[0] == ("03-09", "sent")


def test_the_moment_that_waits_is_told_until_its_limit(early: Newsletter) -> None:
    take_in_issue(early)
    change(early)
    assert isinstance(early.clock, Clock)
    early.clock.move(hours=1)
    for _ in range(2):  # before anybody who sends has looked at it, and after
        seen = outlook(early)
        assert (seen.waiting, seen.until) == (Moment(at(8), "draft", SLUG, "示例日报"), at(10))
        keep_appointments(early)
    early.clock.move(minutes=121)
    assert outlook(early).waiting is None


def test_a_moment_whose_issue_went_out_waits_for_nothing(early: Newsletter) -> None:
    take_in_issue(early)
    assert isinstance(early.clock, Clock)
    early.clock.move(hours=1)
    keep_appointments(early)
    assert outlook(early).waiting is None


def test_readers_are_counted_at_the_slot_and_at_hours_of_their_own(early: Newsletter) -> None:
    with early.session() as session:
        people = early.people(session)
        people.add("far@example.org", Preferences(topics=("policy",), zone="America/New_York", hour=7))
        people.add("near@example.org", Preferences(topics=("policy",), zone="Europe/Berlin"))
        gone = people.add("gone@example.org", Preferences(topics=("policy",), zone="Europe/Berlin", hour=7))
        people.unsubscribe(gone, "page")
    seen = outlook(early)
    assert (seen.at_slot, seen.at_own_hour) == (3, 1)


def test_the_moments_are_in_the_newsletters_zone(early: Newsletter) -> None:
    (first, *_) = outlook(early).moments
    assert first.at.utcoffset() == timedelta(hours=8)
    assert first.at == datetime.fromisoformat("2026-03-09T08:00+08:00")
