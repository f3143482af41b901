"""The weekly digest by itself: for whom, of what, once, and what a missed one comes to."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from mail_servers import aiosmtpd_server
from moments import Mailbox
from pydantic import SecretStr
from sending import Clock, hand_over
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select
from week_samples import WEEKLY, day, got, issue, keep, plan, reader, sent, states, story

from newsletter.app import Newsletter
from newsletter.content.issue import DIGEST, Mark
from newsletter.delivery.models import Mailing
from newsletter.editorial.approval import approve, approved
from newsletter.editorial.digest import build
from newsletter.editorial.dispatch import begin
from newsletter.editorial.outbox import open_outbox
from newsletter.editorial.rounds import Rounds
from newsletter.editorial.sending import cancel
from newsletter.editorial.week import days_of, week_of
from newsletter.editorial.weekly import keep_digests
from newsletter.storage.issues import IssueRefused
from newsletter.storage.models import IssueRow, StoryRow, WitnessRow
from newsletter.storage.witness import Why
from subscribers.preferences import Frequency, Preferences

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)


@pytest.fixture
def mailbox(weekly: Newsletter) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with aiosmtpd_server(mailbox) as server:
        weekly.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


@pytest.fixture
def weekly(newsletter: Newsletter) -> Newsletter:
    """It is Monday, 9 March 2026, at eight in Shanghai; there is a slot on working days."""
    newsletter.clock = Clock()
    newsletter.settings.slot = "mon-fri 08:00"
    newsletter.settings.staff = ()
    return newsletter


# for whom


def test_it_comes_on_the_readers_own_day_and_the_newsletters_for_who_chose_none(weekly: Newsletter) -> None:
    reader(weekly, "wednesday", Preferences(topics=("policy",), frequency=Frequency.WEEKLY, day=WED))
    reader(weekly, "friday", Preferences(topics=("policy",), frequency=Frequency.WEEKLY, day=FRI))
    reader(weekly, "none")
    reader(weekly, "daily", Preferences(topics=("policy",)))
    sent(weekly, 9)
    days = {}
    for number in range(9, 16):
        day(weekly, number)
        keep(weekly)
        if f"{number:02} started" in states(weekly):
            days[number] = sorted(got(weekly, number))
    assert days == {11: ["wednesday"], 13: ["friday", "none"]}


def test_where_nobody_reads_on_a_day_nothing_is_built(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 9)
    keep(weekly)
    assert states(weekly) == ["09 nothing"]
    with weekly.reading() as session:
        assert session.exec(select(IssueRow.slug).where(col(IssueRow.is_digest))).all() == []


def test_where_no_issue_went_out_nothing_is_built(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    day(weekly, 13)
    keep(weekly)
    assert states(weekly) == ["13 nothing"]


def test_without_a_slot_no_digest_goes_out_by_itself(weekly: Newsletter) -> None:
    weekly.settings.slot = ""
    reader(weekly, "friday")
    sent(weekly, 9)
    day(weekly, 13)
    keep(weekly)
    assert states(weekly) == []


def test_it_goes_out_on_a_day_that_is_none_of_the_slots(weekly: Newsletter) -> None:
    reader(weekly, "sunday", Preferences(topics=("policy",), frequency=Frequency.WEEKLY, day=SUN))
    sent(weekly, 13)
    day(weekly, 15)
    keep(weekly)
    assert states(weekly) == ["15 started"]


# of what


def test_it_has_the_stories_of_a_week_and_of_the_same_morning(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 5)
    for number in (9, 12):
        sent(weekly, number)
    day(weekly, 13)
    issue(weekly, 13)
    keep(weekly)
    assert got(weekly, 13) == {"friday": ["三月13日", "三月12日", "三月9日"]}


def test_an_issue_that_began_some_minutes_late_a_week_ago_is_in_it(weekly: Newsletter) -> None:
    sent(weekly, 6)
    day(weekly, 13)
    with weekly.reading() as session:
        assert week_of(weekly, session, date(2026, 3, 13)).since == Clock().now - timedelta(days=3, hours=2)
    assert [one.title for one in build(weekly, date(2026, 3, 13)).saved.issue.stories] == ["三月6日"]


def test_a_cancelled_issue_and_a_digest_are_not_in_it(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 11)
    cancel(weekly, sent(weekly, 12))
    day(weekly, 13)
    keep(weekly)
    assert got(weekly, 13) == {"friday": ["三月11日"]}


def test_the_important_stories_of_a_topic_stand_first_then_the_newest(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 9, story("甲", 1), story("乙", 2, "重要"))
    sent(weekly, 10, story("丙", 3))
    sent(weekly, 11, story("丁", 4), heading="模型与技术进展")
    day(weekly, 13)
    keep(weekly)
    assert got(weekly, 13) == {"friday": ["乙", "丙", "甲", "丁"]}


def test_of_stories_that_tell_the_same_the_newest_is_in_it(weekly: Newsletter) -> None:
    sent(weekly, 9, story("一条旧闻", 1))
    sent(weekly, 10, story("同一件事", 1))
    day(weekly, 13)
    built = build(weekly, date(2026, 3, 13)).saved.issue
    assert [origin.issue for _, origin in built.origins] == ["2026-03-10"]


def test_a_story_that_goes_on_stands_beside_the_one_before(weekly: Newsletter) -> None:
    sent(weekly, 9, story("一条旧闻", 1))
    sent(weekly, 10, story("后来怎样了", 1, "后续"))
    day(weekly, 13)
    built = build(weekly, date(2026, 3, 13)).saved.issue
    assert [one.marks for one in built.stories] == [(Mark.FOLLOW_UP,), ()]


def test_what_a_reader_had_is_left_out(weekly: Newsletter) -> None:
    """Somebody who read daily until Wednesday, and weekly since."""
    reader(weekly, "friday", Preferences(topics=("policy",)))
    sent(weekly, 10)
    with weekly.session() as session:
        people = weekly.people(session)
        person = people.get("friday@example.org")
        assert person is not None
        people.change(person, WEEKLY, source="command")
    sent(weekly, 12)
    day(weekly, 13)
    keep(weekly)
    assert got(weekly, 13) == {"friday": ["三月12日"]}


def test_a_reader_of_one_weekly_topic_gets_that_in_it_and_the_others_in_the_daily_mail(weekly: Newsletter) -> None:
    both = Preferences(topics=("policy", "models"), frequencies=(("models", Frequency.WEEKLY),))
    reader(weekly, "both", both)
    sent(weekly, 11, story("政策", 1))
    sent(weekly, 12, story("模型", 2), heading="模型与技术进展")
    day(weekly, 13)
    keep(weekly)
    assert got(weekly, 13) == {"both": ["模型"]}


# moments


def test_a_missed_digest_merges_into_the_next(weekly: Newsletter) -> None:
    reader(weekly, "thursday", Preferences(topics=("policy",), frequency=Frequency.WEEKLY, day=THU))
    reader(weekly, "friday")
    sent(weekly, 5)
    day(weekly, 11)
    keep(weekly)
    day(weekly, 12, 20)  # nobody was there at eight, and until the limit
    keep(weekly)
    day(weekly, 13)
    keep(weekly)
    assert states(weekly) == ["11 nothing", "12 missed", "13 started"]
    assert got(weekly, 13) == {"thursday": ["三月5日"], "friday": ["三月5日"]}


def test_days_off_are_covered_by_the_day_after_them(weekly: Newsletter) -> None:
    day(weekly, 9)
    keep(weekly)
    weekly.settings.days_off = ("2026-03-10..2026-03-12",)
    for number in (10, 11, 12):
        day(weekly, number)
        keep(weekly)
    assert states(weekly) == ["09 nothing"]
    with weekly.reading() as session:
        assert days_of(weekly, session, date(2026, 3, 13)) == (TUE, WED, THU, FRI, None)


def test_after_long_days_off_it_is_for_everybody_and_tells_of_a_fortnight(weekly: Newsletter) -> None:
    day(weekly, 2)
    keep(weekly)
    with weekly.reading() as session:
        week = week_of(weekly, session, date(2026, 3, 20))
    assert week.days(FRI) == (*range(7), None)
    assert week.since == Clock().now + timedelta(days=20 - 9 - 13, hours=-2)


def test_a_slot_that_is_moved_to_a_later_hour_takes_no_issue_from_the_next_digest(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    day(weekly, 13)
    keep(weekly)
    day(weekly, 13, 9)  # within the limit: the slot of the day waits for it
    issue(weekly, 13)
    keep(weekly)
    weekly.settings.slot = "mon-fri 18:00"
    for number in range(14, 21):
        day(weekly, number, 18)
        keep(weekly)
    assert got(weekly, 13) == {"friday": ["三月12日"]}
    assert got(weekly, 20) == {"friday": ["三月13日"]}


def test_what_began_after_a_digest_was_built_by_hand_is_in_the_next(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 11)
    approve(weekly, build(weekly, date(2026, 3, 13)).saved.slug)
    sent(weekly, 12)
    for number in range(13, 21):
        day(weekly, number)
        keep(weekly)
    assert got(weekly, 13) == {"friday": ["三月11日"]}
    assert got(weekly, 20) == {"friday": ["三月12日"]}


def test_who_changes_the_day_begins_a_new_week(weekly: Newsletter) -> None:
    reader(weekly, "moved", replace(WEEKLY, day=FRI))
    for number in range(9, 26):
        day(weekly, number)
        issue(weekly, number)
        if number == 19:
            with weekly.session() as session:
                person = weekly.people(session).get("moved@example.org")
                assert person is not None
                weekly.people(session).change(person, replace(WEEKLY, day=WED), source="command")
        keep(weekly)
    assert got(weekly, 25) == {"moved": [f"三月{number}日" for number in (25, 24, 23, 20, 19, 18)]}


def test_a_digest_that_comes_while_the_database_is_held_begins_after_the_word(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    with weekly.session() as session:
        session.add(WitnessRow(id=1, name="this one", sequence=0, held=Why.AHEAD))
    day(weekly, 13)
    keep_digests(weekly, weekly.clock())
    assert states(weekly) == []
    with weekly.session() as session:
        session.get_one(WitnessRow, 1).held = ""
    day(weekly, 13, 9)
    keep_digests(weekly, weekly.clock())
    assert states(weekly) == ["13 started"]


def test_where_the_slot_comes_in_the_middle_of_a_round_the_issue_is_begun_before_its_digest(
    weekly: Newsletter,
) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    day(weekly, 13)
    issue(weekly, 13)
    slot = weekly.clock()
    with open_outbox(weekly, patient=True) as outbox:
        rounds = Rounds(weekly, outbox)
        for appointments_at in (slot - timedelta(seconds=1), slot):
            looked_at = iter([slot - timedelta(seconds=1), appointments_at])
            weekly.clock = lambda moments=looked_at: next(moments, slot)  # type: ignore[misc]  # a clock that runs on
            rounds.make_round()
        weekly.clock = lambda: slot + timedelta(minutes=1)
        rounds.make_round()
    for mailing_id in (2, 3):
        plan(weekly, mailing_id)
    assert got(weekly, 13) == {"friday": ["三月13日", "三月12日"]}


def test_the_change_to_summer_time_takes_no_hour_from_the_week(weekly: Newsletter) -> None:
    weekly.settings.zone = "Europe/Berlin"
    with weekly.reading() as session:
        since = week_of(weekly, session, date(2026, 4, 2)).since
    assert since == datetime(2026, 3, 26, 6, tzinfo=weekly.settings.time_zone)


def test_one_that_was_sent_by_hand_is_not_sent_again_and_counts_as_kept(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    day(weekly, 13, 7)
    approve(weekly, build(weekly, date(2026, 3, 13)).saved.slug)
    begin(weekly, "digest-2026-03-13")
    day(weekly, 13, 8)
    keep(weekly)
    assert states(weekly) == ["13 started"]
    with weekly.reading() as session:
        assert days_of(weekly, session, date(2026, 3, 14)) == (SAT,)


def test_what_a_person_built_and_approved_is_sent_as_it_is(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    day(weekly, 13, 7)
    approve(weekly, build(weekly, date(2026, 3, 13)).saved.slug)
    day(weekly, 13)
    issue(weekly, 13)
    keep(weekly)
    assert got(weekly, 13) == {"friday": ["三月12日"]}


def test_what_a_person_built_and_did_not_approve_is_built_anew(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    day(weekly, 13, 7)
    build(weekly, date(2026, 3, 13))
    day(weekly, 13)
    issue(weekly, 13)
    keep(weekly)
    assert got(weekly, 13) == {"friday": ["三月13日", "三月12日"]}


def test_a_second_approval_does_not_hold_it_back(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    weekly.settings.approval = "second"
    day(weekly, 13)
    keep_digests(weekly, weekly.clock())
    assert states(weekly) == ["13 started"]


def test_one_that_was_begun_is_not_built_again(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    day(weekly, 13)
    keep(weekly)
    with pytest.raises(IssueRefused, match="was begun already"):
        build(weekly, date(2026, 3, 13))


@pytest.mark.parametrize(("readers", "told"), [(0, 0), (1, 1)])
def test_the_staff_hear_of_a_missed_one_where_somebody_would_have_got_it(
    weekly: Newsletter, mailbox: Mailbox, readers: int, told: int
) -> None:
    weekly.settings.staff = ("editor@example.org",)
    sent(weekly, 12)
    keep(weekly)
    if readers:
        reader(weekly, "friday")
    mailbox.taken.clear()
    day(weekly, 13, 20)
    keep_digests(weekly, weekly.clock())
    assert states(weekly)[-1] == "13 missed"
    assert len(mailbox.taken) == told


@pytest.mark.both_databases
def test_two_workers_that_keep_one_moment_begin_one_digest(weekly: Newsletter) -> None:
    reader(weekly, "friday")
    sent(weekly, 12)
    day(weekly, 13)
    together, faults = Barrier(2), []

    def look() -> None:
        process = Newsletter(weekly.settings, weekly.clock)
        together.wait()
        for _ in range(5):
            try:
                keep_digests(process, process.clock())
            except SQLAlchemyError as fault:
                faults.append(fault)
        process.engine.dispose()

    threads = [Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with weekly.reading() as session:
        assert len(session.exec(select(Mailing).where(col(Mailing.days).is_not(None))).all()) == 1
        assert len(session.exec(select(IssueRow).where(col(IssueRow.is_digest))).all()) == 1
    assert (faults, states(weekly)) == ([], ["13 started"])


# as an issue


def test_it_is_sent_through_a_real_conversation_and_is_a_digest_of_the_week(
    weekly: Newsletter, mailbox: Mailbox
) -> None:
    reader(weekly, "friday")
    sent(weekly, 11)
    sent(weekly, 12)
    day(weekly, 13)
    keep(weekly)
    hand_over(weekly, "digest-2026-03-13")
    message = mailbox.only()
    assert (message["to"], message["subject"]) == ("friday@example.org", "一周精选：三月12日等 2 条")
    text = message.get_body(("plain",))
    assert text is not None
    beginning = text.get_content().splitlines()[:3]
    assert beginning == ["一周精选 · 3 月 11 日—12 日", "示例日报", "2026 年 3 月 13 日 · 星期五"]


def test_its_stories_keep_their_ids(weekly: Newsletter) -> None:
    slug = sent(weekly, 12)
    day(weekly, 13)
    built = build(weekly, date(2026, 3, 13)).saved.issue
    with weekly.reading() as session:
        assert [one.id for one in built.stories] == [one.id for one in weekly.issues(session).find(slug).issue.stories]
    assert built.format == DIGEST


def test_building_the_same_again_makes_no_revision(weekly: Newsletter) -> None:
    sent(weekly, 12)
    day(weekly, 13)
    first, second = (build(weekly, date(2026, 3, 13)).saved for _ in range(2))
    assert (first.revision_id, second.number) == (second.revision_id, 1)


def test_no_repeat_is_found_in_it(weekly: Newsletter) -> None:
    sent(weekly, 12)
    day(weekly, 13)
    saved = build(weekly, date(2026, 3, 13)).saved
    with weekly.reading() as session:
        rows = session.exec(select(StoryRow).where(StoryRow.issue_id == saved.issue_id)).all()
    assert [(row.title_key, row.sketch) for row in rows] == [("", b"")]


def test_an_issue_of_its_date_and_title_is_an_issue_of_its_own(weekly: Newsletter) -> None:
    sent(weekly, 12)
    day(weekly, 13)
    build(weekly, date(2026, 3, 13))
    assert issue(weekly, 13) == "2026-03-13"


def test_its_approval_is_void_when_the_settings_of_the_mail_change(weekly: Newsletter) -> None:
    sent(weekly, 12)
    day(weekly, 13)
    approve(weekly, build(weekly, date(2026, 3, 13)).saved.slug)
    weekly.settings.postal_address = "另一条路 2 号"
    with pytest.raises(IssueRefused, match="have changed since"):
        approved(weekly, "digest-2026-03-13")
