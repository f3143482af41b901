"""Pause, resume, cancel, send again, canary, suppression: what they do to the rows."""

from datetime import timedelta
from threading import Thread
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import SLUG, Clock, Hand, add_readers, hand_over, plan, take_in_issue
from sqlalchemy import delete, update
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery import control
from newsletter.delivery import plan as planning
from newsletter.delivery.claims import Claimed
from newsletter.delivery.control import ControlRefused, MailingState
from newsletter.delivery.counts import count
from newsletter.delivery.history import entries
from newsletter.delivery.models import Attempt, Delivery, Mailing
from newsletter.delivery.outcome import Outcome, Reason, Stage, State, Verdict
from newsletter.delivery.retry import JITTER, next_attempt
from newsletter.editorial.dispatch import Dispatch
from newsletter.editorial.outbox import open_outbox
from newsletter.editorial.rounds import Rounds

READERS = 8
WAIT = timedelta(minutes=20)
ACCEPTED = Outcome(Verdict.ACCEPTED, Stage.DONE, 250, "taken")
LATER = Outcome(Verdict.LATER, Stage.RCPT, 451, "4.7.1 later")
BROKE = Outcome(Verdict.LATER, Stage.DATA, 0, "the line broke")
UNKNOWN = Outcome(Verdict.UNKNOWN, Stage.DOT, 0, "the line broke")
HARD = Outcome(Verdict.REFUSED, Stage.RCPT, 550, "5.1.1 no such user")
SOFT = Outcome(Verdict.REFUSED, Stage.DOT, 554, "5.7.1 looks like advertising")
IMPOSSIBLE = Outcome(Verdict.REFUSED, Stage.WRITE, 0, "the address cannot stand in a header")
OUTCOMES = (ACCEPTED, LATER, BROKE, UNKNOWN, HARD, SOFT, IMPOSSIBLE, None)


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """An approved issue with eight readers, and a clock that stands still."""
    newsletter.clock = Clock()
    take_in_issue(newsletter)
    add_readers(newsletter, READERS)
    return newsletter


@pytest.fixture
def hand(ready: Newsletter) -> Hand:
    """The issue is planned, and this takes rows of it."""
    plan(ready, SLUG)
    return Hand(ready)


def clock(newsletter: Newsletter) -> Clock:
    assert isinstance(newsletter.clock, Clock)
    return newsletter.clock


def states(newsletter: Newsletter) -> list[tuple[str, str | None]]:
    with newsletter.reading() as session:
        return [(row.state, row.reason) for row in session.exec(select(Delivery).order_by(col(Delivery.id)))]


def mailing(newsletter: Newsletter) -> Mailing:
    with newsletter.reading() as session:
        return session.exec(select(Mailing)).one()


def pause(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        control.pause(session, 1, "by hand")


def resume(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        control.resume(session, 1)


def cancel(newsletter: Newsletter) -> int:
    with newsletter.session() as session:
        return control.cancel(session, 1, newsletter.clock())


def send_again(newsletter: Newsletter) -> int:
    with newsletter.session() as session:
        return control.send_again(session, 1, newsletter.clock())


def settle_unknown(newsletter: Newsletter, *, accepted: bool) -> int:
    with newsletter.session() as session:
        return control.settle_unknown(session, 1, newsletter.clock(), accepted=accepted, wait=WAIT)


@pytest.mark.both_databases
def test_a_pause_takes_effect_with_the_next_claim_and_ends_nothing_that_is_in_hand(
    ready: Newsletter, hand: Hand
) -> None:
    (row,) = hand.take(1)
    pause(ready)
    assert hand.take(5) == []
    hand.settle(row, ACCEPTED)
    assert states(ready)[0] == (State.ACCEPTED, None)
    resume(ready)
    assert len(hand.take(READERS)) == READERS - 1


@pytest.mark.both_databases
def test_a_cancel_leaves_alone_who_has_it_or_may_have_it_and_excludes_the_rest(ready: Newsletter, hand: Hand) -> None:
    for row, outcome in zip(hand.take(4), (ACCEPTED, UNKNOWN, SOFT, LATER), strict=True):
        hand.settle(row, outcome)
    assert cancel(ready) == READERS - 3
    assert [state for state, _ in states(ready)] == ["accepted", "unknown", "failed", *["excluded"] * (READERS - 3)]
    assert hand.take(READERS) == []


@pytest.mark.parametrize("outcome", [None, LATER, BROKE])
def test_a_row_that_comes_back_after_the_cancel_is_excluded_too(
    ready: Newsletter, hand: Hand, outcome: Outcome | None
) -> None:
    (row,) = hand.take(1)
    cancel(ready)
    hand.settle(row, outcome)
    assert set(states(ready)) == {(State.EXCLUDED, Reason.CANCELLED)}


def test_a_message_that_was_on_its_way_when_it_was_cancelled_counts_as_what_it_became(
    ready: Newsletter, hand: Hand
) -> None:
    (row,) = hand.take(1)
    cancel(ready)
    hand.settle(row, ACCEPTED)
    assert states(ready)[0] == (State.ACCEPTED, None)


@pytest.mark.both_databases
def test_who_is_planned_after_the_cancel_is_excluded_too(ready: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "ROWS_PER_COMMIT", 3)
    rows = Dispatch.of(ready, SLUG).plan()
    next(rows)
    cancel(ready)
    list(rows)
    assert states(ready) == [(State.EXCLUDED, Reason.CANCELLED)] * READERS


def test_what_was_cancelled_stays_so(ready: Newsletter, hand: Hand) -> None:
    cancel(ready)
    for change in (pause, resume, send_again):
        with pytest.raises(ControlRefused, match="cancelled"):
            change(ready)
    assert mailing(ready).state == MailingState.CANCELLED


def test_what_is_finished_can_be_neither_paused_nor_cancelled(ready: Newsletter, hand: Hand) -> None:
    for row in hand.take(READERS):
        hand.settle(row, ACCEPTED)
    resume(ready)
    assert mailing(ready).state == MailingState.FINISHED
    for change in (pause, cancel):
        with pytest.raises(ControlRefused, match="finished"):
            change(ready)


@pytest.mark.both_databases
def test_sending_again_tries_who_was_refused_and_nobody_who_has_it_may_have_it_or_does_not_exist(
    ready: Newsletter, hand: Hand
) -> None:
    for row, outcome in zip(hand.take(6), (ACCEPTED, UNKNOWN, HARD, IMPOSSIBLE, SOFT, LATER), strict=True):
        hand.settle(row, outcome)
    assert send_again(ready) == 1
    assert [row.delivery_id for row in hand.take(READERS)] == [5, 7, 8]


@pytest.mark.both_databases
def test_sending_again_takes_whose_address_is_suppressed_no_longer(ready: Newsletter, hand: Hand) -> None:
    (row,) = hand.take(1)
    hand.settle(row, HARD)
    assert send_again(ready) == 0
    with ready.session() as session:
        assert ready.suppression(session).remove(row.address)
    assert send_again(ready) == 1
    assert row.delivery_id in [one.delivery_id for one in hand.take(READERS)]


def test_who_is_sent_to_again_after_the_time_to_give_up_is_tried_as_long_as_at_first(
    ready: Newsletter, hand: Hand
) -> None:
    (row, *_) = hand.take(READERS)
    hand.settle(row, SOFT)
    clock(ready).move(days=3)
    send_again(ready)
    (again,) = [one for one in hand.take(READERS) if one.delivery_id == row.delivery_id]
    hand.settle(again, LATER)
    with ready.reading() as session:
        assert session.get_one(Delivery, row.delivery_id).state == State.DEFERRED


def test_sending_again_sets_a_finished_mailing_going(ready: Newsletter, hand: Hand) -> None:
    for row in hand.take(READERS):
        hand.settle(row, SOFT)
    resume(ready)
    assert send_again(ready) == READERS
    assert mailing(ready).state == MailingState.RUNNING


def test_unknown_rows_can_be_taken_for_sent(ready: Newsletter, hand: Hand) -> None:
    hand.settle(hand.take(1)[0], UNKNOWN)
    assert settle_unknown(ready, accepted=True) == 1
    assert states(ready)[0] == (State.ACCEPTED, Reason.SETTLED)


@pytest.mark.both_databases
def test_unknown_rows_are_sent_again_only_when_the_first_copy_cannot_be_on_its_way_any_more(
    ready: Newsletter, hand: Hand
) -> None:
    old, new, *others = hand.take(READERS)
    for row in others:
        hand.settle(row, ACCEPTED)
    hand.settle(old, UNKNOWN)
    clock(ready).move(minutes=30)
    hand.settle(new, UNKNOWN)
    assert settle_unknown(ready, accepted=False) == 2
    assert [row.delivery_id for row in hand.take(2)] == [old.delivery_id]
    clock(ready).move(minutes=19.9)
    assert hand.take(2) == []
    clock(ready).move(minutes=0.1)
    assert [row.delivery_id for row in hand.take(2)] == [new.delivery_id]


@pytest.mark.both_databases
@pytest.mark.parametrize(("accepted", "became"), [(True, State.ACCEPTED), (False, State.QUEUED)])
def test_of_the_unknown_rows_one_can_be_settled_alone(
    ready: Newsletter, hand: Hand, *, accepted: bool, became: State
) -> None:
    first, second = hand.take(2)
    for row in (first, second):
        hand.settle(row, UNKNOWN)
    with ready.session() as session:
        these = {"accepted": accepted, "wait": WAIT, "deliveries": (second.delivery_id, 10**9)}
        assert control.settle_unknown(session, 1, ready.clock(), **these) == 1  # type: ignore[arg-type]  # of each its own
    assert [state for state, _ in states(ready)[:2]] == [State.UNKNOWN, became]


def test_what_is_paused_stays_so_when_unknown_rows_are_sent_again(ready: Newsletter, hand: Hand) -> None:
    hand.settle(hand.take(1)[0], UNKNOWN)
    with ready.session() as session:
        control.pause(session, 1, "by hand")
    assert settle_unknown(ready, accepted=False) == 1
    assert (mailing(ready).state, mailing(ready).why) == (MailingState.PAUSED, "by hand")


@pytest.mark.both_databases
def test_only_those_are_counted_who_would_be_tried_again(ready: Newsletter, hand: Hand) -> None:
    hard, soft = hand.take(2)
    hand.settle(hard, HARD)
    with ready.reading() as session:
        assert control.count_missed(session, 1) == 0
    hand.settle(soft, SOFT)
    with ready.reading() as session:
        assert control.count_missed(session, 1) == 1
    assert send_again(ready) == 1


@pytest.mark.both_databases
def test_the_truth_that_arrives_before_a_row_is_sent_again_spares_its_reader_a_second_copy(
    ready: Newsletter, hand: Hand
) -> None:
    (row,) = hand.take(1)
    _give_up_for_unknown(ready, row)
    settle_unknown(ready, accepted=False)
    hand.settle(row, ACCEPTED)
    assert states(ready)[0] == (State.ACCEPTED, None)
    with ready.reading() as session:
        (entry,) = (entry for entry in entries(session, slug=SLUG) if entry.delivery_id == row.delivery_id)
    assert [(one.number, one.verdict, one.code) for one in entry.tries] == [(1, Verdict.ACCEPTED, 250)]


def test_the_truth_that_arrives_after_a_row_was_claimed_again_changes_nothing(ready: Newsletter, hand: Hand) -> None:
    (row,) = hand.take(1)
    _give_up_for_unknown(ready, row)
    settle_unknown(ready, accepted=False)
    clock(ready).move(minutes=30)
    assert row.delivery_id in {one.delivery_id for one in hand.take(9)}
    hand.settle(row, HARD)
    assert states(ready)[0] == (State.IN_HAND, None)


def _give_up_for_unknown(newsletter: Newsletter, row: Claimed) -> None:
    """What another worker does that believes the row's sender dead."""
    with newsletter.session() as session:
        unknown = {"state": State.UNKNOWN, "reason": Reason.STOPPED, "settled_at": newsletter.clock()}
        session.execute(update(Delivery).where(col(Delivery.id) == row.delivery_id).values(**unknown))


@pytest.mark.both_databases
def test_a_row_that_goes_back_while_its_mailing_is_being_cancelled_is_excluded_too(
    ready: Newsletter, hand: Hand
) -> None:
    (row,) = hand.take(1)
    with ready.session() as session:
        control.cancel(session, 1, ready.clock())
        if ready.database_file is None:  # there two may write at once
            settling = Thread(target=hand.settle, args=(row, LATER))
            settling.start()
            settling.join(0.5)
    if ready.database_file is None:
        settling.join()
    else:
        hand.settle(row, LATER)
    assert states(ready)[0] == (State.EXCLUDED, Reason.CANCELLED)


def test_the_wait_is_longer_than_a_server_may_take_for_all_of_a_message(ready: Newsletter) -> None:
    chosen = ready.settings
    chosen.final_dot_timeout_seconds = 900
    least = chosen.final_dot_timeout_seconds + 2 * chosen.command_timeout_seconds + chosen.data_timeout_seconds
    assert chosen.unknown_wait > timedelta(seconds=least + chosen.block_timeout_seconds)


def test_unknown_rows_are_sent_again_by_themselves_where_that_is_set_and_not_before_their_wait(
    ready: Newsletter, hand: Hand
) -> None:
    hand.settle(hand.take(1)[0], UNKNOWN)
    ready.settings.unknown = "resend"
    hand.seat.leave()
    with open_outbox(ready, patient=True) as outbox:
        rounds = Rounds(ready, outbox)
        rounds.make_round()
        assert states(ready)[0] == (State.UNKNOWN, Reason.LINE_BROKE)
        clock(ready).move(seconds=ready.settings.unknown_wait.total_seconds())
        rounds.make_round()
        assert states(ready)[0] == (State.QUEUED, None)


def test_unknown_rows_are_held_where_nothing_is_set(ready: Newsletter, hand: Hand) -> None:
    hand.settle(hand.take(1)[0], UNKNOWN)
    clock(ready).move(days=2)
    hand.seat.leave()
    with open_outbox(ready, patient=True) as outbox:
        Rounds(ready, outbox).make_round()
    assert states(ready)[0] == (State.UNKNOWN, Reason.LINE_BROKE)


# the first few


def with_canary(newsletter: Newsletter, readers: int) -> Hand:
    newsletter.settings.canary = readers
    plan(newsletter, SLUG)
    return Hand(newsletter)


@pytest.mark.both_databases
def test_a_canary_lets_the_first_few_go_and_then_by_itself_the_rest(ready: Newsletter) -> None:
    hand = with_canary(ready, 3)
    first = hand.take(READERS)
    assert [row.delivery_id for row in first] == [1, 2, 3]
    assert hand.take(READERS) == []
    for row in first:
        hand.settle(row, ACCEPTED)
    assert len(hand.take(READERS)) == READERS - 3


@pytest.mark.parametrize("outcome", [SOFT, UNKNOWN, LATER])
def test_a_canary_pauses_when_too_many_of_the_first_few_were_not_reached(ready: Newsletter, outcome: Outcome) -> None:
    hand = with_canary(ready, 3)
    for row, one in zip(hand.take(READERS), (outcome, ACCEPTED, ACCEPTED), strict=True):
        hand.settle(row, one)
    assert hand.take(READERS) == []
    assert (mailing(ready).state, mailing(ready).why) == ("paused", "first 1 3")
    resume(ready)
    assert len(hand.take(READERS)) >= READERS - 3


def test_a_canary_waits_for_those_of_the_first_few_that_go_back_to_the_queue(ready: Newsletter) -> None:
    hand = with_canary(ready, 2)
    for row, outcome in zip(hand.take(READERS), (ACCEPTED, BROKE), strict=True):
        hand.settle(row, outcome)
    assert hand.take(READERS) == []
    clock(ready).move(minutes=1)
    (again,) = hand.take(READERS)
    assert again.delivery_id == 2


def test_a_canary_counts_readers_who_get_something(ready: Newsletter) -> None:
    with ready.session() as session:
        ready.suppression(session).add("reader0@example.org", "command")
    assert [row.delivery_id for row in with_canary(ready, 2).take(READERS)] == [2, 3]


def test_a_canary_holds_the_others_back_while_planning_goes_on(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "ROWS_PER_COMMIT", 3)
    ready.settings.canary = 2
    rows = Dispatch.of(ready, SLUG).plan()
    next(rows)
    hand = Hand(ready)
    for row in (first := hand.take(READERS)):
        hand.settle(row, ACCEPTED)
    assert len(first) == 2
    assert hand.take(READERS) == []
    list(rows)
    assert len(hand.take(READERS)) == READERS - 2


def test_who_resumes_while_planning_goes_on_lets_the_rest_go(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "ROWS_PER_COMMIT", 3)
    ready.settings.canary = 2
    rows = Dispatch.of(ready, SLUG).plan()
    next(rows)
    resume(ready)
    list(rows)
    assert len(Hand(ready).take(READERS)) == READERS


def test_a_canary_holds_back_though_nobody_of_the_first_rows_gets_anything(
    ready: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "ROWS_PER_COMMIT", 1)
    with ready.session() as session:
        ready.suppression(session).add("reader0@example.org", "command")
    assert [row.delivery_id for row in with_canary(ready, 2).take(READERS)] == [2, 3]


@pytest.mark.both_databases
def test_a_send_pauses_itself_when_its_share_of_errors_is_too_large(ready: Newsletter) -> None:
    add_readers(ready, 300, "more{}@example.org")
    ready.settings.error_share = 0.5
    ready.settings.connections = 1

    class Unwilling:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
            return "550 5.7.1 not today"

    with aiosmtpd_server(Unwilling()) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        _, counts = hand_over(ready, SLUG)
    assert mailing(ready).state == MailingState.PAUSED
    assert mailing(ready).why.startswith("share ")
    assert counts.failed >= 100
    assert counts.queued > 0


# refusals that say that there is nobody


class NoSuchUser:
    """Knows everybody but one."""

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("reader2@"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return "250 taken"


def test_an_address_that_does_not_exist_is_suppressed_until_somebody_takes_that_back(ready: Newsletter) -> None:
    with aiosmtpd_server(NoSuchUser()) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        _, counts = hand_over(ready, SLUG)
    assert (counts.accepted, counts.failed) == (READERS - 1, 1)
    with ready.session() as session:
        (entry,) = ready.suppression(session).list()
        assert (entry.reason, entry.note) == ("bounce", "550 5.1.1 no such user")
    take_in_issue(ready, "# 示例日报 (2026-03-10)\n\n**政策与监管**\n\n- **示例省公布新目录**\n  说明：目录有三项。\n")
    found = plan(ready, "2026-03-10").counts()
    assert (found.queued, found.excluded) == (READERS - 1, 1)
    with ready.session() as session:
        ready.suppression(session).remove("reader2@example.org")
    take_in_issue(ready, "# 示例日报 (2026-03-11)\n\n**政策与监管**\n\n- **示例县公布办法**\n  说明：办法有四条。\n")
    assert plan(ready, "2026-03-11").counts().queued == READERS


# laws


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 2), (2, 10), (3, 30), (4, 60), (5, 120), (6, 240), (7, 240), (99, 240)]
)
def test_waits_grow_as_the_table_says_and_jitter_only_lengthens_them(attempts: int, minutes: int) -> None:
    now, wait = Clock().now, timedelta(minutes=minutes)
    assert next_attempt(now, attempts, 0.0, now + 2 * wait) == now + wait
    assert next_attempt(now, attempts, 1.0, now + 2 * wait) == now + wait * (1 + JITTER)
    assert next_attempt(now, attempts, 0.0, now + wait) == now + wait
    assert next_attempt(now, attempts, 0.0, now + wait - timedelta(seconds=1)) is None


ACTIONS = st.one_of(
    st.tuples(st.just("take"), st.integers(1, 4)),
    st.tuples(st.just("settle"), st.sampled_from(OUTCOMES)),
    st.tuples(st.sampled_from(("pause", "resume", "cancel", "again", "sent", "resend", "wait", "die")), st.none()),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=st.lists(ACTIONS, max_size=25))
def test_counts_add_up_and_what_was_accepted_stays_so_whatever_is_done(
    ready: Newsletter, actions: list[tuple[str, Any]]
) -> None:
    plan(ready, SLUG)
    with ready.session() as session:  # as if nothing had been done yet
        session.execute(delete(Attempt))
        session.execute(update(Mailing).values(state=MailingState.RUNNING, why=""))
        fresh = {"state": State.QUEUED, "reason": None, "claim": None, "attempts": 0, "deferrals": 0}
        session.execute(update(Delivery).values(**fresh, next_at=ready.clock(), reply_class=None, settled_at=None))
    hand, held = Hand(ready), []
    accepted: set[int] = set()
    for action, value in actions:
        if action == "take":
            held += hand.take(value)
            assert not accepted & {row.delivery_id for row in held}
        elif action == "settle" and held:
            row = held.pop()
            hand.settle(row, value)
            accepted |= {row.delivery_id} if value is ACCEPTED else set()
        elif action == "wait":
            clock(ready).move(minutes=21)
        elif action == "die":
            hand.seat.leave()
            hand, held = Hand(ready), []
            hand.ledger.release(ready.clock(), [])
        elif action in ("pause", "resume", "cancel", "again", "sent", "resend"):
            _decide(ready, action)
        _check(ready, accepted)
    hand.seat.leave()


def _decide(newsletter: Newsletter, action: str) -> None:
    changes = {"pause": pause, "resume": resume, "cancel": cancel, "again": send_again}
    try:
        if action in changes:
            changes[action](newsletter)
        else:
            settle_unknown(newsletter, accepted=action == "sent")
    except ControlRefused:
        pass


def _check(newsletter: Newsletter, accepted: set[int]) -> None:
    with newsletter.reading() as session:
        counts = count(session, 1)
        still = set(session.exec(select(Delivery.id).where(Delivery.state == State.ACCEPTED)).all())
        state = session.exec(select(Mailing.state)).one()
    parts = counts.accepted + counts.queued + counts.deferred + counts.failed + counts.unknown + counts.excluded
    assert parts == counts.candidates == READERS
    assert accepted <= still
    assert state != MailingState.CANCELLED or not counts.deferred
