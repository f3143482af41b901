"""The people who are written to, or were: found, added, paused, unsubscribed, forgotten."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, func, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from subscribers.addresses import Address, clean_name, hash_address, parse_address
from subscribers.audience import AudienceMember, audience
from subscribers.consent import consents_of, forget_words, last_of, record
from subscribers.models import Consent, SignUp, State, Subscriber, Suppression, utc_now
from subscribers.preference_columns import columns_of, preferences_of
from subscribers.preferences import Preferences, check_preferences
from subscribers.sign_ups import SignUpStore, address_of, preferences_asked

FORGOTTEN = "forgotten"
"""The reason in suppression of an address whose owner asked to be forgotten."""

LIFTED_BY_CONSENT = frozenset({"bounce", FORGOTTEN})
"""Suppressed for one of these, an address can be had again by its owner; any other reason is the operator's."""


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
        wording: str = "",
    ) -> Subscriber:
        """Add a person and the record of their consent; topics must be known to the caller's catalogue.

        Raises `AddressRefused`, `NameRefused` or `PreferencesRefused` for values that cannot be kept, and
        `SubscriberRefused` when the address is there already, in whatever state, or is suppressed.
        """
        parsed = parse_address(address)
        cleaned = clean_name(name)
        check_preferences(preferences)
        self._refuse_known(parsed)
        try:
            person = self._insert(parsed, preferences, cleaned, state)
        except IntegrityError:  # somebody else added the same address since we looked
            self._refuse_known(parsed)
            raise
        self._record(person, consent, str(state), source, wording=wording)
        return person

    def join(self, sign_up: SignUp, *, source: str, origin: str, wording: str = "") -> Subscriber:
        """Do what somebody asked who has just shown that the address is theirs: they are active, as they wished.

        `source`, `origin` and `wording` say through what, from where and having read what they confirmed. A suppression
        that consent lifts is lifted. Raises `SubscriberRefused` for an address that the operator keeps out.
        """
        address, preferences = address_of(sign_up), preferences_asked(sign_up)
        self._lift(address)
        person = self._find(address)
        if person is None:
            try:
                person = self._insert(address, preferences, "", State.ACTIVE)
            except IntegrityError:  # somebody else added the same address since we looked
                person = self._find(address)
        assert person is not None  # noqa: S101 - found, made, or found to have been made by another
        self._hold(person)
        self._set(person, columns_of(preferences) | {"state": State.ACTIVE, "paused_until": None})
        sign_up.subscriber_id = person.id
        self._confirmed(person, sign_up, "sign-up", str(State.ACTIVE), source, wording, origin)
        return person

    def get(self, address: str) -> Subscriber | None:
        """Find the person of an address, whatever its case; raises `AddressRefused` for what is no address."""
        return self._find(parse_address(address))

    def by_public_id(self, public_id: str) -> Subscriber | None:
        """Find the person behind the opaque id of a link."""
        return self._session.exec(select(Subscriber).where(Subscriber.public_id == public_id)).first()

    def by_hash(self, address_hash: str) -> Subscriber | None:
        """Find the person whose address has that keyed hash."""
        return self._session.exec(select(Subscriber).where(Subscriber.address_hash == address_hash)).first()

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
        """How many people there are in each state, those forgotten left out.

        Counted twice, since an index has all states and another one all who were forgotten: no row is read.
        """
        each = select(Subscriber.state, func.count()).group_by(col(Subscriber.state))
        counts = {State(state): count for state, count in self._session.exec(each)}
        gone = {State(state): count for state, count in self._session.exec(each.where(~_known()))}
        return {state: counts.get(state, 0) - gone.get(state, 0) for state in State}

    def audience(self, chunk: int = 1000) -> Iterator[AudienceMember]:
        """Every candidate of a mailing; see `subscribers.audience`."""
        return audience(self._session, chunk)

    def unsubscribe(self, person: Subscriber, source: str, *, origin: str = "") -> bool:
        """Write to this person no more; `source` says where they said so. False when that was so already.

        The record says where they stood, and the end of a pause stays, for the way back.
        """
        self._hold(person)
        if person.state is State.UNSUBSCRIBED:
            return False
        stood = "" if person.state is State.ACTIVE else str(person.state)
        self._set(person, {"state": State.UNSUBSCRIBED})
        self._record(person, "unsubscribe", stood, source, origin=origin)
        return True

    def pause(
        self, person: Subscriber, until: datetime | None = None, source: str = "command", *, origin: str = ""
    ) -> None:
        """Write nothing until an aware moment, or until `resume`.

        Raises `SubscriberRefused` for a person who is neither active nor paused.
        """
        self._hold(person)
        if person.state not in (State.ACTIVE, State.PAUSED):
            raise SubscriberRefused(f"{person.address} is {person.state}: only active people can be paused")
        self._enter(person, State.PAUSED, "pause", source, until, origin)

    def resume(self, person: Subscriber, source: str = "command", *, origin: str = "") -> None:
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
        self._enter(person, State.ACTIVE, "resume", source, origin=origin)

    def come_back(self, person: Subscriber, *, source: str, origin: str = "", wording: str = "") -> None:
        """Write again to somebody who left and now says so, having read `wording`; a pause that lies ahead goes on.

        For an active or paused person nothing changes. Raises `SubscriberRefused` for a person who never confirmed or
        was forgotten, and for one whose address the operator keeps out.
        """
        self._hold(person)
        self._refuse_forgotten(person)
        if person.state in (State.ACTIVE, State.PAUSED):
            return
        left = last_of(self._session, person.id or 0, ("unsubscribe",))
        if State.PENDING in (person.state, left and left.detail):
            raise SubscriberRefused(f"{person.address} has yet to confirm: they have to sign up themselves")
        self._lift(parse_address(person.address or ""))
        until = person.paused_until
        goes_on = left is not None and left.detail == State.PAUSED and (until is None or until > self._clock())
        state = State.PAUSED if goes_on else State.ACTIVE
        self._set(person, {"state": state, "paused_until": until if goes_on else None})
        self._record(person, "return", str(state), source, wording=wording, origin=origin)

    def change(self, person: Subscriber, preferences: Preferences, *, source: str, origin: str = "") -> None:
        """Replace a person's preferences; the same ones change nothing. Topics must be known to the caller's catalogue.

        Raises `PreferencesRefused` for what cannot be kept and `SubscriberRefused` for a person who was forgotten.
        """
        check_preferences(preferences)
        self._hold(person)
        self._refuse_forgotten(person)
        if preferences_of(person) == preferences:
            return
        self._set(person, columns_of(preferences))
        self._record(person, "preferences", "", source, origin=origin)

    def rename(self, person: Subscriber, name: str) -> bool:
        """Call a person by another name; False when it is the one they have.

        Raises `NameRefused` for what cannot stand in a header and `SubscriberRefused` for a person who was forgotten.
        """
        cleaned = clean_name(name)
        self._hold(person)
        self._refuse_forgotten(person)
        if person.name == cleaned:
            return False
        self._set(person, {"name": cleaned})
        self._session.flush()  # before anything else reads the row afresh
        return True

    def move(self, person: Subscriber, sign_up: SignUp, *, source: str, origin: str, wording: str = "") -> None:
        """Write to the address that a person asked for and has confirmed from now on; a second time changes nothing.

        `source`, `origin` and `wording` are those of the confirming, as for `join`; what was asked is recorded too.
        Raises `SubscriberRefused` when it has become somebody's, when the operator keeps it out, when this person was
        forgotten, and when another person asked for it.
        """
        self._hold(person)
        self._refuse_forgotten(person)
        self._session.refresh(sign_up)
        if sign_up.subscriber_id != person.id:
            raise SubscriberRefused("this change of address was asked for by somebody else")
        if sign_up.confirmed_at is not None:
            return
        address = address_of(sign_up)
        self._lift(address)
        try:
            with self._session.begin_nested():
                self._set(person, self._identity(address))
        except IntegrityError:
            raise SubscriberRefused(f"{address.display} is a subscriber already: it cannot be had twice") from None
        self._confirmed(person, sign_up, "address", "", source, wording, origin)

    def forget(self, person: Subscriber, source: str = "command") -> None:
        """Erase who this was: a keyed hash stays in suppression, the row keeps its opaque id and consent its dates.

        Letters about this person's sign-ups must point to them no more: the sign-ups are deleted.
        """
        self._hold(person)
        if person.address_hash is None:
            return
        self._suppress_hash(person.address_hash)
        for sign_up in SignUpStore(self._session).of_person(person.id or 0, person.address_key or ""):
            self._session.delete(sign_up)
        forget_words(self._session, person.id or 0)
        nobody = dict.fromkeys(("address", "ascii_address", "address_key", "address_hash"))
        self._set(person, nobody | {"name": ""} | columns_of(Preferences(topics=())))
        self._enter(person, State.UNSUBSCRIBED, "forget", source)

    def consents(self, person: Subscriber) -> tuple[Consent, ...]:
        """List what was said about writing to this person, oldest first."""
        return consents_of(self._session, person.id or 0)

    def reason_against(self, address: Address) -> str | None:
        """Why an address is suppressed, or None; `LIFTED_BY_CONSENT` are the reasons that its owner can lift."""
        row = self._suppression(hash_address(address, self._key))
        return row.reason if row else None

    def _find(self, address: Address) -> Subscriber | None:
        return self._session.exec(select(Subscriber).where(Subscriber.address_key == address.key)).first()

    def _identity(self, address: Address) -> dict[str, str]:
        """The columns that tell who a person is."""
        return {
            "address": address.display,
            "ascii_address": address.ascii,
            "address_key": address.key,
            "address_hash": hash_address(address, self._key),
        }

    def _insert(self, address: Address, preferences: Preferences, name: str, state: State) -> Subscriber:
        now = self._clock()
        columns = self._identity(address) | columns_of(preferences)
        person = Subscriber(name=name, state=state, created_at=now, updated_at=now, **columns)
        with self._session.begin_nested():
            self._session.add(person)
        return person

    def _set(self, person: Subscriber, columns: Mapping[str, Any]) -> None:
        for column, value in columns.items():
            setattr(person, column, value)
        person.updated_at = self._clock()
        self._session.add(person)

    def _lift(self, address: Address) -> None:
        """Take an address off the list, if it is on it for a reason that its owner can lift."""
        row = self._suppression(hash_address(address, self._key))
        if row is None:
            return
        if row.reason not in LIFTED_BY_CONSENT:
            raise SubscriberRefused(f"{address.display} is suppressed ({row.reason}), which only the operator can end")
        self._session.delete(row)

    def _suppression(self, address_hash: str) -> Suppression | None:
        return self._session.exec(select(Suppression).where(Suppression.address_key_hash == address_hash)).first()

    def _refuse_forgotten(self, person: Subscriber) -> None:
        if person.address_hash is None:
            raise SubscriberRefused("this person asked to be forgotten: to be written to they have to sign up anew")

    def _refuse_known(self, address: Address) -> None:
        known = self._find(address)
        if known is not None:
            raise SubscriberRefused(f"{address.display} is a subscriber already, {known.state}")
        row = self._suppression(hash_address(address, self._key))
        if row is not None:
            raise SubscriberRefused(
                f"{address.display} is suppressed ({row.reason}): `suppression remove` it first, if they agree"
            )

    def _suppress_hash(self, address_hash: str) -> None:
        row = self._suppression(address_hash)
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

    def _enter(
        self,
        person: Subscriber,
        state: State,
        kind: str,
        source: str,
        until: datetime | None = None,
        origin: str = "",
    ) -> None:
        self._set(person, {"state": state, "paused_until": until})
        self._record(person, kind, until.isoformat() if until else "", source, origin=origin)

    def _confirmed(
        self, person: Subscriber, sign_up: SignUp, kind: str, detail: str, source: str, wording: str, origin: str
    ) -> None:
        """Record both what was asked, as a row of a kind, and that its address's owner has said yes to it now."""
        sign_up.confirmed_at = self._clock()
        self._session.add(sign_up)
        at, read = sign_up.created_at, sign_up.wording
        self._record(person, kind, "", sign_up.source, at=at, wording=read, origin=sign_up.origin)
        self._record(person, "confirm", detail, source, wording=wording, origin=origin)

    def _record(
        self,
        person: Subscriber,
        kind: str,
        detail: str,
        source: str,
        *,
        at: datetime | None = None,
        wording: str = "",
        origin: str = "",
    ) -> None:
        assert person.id is not None  # noqa: S101 - callers have flushed, so the row has its id
        now = at or self._clock()
        record(self._session, person.id, kind, source, now, detail=detail, wording=wording, origin=origin)


def _known() -> ColumnElement[bool]:
    return col(Subscriber.address_key).is_not(None)
