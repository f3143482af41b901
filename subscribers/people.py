"""The people who are written to, or were: found, added, paused, unsubscribed, forgotten."""

from collections.abc import Callable, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, String, cast, func, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from subscribers.addresses import Address, clean_name, hash_address, parse_address
from subscribers.audience import AudienceMember, audience
from subscribers.models import Consent, State, Subscriber, Suppression, utc_now
from subscribers.preference_columns import columns_of
from subscribers.preferences import Preferences, check_preferences

FORGOTTEN = "forgotten"
"""The reason in suppression of an address whose owner asked to be forgotten."""


class SubscriberRefused(ValueError):
    """A step that this person's state does not allow, and what can be done instead."""


class SubscriberStore:
    """The subscribers of one database. `key` is the one that `hash_address` needs; nothing is committed here."""

    def __init__(self, session: Session, key: bytes, clock: Callable[[], datetime] = utc_now) -> None:
        self._session = session
        self._key = key
        self._clock = clock

    def add(
        self,
        address: str,
        preferences: Preferences,
        *,
        name: str = "",
        state: State = State.ACTIVE,
        consent: str = "command",
        source: str = "",
    ) -> Subscriber:
        """Add a person and the record of their consent; topics must be known to the caller's catalogue.

        Raises `AddressRefused`, `NameRefused` or `PreferencesRefused` for values that cannot be kept, and
        `SubscriberRefused` when the address is there already, in whatever state, or is suppressed.
        """
        parsed = parse_address(address)
        cleaned = clean_name(name)
        check_preferences(preferences)
        self._refuse_known(parsed)
        now = self._clock()
        person = Subscriber(
            address=parsed.display,
            ascii_address=parsed.ascii,
            address_key=parsed.key,
            address_hash=hash_address(parsed, self._key),
            name=cleaned,
            state=state,
            created_at=now,
            updated_at=now,
            **columns_of(preferences),
        )
        try:
            with self._session.begin_nested():
                self._session.add(person)
        except IntegrityError:  # somebody else added the same address since we looked
            self._refuse_known(parsed)
            raise
        self._record(person, consent, str(state), source)
        return person

    def get(self, address: str) -> Subscriber | None:
        """Find the person of an address, whatever its case; raises `AddressRefused` for what is no address."""
        key = parse_address(address).key
        return self._session.exec(select(Subscriber).where(Subscriber.address_key == key)).first()

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Find the person behind the opaque id of a link."""
        return self._session.exec(select(Subscriber).where(Subscriber.public_id == public_id)).first()

    def list(
        self, state: State | None = None, topic: str | None = None, limit: int | None = None, offset: int = 0
    ) -> tuple[Subscriber, ...]:
        """People by id, those forgotten left out; `topic` is a slug they chose."""
        query = select(Subscriber).where(_known()).order_by(col(Subscriber.id))
        if state is not None:
            query = query.where(Subscriber.state == state)
        if topic is not None:
            # A slug has no quotes and no wildcards, so the text of the JSON list tells it on every database.
            query = query.where(cast(col(Subscriber.topics), String).contains(f'"{topic}"', autoescape=True))
        return tuple(self._session.exec(query.limit(limit).offset(offset)))

    def search(self, text: str, limit: int) -> tuple[Subscriber, ...]:
        """Find at most `limit` people by a part of their address or name, whatever its case; nobody forgotten."""
        part = text.strip()
        query = select(Subscriber).where(_known()).order_by(col(Subscriber.id)).limit(limit)
        if part:
            wanted = (col(column).icontains(part, autoescape=True) for column in (Subscriber.address, Subscriber.name))
            query = query.where(or_(*wanted))
        return tuple(self._session.exec(query))

    def count_by_state(self) -> dict[State, int]:
        """How many people there are in each state, those forgotten left out."""
        rows = self._session.exec(
            select(Subscriber.state, func.count()).where(_known()).group_by(col(Subscriber.state))
        )
        counts = {State(state): count for state, count in rows}
        return {state: counts.get(state, 0) for state in State}

    def audience(self, chunk: int = 1000) -> Iterator[AudienceMember]:
        """Every candidate of a mailing; see `subscribers.audience`."""
        return audience(self._session, chunk)

    def unsubscribe(self, person: Subscriber, source: str) -> bool:
        """Write to this person no more; `source` says where they said so. False when that was so already."""
        self._hold(person)
        if person.state is State.UNSUBSCRIBED:
            return False
        self._move(person, State.UNSUBSCRIBED, "unsubscribe", source)
        return True

    def pause(self, person: Subscriber, until: datetime | None = None, source: str = "command") -> None:
        """Write nothing until an aware moment, or until `resume`.

        Raises `SubscriberRefused` for a person who is neither active nor paused.
        """
        self._hold(person)
        if person.state not in (State.ACTIVE, State.PAUSED):
            raise SubscriberRefused(f"{person.address} is {person.state}: only active people can be paused")
        self._move(person, State.PAUSED, "pause", source, until)

    def resume(self, person: Subscriber, source: str = "command") -> None:
        """End a pause; for an active person nothing changes.

        Raises `SubscriberRefused` for a person who is pending or unsubscribed: that takes their own consent.
        """
        self._hold(person)
        if person.state is State.ACTIVE:
            return
        if person.state is not State.PAUSED:
            raise SubscriberRefused(
                f"{person.address or 'this person'} is {person.state}: only a pause can be ended; "
                "to be written to again they have to sign up themselves"
            )
        self._move(person, State.ACTIVE, "resume", source)

    def forget(self, person: Subscriber, source: str = "command") -> None:
        """Erase who this was: a keyed hash stays in suppression, the row keeps its opaque id and consent its dates."""
        self._hold(person)
        if person.address_hash is None:
            return
        self._suppress_hash(person.address_hash)
        person.address = person.ascii_address = person.address_key = person.address_hash = None
        person.name = ""
        for column, value in columns_of(Preferences(topics=())).items():
            setattr(person, column, value)
        self._move(person, State.UNSUBSCRIBED, "forget", source)

    def consents(self, person: Subscriber) -> tuple[Consent, ...]:
        """List what was said about writing to this person, oldest first."""
        query = select(Consent).where(Consent.subscriber_id == person.id).order_by(col(Consent.id))
        return tuple(self._session.exec(query))

    def _refuse_known(self, address: Address) -> None:
        known = self._session.exec(select(Subscriber).where(Subscriber.address_key == address.key)).first()
        if known is not None:
            raise SubscriberRefused(f"{address.display} is a subscriber already, {known.state}")
        wanted = hash_address(address, self._key)
        row = self._session.exec(select(Suppression).where(Suppression.address_key_hash == wanted)).first()
        if row is not None:
            raise SubscriberRefused(
                f"{address.display} is suppressed ({row.reason}): `suppression remove` it first, if they agree"
            )

    def _suppress_hash(self, address_hash: str) -> None:
        row = self._session.exec(select(Suppression).where(Suppression.address_key_hash == address_hash)).first()
        if row is None:
            row = Suppression(address_key_hash=address_hash, reason=FORGOTTEN, created_at=self._clock())
        row.address = None
        row.note = ""
        self._session.add(row)

    def _hold(self, person: Subscriber) -> None:
        """Read a person afresh and keep others from moving them until the transaction ends.

        Without it a pause begun before an unsubscribe would undo it on a database with many writers.
        """
        self._session.refresh(person, with_for_update={"key_share": True})

    def _move(self, person: Subscriber, state: State, kind: str, source: str, until: datetime | None = None) -> None:
        person.state = state
        person.paused_until = until
        person.updated_at = self._clock()
        self._session.add(person)
        self._record(person, kind, until.isoformat() if until else "", source)

    def _record(self, person: Subscriber, kind: str, detail: str, source: str) -> None:
        assert person.id is not None  # noqa: S101 - callers have flushed, so the row has its id
        self._session.add(Consent(subscriber_id=person.id, at=self._clock(), kind=kind, detail=detail, source=source))
        self._session.flush()


def _known() -> ColumnElement[bool]:
    return col(Subscriber.address_key).is_not(None)
