"""What may be asked for in the name of others: as much for everybody, and with the same work whoever they are."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from reader_samples import CHOICES, WEN, add, data_link, everything, letters, link
from sending import Clock
from sqlalchemy import Engine, event
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.readers import new_address
from newsletter.readers.leaving import PAGE, come_back, leave
from newsletter.readers.limits import MOVES, PER_ORIGIN, TooMany
from newsletter.readers.models import LetterKind
from newsletter.readers.preferences import ask_link
from newsletter.readers.sign_up import Asked, ask
from subscribers.models import SignUp, State
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases

HERE = "192.0.2.1"
WISH = Asked(WEN, replace(CHOICES, follow=()), "page", "我想收到。", "")


@pytest.fixture(autouse=True)
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


def put(newsletter: Newsletter, address: str, state: State | None, reason: str) -> None:
    """Make somebody of an address, and have it on the list."""
    with newsletter.session() as session:
        if state:
            newsletter.people(session).add(address, CHOICES, state=state)
        if reason:
            newsletter.suppression(session).add(address, reason)


_WHOSE: dict[str, tuple[State | None, str]] = {
    "nobody@example.com": (None, ""),
    "reader@example.com": (State.ACTIVE, ""),
    "paused@example.com": (State.PAUSED, ""),
    "pending@example.com": (State.PENDING, ""),
    "left@example.com": (State.UNSUBSCRIBED, ""),
    "bounced@example.com": (State.ACTIVE, "bounce"),
    "forgotten@example.com": (None, "forgotten"),
    "complained@example.com": (State.ACTIVE, "complaint"),
    "shut.out@example.com": (None, "manual"),
}


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What the database is told meanwhile."""
    told: list[str] = []

    def tell(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    event.listen(engine, "before_cursor_execute", tell)
    yield told
    event.remove(engine, "before_cursor_execute", tell)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("what", ["link", "sign-up"])
def test_asking_takes_the_same_statements_whoever_the_address_belongs_to(
    newsletter: Newsletter, what: str, times: int
) -> None:
    told = {}
    for address, how in _WHOSE.items():
        put(newsletter, address, *how)
        for _ in range(times):
            with statements(newsletter.engine) as said:
                ask_link(newsletter, address) if what == "link" else ask(newsletter, replace(WISH, address=address))
        told[address] = said
    expected = told["nobody@example.com"]
    assert any(one.startswith("INSERT INTO letter") for one in expected) == (times == 1)
    assert told == dict.fromkeys(_WHOSE, expected)


def test_of_an_unknown_address_that_a_link_is_asked_for_no_more_than_hashes_are_kept(newsletter: Newsletter) -> None:
    ask_link(newsletter, "nobody@example.com", HERE)
    (letter,) = letters(newsletter)
    assert (letter.state, letter.reply) == ("failed", "not sent: no reader")
    assert "nobody" not in everything(newsletter)


def test_links_may_be_asked_for_ten_times_an_hour_from_one_network_address(
    newsletter: Newsletter, clock: Clock
) -> None:
    for number in range(PER_ORIGIN):
        ask_link(newsletter, f"nobody{number}@example.com", HERE)
    with pytest.raises(TooMany):
        ask_link(newsletter, WEN, HERE)
    ask_link(newsletter, WEN, "192.0.2.2")
    ask(newsletter, replace(WISH, origin=HERE))
    clock.move(hours=1)
    ask_link(newsletter, "other@example.com", HERE)


def test_links_are_limited_in_all_and_leave_sign_ups_alone(newsletter: Newsletter) -> None:
    newsletter.settings = newsletter.settings.model_copy(update={"sign_ups_per_hour": 3})
    for number in range(3):
        ask_link(newsletter, f"nobody{number}@example.com")
    with pytest.raises(TooMany):
        ask_link(newsletter, WEN)
    ask(newsletter, WISH)


def test_many_who_ask_for_links_at_once_keep_to_the_limit_of_their_network_address(newsletter: Newsletter) -> None:
    def attempt(number: int) -> bool:
        try:
            ask_link(newsletter, f"nobody{number}@example.com", HERE)
        except TooMany:
            return False
        return True

    with ThreadPoolExecutor(12) as threads:
        done = list(threads.map(attempt, range(30)))
    assert sum(done) == len(letters(newsletter)) == PER_ORIGIN


def test_many_links_at_once_for_one_mailbox_are_one_letter(newsletter: Newsletter) -> None:
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda number: ask_link(newsletter, f"wen+{number}@example.com"), range(30)))
    assert len(letters(newsletter)) == 1


def test_a_reader_has_us_write_to_three_new_addresses_a_day(newsletter: Newsletter, clock: Clock) -> None:
    token = data_link(newsletter, add(newsletter))
    for number in range(9):
        assert new_address.ask(newsletter, token, f"stranger{number}@example.net", origin=f"192.0.2.{number}")
    assert len(letters(newsletter, LetterKind.ADDRESS)) == MOVES
    with newsletter.reading() as session:
        assert len(session.exec(select(SignUp)).all()) == MOVES


def test_many_new_addresses_at_once_keep_to_the_limit_of_a_reader(newsletter: Newsletter) -> None:
    token = data_link(newsletter, add(newsletter))
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(lambda number: new_address.ask(newsletter, token, f"s{number}@example.net"), range(20)))
    assert len(letters(newsletter, LetterKind.ADDRESS)) == MOVES


def test_new_addresses_and_sign_ups_share_the_limit_of_a_network_address_and_the_answer_stays_the_same(
    newsletter: Newsletter,
) -> None:
    token = data_link(newsletter, add(newsletter))
    for number in range(PER_ORIGIN):
        ask(newsletter, replace(WISH, address=f"s{number}@example.net", origin=HERE))
    assert new_address.ask(newsletter, token, "new@example.net", origin=HERE)
    assert letters(newsletter, LetterKind.ADDRESS) == []


def test_a_new_address_asked_for_beyond_the_limit_in_all_is_not_written_to(newsletter: Newsletter) -> None:
    token = data_link(newsletter, add(newsletter))
    newsletter.settings = newsletter.settings.model_copy(update={"sign_ups_per_hour": 1})
    ask(newsletter, replace(WISH, address="other@example.net"))
    assert new_address.ask(newsletter, token, "new@example.net")
    assert letters(newsletter, LetterKind.ADDRESS) == []


def test_leaving_and_coming_back_all_day_brings_three_letters(newsletter: Newsletter, clock: Clock) -> None:
    token = link(newsletter, Purpose.UNSUBSCRIBE, add(newsletter))
    for _ in range(40):
        leave(newsletter, token, PAGE)
        come_back(newsletter, token)
        clock.move(minutes=30)
    assert len(letters(newsletter, LetterKind.GOODBYE)) == 3
