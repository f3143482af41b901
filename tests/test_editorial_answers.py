"""What a reader got on a day and why: reader by day, each situation that there is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sending import ISSUE, SLUG, Clock, Hand, plan, settle, take_in_issue
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.control import cancel
from newsletter.delivery.history import had_before
from newsletter.delivery.models import Appointment, Mailing, MailingStory
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.editorial import sending
from newsletter.editorial.answers import Absent, Answer, Began, Part, answer, answers
from newsletter.editorial.appointments import appoint, keep_appointments
from newsletter.editorial.arrival import Hour, Late
from newsletter.editorial.dispatch import Dispatch, begin
from newsletter.editorial.silence import Silence, Silent, What, next_digest
from newsletter.editorial.timetable import AppointmentState, slot_key
from newsletter.readers import staff_changes
from newsletter.staff.rights import COMMAND_LINE
from newsletter.storage.models import IssueRow
from subscribers.models import State as PersonState
from subscribers.models import Subscriber
from subscribers.preferences import Frequency, Preferences

pytestmark = pytest.mark.both_databases
MONDAY, TUESDAY, FRIDAY = date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 13)
RELEASE = datetime(2026, 3, 9, tzinfo=UTC)
"""Eight in the morning in Shanghai, one in the night in Berlin."""
TAKEN = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
LATER = Outcome(Verdict.LATER, Stage.RCPT, 451, "later")
REFUSED = Outcome(Verdict.REFUSED, Stage.RCPT, 554, "no")
BERLIN: dict[str, Any] = {"zone": "Europe/Berlin", "hour": 7}
SEVEN = datetime(2026, 3, 9, 6, tzinfo=UTC)
NEXT_ISSUE = ISSUE.replace("(2026-03-09)", "(2026-03-10)")


@pytest.fixture
def clock(newsletter: Newsletter) -> Iterator[Clock]:
    newsletter.clock = clock = Clock()
    clock.move(days=-1)  # readers were there before the issue's day
    yield clock


def add(newsletter: Newsletter, *, state: PersonState = PersonState.ACTIVE, **choices: Any) -> int:
    """Add a reader of the issue's topic and give their id."""
    with newsletter.session() as session:
        people = newsletter.people(session)
        address = f"r{len(people.list())}@example.org"
        return people.add(address, Preferences(topics=("policy",), **choices), state=state).id or 0


def released(newsletter: Newsletter, clock: Clock, text: str = ISSUE, slug: str = SLUG) -> Dispatch:
    """Plan the issue at its hour."""
    take_in_issue(newsletter, text)
    clock.now = max(clock.now, RELEASE)
    return plan(newsletter, slug)


def on(newsletter: Newsletter, reader: int, day: date = MONDAY) -> Answer:
    return answer(newsletter, reader, day)


def part(newsletter: Newsletter, reader: int, day: date = MONDAY) -> Part:
    (only,) = on(newsletter, reader, day).parts
    return only


def silent(newsletter: Newsletter, reader: int, day: date = MONDAY) -> Silent:
    (only,) = on(newsletter, reader, day).silent
    return only


def person(newsletter: Newsletter, reader: int) -> Subscriber:
    with newsletter.reading() as session:
        return session.get_one(Subscriber, reader)


# What came, and why then


def test_who_chose_no_hour_got_it_at_the_release(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    settle(newsletter, TAKEN)
    found = part(newsletter, reader)
    assert found.arrival
    assert (found.state, found.arrival.hour, found.arrival.at, found.arrival.late) == (
        State.ACCEPTED, Hour.NONE, RELEASE, None,
    )  # fmt: skip


def test_the_answer_has_the_subject_and_each_story_with_its_topic(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    found = part(newsletter, reader)
    assert found.told
    assert "示例市公布数据细则" in found.subject
    assert [(line.title, line.why, line.detail) for line in found.told.got] == [
        ("示例市公布数据细则", "topic", "policy")
    ]


def test_who_chose_an_hour_waits_until_it(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, **BERLIN)
    released(newsletter, clock)
    found = part(newsletter, reader)
    assert found.arrival
    assert (found.state, found.arrival.hour, found.arrival.at, found.arrival.zone, found.arrival.own_hour) == (
        State.QUEUED, Hour.OWN, SEVEN, "Europe/Berlin", 7,
    )  # fmt: skip


def test_who_chose_an_hour_got_it_then(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, **BERLIN)
    released(newsletter, clock)
    clock.now = SEVEN
    settle(newsletter, TAKEN)
    found = part(newsletter, reader)
    assert found.arrival
    assert (found.state, found.arrival.at, found.arrival.late) == (State.ACCEPTED, SEVEN, None)


def test_a_release_within_the_readers_own_hour_is_it(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, zone="Asia/Shanghai", hour=8)
    released(newsletter, clock)
    found = part(newsletter, reader).arrival
    assert found
    assert found.hour is Hour.WITHIN


def test_what_went_to_everybody_at_once_says_so(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, **BERLIN)
    take_in_issue(newsletter)
    clock.now = RELEASE
    list(Dispatch.of(newsletter, SLUG, at_once=True).plan())
    found = part(newsletter, reader).arrival
    assert found
    assert (found.hour, found.due) == (Hour.AT_ONCE, RELEASE)


def test_who_waited_when_everybody_was_let_go_is_due_at_that_moment(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, **BERLIN)
    released(newsletter, clock)
    clock.move(hours=1)
    Dispatch.of(newsletter, SLUG, at_once=True)
    found = part(newsletter, reader).arrival
    assert found
    assert (found.hour, found.due) == (Hour.AT_ONCE, RELEASE + timedelta(hours=1))


def test_an_hour_chosen_since_is_not_taken_for_the_one_of_then(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, **BERLIN)
    released(newsletter, clock)
    clock.now = SEVEN
    settle(newsletter, TAKEN)
    other = Preferences(topics=("policy",), zone="Europe/Berlin", hour=21)
    staff_changes.change(newsletter, COMMAND_LINE, person(newsletter, reader).public_id, "", other)
    found = on(newsletter, reader)
    assert found.parts[0].arrival
    assert (found.parts[0].arrival.hour, found.changed_at) == (Hour.THEN, SEVEN)


def test_what_somebody_had_sent_again_says_so(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    settle(newsletter, REFUSED)
    clock.move(hours=5)
    sending.send_again(newsletter, SLUG)
    found = part(newsletter, reader).arrival
    assert found
    assert (found.hour, found.late) == (Hour.AGAIN, None)


def test_mail_of_the_day_before_stands_with_the_day_it_comes_on(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, zone="Asia/Shanghai", hour=7)
    released(newsletter, clock)
    (early,) = on(newsletter, reader, TUESDAY).earlier
    assert early.arrival
    assert (early.slug, early.arrival.at) == (SLUG, RELEASE + timedelta(hours=23))
    assert on(newsletter, reader, MONDAY).earlier == ()


# What was late, and why


def late(newsletter: Newsletter, reader: int) -> Late | None:
    found = part(newsletter, reader).arrival
    assert found
    return found.late


def test_late_with_nobody_handed_anything_over_then_means_that_no_sender_ran(
    newsletter: Newsletter, clock: Clock
) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    clock.move(hours=2)
    assert late(newsletter, reader) is Late.DOWN
    settle(newsletter, TAKEN)
    assert late(newsletter, reader) is Late.DOWN


def test_late_while_others_were_handed_over_means_that_many_were_due(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter)
    reader = add(newsletter)
    released(newsletter, clock)
    settle(newsletter, TAKEN)
    clock.move(minutes=30)
    settle(newsletter, TAKEN)
    assert late(newsletter, reader) is Late.BUSY


def test_late_after_a_first_try_in_time_means_that_the_server_put_it_off(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    settle(newsletter, LATER)
    clock.move(minutes=30)
    settle(newsletter, TAKEN)
    assert late(newsletter, reader) is Late.DEFERRED


def test_late_after_a_pause_says_so(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    sending.pause(newsletter, SLUG)
    clock.move(hours=1)
    assert late(newsletter, reader) is Late.PAUSED
    sending.resume(newsletter, SLUG)
    settle(newsletter, TAKEN)
    assert late(newsletter, reader) is Late.PAUSED


# Why nothing, though there was an issue


def test_a_weekly_reader_hears_when_their_digest_comes(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot = "mon-fri 08:00"
    reader = add(newsletter, frequency=Frequency.WEEKLY)
    released(newsletter, clock)
    found = on(newsletter, reader)
    assert (found.parts[0].reason, found.parts[0].digest_on, found.weekly_day) == (Reason.WEEKLY, FRIDAY, 4)


def test_a_digest_on_a_day_off_comes_on_the_next_day_that_is_none(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot, newsletter.settings.days_off = "08:00", ("2026-03-13..2026-03-15",)
    weekly = Preferences(("policy",), Frequency.WEEKLY)
    assert next_digest(newsletter, weekly, MONDAY) == date(2026, 3, 16)
    assert next_digest(newsletter, weekly, date(2026, 3, 14)) == date(2026, 3, 16)
    assert next_digest(newsletter, weekly, date(2026, 3, 17)) == date(2026, 3, 20)
    assert next_digest(newsletter, replace(weekly, day=1), MONDAY) == TUESDAY


def test_nothing_important_is_told_story_by_story(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, frequency=Frequency.IMPORTANT)
    released(newsletter, clock)
    found = part(newsletter, reader)
    assert found.told
    assert (found.reason, [(line.why, line.detail) for line in found.told.missed]) == (
        Reason.NOT_IMPORTANT, [("unimportant", "policy")],
    )  # fmt: skip


def test_a_topic_that_comes_weekly_is_told_in_the_daily_mail(newsletter: Newsletter, clock: Clock) -> None:
    text = ISSUE + "\n**模型与技术进展**\n\n- **示例模型公开**\n  来源出处：[示例](https://lab.example.org/)\n"
    with newsletter.session() as session:
        chosen = Preferences(("policy", "models"), frequencies=(("models", Frequency.WEEKLY),))
        reader = newsletter.people(session).add("both@example.org", chosen).id or 0
    released(newsletter, clock, text)
    found = part(newsletter, reader)
    assert found.told
    assert [(line.why, line.detail) for line in found.told.missed] == [("weekly", "models")]


def test_what_they_had_before_is_told_with_the_issue_it_came_in(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    clock.move(days=1)
    released(newsletter, clock, NEXT_ISSUE, "2026-03-10")
    found = part(newsletter, reader, TUESDAY)
    assert found.told
    assert (found.reason, [(line.why, line.detail) for line in found.told.missed]) == (
        Reason.ALREADY_HAD, [("had", SLUG)],
    )  # fmt: skip


def test_a_story_told_again_under_another_id_is_one_they_had(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    clock.move(days=1)
    other = NEXT_ISSUE.replace("示例市公布数据细则", "另一件事").replace("rules", "other")
    released(newsletter, clock, other.replace("细则写明哪些数据可以授权", "说的是另一件事"), "2026-03-10")
    with newsletter.session() as session:
        first, second = session.exec(select(MailingStory).order_by(col(MailingStory.mailing_id))).all()
        assert first.story_id != second.story_id
        second.root = first.root
        session.add(second)
    with newsletter.reading() as session:
        (mailing,) = session.exec(select(Mailing).where(Mailing.id == second.mailing_id)).all()
        assert had_before(session, reader, mailing) == {second.story_id: SLUG}


def test_who_joined_after_it_was_planned_gets_the_next_one(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter)
    released(newsletter, clock)
    clock.move(hours=1)
    reader = add(newsletter)
    found = part(newsletter, reader)
    assert (found.state, found.reason, found.since) == ("", Absent.JOINED, clock.now)


@pytest.mark.parametrize(("cancelled", "why"), [(False, Absent.PLANNING), (True, Absent.CANCELLED)])
def test_what_is_cancelled_before_its_readers_are_listed_is_not_awaited(
    newsletter: Newsletter, clock: Clock, cancelled: bool, why: Absent
) -> None:
    reader = add(newsletter)
    take_in_issue(newsletter)
    clock.now = max(clock.now, RELEASE)
    mailing_id = begin(newsletter, SLUG)
    if cancelled:
        with newsletter.session() as session:
            cancel(session, mailing_id, clock.now)
    assert part(newsletter, reader).reason == why


def test_who_had_not_confirmed_is_told_apart(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter)
    reader = add(newsletter, state=PersonState.PENDING)
    released(newsletter, clock)
    assert part(newsletter, reader).reason == Absent.UNCONFIRMED


def test_who_had_left_before_is_told_when(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter)
    reader, left = add(newsletter), clock.now
    staff_changes.unsubscribe(newsletter, COMMAND_LINE, person(newsletter, reader).public_id)
    released(newsletter, clock)
    found = part(newsletter, reader)
    assert (found.reason, found.since) == (Absent.UNSUBSCRIBED, left)


def test_who_leaves_while_it_waits_is_told_when(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter, **BERLIN)
    released(newsletter, clock)
    clock.move(hours=1)
    left = clock.now
    staff_changes.unsubscribe(newsletter, COMMAND_LINE, person(newsletter, reader).public_id)
    clock.now = SEVEN
    hand = Hand(newsletter)
    assert hand.take(1) == []
    hand.seat.leave()
    found = part(newsletter, reader)
    assert (found.state, found.reason, found.since) == (State.EXCLUDED, Reason.UNSUBSCRIBED, left)


def test_who_was_paused_is_told(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter)
    reader = add(newsletter)
    staff_changes.pause(newsletter, COMMAND_LINE, person(newsletter, reader).public_id, None)
    released(newsletter, clock)
    assert part(newsletter, reader).reason == Reason.PAUSED


# Digests


def make_digest(newsletter: Newsletter, *days: int | None) -> None:
    """Have the mailing of the issue be a digest for these days."""
    with newsletter.session() as session:
        mailing = session.exec(select(Mailing)).one()
        mailing.days = list(days)
        issue = session.get_one(IssueRow, mailing.issue_id)
        issue.is_digest = True
        session.add_all((mailing, issue))


def test_a_digest_is_nothing_to_who_reads_nothing_weekly(newsletter: Newsletter, clock: Clock) -> None:
    add(newsletter)
    released(newsletter, clock)
    clock.move(hours=1)
    make_digest(newsletter, None)
    with newsletter.session() as session:
        mailing = session.exec(select(Mailing)).one()
        mailing.audience_through = mailing.planned_through = 100
        mailing.created_at = clock.now
        session.add(mailing)
    reader = add(newsletter)
    assert on(newsletter, reader).parts == ()


def test_a_digest_for_another_day_says_when_theirs_comes(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot = "08:00"
    add(newsletter)
    released(newsletter, clock)
    make_digest(newsletter, 0)
    with newsletter.session() as session:
        mailing = session.exec(select(Mailing)).one()
        mailing.audience_through = mailing.planned_through = 100
        session.add(mailing)
    reader = add(newsletter, frequency=Frequency.WEEKLY, day=1)
    found = part(newsletter, reader)
    assert (found.is_digest, found.reason, found.digest_on) == (True, Absent.OTHER_DAY, TUESDAY)


def test_a_digest_that_had_nothing_is_told_on_its_day_to_who_would_get_it(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot = "mon-fri 08:00"
    weekly, daily = add(newsletter, frequency=Frequency.WEEKLY), add(newsletter)
    at = datetime(2026, 3, 13, tzinfo=UTC)
    clock.now = at + timedelta(hours=3)
    with newsletter.session() as session:
        nothing = AppointmentState.NOTHING
        session.add(Appointment(key="digest x", at=at, is_digest=True, state=nothing, made_at=at))
    told = [(one.what, one.why) for one in on(newsletter, weekly, FRIDAY).silent]
    assert (What.DIGEST, Silence.SKIPPED) in told
    assert [one.what for one in on(newsletter, daily, FRIDAY).silent] == [What.ISSUE]


# Why nothing, for nothing went out


def test_without_a_slot_nothing_goes_out_by_itself(newsletter: Newsletter, clock: Clock) -> None:
    assert silent(newsletter, add(newsletter)).why is Silence.NO_SLOT


@pytest.mark.parametrize(
    ("day", "why"),
    [
        (date(2026, 3, 7), Silence.NO_DAY),
        (date(2026, 3, 6), Silence.UNRECORDED),  # a day off now: what it was then, nothing tells
        (date(2026, 3, 5), Silence.UNRECORDED),
        (MONDAY, Silence.TO_COME),
        (TUESDAY, Silence.OFF),
        (date(2026, 3, 14), Silence.NO_DAY),
    ],
)
def test_a_day_without_an_issue_is_told_by_the_schedule(
    newsletter: Newsletter, clock: Clock, day: date, why: Silence
) -> None:
    newsletter.settings.slot, newsletter.settings.days_off = "mon-fri 08:00", ("2026-03-06", "2026-03-10")
    now = clock.now
    clock.move(days=-20)
    reader = add(newsletter)
    clock.now = now
    assert silent(newsletter, reader, day).why is why


def test_without_a_slot_nothing_is_known_of_a_day_that_is_over(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    clock.move(days=3)
    assert silent(newsletter, reader).why is Silence.UNRECORDED


@pytest.mark.parametrize("slot", ["", "mon-fri 08:00"])
def test_before_somebody_joined_there_was_nothing_for_them(newsletter: Newsletter, clock: Clock, slot: str) -> None:
    newsletter.settings.slot = slot
    reader, joined = add(newsletter, frequency=Frequency.WEEKLY), clock.now
    found = silent(newsletter, reader, date(1999, 1, 1))
    assert (found.why, found.at) == (Silence.JOINED, joined)


def test_what_nothing_is_recorded_of_is_said_once(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot = "mon-fri 08:00"
    reader = add(newsletter, frequency=Frequency.WEEKLY)
    clock.move(days=10)
    assert silent(newsletter, reader, FRIDAY).why is Silence.UNRECORDED


@pytest.mark.parametrize(("slot", "off"), [("mon-fri 08:00", ("2026-03-09",)), ("tue 08:00", ()), ("", ())])
def test_an_approved_issue_that_nothing_sends_by_itself_has_not_come(
    newsletter: Newsletter, clock: Clock, slot: str, off: tuple[str, ...]
) -> None:
    newsletter.settings.slot, newsletter.settings.days_off = slot, off
    reader = add(newsletter)
    take_in_issue(newsletter)
    found = silent(newsletter, reader)
    assert (found.why, found.slug) == (Silence.APPROVED, SLUG)


def test_an_approved_issue_of_a_day_off_with_a_time_on_another_day_comes_then(
    newsletter: Newsletter, clock: Clock
) -> None:
    newsletter.settings.slot, newsletter.settings.days_off = "mon-fri 08:00", ("2026-03-09",)
    reader, later = add(newsletter), RELEASE + timedelta(days=1)
    take_in_issue(newsletter)
    appoint(newsletter, SLUG, later)
    found = silent(newsletter, reader)
    assert (found.why, found.slug, found.at) == (Silence.TO_COME, SLUG, later)


def test_what_is_to_come_names_the_readers_own_hour(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot = "mon-fri 08:00"
    assert on(newsletter, add(newsletter, **BERLIN)).expected_at == SEVEN


@pytest.mark.parametrize(
    ("state", "note", "why"),
    [
        (AppointmentState.NOTHING, "The issue was not sent.", Silence.SKIPPED),
        (AppointmentState.NOTHING, "", Silence.OWN_TIME),
        (AppointmentState.MISSED, "Nobody was there.", Silence.MISSED),
        (AppointmentState.REFUSED, "It was refused.", Silence.REFUSED),
        (AppointmentState.CANCELLED, "", Silence.CALLED_OFF),
        (AppointmentState.WAITING, "", Silence.WAITS),
    ],
)
def test_what_came_of_the_slot_is_told(
    newsletter: Newsletter, clock: Clock, state: AppointmentState, note: str, why: Silence
) -> None:
    newsletter.settings.slot = "mon-fri 08:00"
    clock.now = RELEASE + timedelta(minutes=30)
    with newsletter.session() as session:
        key = slot_key(RELEASE)
        session.add(Appointment(key=key, at=RELEASE, state=state, note=note, made_at=RELEASE))
    found = silent(newsletter, add(newsletter))
    assert (found.why, found.note) == (why, note)


def test_a_time_of_its_own_that_was_called_off_names_the_issue(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    take_in_issue(newsletter)
    appoint(newsletter, SLUG, RELEASE + timedelta(hours=2))
    found = silent(newsletter, reader)
    assert (found.why, found.slug, found.at) == (Silence.TO_COME, SLUG, RELEASE + timedelta(hours=2))


def test_what_began_it_is_told(newsletter: Newsletter, clock: Clock) -> None:
    newsletter.settings.slot = "mon-fri 08:00"
    reader = add(newsletter)
    take_in_issue(newsletter)
    clock.now = RELEASE
    keep_appointments(newsletter)
    plan(newsletter, SLUG)
    assert part(newsletter, reader).began is Began.SLOT


def test_what_a_person_began_is_told(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    assert part(newsletter, reader).began is Began.HAND


def test_days_come_newest_first_and_without_a_gap(newsletter: Newsletter, clock: Clock) -> None:
    reader = add(newsletter)
    released(newsletter, clock)
    found = answers(newsletter, reader, date(2026, 3, 7), MONDAY)
    assert [one.day.isoformat() for one in found] == ["2026-03-09", "2026-03-08", "2026-03-07"]
    assert [len(one.parts) for one in found] == [1, 0, 0]
