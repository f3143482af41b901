"""Work on one moment of a part: it ends with that moment, and makes no moments of its own."""

from datetime import timedelta

import pytest
from sending import SLUG, Clock, Hand, add_readers, plan, take_in_issue
from sqlmodel import col, select, update

from newsletter.app import Newsletter
from newsletter.delivery.claims import Claimed, Range, Wanted
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome, Stage, State, Verdict

pytestmark = pytest.mark.both_databases
LATER = Outcome(Verdict.LATER, Stage.RCPT, 451, "4.7.1 later")
SERVER_DOWN = Outcome(Verdict.LATER, Stage.MAIL, 421, "4.3.2 going down")
READERS = 4


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    """A planned issue, at a moment between two seconds."""
    newsletter.clock = Clock()
    take_in_issue(newsletter)
    add_readers(newsletter, READERS)
    plan(newsletter, SLUG)
    newsletter.clock.move(seconds=5.25)
    return newsletter


def part(newsletter: Newsletter) -> Range:
    return Range(1, 1, READERS, newsletter.clock() - timedelta(seconds=5.25))


def take(newsletter: Newsletter, hand: Hand, many: int) -> list[Claimed]:
    wanted = Wanted([part(newsletter)], {"server": many}, {}, {})
    return list(hand.ledger.turn([], wanted, newsletter.clock()).rows["server"])


def rows(newsletter: Newsletter) -> list[Delivery]:
    with newsletter.reading() as session:
        return list(session.exec(select(Delivery).order_by(col(Delivery.id))).all())


def test_a_part_whose_wave_is_empty_is_not_due_for_the_sake_of_another_wave(ready: Newsletter) -> None:
    hand = Hand(ready)
    assert hand.ledger.is_due(part(ready), ready.clock())
    with ready.session() as session:
        session.execute(update(Delivery).values(next_at=ready.clock() - timedelta(seconds=1)))
    assert not hand.ledger.is_due(part(ready), ready.clock())
    hand.seat.leave()


def test_a_part_whose_wave_is_empty_is_due_while_a_later_try_in_it_is(ready: Newsletter) -> None:
    hand = Hand(ready)
    with ready.session() as session:
        session.execute(update(Delivery).values(next_at=ready.clock(), state=State.DEFERRED))
    assert hand.ledger.is_due(part(ready), ready.clock())
    assert not hand.ledger.is_due(part(ready), ready.clock() - timedelta(seconds=1))
    hand.seat.leave()


def test_a_row_that_was_not_used_goes_back_into_its_wave(ready: Newsletter) -> None:
    hand = Hand(ready)
    for row in take(ready, hand, READERS):
        hand.settle(row, None)
    assert {(row.next_at, row.attempts) for row in rows(ready)} == {(part(ready).wave, 0)}
    hand.seat.leave()


def test_a_row_that_is_refused_for_now_waits_until_a_whole_second_and_no_shorter(ready: Newsletter) -> None:
    hand = Hand(ready)
    hand.settle(take(ready, hand, 1)[0], LATER)
    assert rows(ready)[0].next_at == ready.clock() + timedelta(seconds=120.75)
    hand.seat.leave()


def test_a_row_whose_server_is_to_blame_waits_until_a_whole_second_within_the_minute_of_one_run(
    ready: Newsletter,
) -> None:
    hand = Hand(ready)
    hand.settle(take(ready, hand, 1)[0], SERVER_DOWN)
    assert rows(ready)[0].next_at == ready.clock() + timedelta(seconds=59.75)
    hand.seat.leave()


def test_rows_of_a_domain_that_rests_wait_until_a_whole_second_and_no_shorter(ready: Newsletter) -> None:
    hand, now = Hand(ready), ready.clock()
    hand.ledger.put_off(part(ready), {"example.org": now + timedelta(minutes=2)}, now)
    assert {row.next_at for row in rows(ready)} == {now + timedelta(seconds=120.75)}
    hand.seat.leave()
