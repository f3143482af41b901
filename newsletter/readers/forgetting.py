"""Forgetting a person who asks for it: what says who they were goes, wherever it stands.

What stays: a keyed hash in suppression, so that nobody writes to them by mistake; and under an opaque id how their mail
went and when they said what about being written to.
"""

from collections.abc import Iterable

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from newsletter.app import Newsletter
from newsletter.delivery.history import forget_reader
from newsletter.delivery.models import Delivery
from newsletter.delivery.plan import wait_for_planners
from newsletter.readers.limits import TURN
from newsletter.readers.models import Letter, LetterState
from newsletter.readers.persons import hold
from newsletter.storage.turn import take_turn
from subscribers.addresses import hash_address, parse_address
from subscribers.models import Subscriber, Suppression
from subscribers.sign_ups import SignUpStore


def forget(newsletter: Newsletter, person_public_id: str, source: str) -> bool:
    """Erase who a person was, at once, also for a send in progress; False when there is nobody left to forget.

    `source` says where it was asked for: `command`, `page` or `staff`.
    """
    with newsletter.session() as session:
        return forget_within(newsletter, session, person_public_id, source)


def forget_within(newsletter: Newsletter, session: Session, person_public_id: str, source: str) -> bool:
    """The same in a transaction of the caller's, who has done nothing in it yet: turns are taken in a fixed order."""
    take_turn(session, TURN)
    wait_for_planners(session)
    people = newsletter.people(session)
    person = people.by_public_id(person_public_id)
    if person is None or person.address_hash is None:
        return False
    hold(session, person)  # before all else, as whoever claims their mail
    _empty_suppressions(newsletter, session, person)
    _empty_letters(session, person)
    people.forget(person, source)
    forget_reader(session, person.id or 0)
    return True


def _empty_letters(session: Session, person: Subscriber) -> None:
    """Take this person out of every letter to them; one that waits is not sent any more."""
    sign_ups = SignUpStore(session).of_person(person.id or 0, person.address_key or "")
    theirs = or_(
        col(Letter.subscriber_id) == person.id,
        col(Letter.address_hash) == person.address_hash,
        col(Letter.sign_up_id).in_([row.id for row in sign_ups]),
    )
    waiting = update(Letter).where(theirs, col(Letter.state) == LetterState.QUEUED)
    session.execute(waiting.values(state=LetterState.FAILED))
    session.execute(
        update(Letter)
        .where(theirs)
        .values(address="", address_hash="", mailbox_hash="", origin="", details={}, reply="", sign_up_id=None)
    )


def _empty_suppressions(newsletter: Newsletter, session: Session, person: Subscriber) -> None:
    """Leave only the hash of those addresses in suppression that this person had before the present one."""
    query = select(col(Delivery.address)).where(col(Delivery.subscriber_id) == person.id).distinct()
    hashes = [*_hashes(session.scalars(query), newsletter.address_key)]
    session.execute(
        update(Suppression).where(col(Suppression.address_key_hash).in_(hashes)).values(address=None, note="")
    )


def _hashes(addresses: Iterable[str | None], key: bytes) -> Iterable[str]:
    return (hash_address(parse_address(address), key) for address in addresses if address)
