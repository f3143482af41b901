"""Several servers: shares by weight, limits, and one that dies."""

import asyncio
from collections import Counter
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from mail_servers import SlowMailbox, aiosmtpd_server
from pydantic import SecretStr
from sending import SLUG, Clock, add_readers, hand_over, take_in_issue
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.connection import Connection
from newsletter.delivery.models import Delivery
from newsletter.delivery.outcome import Outcome
from newsletter.delivery.route import Route, share
from newsletter.editorial.outbox import Outbox
from newsletter.setting_values import ServerSettings

READERS = 24
AHEAD = 2
"""How many rows for each connection a server may be ahead of its share."""


async def nowhere() -> Connection:
    raise NotImplementedError


def route(name: str, weight: float = 1, connections: int = 2, **limits: int) -> Route:
    return Route(name, nowhere, connections, weight=weight, **limits)


SERVERS = st.lists(
    st.tuples(st.floats(0.1, 20), st.integers(1, 50), st.integers(0, 100), st.integers(0, 10_000)),
    min_size=2,
    max_size=5,
)


@given(servers=SERVERS)
def test_no_server_gets_more_than_it_has_room_for_or_far_more_than_its_share(
    servers: list[tuple[float, int, int, int]],
) -> None:
    given_ = [(route(str(n), weight, many), room, had) for n, (weight, many, room, had) in enumerate(servers)]
    shares = share(given_)
    least = min(had / one.weight for one, _, had in given_)
    for one, room, had in given_:
        assert 0 <= shares[one.name] <= room
        ahead = had + shares[one.name] - least * one.weight
        assert shares[one.name] == 0 or ahead <= AHEAD * one.allowed + 1e-6


@given(servers=SERVERS)
def test_whoever_is_furthest_behind_gets_something_if_it_has_room(servers: list[tuple[float, int, int, int]]) -> None:
    given_ = [(route(str(n), weight, many), room, had) for n, (weight, many, room, had) in enumerate(servers)]
    last, room, _ = min(given_, key=lambda one: one[2] / one[0].weight)
    assert share(given_)[last.name] > 0 or not room


@given(room=st.integers(0, 100), had=st.integers(0, 10_000))
def test_one_server_alone_gets_all_that_it_has_room_for(room: int, had: int) -> None:
    assert share([(route("only"), room, had)]) == {"only": room}


def test_processes_divide_the_connections_that_a_server_allows_and_each_keeps_one() -> None:
    one = route("limited", connections=10, connections_in_all=6)
    allowed = []
    for one.workers in (1, 2, 4, 9):
        allowed.append(one.allowed)
    assert allowed == [6, 3, 1, 1]


class Provider:
    """Takes mail until it dies: from then on it hangs up on whoever speaks to it."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.dies_after = dies_after
        self.taken: Counter[str] = Counter()
        self.lines: set[int] = set()

    def is_dead(self, server: Any) -> bool:
        if self.dies_after is None or self.taken.total() < self.dies_after:
            return False
        server.transport.abort()
        return True

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, responses: list[str]) -> list[str]:
        session.host_name = name
        self.lines.add(id(session))
        self.is_dead(server)
        return responses

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        envelope.mail_from = address
        return "421 4.3.2 going" if self.is_dead(server) else "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.update(envelope.rcpt_tos)
        await asyncio.sleep(0)
        return "250 taken"


@pytest.fixture
def ready(newsletter: Newsletter) -> Newsletter:
    newsletter.clock = Clock()
    newsletter.settings.connections = 2
    take_in_issue(newsletter)
    add_readers(newsletter, READERS)
    return newsletter


def at(port: int, name: str, **limits: Any) -> ServerSettings:
    return ServerSettings(name=name, url=SecretStr(f"smtp://127.0.0.1:{port}?starttls=never"), **limits)


def test_a_server_that_cannot_be_used_is_named_while_another_takes_the_mail(
    ready: Newsletter, caplog: pytest.LogCaptureFixture
) -> None:
    steady = SlowMailbox()
    steady.seconds = 0.1  # the other one has been looked for by then
    with aiosmtpd_server(steady) as one, aiosmtpd_server(Provider()) as other:
        barred = ServerSettings(name="barred", url=SecretStr(f"smtp://127.0.0.1:{other.port}?starttls=required"))
        ready.settings.servers = (at(one.port, "steady"), barred)
        _, counts = hand_over(ready, SLUG)
    assert counts.accepted == READERS
    assert "No mail can be handed to barred" in caplog.text


def test_a_server_that_dies_in_the_middle_leaves_the_rest_to_the_other_and_nobody_is_doubled(
    ready: Newsletter,
) -> None:
    steady, dying = Provider(), Provider(dies_after=5)

    def minutes_pass(outcome: Outcome, _outbox: Outbox) -> None:
        if outcome.blames_server:  # its reader waits a minute for another server
            ready.clock.move(seconds=61)  # type: ignore[attr-defined]  # it is our own

    with aiosmtpd_server(steady) as one, aiosmtpd_server(dying) as other:
        ready.settings.servers = (at(one.port, "steady"), at(other.port, "dying"))
        worked, counts = hand_over(ready, SLUG, minutes_pass)
    assert not worked.trouble
    assert (counts.accepted, counts.unknown) == (READERS, 0)
    assert dying.taken.total() >= 5
    assert set((steady.taken + dying.taken).values()) == {1}


def test_a_server_that_was_never_there_holds_nobody_up(ready: Newsletter) -> None:
    alone = Provider()
    with aiosmtpd_server(alone) as server:
        ready.settings.servers = (at(1, "away"), at(server.port, "there"))
        worked, counts = hand_over(ready, SLUG)
    assert not worked.trouble
    assert (counts.accepted, len(alone.taken)) == (READERS, READERS)


def test_servers_share_the_readers_by_their_weights(ready: Newsletter) -> None:
    add_readers(ready, 96, "more{}@example.org")
    large, small = Provider(), Provider()
    with aiosmtpd_server(large) as one, aiosmtpd_server(small) as other:
        ready.settings.servers = (at(one.port, "large", weight=3), at(other.port, "small"))
        hand_over(ready, SLUG)
    assert large.taken.total() + small.taken.total() == 120
    assert 90 - 3 * 2 * AHEAD <= large.taken.total() <= 90 + 2 * AHEAD * 2


def test_the_log_says_which_server_took_a_message(ready: Newsletter) -> None:
    large, small = Provider(), Provider()
    with aiosmtpd_server(large) as one, aiosmtpd_server(small) as other:
        ready.settings.servers = (at(one.port, "large"), at(other.port, "small"))
        hand_over(ready, SLUG)
    with ready.reading() as session:
        said = Counter(session.exec(select(Delivery.server)).all())
    assert said == {"large": large.taken.total(), "small": small.taken.total()}


def test_a_server_has_no_more_lines_than_its_limit(ready: Newsletter) -> None:
    narrow = Provider()
    with aiosmtpd_server(narrow) as server:
        ready.settings.servers = (at(server.port, "narrow", connections=1),)
        hand_over(ready, SLUG)
    assert (len(narrow.lines), len(narrow.taken)) == (1, READERS)
