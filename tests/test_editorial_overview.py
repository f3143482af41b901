"""The overview: it tells what comes, what went, and what needs a person, and is silent where all is well."""

from datetime import timedelta

import pytest
from desk_samples import add_staff, at_desk
from sending import ISSUE, SLUG, Clock, take_in_issue
from sqlmodel import select
from web_samples import add_reader

from newsletter.app import Newsletter
from newsletter.delivery.control import pause
from newsletter.delivery.models import Appointment, Delivery
from newsletter.delivery.outcome import State
from newsletter.editorial.appointments import appoint, keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin, plan_mailing
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.overview import Next, Overview, overview
from newsletter.editorial.timetable import AppointmentState, slot_of

pytestmark = pytest.mark.both_databases


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on: the morning of the sample issue's day."""
    clock = newsletter.clock = Clock()
    return clock


@pytest.fixture
def begun(newsletter: Newsletter, clock: Clock) -> int:
    """The mailing of the sample issue, planned for two readers."""
    add_reader(newsletter, "an@example.org", "policy")
    add_reader(newsletter, "bo@example.org", "models", "policy")
    take_in_issue(newsletter)
    approve(newsletter, SLUG)
    mailing = begin(newsletter, SLUG)
    list(plan_mailing(newsletter, mailing))
    return mailing


def kinds(seen: Overview) -> set[str]:
    return {problem.kind for problem in seen.problems}


def test_an_empty_newsletter_has_nothing_to_tell(newsletter: Newsletter, clock: Clock) -> None:
    seen = overview(newsletter)
    assert (seen.coming, seen.sent, seen.next) == ((), (), None)
    assert sum(seen.readers.values()) == 0
    assert kinds(seen) <= {"unfit"}


def test_todays_issue_comes_next_and_goes_out_with_the_slot_of_its_day(newsletter: Newsletter, clock: Clock) -> None:
    take_in_issue(newsletter)
    with newsletter.session() as session:
        newsletter.choose_settings(session, {"slot": "09:00"})
    (coming,) = overview(newsletter).coming
    assert coming.saved.slug == SLUG
    assert coming.at == clock.now + timedelta(hours=1)
    clock.move(hours=2)
    assert overview(newsletter).coming[0].at is None


@pytest.mark.parametrize("first", ["draft", "edited", "approved", "timed", "begun"])
def test_of_two_issues_of_a_day_only_one_is_said_to_go_out_with_its_slot(
    newsletter: Newsletter, clock: Clock, first: str
) -> None:
    add_reader(newsletter, "an@example.org", "policy")
    newsletter.settings.slot = "09:00"
    for data in (ISSUE.encode(), ISSUE.replace("# ", "# 另一份", 1).encode()):
        second, _ = take_in(newsletter, read(newsletter, data), data, draft=True)
    if first != "draft":
        approve(newsletter, SLUG)
    if first == "edited":
        data = ISSUE.replace("细则写明", "细则现已写明").encode()
        take_in(newsletter, read(newsletter, data), data, draft=True)
    if first == "timed":
        appoint(newsletter, SLUG, clock.now + timedelta(hours=3))
    if first == "begun":
        begin(newsletter, SLUG)
    with newsletter.reading() as session:
        slot = slot_of(newsletter, session, newsletter.issues(session).find(second.slug))
    assert slot == (clock.now + timedelta(hours=1) if first in ("draft", "edited") else None)


def appoint_by_hand(newsletter: Newsletter, clock: Clock, hours: float, date: str = "2026-03-09") -> None:
    """The sample issue under a date, approved, with a time of its own."""
    take_in_issue(newsletter, ISSUE.replace("2026-03-09", date))
    appoint(newsletter, date, clock.now + timedelta(hours=hours))


def test_an_issue_of_an_earlier_day_that_waits_for_its_time_comes_too(newsletter: Newsletter, clock: Clock) -> None:
    appoint_by_hand(newsletter, clock, 3, "2026-03-02")
    take_in_issue(newsletter)
    seen = overview(newsletter)
    assert [one.saved.slug for one in seen.coming] == ["2026-03-02", SLUG]
    assert seen.coming[0].at == clock.now + timedelta(hours=3)


@pytest.mark.parametrize(("slot", "slug", "hours"), [("", SLUG, 3), ("10:00", "", 2), ("12:00", SLUG, 3)])
def test_the_next_moment_is_the_earliest_of_the_slot_and_the_times_of_issues(
    newsletter: Newsletter, clock: Clock, slot: str, slug: str, hours: int
) -> None:
    appoint_by_hand(newsletter, clock, 3)
    newsletter.settings.slot = slot
    assert overview(newsletter).next == Next(clock.now + timedelta(hours=hours), slug)


def test_days_off_that_the_slot_passes_over_before_its_next_moment_are_told(
    newsletter: Newsletter, clock: Clock
) -> None:
    newsletter.settings.slot = "mon-fri 09:00"
    assert overview(newsletter).off is None
    newsletter.settings.days_off = ("2026-03-09..2026-03-14",)
    seen = overview(newsletter)
    assert seen.off == (clock.now.date(), clock.now.date() + timedelta(days=4))
    assert seen.next == Next(clock.now + timedelta(days=7, hours=1))
    pages = [at_desk(newsletter).get(f"/desk?language={language}").text for language in ("zh", "en")]
    assert ("休刊：03-09 至 03-13" in pages[0], "Days off: 03-09 to 03-13" in pages[1]) == (True, True)


def test_a_year_of_days_off_has_no_next_moment_and_says_why(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot, newsletter.settings.days_off = "09:00", ("2020-01-01..2040-01-01",)
    assert overview(newsletter).next is None
    assert "一年之内都是休刊日" in at_desk(newsletter).get("/desk").text


def test_a_slot_that_waits_for_an_approval_needs_a_person_until_something_is_begun(
    newsletter: Newsletter, clock: Clock
) -> None:
    add_reader(newsletter, "an@example.org", "policy")
    data = ISSUE.encode()
    take_in(newsletter, read(newsletter, data), data)
    newsletter.settings.slot = "08:00"
    keep_appointments(newsletter)
    seen = overview(newsletter)
    assert ("slot-waits", clock.now + timedelta(hours=2)) in {(one.kind, one.at) for one in seen.problems}
    assert seen.coming[0].until == clock.now + timedelta(hours=2)
    assert "一批准就发，至 10:00" in at_desk(newsletter).get("/desk").text
    approve(newsletter, SLUG)
    keep_appointments(newsletter)
    assert "slot-waits" not in kinds(overview(newsletter))


def test_a_slot_that_was_skipped_is_told_for_a_day_unless_its_issue_was_sent_by_hand(
    newsletter: Newsletter, clock: Clock
) -> None:
    add_reader(newsletter, "an@example.org", "policy")
    take_in_issue(newsletter, ISSUE.replace("2026-03-09", "2026-03-08"))
    newsletter.settings.slot = "08:00"
    keep_appointments(newsletter)
    clock.move(hours=3)
    keep_appointments(newsletter)
    assert "slot-skipped" in kinds(overview(newsletter))
    clock.move(hours=22)
    assert "slot-skipped" not in kinds(overview(newsletter))
    clock.move(hours=-22)
    take_in_issue(newsletter)
    begin(newsletter, SLUG)
    assert "slot-skipped" not in kinds(overview(newsletter))


def test_a_time_without_an_approval_that_holds_needs_a_person_until_it_is_approved_again(
    newsletter: Newsletter, clock: Clock
) -> None:
    appoint_by_hand(newsletter, clock, 3)
    assert "lapsing" not in kinds(overview(newsletter))
    changed = ISSUE.replace("细则写明", "细则没有写明").encode()
    take_in(newsletter, read(newsletter, changed), changed)
    (problem,) = [one for one in overview(newsletter).problems if one.kind == "lapsing"]
    assert (problem.slug, problem.at) == (SLUG, clock.now + timedelta(hours=3))
    assert "在那之前重新批准" in at_desk(newsletter).get("/desk").text
    approve(newsletter, SLUG)
    assert "lapsing" not in kinds(overview(newsletter))


def test_a_time_whose_approval_is_void_by_another_setting_needs_a_person_too(
    newsletter: Newsletter, clock: Clock
) -> None:
    appoint_by_hand(newsletter, clock, 3)
    newsletter.settings.postal_address = "示例市海港路 1 号"
    assert "lapsing" in kinds(overview(newsletter))


def test_what_was_begun_is_no_longer_coming_but_sent(newsletter: Newsletter, begun: int) -> None:
    seen = overview(newsletter)
    assert seen.coming == ()
    assert [(one.slug, one.state, one.counts.queued) for one in seen.sent] == [(SLUG, "sending", 2)]


def test_mail_that_waits_while_nobody_sends_is_a_problem(newsletter: Newsletter, begun: int) -> None:
    (problem,) = [one for one in overview(newsletter).problems if one.kind == "nobody-sends"]
    assert problem.number == 2


def test_a_paused_mailing_is_a_problem_with_its_reason(newsletter: Newsletter, begun: int) -> None:
    with newsletter.session() as session:
        pause(session, begun, "the server refuses all")
    assert ("paused", SLUG, "the server refuses all") in {
        (one.kind, one.slug, one.detail) for one in overview(newsletter).problems
    }


def test_messages_of_unknown_fate_are_a_problem(newsletter: Newsletter, begun: int) -> None:
    with newsletter.session() as session:
        for row in session.exec(select(Delivery)):
            row.state = State.UNKNOWN
    assert ("unknown", 2) in {(one.kind, one.number) for one in overview(newsletter).problems}


def test_an_appointment_that_was_missed_is_told_for_three_days(newsletter: Newsletter, clock: Clock) -> None:
    with newsletter.session() as session:
        at = clock.now - timedelta(hours=1)
        session.add(Appointment(key="x", at=at, state=AppointmentState.MISSED, note="too late", made_at=at))
    assert "slot-missed" in kinds(overview(newsletter))
    clock.move(days=3)
    assert "slot-missed" not in kinds(overview(newsletter))


def test_todays_issue_with_an_error_is_a_problem_and_tomorrows_is_not_yet(newsletter: Newsletter, clock: Clock) -> None:
    text = "# 示例 (2026-03-10)\n\n**没有这个主题**\n\n- **一条**\n  说明：文字。\n".encode()
    take_in(newsletter, read(newsletter, text), text, draft=True)
    assert "errors" not in kinds(overview(newsletter))
    clock.move(days=1)
    assert "errors" in kinds(overview(newsletter))


def test_readers_are_counted_by_topic(newsletter: Newsletter, begun: int) -> None:
    by_topic = dict(overview(newsletter).by_topic)
    assert (by_topic["models"], by_topic["policy"], by_topic["funding"]) == (1, 2, 0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_tells_it_in_either_language(newsletter: Newsletter, begun: int, language: str) -> None:
    add_staff(newsletter)
    page = at_desk(newsletter).get(f"/desk?language={language}")
    assert page.status_code == 200
    assert SLUG in page.text
    assert "newsletter serve" in page.text
