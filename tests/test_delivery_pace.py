"""How fast: buckets, limits by server and by domain, back-off."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from mail_servers import aiosmtpd_server
from pydantic import SecretStr
from sending import SLUG, Clock, Hand, add_readers, hand_over, plan, take_in_issue
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.delivery.claims import Wanted
from newsletter.delivery.models import Bucket, Delivery
from newsletter.delivery.outcome import State
from newsletter.delivery.pace import BackOff, DomainRule, Level
from newsletter.editorial.dispatch import whole
from newsletter.setting_values import DomainSettings

RATE = 2.0
QQ = ("qq.example", "foxmail.example")


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    newsletter.clock = Clock()
    take_in_issue(newsletter)
    return newsletter


@dataclass
class Provider:
    """Takes mail, says "later" to the domains that a test names, and counts what there is to count."""

    later: tuple[str, ...] = ()
    taken: Counter[str] = field(default_factory=Counter)
    by_line: list[Counter[str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, responses: list[str]) -> list[str]:
        session.host_name = name
        session.counted = Counter()
        self.by_line.append(session.counted)
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.endswith(self.later or ("nobody",)):
            session.counted["later"] += 1
            return "451 4.7.1 later"
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (address,) = envelope.rcpt_tos
        limited = address.endswith(QQ)
        self.at_once += limited
        self.most_at_once = max(self.most_at_once, self.at_once)
        for _ in range(5):  # let other lines come in between
            await asyncio.sleep(0)
        self.at_once -= limited
        self.taken[address] += 1
        session.counted[address.partition("@")[2]] += 1
        return "250 taken"


@pytest.fixture
def provider(ready: Newsletter) -> Iterator[Provider]:
    provider = Provider()
    with aiosmtpd_server(provider) as server:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{server.port}?starttls=never")
        ready.settings.connections = 3
        yield provider


# buckets as values

DRAWS = st.lists(st.tuples(st.floats(-3, 5), st.integers(0, 30)), max_size=40)


@given(per_second=st.floats(0.05, 50), draws=DRAWS)
def test_a_bucket_never_gives_more_than_its_rate_and_one_burst_however_it_is_drawn(
    per_second: float, draws: list[tuple[float, int]]
) -> None:
    burst = max(per_second, 1)
    now = Clock().now
    level = Level(burst, now)
    forward, given_out = 0.0, 0
    for seconds, wanted in draws:
        now += timedelta(seconds=seconds)
        forward += max(seconds, 0)
        level = level.filled(per_second, now)
        taken = min(wanted, int(level.tokens))
        level = level.drawn(taken)
        given_out += taken
        assert given_out <= per_second * forward + burst + 1e-6


@given(per_second=st.floats(0.05, 50), back=st.floats(0, 1e6))
def test_a_clock_that_is_set_back_adds_nothing_to_a_bucket(per_second: float, back: float) -> None:
    now = Clock().now
    assert Level(0.25, now).filled(per_second, now - timedelta(seconds=back)).tokens == 0.25


@given(per_second=st.floats(0.05, 50), apart=st.floats(0.001, 10))
def test_workers_whose_clocks_are_apart_draw_no_more_than_one_alone(per_second: float, apart: float) -> None:
    burst, now = max(per_second, 1), Clock().now
    level, given_out = Level(burst, now), 0
    for turn in range(200):
        clock = now + timedelta(seconds=turn / 100 + (apart if turn % 2 else 0))
        level = level.filled(per_second, clock)
        given_out += int(level.tokens)
        level = level.drawn(int(level.tokens))
    assert given_out <= per_second * (2 + apart) + burst + 1e-6


@given(per_second=st.floats(0.05, 50), days=st.floats(0, 1000))
def test_a_bucket_that_nobody_drew_from_holds_a_second_of_its_rate_and_at_least_one(
    per_second: float, days: float
) -> None:
    now = Clock().now
    level = Level(0, now).filled(per_second, now + timedelta(days=1 + days))
    assert level.tokens == pytest.approx(max(per_second, 1)) or per_second * 86_400 * (1 + days) < 1


# buckets in the table


def take(newsletter: Newsletter, hand: Hand, many: int = 10) -> int:
    wanted = Wanted([whole(newsletter, 1)], {"server": many}, {"server": RATE}, {})
    return len(hand.ledger.turn([], wanted, newsletter.clock()).rows.get("server", ()))


@pytest.mark.both_databases
def test_two_senders_draw_from_one_bucket(ready: Newsletter) -> None:
    add_readers(ready, 9)
    plan(ready, SLUG)
    one, other = Hand(ready), Hand(ready)
    assert (take(ready, one, 1), take(ready, other), take(ready, one)) == (1, 1, 0)
    ready.clock.move(seconds=1)  # type: ignore[attr-defined]  # it is our own
    assert (take(ready, other), take(ready, one)) == (2, 0)


def test_a_bucket_outlives_its_senders(ready: Newsletter) -> None:
    add_readers(ready, 9)
    plan(ready, SLUG)
    first = Hand(ready)
    assert take(ready, first) == 2
    first.seat.leave()
    assert take(ready, Hand(ready)) == 0
    with ready.reading() as session:
        assert session.get_one(Bucket, "server").tokens == 0


def test_who_finds_the_bucket_empty_is_told_when_it_has_a_token_again(ready: Newsletter) -> None:
    add_readers(ready, 9)
    plan(ready, SLUG)
    wanted = Wanted([whole(ready, 1)], {"server": 9}, {"server": RATE}, {})
    taken = Hand(ready).ledger.turn([], wanted, ready.clock())
    assert taken.next_token_at == ready.clock() + timedelta(seconds=1 / RATE)


def test_an_empty_bucket_of_one_domain_lets_the_others_pass(ready: Newsletter) -> None:
    add_readers(ready, 4, "reader{}@QQ.example")
    add_readers(ready, 4)
    plan(ready, SLUG)
    rule = DomainRule(QQ, messages_per_second=RATE)
    wanted = Wanted([whole(ready, 1)], {"server": 8}, {}, {rule: 8})
    addresses = [row.address for row in Hand(ready).ledger.turn([], wanted, ready.clock()).rows["server"]]
    assert Counter(address.partition("@")[2].lower() for address in addresses) == {"qq.example": 2, "example.org": 4}


# limits in a real send


class Ticking(Clock):
    """A clock that goes on by a part of a second whenever somebody looks at it."""

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=0.11)
        return self.now


def claimed(newsletter: Newsletter, domain: str = "") -> list[datetime]:
    """When each message was claimed, in order."""
    with newsletter.reading() as session:
        ours = (
            select(Delivery.claimed_at).where(col(Delivery.address).endswith(domain)).order_by(col(Delivery.claimed_at))
        )
        return list(session.exec(ours).all())


def keeps_to(times: list[datetime], per_second: float) -> bool:
    """Whether there is no stretch of time with more of them than the rate and one burst allow."""
    return all(
        later - earlier + 1 <= per_second * (times[later] - times[earlier]).total_seconds() + max(per_second, 1) + 1e-6
        for earlier in range(len(times))
        for later in range(earlier, len(times))
    )


def test_a_send_keeps_to_the_messages_per_second_of_its_server(ready: Newsletter, provider: Provider) -> None:
    ready.clock = Ticking()
    ready.settings.messages_per_second = RATE
    add_readers(ready, 12)
    hand_over(ready, SLUG)
    assert len(provider.taken) == 12
    assert keeps_to(claimed(ready), RATE)
    assert not keeps_to(claimed(ready), RATE / 4)


def test_a_send_keeps_to_the_messages_per_second_of_a_domain_and_the_others_do_not_wait(
    ready: Newsletter, provider: Provider
) -> None:
    ready.clock = Ticking()
    ready.settings.domains = (DomainSettings(names=QQ, messages_per_second=RATE),)
    add_readers(ready, 8, "reader{}@qq.example")
    add_readers(ready, 8)
    hand_over(ready, SLUG)
    assert len(provider.taken) == 16
    assert keeps_to(claimed(ready, "@qq.example"), RATE)
    others = claimed(ready, "@example.org")
    assert others[len(others) // 2] < claimed(ready, "@qq.example")[-1]


def test_no_more_messages_of_a_domain_are_on_the_wire_at_once_than_its_rule_allows(
    ready: Newsletter, provider: Provider
) -> None:
    ready.settings.domains = (DomainSettings(names=QQ, connections=1),)
    add_readers(ready, 10, "reader{}@qq.example")
    add_readers(ready, 10, "reader{}@foxmail.example")
    add_readers(ready, 5)
    hand_over(ready, SLUG)
    assert len(provider.taken) == 25
    assert provider.most_at_once == 1


def test_a_line_has_no_more_messages_than_its_server_allows(ready: Newsletter, provider: Provider) -> None:
    ready.settings.messages_per_connection = 3
    add_readers(ready, 10)
    hand_over(ready, SLUG)
    assert len(provider.taken) == 10
    assert max(line.total() for line in provider.by_line) <= 3


def test_a_line_has_no_more_messages_of_a_domain_than_its_rule_allows(ready: Newsletter, provider: Provider) -> None:
    ready.settings.domains = (DomainSettings(names=QQ, messages_per_connection=2),)
    ready.settings.connections = 1
    add_readers(ready, 6, "reader{}@qq.example")
    add_readers(ready, 6)
    hand_over(ready, SLUG)
    assert len(provider.taken) == 12
    assert max(line["qq.example"] for line in provider.by_line) == 2
    assert max(line["example.org"] for line in provider.by_line) == 6


# back-off


def test_five_laters_of_the_last_ten_make_a_domain_rest_each_time_longer() -> None:
    back_off, now = BackOff(), Clock().now
    for later in (True, False, True, False, True, False, True):
        back_off.note("qq.example", later, now)
    assert back_off.resting(now) == {}
    rests = []
    for _ in range(6):
        for _ in range(5):
            back_off.note("qq.example", later=True, now=now)
        rests.append((back_off.resting(now)["qq.example"] - now).total_seconds() / 60)
        now = back_off.resting(now)["qq.example"]
        assert back_off.resting(now) == {}
    assert rests == [2, 4, 8, 16, 30, 30]


def test_a_later_now_and_then_makes_nobody_rest() -> None:
    back_off, now = BackOff(), Clock().now
    for number in range(200):
        back_off.note("qq.example", number % 3 == 0, now)
    assert back_off.resting(now) == {}


def test_a_domain_that_says_later_in_a_burst_is_left_alone_and_the_others_are_served(
    ready: Newsletter, provider: Provider
) -> None:
    provider.later = ("@qq.example",)
    ready.settings.connections = 1
    add_readers(ready, 30, "reader{}@qq.example")
    add_readers(ready, 30)
    _, counts = hand_over(ready, SLUG)
    assert counts.accepted == 30
    asked = sum(line["later"] for line in provider.by_line)
    assert 5 <= asked <= 8  # the burst, and what was in hand when it was noticed
    with ready.reading() as session:
        waiting = session.exec(select(Delivery).where(col(Delivery.state).in_((State.QUEUED, State.DEFERRED)))).all()
    assert len(waiting) == 30
    assert min(row.next_at for row in waiting) >= ready.clock() + timedelta(minutes=2)
    assert sum(row.deferrals for row in waiting) == asked  # who was only left alone is charged nothing


@pytest.mark.both_databases
def test_a_limit_that_has_something_left_wakes_nobody(newsletter: Newsletter) -> None:
    newsletter.clock = Clock()
    take_in_issue(newsletter)
    add_readers(newsletter, 3)
    plan(newsletter, SLUG)
    hand, now = Hand(newsletter), newsletter.clock()
    rule = DomainRule(("example.org",), messages_per_second=5, connections=2)
    wanted = Wanted([whole(newsletter, 1)], {"server": 20}, {"server": 5}, {rule: 2})
    assert len(hand.ledger.turn([], wanted, now).rows["server"]) == 2
    full = Wanted(wanted.parts, {"server": 18}, wanted.rates, {rule: 0})
    assert hand.ledger.turn([], full, now).next_token_at is None
    hand.seat.leave()
