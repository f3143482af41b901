"""Moving to a new address: asked for behind a data link, confirmed from the new address."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.readers.letters import write
from newsletter.readers.models import LetterKind
from newsletter.readers.own_data import person_behind
from newsletter.readers.sign_up import TURN
from newsletter.render.wording import masked
from newsletter.storage.turn import take_turn
from subscribers.addresses import hash_address, parse_address
from subscribers.models import SignUp, State, Subscriber
from subscribers.people import LIFTED_BY_CONSENT, SubscriberRefused
from subscribers.preference_columns import preferences_of
from subscribers.sign_ups import SignUpStore
from subscribers.tokens import Purpose

HOLDS_FOR = timedelta(days=1)
"""Whoever asks has the new mailbox at hand."""

SOURCE = "change of address"
"""What the record says about where it was asked for and confirmed."""


class Standing(StrEnum):
    """Where a change of address stands; `taken` says that it cannot be done."""

    OPEN = "open"
    DONE = "done"
    OVER = "over"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Move:
    """A change of address to show to whoever has the link; both addresses are masked."""

    former: str
    address: str
    state: Standing
    preferences_token: str


def ask(newsletter: Newsletter, data_token: str, address: str, *, wording: str = "", origin: str = "") -> bool:
    """Write to a new address, so that its owner can confirm it; False when the data link does not open.

    The answer does not tell whether the address is taken, kept out by the operator, or had its letters for now. Raises
    `AddressRefused` for what is no address.
    """
    parsed = parse_address(address)
    with newsletter.session() as session:
        take_turn(session, TURN)
        person = person_behind(newsletter, session, data_token)
        if person is None or person.id is None or person.state is State.UNSUBSCRIBED:
            return False
        reason = newsletter.people(session).reason_against(parsed)
        if parsed.key == person.address_key or (reason and reason not in LIFTED_BY_CONSENT):
            return True
        with session.begin_nested() as kept:
            row = SignUpStore(session, newsletter.clock).add(
                parsed,
                preferences_of(person),
                source=SOURCE,
                wording=wording,
                origin=origin,
                subscriber_id=person.id,
            )
            address_hash = hash_address(parsed, newsletter.address_key)
            letter = write(
                session,
                LetterKind.ADDRESS,
                parsed.ascii,
                address_hash,
                person.language,
                newsletter.clock(),
                subscriber_id=person.id,
                sign_up_id=row.id,
            )
            if letter is None:
                kept.rollback()
        return True


def look(newsletter: Newsletter, token: str) -> Move | None:
    """What an address link is about, without changing anything; None for a link never made, or of somebody gone."""
    with newsletter.reading() as session:
        found = _find(newsletter, session, token)
        return None if found is None else _move(newsletter, *found)


def confirm(newsletter: Newsletter, token: str, origin: str = "") -> Move | None:
    """Write to the new address from now on; a second time, too late, or when it is taken, nothing changes.

    Links in old mails keep working: they name the person and no address.
    """
    with newsletter.session() as session:
        take_turn(session, TURN)
        found = _find(newsletter, session, token)
        if found is None:
            return None
        person, row = found
        before = _move(newsletter, person, row)
        if before.state is not Standing.OPEN:
            return before
        try:
            newsletter.people(session).move(person, row, source=SOURCE, origin=origin)
        except SubscriberRefused:
            return Move(before.former, before.address, Standing.TAKEN, before.preferences_token)
        return _move(newsletter, person, row)


def _find(newsletter: Newsletter, session: Session, token: str) -> tuple[Subscriber, SignUp] | None:
    public_id = newsletter.tokens.read(Purpose.ADDRESS, token)
    row = SignUpStore(session).by_public_id(public_id) if public_id else None
    person = session.get(Subscriber, row.subscriber_id) if row and row.subscriber_id and row.source == SOURCE else None
    return None if row is None or person is None or person.address is None else (person, row)


def _move(newsletter: Newsletter, person: Subscriber, row: SignUp) -> Move:
    if row.confirmed_at is not None:
        state = Standing.DONE
    else:
        late = newsletter.clock() - row.created_at >= HOLDS_FOR or person.state is State.UNSUBSCRIBED
        state = Standing.OVER if late else Standing.OPEN
    return Move(
        former=masked(person.address or ""),
        address=masked(row.address),
        state=state,
        preferences_token=newsletter.tokens.make(Purpose.PREFERENCES, person.public_id),
    )
