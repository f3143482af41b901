"""Deliveries wait for their readers' hours: planned, found, moved, and left out when nobody was there for too long."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sending import ISSUE, SLUG, Clock, Hand, add_readers, plan, take_in_issue
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.delivery import control
from newsletter.delivery import plan as planning
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.moving_hours import move_waiting
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.editorial import rounds, sending
from newsletter.editorial.dispatch import begin, next_due, plan_mailing
from newsletter.editorial.outbox import Outbox, open_outbox
from newsletter.editorial.preview import preview_for
from newsletter.editorial.rehearsal import rehearse
from newsletter.editorial.rounds import Rounds
from subscribers.models import Subscriber
from subscribers.preferences import Frequency, Preferences

RELEASE = datetime(2026, 3, 9, tzinfo=UTC)
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
ACCEPTED = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
REFUSED = Outcome(Verdict.REFUSED, Stage.RCPT, 550, "5.7.1 not today")
READERS: dict[str, dict[str, Any]] = {
    "slot": {},
    "berlin": {"zone": BERLIN, "hour": 7},
    "ny": {"zone": NEW_YORK, "hour": 7},
}
DUE = {"slot": 0, "berlin": 6, "ny": 11}
"""Hours after the release, eight in the morning in Shanghai: New York has summer time, Berlin not yet."""


@pytest.fixture
def ready(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> Newsletter:
    """An approved issue, and a reader at its release, one in Berlin and one in New York, each twice."""
    monkeypatch.setattr(rounds, "ROWS_PER_JOB", 4)
    newsletter.clock = Clock()
    newsletter.settings.smtp_url = SecretStr("smtp://127.0.0.1:1?starttls=never")
    take_in_issue(newsletter)
    with newsletter.session() as session:
        for name, own in [*READERS.items(), *((f"{name}2", own) for name, own in READERS.items())]:
            newsletter.people(session).add(f"{name}@example.org", Preferences(topics=("policy",), **own))
    return newsletter


@pytest.fixture
def outbox(ready: Newsletter) -> Iterator[Outbox]:
    with open_outbox(ready, patient=True) as outbox:
        yield outbox


def clock(newsletter: Newsletter) -> Clock:
    assert isinstance(newsletter.clock, Clock)
    return newsletter.clock


def rows(newsletter: Newsletter) -> dict[str, Delivery]:
    """The deliveries, by the name of their reader."""
    with newsletter.reading() as session:
        return {str(row.address).partition("@")[0]: row for row in session.exec(select(Delivery)).all()}


def choose(newsletter: Newsletter, name: str, **own: Any) -> None:
    """A reader changes what they chose."""
    with newsletter.session() as session:
        person = newsletter.people(session).get(f"{name}@example.org")
        assert person
        assert person.id
        for column, value in own.items():
            setattr(person, column, value)
        move_waiting(session, person.id, newsletter.clock())


def hours_due(newsletter: Newsletter) -> dict[str, float]:
    return {name: (row.due - RELEASE) / timedelta(hours=1) for name, row in rows(newsletter).items()}


@pytest.mark.both_databases
def test_each_row_is_due_at_its_readers_hour(ready: Newsletter) -> None:
    plan(ready, SLUG)
    assert hours_due(ready) == DUE | {f"{name}2": hours for name, hours in DUE.items()}


@pytest.mark.both_databases
def test_only_those_whose_hour_has_come_are_claimed(ready: Newsletter) -> None:
    plan(ready, SLUG)
    hand = Hand(ready)
    got = []
    for _ in range(12):
        taken = [row.address.partition("@")[0] for row in hand.take(9)]
        got.append(taken)
        clock(ready).move(hours=1)
    hand.seat.leave()
    assert [(hour, taken) for hour, taken in enumerate(got) if taken] == [
        (0, ["slot", "slot2"]),
        (6, ["berlin", "berlin2"]),
        (11, ["ny", "ny2"]),
    ]


def test_sent_at_once_everybody_is_due_at_the_release(ready: Newsletter) -> None:
    for _ in plan_mailing(ready, begin(ready, SLUG, at_once=True)):
        pass
    assert set(hours_due(ready).values()) == {0}


def test_the_preview_before_has_the_date_of_the_hour(ready: Newsletter) -> None:
    before = preview_for(ready, SLUG, "ny@example.org", RELEASE).message.data
    plan(ready, SLUG)
    assert preview_for(ready, SLUG, "ny@example.org").message.data == before
    assert b"\r\nDate: Mon, 09 Mar 2026 19:00:00 +0800\r\n" in before


@pytest.mark.both_databases
def test_parts_are_of_one_hour_and_come_when_it_comes(ready: Newsletter, outbox: Outbox) -> None:
    plan(ready, SLUG)
    found = Rounds(ready, outbox)
    assert {part.wave for part in found.due()} == {RELEASE}
    clock(ready).move(hours=6)
    assert {part.wave for part in found.due()} == {RELEASE, RELEASE + timedelta(hours=6)}
    hand = Hand(ready)
    for row in hand.take(9):
        hand.settle(row, ACCEPTED)
    hand.seat.leave()
    assert found.due() == []
    with ready.reading() as session:
        assert next_due(session, 1) == RELEASE + timedelta(hours=11)


def test_a_dry_run_waits_for_nobodys_hour(ready: Newsletter, tmp_path: Path) -> None:
    assert rehearse(ready, SLUG, tmp_path / "mails").counts.accepted == 2 * len(READERS)
    dates = {message_from_bytes(one.read_bytes())["Date"] for one in (tmp_path / "mails").iterdir()}
    assert len(dates) == len(READERS)


def test_a_canary_does_not_wait_for_the_hours_of_others(ready: Newsletter) -> None:
    for _ in plan_mailing(ready, begin(ready, SLUG, canary=5)):
        pass
    hand = Hand(ready)
    first = hand.take(9)
    assert [row.address for row in first] == ["slot@example.org", "slot2@example.org"]
    for row in first:
        hand.settle(row, ACCEPTED)
    clock(ready).move(hours=6)
    assert len(hand.take(9)) + len(hand.take(9)) == 2


def test_whoever_moves_gets_it_at_their_new_hour(ready: Newsletter) -> None:
    plan(ready, SLUG)
    clock(ready).move(hours=1)
    choose(ready, "ny", zone=BERLIN, hour=9)
    row = rows(ready)["ny"]
    assert row.due == row.next_at == RELEASE + timedelta(hours=8)


def test_whoever_moves_past_their_new_hour_gets_it_now_and_not_a_day_later(ready: Newsletter) -> None:
    plan(ready, SLUG)
    clock(ready).move(hours=8)
    choose(ready, "ny", zone=BERLIN, hour=7)
    assert rows(ready)["ny"].due == RELEASE + timedelta(hours=8)


def test_whoever_wants_a_digest_from_now_on_does_not_get_what_waits(ready: Newsletter) -> None:
    plan(ready, SLUG)
    choose(ready, "ny", frequency=Frequency.WEEKLY)
    assert (rows(ready)["ny"].state, rows(ready)["ny"].reason) == (State.EXCLUDED, Reason.WEEKLY)


def test_whoever_wants_it_daily_again_before_its_hour_gets_it(ready: Newsletter) -> None:
    plan(ready, SLUG)
    choose(ready, "ny", frequency=Frequency.WEEKLY)
    choose(ready, "ny", frequency=Frequency.DAILY)
    row = rows(ready)["ny"]
    assert (row.state, row.reason, row.due) == (State.QUEUED, None, RELEASE + timedelta(hours=11))


def test_whoever_goes_on_after_a_long_pause_is_tried_as_long_as_anybody(ready: Newsletter) -> None:
    plan(ready, SLUG)
    sending.pause(ready, SLUG)
    clock(ready).move(hours=60)
    sending.resume(ready, SLUG)
    assert {row.due for row in rows(ready).values()} == {clock(ready).now}


def test_sending_again_to_those_not_reached_means_those_who_wait_too(ready: Newsletter, outbox: Outbox) -> None:
    plan(ready, SLUG)
    hand = Hand(ready)
    hand.settle(hand.take(1)[0], REFUSED)
    hand.seat.leave()
    sending.pause(ready, SLUG)
    clock(ready).move(hours=60)
    sending.send_again(ready, SLUG)
    Rounds(ready, outbox).make_round()
    assert {row.state for row in rows(ready).values()} == {State.QUEUED}


def test_a_mailing_that_goes_on_slowly_loses_nobody(ready: Newsletter, outbox: Outbox) -> None:
    plan(ready, SLUG)
    hand = Hand(ready)
    for _ in range(3):
        clock(ready).move(hours=20)
        hand.settle(hand.take(1)[0], ACCEPTED)
        Rounds(ready, outbox).make_round()
    hand.seat.leave()
    assert State.EXCLUDED not in {row.state for row in rows(ready).values()}


@pytest.mark.both_databases
def test_of_two_issues_planned_at_once_one_brings_the_story_that_both_have(ready: Newsletter) -> None:
    take_in_issue(ready, ISSUE.replace(SLUG, "2026-03-10"))
    add_readers(ready, 3000)
    planners = [
        threading.Thread(target=lambda number: list(plan_mailing(ready, number)), args=(begin(ready, slug),))
        for slug in (SLUG, "2026-03-10")
    ]
    for planner in planners:
        planner.start()
    for planner in planners:
        planner.join()
    with ready.reading() as session:
        waiting = select(Delivery.subscriber_id).where(Delivery.state == State.QUEUED)
        got = session.exec(waiting).all()
    assert len(got) == len(set(got)) == 3000 + 2 * len(READERS)


@pytest.mark.both_databases
def test_an_hour_that_changes_while_its_reader_is_planned_counts(ready: Newsletter) -> None:
    begin(ready, SLUG)
    changed = threading.Thread(target=choose, args=(ready, "ny"), kwargs={"zone": BERLIN, "hour": 9})

    class Slow(Chooser):
        def choose(self, *arguments: Any) -> Any:
            if not changed.ident:
                changed.start()
                changed.join(0.5)  # on PostgreSQL it waits for us, on SQLite for the file
            return super().choose(*arguments)

    with ready.reading() as session:
        issue = ready.issues(session).find(SLUG).issue
    for _ in planning.plan(ready.engine, 1, Slow(issue), ready.tokens):
        pass
    changed.join()
    assert rows(ready)["ny"].due == RELEASE + timedelta(hours=8)


def test_what_was_handed_over_does_not_move(ready: Newsletter) -> None:
    plan(ready, SLUG)
    hand = Hand(ready)
    for row in hand.take(9):
        hand.settle(row, ACCEPTED)
    choose(ready, "slot", zone=NEW_YORK, hour=3)
    assert rows(ready)["slot"].due == RELEASE


def test_a_pause_that_ends_before_the_hour_costs_nothing(ready: Newsletter) -> None:
    with ready.session() as session:
        for name, hours in (("ny", 5), ("berlin", 7)):
            person = session.exec(select(Subscriber).where(Subscriber.ascii_address == f"{name}@example.org")).one()
            ready.people(session).pause(person, RELEASE + timedelta(hours=hours), "test")
    plan(ready, SLUG)
    assert (rows(ready)["ny"].state, rows(ready)["berlin"].reason) == (State.QUEUED, Reason.PAUSED)


@pytest.mark.both_databases
def test_a_machine_that_was_down_sends_what_waited_for_less_than_the_limit(ready: Newsletter, outbox: Outbox) -> None:
    plan(ready, SLUG)
    clock(ready).move(hours=ready.settings.give_up_hours + 1)
    Rounds(ready, outbox).make_round()
    states = {name: (row.state, row.reason) for name, row in rows(ready).items()}
    assert states["slot"] == (State.EXCLUDED, Reason.TOO_LATE)
    assert states["berlin"] == states["ny"] == (State.QUEUED, None)


@pytest.mark.parametrize("go_on", [sending.resume, begin])
def test_a_person_who_says_go_on_means_what_is_late_too(ready: Newsletter, outbox: Outbox, go_on: Any) -> None:
    plan(ready, SLUG)
    with ready.session() as session:
        control.pause(session, 1, "by hand")
    clock(ready).move(hours=60)
    go_on(ready, SLUG)
    with ready.session() as session:
        control.resume(session, 1)
    Rounds(ready, outbox).make_round()
    assert {row.state for row in rows(ready).values()} == {State.QUEUED}
    assert {row.next_at for row in rows(ready).values()} == {clock(ready).now}


def test_the_mailing_knows_its_release_and_the_issue_its_date(ready: Newsletter) -> None:
    plan(ready, SLUG)
    with ready.reading() as session:
        assert session.exec(select(Mailing.due)).one() == RELEASE
    assert "2026 年 3 月 9 日" in preview_for(ready, SLUG, "ny@example.org").text
