"""Moving to a new address: asked for behind a data link, confirmed from the new address."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.delivery.address_change import redirect
from newsletter.delivery.plan import wait_for_planners
from newsletter.readers.letters import SUPPRESSED, put_down, write
from newsletter.readers.limits import TURN, TooMany, has_room, moved_enough
from newsletter.readers.models import LetterKind
from newsletter.readers.own_data import person_behind
from newsletter.render.wording import masked
from newsletter.storage.turn import take_turn
from subscribers.addresses import Address, parse_address
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

    The answer does not tell whether the address is taken or kept out by the operator, or whether it, this person, the
    network address `origin` or everybody together had their letters for now. Raises `AddressRefused` for what is no
    address.
    """
    parsed = parse_address(address)
    with newsletter.session() as session:
        take_turn(session, TURN)
        person = person_behind(newsletter, session, data_token)
        if person is None or person.id is None or person.state is State.UNSUBSCRIBED:
            return False
        if parsed.key == person.address_key or not _has_room(newsletter, session, person.id, parsed, origin):
            return True
        row = SignUpStore(session, newsletter.clock).add(
            parsed, preferences_of(person), source=SOURCE, wording=wording, origin=origin, subscriber_id=person.id
        )
        reason = newsletter.people(session).reason_against(parsed)
        put_down(
            newsletter,
            session,
            LetterKind.ADDRESS,
            parsed,
            person.language,
            subscriber_id=person.id,
            sign_up_id=row.id,
            origin=origin,
            not_sent=SUPPRESSED if reason and reason not in LIFTED_BY_CONSENT else "",
        )
        return True


def look(newsletter: Newsletter, token: str) -> Move | None:
    """What an address link is about, without changing anything; None for a link never made, or of somebody gone."""
    with newsletter.reading() as session:
        found = _find(newsletter, session, token)
        return None if found is None else _move(newsletter, *found)


def confirm(newsletter: Newsletter, token: str, origin: str = "", wording: str = "") -> Move | None:
    """Write to the new address from now on; a second time, too late, or when it is taken, nothing changes.

    `wording` is the text that they read above the button. What waits in a send goes to the new address too, and the
    former one is told. Links in old mails keep working: they name the person and no address.
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
        wait_for_planners(session)
        former = parse_address(person.address or "")
        try:
            newsletter.people(session).move(person, row, source=SOURCE, origin=origin, wording=wording)
        except SubscriberRefused:
            return Move(before.former, before.address, Standing.TAKEN, before.preferences_token)
        redirect(session, person.id or 0, row.ascii_address)
        write(newsletter, session, LetterKind.MOVED, former, person.language, subscriber_id=person.id)
        return _move(newsletter, person, row)


def _has_room(newsletter: Newsletter, session: Session, mover: int, address: Address, origin: str) -> bool:
    try:
        has_room_there = has_room(newsletter, session, LetterKind.ADDRESS, address, origin)
    except TooMany:
        return False
    return has_room_there and not moved_enough(session, mover, newsletter.clock())


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
