"""What people may have done with all that is held about them, by a link mailed for it: have it, or have it erased."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session, select

from newsletter.app import Newsletter
from newsletter.readers.export import everything_about
from newsletter.readers.forgetting import forget
from newsletter.readers.models import Letter, LetterKind
from newsletter.readers.persons import person_of, write_to
from newsletter.render.wording import masked
from subscribers.models import State, Subscriber
from subscribers.tokens import Purpose

OPENS_FOR = timedelta(hours=1)
"""Long enough to fetch a mail, too short for one that is forwarded or found later."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a data link opens.

    `address` is masked; `over` says that its hour is past; `left` that the person unsubscribed; `preferences_token`
    leads back to where a new link can be asked for.
    """

    address: str
    over: bool
    left: bool
    preferences_token: str


def ask(newsletter: Newsletter, preferences_token: str) -> bool:
    """Mail a data link to the person of a preferences link; False when that is none of ours.

    An address that had its letters for now gets none, and the answer is the same.
    """
    with newsletter.session() as session:
        person = person_of(newsletter, session, preferences_token)
        if person is None:
            return False
        write_to(newsletter, session, LetterKind.DATA, person)
        return True


def look(newsletter: Newsletter, token: str) -> Door | None:
    """What a data link opens, without changing anything; None for a link never made, or of somebody forgotten."""
    with newsletter.reading() as session:
        found = _find(newsletter, session, token)
        if found is None:
            return None
        letter, person = found
        return Door(
            address=masked(person.address or ""),
            over=_is_over(newsletter, letter),
            left=person.state is State.UNSUBSCRIBED,
            preferences_token=newsletter.tokens.make(Purpose.PREFERENCES, person.public_id),
        )


def export(newsletter: Newsletter, token: str) -> dict[str, Any] | None:
    """Everything held about the person of a data link, as plain values for JSON; None when it does not open."""
    with newsletter.reading() as session:
        person = person_behind(newsletter, session, token)
        return None if person is None else everything_about(session, person, newsletter.now())


def erase(newsletter: Newsletter, token: str) -> bool:
    """Forget the person of a data link at once; False when it does not open."""
    with newsletter.reading() as session:
        person = person_behind(newsletter, session, token)
    return person is not None and forget(newsletter, person.public_id, "page")


def person_behind(newsletter: Newsletter, session: Session, token: str) -> Subscriber | None:
    """The person of a data link that opens now."""
    found = _find(newsletter, session, token)
    return None if found is None or _is_over(newsletter, found[0]) else found[1]


def _find(newsletter: Newsletter, session: Session, token: str) -> tuple[Letter, Subscriber] | None:
    public_id = newsletter.tokens.read(Purpose.DATA, token)
    if public_id is None:
        return None
    query = select(Letter).where(Letter.public_id == public_id, Letter.kind == LetterKind.DATA)
    letter = session.exec(query).first()
    person = session.get(Subscriber, letter.subscriber_id) if letter and letter.subscriber_id else None
    # a letter that went to an address given up since is no proof of being this person any more
    if letter is None or person is None or person.address_hash is None or letter.address_hash != person.address_hash:
        return None
    return letter, person


def _is_over(newsletter: Newsletter, letter: Letter) -> bool:
    return newsletter.clock() - letter.created_at >= OPENS_FOR
