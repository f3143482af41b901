"""The person behind a link: found, held while something is done for them, and written to."""

from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.readers.letters import write
from newsletter.readers.models import LetterKind
from subscribers.addresses import parse_address
from subscribers.models import State, Subscriber
from subscribers.tokens import Purpose


def person_of(newsletter: Newsletter, session: Session, token: str) -> Subscriber | None:
    """The person of a preferences link who has an address and has confirmed it, else None."""
    public_id = newsletter.tokens.read(Purpose.PREFERENCES, token)
    person = newsletter.people(session).by_public_id(public_id) if public_id else None
    return None if person is None or person.address is None or person.state is State.PENDING else person


def hold(session: Session, person: Subscriber) -> None:
    """Read a person afresh and keep others from changing them until the transaction ends.

    Whatever was known of them before may be stale: they may have left, moved or been forgotten meanwhile.
    """
    session.refresh(person, with_for_update={"key_share": True})


def reader_of(newsletter: Newsletter, session: Session, token: str) -> Subscriber | None:
    """The person of a preferences link, held, whose choices can be changed; None also when they have just left."""
    person = person_of(newsletter, session, token)
    if person is None:
        return None
    hold(session, person)
    return person if person.state in (State.ACTIVE, State.PAUSED) else None


def write_to(newsletter: Newsletter, session: Session, kind: LetterKind, person: Subscriber) -> None:
    """Queue a letter to a person, unless they were forgotten meanwhile or their address had enough of its kind."""
    hold(session, person)
    if person.address is None:
        return
    write(newsletter, session, kind, parse_address(person.address), person.language, subscriber_id=person.id)
