"""Sample readers, a new one whenever a page is asked for, with links of every kind; some of them came too late."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

from sqlmodel import col, select

from newsletter.app import Newsletter
from newsletter.readers import new_address, own_data
from newsletter.readers.leaving import PAGE, leave
from newsletter.readers.models import Letter
from newsletter.readers.sign_up import Asked, ask, confirm
from subscribers.models import SignUp, Subscriber
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose

CHOICES = Preferences(topics=("models", "policy"))
_LONG_AGO = timedelta(days=8)
"""By then every link that is over some day is over."""


class Guests:
    """Makes readers and their links, as tokens."""

    def __init__(self, newsletter: Newsletter) -> None:
        self._newsletter = newsletter
        self._numbers = count(1)

    def link(self, purpose: Purpose) -> str:
        """Of a reader who gets mail."""
        return self._newsletter.tokens.make(purpose, self._reader().public_id)

    def link_of_one_who_left(self, purpose: Purpose) -> str:
        """Of somebody who has unsubscribed."""
        person = self._reader()
        leave(self._newsletter, self._newsletter.tokens.make(Purpose.UNSUBSCRIBE, person.public_id), PAGE)
        return self._newsletter.tokens.make(purpose, person.public_id)

    def to_confirm(self) -> str:
        """Of somebody who asked for the newsletter."""
        address = f"guest{next(self._numbers)}@example.net"
        ask(self._newsletter, Asked(address, CHOICES, "page", "寄给我", address))
        return self._newsletter.tokens.make(Purpose.CONFIRM, self._last_sign_up())

    def to_confirm_after_leaving(self) -> str:
        """Of somebody who confirmed, left, and found the letter again."""
        token = self.to_confirm()
        confirm(self._newsletter, token, "")
        with self._newsletter.session() as session:
            people = self._newsletter.people(session)
            people.unsubscribe(people.list()[-1], PAGE)
        return token

    def to_data(self) -> str:
        """Of a reader who asked for their data."""
        own_data.ask(self._newsletter, self.link(Purpose.PREFERENCES))
        with self._newsletter.reading() as session:
            letter = session.exec(select(Letter).order_by(col(Letter.id).desc())).first()
        assert letter
        return self._newsletter.tokens.make(Purpose.DATA, letter.public_id)

    def to_new_address(self) -> str:
        """Of a reader who wants to be written to elsewhere."""
        address = f"new{next(self._numbers)}@example.net"
        assert new_address.ask(self._newsletter, self.to_data(), address, origin=address)
        return self._newsletter.tokens.make(Purpose.ADDRESS, self._last_sign_up())

    @contextmanager
    def long_ago(self) -> Iterator[None]:
        """What is made in this block was made eight days ago."""
        clock = self._newsletter.clock
        self._newsletter.clock = lambda: clock() - _LONG_AGO
        try:
            yield
        finally:
            self._newsletter.clock = clock

    def form(self) -> str:
        """The token of a form that was shown a minute ago: one that comes back at once was not filled by a person."""
        shown = self._newsletter.clock() - timedelta(minutes=1)
        return self._newsletter.tokens.make(Purpose.FORM, str(int(shown.timestamp())))

    def address(self) -> str:
        """Of somebody new."""
        return f"visitor{next(self._numbers)}@example.net"

    def _reader(self) -> Subscriber:
        with self._newsletter.session() as session:
            return self._newsletter.people(session).add(f"reader{next(self._numbers)}@example.com", CHOICES)

    def _last_sign_up(self) -> str:
        with self._newsletter.reading() as session:
            row = session.exec(select(SignUp).order_by(col(SignUp.id).desc())).first()
        assert row
        return row.public_id
