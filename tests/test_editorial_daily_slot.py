"""The daily slot: it sends the approved issue of the day once, asks where there is none, waits, and gives up."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from mail_servers import aiosmtpd_server
from moments import Mailbox, at, begun, change, clock, due, states
from pydantic import SecretStr
from sending import ISSUE, SLUG, Clock, add_readers, take_in_issue

from newsletter.app import Newsletter
from newsletter.delivery.models import Appointment
from newsletter.editorial import daily_slot
from newsletter.editorial.appointments import appoint, call_off, keep_appointments
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.staff.audit import Action, entries
from newsletter.storage.models import WitnessRow
from newsletter.storage.witness import Why
from subscribers.models import State


@pytest.fixture
def mailbox(ready: Newsletter) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    with aiosmtpd_server(mailbox) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        yield mailbox


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """It is eight in the morning of the issue's day; staff are set."""
    newsletter.clock = Clock()
    newsletter.settings.staff = ("editor@example.org",)
    add_readers(newsletter, 2)
    take_in_issue(newsletter)
    return newsletter


def test_the_slot_begins_the_approved_issue_of_the_day_once(ready: Newsletter) -> None:
    ready.settings.slot = "mon-fri 08:00"
    for _ in range(10):
        keep_appointments(ready)
        clock(ready).move(minutes=10)
    assert (begun(ready), states(ready)) == (1, ["started"])


@pytest.mark.both_databases
def test_the_slot_begins_one_of_two_issues_of_the_day_however_late_another_round_looks(ready: Newsletter) -> None:
    ready.settings.slot = "08:00"
    take_in_issue(ready, ISSUE.replace("示例日报", "示例晚报"))
    clock(ready).move(minutes=-1)
    with ready.session() as session:
        key = f"slot {at(8).astimezone(ready.settings.time_zone).isoformat()}"
        waiting = Appointment(key=key, at=at(8), state="waiting", made_at=ready.clock())
        session.add(waiting)
    clock(ready).move(minutes=1)
    keep_appointments(ready)
    daily_slot.keep(ready, waiting)  # as a round does that read it before
    assert (begun(ready), states(ready)) == (1, ["started"])


SLOT_OR_OWN_TIME = {
    # the slot is at 8:30; when it has a time of its own: (what has gone out at 8:31, what at 9:31)
    "none": (None, 1, 1),
    "later": (9.5, 0, 1),
    "earlier": (8.25, 1, 1),
    "the same": (8.5, 1, 1),
    "another day": (24 + 9, 0, 0),
}


@pytest.mark.parametrize("case", SLOT_OR_OWN_TIME)
@pytest.mark.both_databases
def test_of_the_slot_and_a_time_of_its_own_only_the_latter_holds(
    ready: Newsletter, mailbox: Mailbox, case: str
) -> None:
    own, first, second = SLOT_OR_OWN_TIME[case]
    ready.settings.slot = "08:30"
    if own:
        appoint(ready, SLUG, at(own))
    counted = []
    for minutes in (16, 15, 60):
        clock(ready).move(minutes=minutes)
        keep_appointments(ready)
        counted.append(begun(ready))
    assert counted[1:] == [first, second]
    assert counted[0] == (1 if case == "earlier" else 0)
    assert mailbox.taken == []


def test_an_issue_whose_own_time_was_called_off_goes_out_with_the_slot(ready: Newsletter) -> None:
    ready.settings.slot = "08:30"
    appoint(ready, SLUG, at(10))
    call_off(ready, SLUG)
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert begun(ready) == 1


def test_the_slot_begins_nothing_before_its_hour(ready: Newsletter) -> None:
    ready.settings.slot = "08:30"
    keep_appointments(ready)
    assert begun(ready) == 0
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert begun(ready) == 1


def test_an_issue_that_nobody_would_get_is_not_begun_and_the_staff_are_told(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    ready.settings.slot = "08:00"
    with ready.session() as session:
        people = ready.people(session)
        for number in range(2):
            person = people.get(f"reader{number}@example.org")
            assert person
            people.unsubscribe(person, "page")
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["refused"])
    assert "there is no reader yet" in mailbox.only().get_content()


@pytest.mark.parametrize(("hours", "outcome"), [(None, "refused"), (25, "refused"), (23, "started")])
def test_the_slot_begins_nothing_while_all_readers_have_paused_for_longer_than_a_day(
    ready: Newsletter, mailbox: Mailbox, hours: int | None, outcome: str
) -> None:
    ready.settings.slot = "08:00"
    with ready.session() as session:
        for number in range(2):
            person = ready.people(session).get(f"reader{number}@example.org")
            assert person
            person.state = State.PAUSED
            person.paused_until = ready.clock() + timedelta(hours=hours) if hours else None
    keep_appointments(ready)
    assert states(ready) == [outcome]
    assert len(mailbox.taken) == (outcome == "refused")


def test_the_issue_of_another_day_is_left_alone(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:00"
    clock(ready).move(days=1)
    keep_appointments(ready)
    assert begun(ready) == 0


def test_a_slot_that_was_set_in_the_afternoon_did_not_miss_the_morning(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:00"
    clock(ready).move(hours=5)
    keep_appointments(ready)
    assert (begun(ready), mailbox.taken) == (0, [])


def test_a_day_whose_issue_was_sent_by_hand_needs_no_word(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:30"
    keep_appointments(ready)
    mailbox.taken.clear()
    begin(ready, SLUG)
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert mailbox.taken == []


@pytest.mark.parametrize("is_begun", [True, False])
def test_a_second_issue_of_a_day_is_not_sent_beside_one_sent_by_hand_or_with_its_own_time_and_the_staff_are_told(
    ready: Newsletter, mailbox: Mailbox, is_begun: bool
) -> None:
    ready.settings.slot = "08:30"
    take_in_issue(ready, ISSUE.replace("示例日报", "示例晚报"))
    if is_begun:
        begin(ready, SLUG)
    else:
        appoint(ready, SLUG, at(20))
    before = begun(ready)
    clock(ready).move(minutes=30)
    for _ in range(2):
        keep_appointments(ready)
    assert begun(ready) == before
    told = mailbox.only().get_content()
    assert f"Another issue of 2026-03-09 {'was begun already' if is_begun else 'has a time of its own'}" in told


@pytest.mark.parametrize("hour", [9, 20])
def test_a_slot_that_comes_while_the_database_is_held_is_judged_after_the_word_as_after_an_outage(
    ready: Newsletter, mailbox: Mailbox, hour: int
) -> None:
    ready.settings.slot = "08:30"
    keep_appointments(ready)
    with ready.session() as session:
        session.add(WitnessRow(id=1, name="this one", sequence=0, held=Why.AHEAD))
    clock(ready).move(minutes=30)
    earlier = states(ready)
    keep_appointments(ready)
    assert (begun(ready), states(ready), mailbox.taken) == (0, earlier, [])
    with ready.session() as session:
        session.get_one(WitnessRow, 1).held = ""
    clock(ready).now = at(hour)
    keep_appointments(ready)
    assert states(ready)[-1] == ("started" if hour == 9 else "missed")


# nothing approved: the staff are reminded, the slot waits, and gives up


def waiting(newsletter: Newsletter, slot: str = "08:00") -> Newsletter:
    """The moment of the slot has come, and the day's issue was changed after its approval."""
    newsletter.settings.slot = slot
    change(newsletter)
    keep_appointments(newsletter)
    return newsletter


def test_where_the_days_issue_is_not_approved_the_staff_are_reminded_once_with_the_way_there(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    waiting(ready)
    for _ in range(3):
        clock(ready).move(minutes=30)
        keep_appointments(ready)
    said = mailbox.only()
    assert (begun(ready), states(ready)) == (0, ["waiting"])
    assert said["Subject"] == f"[AI 行业动态] {SLUG} is not approved"
    for words in (
        f"{SLUG} (示例日报) is there, but its newest text is not approved.",
        "until 10:00",
        f"{ready.settings.base_url}/desk/issues/{SLUG}/sending",
        f"newsletter issue approve {SLUG}",
    ):
        assert words in said.get_content()


def test_where_there_is_no_issue_of_the_day_the_reminder_says_that_and_where_to_write_one(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    ready.settings.slot = "08:00"
    clock(ready).move(days=1)
    keep_appointments(ready)
    said = mailbox.only()
    assert said["Subject"] == "[AI 行业动态] There is no issue of 2026-03-10"
    assert "There is no issue dated 2026-03-10." in said.get_content()
    assert f"{ready.settings.base_url}/desk/issues/new" in said.get_content()


def test_an_approval_that_the_settings_have_voided_is_none_and_the_reminder_says_why(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    ready.settings.slot = "08:00"
    ready.settings.postal_address = "示例市海港路 1 号"
    keep_appointments(ready)
    assert states(ready) == ["waiting"]
    assert "have changed since 2026-03-09 was approved" in " ".join(mailbox.only().get_content().split())
    approve(ready, SLUG)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started"])


@pytest.mark.both_databases
def test_two_workers_that_look_at_the_same_moment_remind_once(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "08:00"
    change(ready)
    together = Barrier(2)

    def look() -> None:
        process = Newsletter(ready.settings, ready.clock)
        together.wait()
        for _ in range(5):
            keep_appointments(process)
        process.engine.dispose()

    threads = [Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailbox.taken) == 1


def test_what_was_reminded_of_is_written_down_before_the_mail_so_that_a_crash_reminds_nobody_twice(
    ready: Newsletter, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(daily_slot, "tell_staff", crash)
        with pytest.raises(KeyboardInterrupt):
            waiting(ready)
    keep_appointments(ready)
    assert mailbox.taken == []


LATE = {
    # approved so many minutes after the slot: the moment in the Date is the slot's, or that of the beginning
    "while the Date may bear the slot": (9, 0),
    "later": (11, 11),
    "just before the limit": (120, 120),
}


@pytest.mark.parametrize("case", LATE)
def test_what_is_approved_before_the_limit_begins_then(ready: Newsletter, mailbox: Mailbox, case: str) -> None:
    approved_after, dated_after = LATE[case]
    waiting(ready)
    clock(ready).move(minutes=approved_after)
    approve(ready, SLUG)
    keep_appointments(ready)
    assert states(ready) == ["started"]
    assert due(ready) == at(8) + timedelta(minutes=dated_after)


def test_after_the_limit_the_day_is_skipped_and_the_staff_are_told_once(ready: Newsletter, mailbox: Mailbox) -> None:
    waiting(ready)
    mailbox.taken.clear()
    for _ in range(3):
        clock(ready).move(minutes=121)
        keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["nothing"])
    said = mailbox.only()
    assert said["Subject"] == f"[AI 行业动态] {SLUG} was not sent"
    words = " ".join(said.get_content().split())
    assert "Nothing was approved for the daily slot of 08:00 on 2026-03-09 until 10:00" in words
    assert "The day is skipped." in words
    assert "it does not go out by itself any more" in words


def test_who_approves_after_the_limit_has_to_send_it_by_hand_and_is_told_so(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    waiting(ready)
    mailbox.taken.clear()
    clock(ready).move(minutes=121)
    approve(ready, SLUG)  # and no round looked between the limit and this
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["nothing"])
    words = " ".join(mailbox.only().get_content().split())
    assert f"{SLUG} was approved only after that." in words
    assert f"newsletter issue send {SLUG}" in words


def test_a_skipped_issue_says_why_on_its_page(ready: Newsletter, mailbox: Mailbox) -> None:
    waiting(ready)
    clock(ready).move(minutes=121)
    keep_appointments(ready)
    with ready.reading() as session:
        (entry,) = entries(session, subject=SLUG, action=Action.NOT_SENT)
    assert entry.details == {"at": at(8).isoformat(), "reason": "skipped"}


def test_who_sends_it_by_hand_while_the_slot_waits_hears_nothing_more(ready: Newsletter, mailbox: Mailbox) -> None:
    waiting(ready)
    mailbox.taken.clear()
    approve(ready, SLUG)
    begin(ready, SLUG)
    for _ in range(2):
        keep_appointments(ready)
        clock(ready).move(minutes=121)
    assert (begun(ready), states(ready), mailbox.taken) == (1, ["started"], [])


# nobody was there


def kept_yesterday(newsletter: Newsletter, mailbox: Mailbox) -> Newsletter:
    """There was a slot the day before already, whose issue was sent; now it is an hour before today's."""
    newsletter.settings.slot = "08:00"
    take_in_issue(newsletter, ISSUE.replace("2026-03-09", "2026-03-08"))
    clock(newsletter).move(hours=-24)
    keep_appointments(newsletter)
    clock(newsletter).move(hours=23)
    assert (begun(newsletter), states(newsletter), mailbox.taken) == (1, ["started"], [])
    return newsletter


def test_a_machine_that_comes_back_within_the_limit_begins_with_the_moment_of_then(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    kept_yesterday(ready, mailbox)
    clock(ready).move(minutes=60 + 119)
    keep_appointments(ready)
    assert (states(ready), due(ready)) == (["started", "started"], at(8) + timedelta(minutes=119))


def test_a_slot_missed_by_more_than_the_limit_is_told_and_not_made_up_for(ready: Newsletter, mailbox: Mailbox) -> None:
    kept_yesterday(ready, mailbox)
    clock(ready).move(minutes=60 + 121)
    for _ in range(2):
        keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started", "missed"])
    words = " ".join(mailbox.only().get_content().split())
    assert "At 08:00 on 2026-03-09 no sender was running" in words
    assert f"newsletter issue send {SLUG}" in words


def test_a_clock_that_jumps_forward_is_as_a_machine_that_was_down(ready: Newsletter, mailbox: Mailbox) -> None:
    kept_yesterday(ready, mailbox)
    clock(ready).move(hours=4)
    keep_appointments(ready)
    assert states(ready) == ["started", "missed"]


def test_a_machine_that_went_down_between_approval_and_limit_is_told_as_that(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    waiting(ready)
    mailbox.taken.clear()
    clock(ready).move(minutes=60)
    approve(ready, SLUG)
    clock(ready).move(minutes=90)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["missed"])
    assert "Between its approval and 10:00" in mailbox.only().get_content()


def test_of_a_machine_that_was_down_for_days_only_the_last_moment_is_told(ready: Newsletter, mailbox: Mailbox) -> None:
    kept_yesterday(ready, mailbox)
    clock(ready).move(days=3, hours=5)
    keep_appointments(ready)
    assert states(ready) == ["started", "missed"]
    assert mailbox.only()["Subject"] == "[AI 行业动态] The issue of 2026-03-12 was not sent"


def test_a_machine_that_goes_down_in_the_moment_of_beginning_has_begun_wholly_or_not_at_all(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object, **others: object) -> None:
        raise KeyboardInterrupt

    ready.settings.slot = "08:00"
    with monkeypatch.context() as broken:
        broken.setattr("newsletter.editorial.opening.publish", crash)
        with pytest.raises(KeyboardInterrupt):
            keep_appointments(ready)
    assert (begun(ready), states(ready)) == (0, ["waiting"])
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started"])


@pytest.mark.parametrize("hours", [1, 24])
def test_a_clock_that_goes_back_begins_and_tells_nothing_twice(ready: Newsletter, mailbox: Mailbox, hours: int) -> None:
    ready.settings.slot = "08:00"
    keep_appointments(ready)
    clock(ready).move(hours=-hours, minutes=5)
    for _ in range(30):
        keep_appointments(ready)
        clock(ready).move(hours=1)
        if clock(ready).now > at(9):
            break
    assert (begun(ready), states(ready), mailbox.taken) == (1, ["started"], [])


# days off


def test_on_a_day_off_nothing_is_begun_asked_or_told(ready: Newsletter, mailbox: Mailbox) -> None:
    kept_yesterday(ready, mailbox)
    ready.settings.days_off = (SLUG,)
    for _ in range(30):
        clock(ready).move(minutes=45)
        keep_appointments(ready)
    assert (begun(ready), states(ready), mailbox.taken) == (1, ["started", "cancelled"], [])


def test_a_day_that_was_off_at_its_hour_stays_so_though_somebody_takes_it_back_in_the_afternoon(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    kept_yesterday(ready, mailbox)
    ready.settings.days_off = (SLUG,)
    clock(ready).move(hours=2)
    keep_appointments(ready)
    ready.settings.days_off = ()
    clock(ready).move(hours=5)
    keep_appointments(ready)
    assert (begun(ready), mailbox.taken) == (1, [])


def test_a_day_that_becomes_a_day_off_while_the_slot_waits_is_given_up_without_a_word(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    waiting(ready)
    mailbox.taken.clear()
    ready.settings.days_off = (SLUG,)
    for _ in range(2):
        clock(ready).move(minutes=61)
        keep_appointments(ready)
    assert (states(ready), mailbox.taken) == (["cancelled"], [])


def test_where_every_day_is_off_nothing_is_looked_for_for_ever(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot, ready.settings.days_off = "08:00", ("2020-01-01..2040-01-01",)
    keep_appointments(ready)
    assert (begun(ready), mailbox.taken) == (0, [])


# the slot is moved


def test_a_slot_moved_after_its_issue_went_out_sends_nothing_twice_and_tells_nothing(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    ready.settings.slot = "08:00"
    keep_appointments(ready)
    ready.settings.slot = "10:00"
    for _ in range(10):
        clock(ready).move(minutes=30)
        keep_appointments(ready)
    assert (begun(ready), set(states(ready)), mailbox.taken) == (1, {"started"}, [])


def test_a_slot_moved_to_an_earlier_hour_after_its_issue_went_out_tells_nothing(
    ready: Newsletter, mailbox: Mailbox
) -> None:
    ready.settings.slot = "08:00"
    keep_appointments(ready)
    ready.settings.slot = "05:00"
    for _ in range(10):
        clock(ready).move(minutes=30)
        keep_appointments(ready)
    assert (begun(ready), states(ready), mailbox.taken) == (1, ["started"], [])


def test_a_slot_moved_while_it_waits_waits_for_its_new_hour(ready: Newsletter, mailbox: Mailbox) -> None:
    waiting(ready)
    mailbox.taken.clear()
    ready.settings.slot = "09:00"
    approve(ready, SLUG)
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert (begun(ready), mailbox.taken) == (0, [])
    clock(ready).move(minutes=30)
    keep_appointments(ready)
    assert begun(ready) == 1
    clock(ready).move(hours=5)
    keep_appointments(ready)
    assert (states(ready), mailbox.taken) == (["started", "started"], [])


def test_a_slot_that_is_moved_and_moved_back_waits_again(ready: Newsletter, mailbox: Mailbox) -> None:
    waiting(ready)
    for slot in ("10:00", "08:00"):
        ready.settings.slot = slot
        clock(ready).move(minutes=30)
        keep_appointments(ready)
    approve(ready, SLUG)
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started"])


def test_a_slot_chosen_for_an_hour_long_past_missed_nothing_today(ready: Newsletter, mailbox: Mailbox) -> None:
    with ready.session() as session:
        ready.choose_settings(session, {"slot": "20:00"})
    clock(ready).move(hours=-10)
    keep_appointments(ready)  # yesterday's evening
    mailbox.taken.clear()
    clock(ready).move(hours=14)
    with ready.session() as session:
        ready.choose_settings(session, {"slot": "08:00"})
    keep_appointments(ready)
    assert (begun(ready), mailbox.taken) == (0, [])


def test_without_a_slot_what_waited_is_given_up_without_a_word(ready: Newsletter, mailbox: Mailbox) -> None:
    waiting(ready)
    mailbox.taken.clear()
    ready.settings.slot = ""
    clock(ready).move(hours=3)
    keep_appointments(ready)
    assert (states(ready), mailbox.taken) == (["cancelled"], [])


def test_a_slot_set_for_an_hour_within_the_limit_has_come(ready: Newsletter, mailbox: Mailbox) -> None:
    ready.settings.slot = "07:00"
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (1, ["started"])


def test_a_slot_moved_to_an_earlier_hour_within_the_limit_has_come(ready: Newsletter, mailbox: Mailbox) -> None:
    kept_yesterday(ready, mailbox)
    clock(ready).move(minutes=30)
    ready.settings.slot = "06:00"
    keep_appointments(ready)
    assert (begun(ready), states(ready)) == (2, ["started", "started"])
