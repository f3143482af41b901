"""What was asked for in the name of an address and waits for its owner to confirm it."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, or_, select

from subscribers.addresses import Address
from subscribers.models import SignUp, utc_now
from subscribers.preference_columns import columns_of
from subscribers.preferences import Frequency, MailFormat, Preferences


class SignUpStore:
    """The sign-ups of one database, for a newcomer or for a new address; nothing is committed here."""

    def __init__(self, session: Session, clock: Callable[[], datetime] = utc_now) -> None:
        self._session = session
        self._clock = clock

    def add(
        self,
        address: Address,
        preferences: Preferences,
        *,
        source: str,
        wording: str,
        origin: str,
        subscriber_id: int | None = None,
    ) -> SignUp:
        """Keep a request; `subscriber_id` is the person who wants to move to this address, if that is what it is."""
        row = SignUp(
            subscriber_id=subscriber_id,
            address=address.display,
            ascii_address=address.ascii,
            address_key=address.key,
            preferences=columns_of(preferences),
            source=source,
            wording=wording,
            origin=origin,
            created_at=self._clock(),
        )
        self._session.add(row)
        self._session.flush()
        return row

    def by_public_id(self, public_id: str) -> SignUp | None:
        """Find the request behind the opaque id of a link."""
        return self._session.exec(select(SignUp).where(SignUp.public_id == public_id)).first()

    def waiting(self, address: Address) -> tuple[SignUp, ...]:
        """What waits for the owner of an address to confirm it, oldest first."""
        query = select(SignUp).where(SignUp.address_key == address.key, col(SignUp.confirmed_at).is_(None))
        return tuple(self._session.exec(query.order_by(col(SignUp.id))))

    def of_person(self, subscriber_id: int, address_key: str) -> tuple[SignUp, ...]:
        """Every request of one person: those they confirmed, and whatever was asked in the name of their address."""
        theirs = or_(col(SignUp.subscriber_id) == subscriber_id, col(SignUp.address_key) == address_key)
        return tuple(self._session.exec(select(SignUp).where(theirs).order_by(col(SignUp.id))))

    def purge(self, before: datetime) -> int:
        """Delete what was asked before a moment, confirmed or not: consent keeps what was confirmed. Says how many.

        Letters about them must be gone first, or point to them no more.
        """
        return self._session.execute(delete(SignUp).where(col(SignUp.created_at) < before)).rowcount  # type: ignore[attr-defined,no-any-return]  # a DELETE has a cursor's result


def address_of(sign_up: SignUp) -> Address:
    """The address that a request names."""
    return Address(display=sign_up.address, ascii=sign_up.ascii_address, key=sign_up.address_key)


def preferences_asked(sign_up: SignUp) -> Preferences:
    """What a request asks for; one of before a choice existed leaves it as it is by default."""
    kept = dict(sign_up.preferences)
    own = kept.pop("frequencies", {})
    lists = {name: tuple(kept[name]) for name in ("topics", "follow", "mute")}
    words = {"frequency": Frequency(kept["frequency"]), "format": MailFormat(kept["format"])}
    frequencies = tuple((topic, Frequency(word)) for topic, word in own.items())
    return Preferences(**kept | lists | words, frequencies=frequencies)
