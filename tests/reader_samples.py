"""What the tests of a reader's own pages share: links, letters, and everything a database holds."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from sqlalchemy import MetaData
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.readers.models import Letter, LetterKind
from newsletter.readers.own_data import ask
from subscribers.models import Consent, SignUp, Subscriber
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

WEN = "wen@example.com"
CHOICES = Preferences(topics=("models", "policy"), follow=("潮汐",), mute=("裁员",), most=5)


def add(newsletter: Newsletter, address: str = WEN, preferences: Preferences = CHOICES, name: str = "") -> Subscriber:
    """Add an active reader."""
    with newsletter.session() as session:
        return newsletter.people(session).add(address, preferences, name=name)


def find(newsletter: Newsletter, address: str = WEN) -> Subscriber:
    """The reader of an address."""
    with newsletter.reading() as session:
        person = newsletter.people(session).get(address)
        assert person is not None
        return person


def link(newsletter: Newsletter, purpose: Purpose, person: Subscriber) -> str:
    """A token of a reader's own."""
    return newsletter.tokens.make(purpose, person.public_id)


def data_link(newsletter: Newsletter, person: Subscriber) -> str:
    """The token of a data letter, asked for now."""
    assert ask(newsletter, link(newsletter, Purpose.PREFERENCES, person))
    return newsletter.tokens.make(Purpose.DATA, letters(newsletter, LetterKind.DATA)[-1].public_id)


def address_link(newsletter: Newsletter) -> str:
    """The token of the latest change of address."""
    with newsletter.reading() as session:
        row = session.exec(select(SignUp).order_by(col(SignUp.id).desc())).first()
        assert row is not None
        return newsletter.tokens.make(Purpose.ADDRESS, row.public_id)


def letters(newsletter: Newsletter, kind: LetterKind | None = None) -> list[Letter]:
    """The letters of a kind, oldest first."""
    with newsletter.reading() as session:
        found = session.exec(select(Letter).order_by(col(Letter.id))).all()
    return [letter for letter in found if kind in (None, letter.kind)]


def consents(newsletter: Newsletter, person: Subscriber) -> list[Consent]:
    """The record of a reader's consent, oldest first."""
    with newsletter.reading() as session:
        return [*newsletter.people(session).consents(person)]


def everything(newsletter: Newsletter) -> str:
    """All rows of all tables, as text to compare and to search."""
    tables = MetaData()
    with newsletter.engine.connect() as connection:
        tables.reflect(connection)
        found = [
            f"{table.name}: {sorted(map(str, connection.execute(sql_select(table)).all()))}"
            for table in tables.sorted_tables
        ]
    return "\n".join(found)


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[Callable[..., None]]:
    """Gives what begins something in another thread, once, in the middle of what a test does.

    It is done then, or waits until what it must not disturb is over; when this block ends it is done in any case.
    """
    with ThreadPoolExecutor(1) as threads:
        begun: list[Future[object]] = []

        def begin(*_: object) -> None:
            if not begun:
                begun.append(threads.submit(do))
                wait(begun, timeout=0.5)

        yield begin
        for one in begun:
            one.result()
