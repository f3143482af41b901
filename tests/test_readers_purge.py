"""What was kept for a while is deleted when that is over, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from dbos import DBOS
from sqlalchemy import Engine
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.engine import Engine as WorkEngine
from newsletter.editorial.outbox import open_outbox
from newsletter.editorial.rounds import Rounds
from newsletter.readers.letters import write
from newsletter.readers.models import Letter, LetterKind, LetterState
from newsletter.readers.post import Post
from newsletter.readers.purge import KEEP, Purged, purge
from newsletter.settings import Settings
from subscribers.addresses import parse_address
from subscribers.models import Consent, SignUp
from subscribers.preferences import Preferences
from subscribers.sign_ups import SignUpStore

START = datetime(2026, 3, 9, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.both_databases


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(settings: Settings, engine: Engine, clock: Clock) -> Iterator[Newsletter]:
    made = Newsletter(settings, clock)
    yield made
    made.engine.dispose()


def sign_up(newsletter: Newsletter, text: str = "chen@example.org") -> int:
    """Ask for something in the name of an address, with the letter about it."""
    address = parse_address(text)
    with newsletter.session() as session:
        store = SignUpStore(session, newsletter.clock)
        row = store.add(address, Preferences(topics=("policy",)), source="page", wording="", origin="")
        write(newsletter, session, LetterKind.CONFIRM, address, "zh", sign_up_id=row.id)
        assert row.id
        return row.id


def kept(newsletter: Newsletter) -> tuple[int, int]:
    with newsletter.reading() as session:
        return len(session.exec(select(SignUp)).all()), len(session.exec(select(Letter)).all())


def test_what_is_thirty_days_old_stays_and_what_is_older_goes(timed: Newsletter, clock: Clock) -> None:
    sign_up(timed)
    clock.now += KEEP
    assert purge(timed) == Purged(0, 0)
    assert kept(timed) == (1, 1)
    clock.now += SECOND
    assert purge(timed) == Purged(1, 1)
    assert kept(timed) == (0, 0)
    assert purge(timed) == Purged(0, 0)


def test_younger_ones_stay(timed: Newsletter, clock: Clock) -> None:
    sign_up(timed)
    clock.now += KEEP
    sign_up(timed, "li@example.org")
    clock.now += SECOND
    assert purge(timed) == Purged(1, 1)
    with timed.reading() as session:
        assert [row.address for row in session.exec(select(SignUp))] == ["li@example.org"]
        assert [row.address for row in session.exec(select(Letter))] == ["li@example.org"]


def test_a_letter_outlives_the_older_sign_up_it_is_about(timed: Newsletter, clock: Clock) -> None:
    old = sign_up(timed)
    clock.now += timedelta(days=5)
    with timed.session() as session:
        address = parse_address("chen@example.org")
        write(timed, session, LetterKind.WELCOME, address, "zh", sign_up_id=old)
    clock.now = START + KEEP + SECOND
    assert purge(timed) == Purged(1, 1)
    with timed.reading() as session:
        (letter,) = session.exec(select(Letter)).all()
    assert (letter.kind, letter.sign_up_id) == (LetterKind.WELCOME, None)


@pytest.mark.parametrize("state", LetterState)
def test_an_address_goes_whatever_became_of_its_letter(state: LetterState, timed: Newsletter, clock: Clock) -> None:
    sign_up(timed)
    with timed.session() as session:
        session.exec(select(Letter)).one().state = state
    clock.now += KEEP + SECOND
    purge(timed)
    assert kept(timed) == (0, 0)


def test_a_person_who_confirmed_stays_with_their_consent(timed: Newsletter, clock: Clock) -> None:
    sign_up(timed)
    with timed.session() as session:
        timed.people(session).join(session.exec(select(SignUp)).one(), source="page", origin="203.0.113.7")
    clock.now += KEEP + SECOND
    assert purge(timed).sign_ups == 1
    with timed.reading() as session:
        assert timed.people(session).get("chen@example.org")
        assert {row.kind for row in session.exec(select(Consent))} == {"sign-up", "confirm"}


@pytest.mark.both_databases(False)
def test_the_engine_has_whoever_sends_the_letters_purge(timed: Newsletter, clock: Clock) -> None:
    sign_up(timed)
    clock.now += KEEP + SECOND
    with open_outbox(timed) as outbox:
        work = Rounds(timed, outbox, Post(timed))
        with WorkEngine(timed.settings.database_url, "the test", work) as engine:
            DBOS.start_workflow(engine._clean, START, None).get_result()  # what its schedule begins every hour
    assert kept(timed) == (0, 0)
