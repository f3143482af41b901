"""The limits of signing up: few letters to anybody, however many ask and at once, and no hint about who is known."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sending import Clock
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.readers.forgetting import forget
from newsletter.readers.limits import PER_ORIGIN, TooMany
from newsletter.readers.models import Letter, LetterKind
from newsletter.readers.sign_up import Asked, Standing, ask, confirm
from newsletter.settings import Settings
from subscribers.models import SignUp, State
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases

POLICY = Preferences(("policy",))
ASKED = Asked("An@example.org", Preferences(("models",)), "page", "我想收到示例日报。", "192.0.2.1")


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


def letters(newsletter: Newsletter) -> list[Letter]:
    with newsletter.reading() as session:
        return [*session.exec(select(Letter).order_by(col(Letter.id)))]


def rows(newsletter: Newsletter) -> list[SignUp]:
    with newsletter.reading() as session:
        return [*session.exec(select(SignUp).order_by(col(SignUp.id)))]


def token_of(newsletter: Newsletter) -> str:
    """The link of the latest request."""
    return newsletter.tokens.make(Purpose.CONFIRM, rows(newsletter)[-1].public_id)


def add(newsletter: Newsletter, state: State = State.ACTIVE) -> str:
    with newsletter.session() as session:
        return newsletter.people(session).add("an@example.org", POLICY, state=state).public_id


def suppress(newsletter: Newsletter, reason: str) -> None:
    with newsletter.session() as session:
        newsletter.suppression(session).add("an@example.org", reason)


def _answer(newsletter: Newsletter, asked: Asked) -> str:
    try:
        ask(newsletter, asked)
    except TooMany:
        return "too many"
    return "done"


_KNOWN: dict[str, Callable[[Newsletter], object]] = {
    "active": lambda newsletter: add(newsletter),
    "paused": lambda newsletter: add(newsletter, State.PAUSED),
    "unsubscribed": lambda newsletter: add(newsletter, State.UNSUBSCRIBED),
    "forgotten": lambda newsletter: forget(newsletter, add(newsletter), "command"),
    "bounced": lambda newsletter: suppress(newsletter, "bounce"),
    "complained": lambda newsletter: suppress(newsletter, "complaint"),
}


def test_whoever_asks_learns_nothing_about_an_address_not_even_from_the_limit(
    newsletter: Newsletter, clock: Clock
) -> None:
    """Whether a request was counted would tell; so the one that takes the last place is always the victim's."""

    def answers() -> list[str]:
        clock.move(days=2)
        around = [replace(ASKED, address=f"other{number}@example.org") for number in range(PER_ORIGIN + 1)]
        return [_answer(newsletter, one) for one in (*around[:-2], ASKED, ASKED, *around[-2:], ASKED)]

    unknown = answers()
    assert unknown == ["done"] * 10 + ["too many"] * 4
    for make in _KNOWN.values():
        make(newsletter)
        assert answers() == unknown
        with newsletter.session() as session:  # a stranger again
            newsletter.suppression(session).remove("an@example.org")
            person = newsletter.people(session).get("an@example.org")
        if person:
            forget(newsletter, person.public_id, "command")
            with newsletter.session() as session:
                newsletter.suppression(session).remove("an@example.org")


def test_one_network_address_may_ask_ten_times_an_hour_and_others_go_on(newsletter: Newsletter, clock: Clock) -> None:
    for number in range(PER_ORIGIN):
        ask(newsletter, replace(ASKED, address=f"reader{number}@example.org"))
    with pytest.raises(TooMany):
        ask(newsletter, ASKED)
    for origin in ("192.0.2.2", ""):
        ask(newsletter, replace(ASKED, address=f"an{origin}@example.org", origin=origin))
    clock.move(hours=1)
    ask(newsletter, ASKED)
    assert len(letters(newsletter)) == PER_ORIGIN + 3


@pytest.mark.usefixtures("clock")
def test_all_together_may_ask_no_more_than_the_setting_says(newsletter: Newsletter) -> None:
    newsletter.settings = newsletter.settings.model_copy(update={"sign_ups_per_hour": 3})
    answers = [
        _answer(newsletter, replace(ASKED, address=f"reader{number}@example.org", origin="")) for number in range(5)
    ]
    assert answers == ["done"] * 3 + ["too many"] * 2
    assert len(rows(newsletter)) == 3


@contextmanager
def _of_its_own(template: Path) -> Iterator[Newsletter]:
    """A newsletter without sign-ups, for one example."""
    with tempfile.TemporaryDirectory() as folder:
        file = shutil.copyfile(template, Path(folder) / "newsletter.db")
        made = Newsletter(
            Settings(database_url=f"sqlite:///{file}", secret_key=SecretStr("a key that is only used in these tests"))
        )
        with made.session() as session:
            made.topics(session).seed()
        yield made
        made.engine.dispose()


@pytest.mark.both_databases(False)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["ask", "confirm", "leave"])), max_size=15),
    st.sampled_from([None, *State]),
)
def test_whatever_is_asked_within_a_day_an_address_gets_three_letters_an_hour_apart(
    sqlite_template: Path, steps: list[tuple[int, str]], known: State | None
) -> None:
    with _of_its_own(sqlite_template) as newsletter:
        clock = newsletter.clock = Clock()
        start = clock.now
        if known:
            add(newsletter, known)
        for minutes, step in steps:
            clock.move(minutes=minutes)
            if step == "ask":
                ask(newsletter, ASKED)
            elif step == "confirm" and rows(newsletter):
                confirm(newsletter, token_of(newsletter), "")
            elif step == "leave":
                with newsletter.session() as session:
                    people = newsletter.people(session)
                    for person in people.list():
                        people.unsubscribe(person, "page")
        at = [one.created_at for one in letters(newsletter) if one.kind in (LetterKind.CONFIRM, LetterKind.ALREADY)]
        assert all(later - earlier >= timedelta(hours=1) for earlier, later in pairwise(at))
        assert all(later - earlier >= timedelta(days=1) for earlier, later in zip(at, at[3:], strict=False))
        assert not any(one < start for one in at)


@pytest.mark.both_databases(False)
def test_a_flood_of_requests_in_a_day_for_one_victim_is_three_letters(newsletter: Newsletter, clock: Clock) -> None:
    many = 500
    for number in range(many):
        ask(newsletter, replace(ASKED, origin=f"192.0.2.{number % 250}"))
        clock.now += timedelta(days=1) / (many + 1)
    assert (len(letters(newsletter)), len(rows(newsletter))) == (3, 3)


def test_many_requests_at_once_for_one_address_are_one_letter(newsletter: Newsletter, clock: Clock) -> None:
    def attempt(number: int) -> None:
        ask(newsletter, replace(ASKED, origin=f"192.0.2.{number}"))

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(attempt, range(60)))
    assert (len(letters(newsletter)), len(rows(newsletter))) == (1, 1)


def test_many_requests_at_once_from_one_network_address_keep_to_its_limit(newsletter: Newsletter, clock: Clock) -> None:
    with ThreadPoolExecutor(12) as threads:
        answers = list(
            threads.map(
                lambda number: _answer(newsletter, replace(ASKED, address=f"reader{number}@example.org")), range(40)
            )
        )
    assert answers.count("done") == len(rows(newsletter)) == PER_ORIGIN


def test_many_confirmations_at_once_are_one_reader_and_one_welcome(newsletter: Newsletter, clock: Clock) -> None:
    tokens = []
    for _ in range(2):
        ask(newsletter, ASKED)
        tokens.append(token_of(newsletter))
        clock.move(hours=2)
    with ThreadPoolExecutor(12) as threads:
        found = list(threads.map(lambda number: confirm(newsletter, tokens[number % 2], ""), range(24)))
    assert {one.state for one in found if one} == {Standing.DONE}
    with newsletter.reading() as session:
        people = newsletter.people(session)
        (person,) = people.list()
        assert [one.kind for one in people.consents(person)] == ["sign-up", "confirm"] * 2
    assert [one.kind for one in letters(newsletter)].count(LetterKind.WELCOME) == 1
