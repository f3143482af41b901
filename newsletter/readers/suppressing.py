"""The suppression list in the hands of the staff: addresses put on it, many at once, and taken off it again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.app import Newsletter
from newsletter.readers.staff_changes import SOURCE
from newsletter.staff import audit
from newsletter.staff.audit import Action
from newsletter.staff.rights import Actor
from subscribers.addresses import AddressRefused, parse_address
from subscribers.models import State, Suppression

_BETWEEN = re.compile(r"[\s,，、;；<>]+")


@dataclass(frozen=True, slots=True)
class Pasted:
    """What became of pasted addresses: how many are new on the list and how many were on it; or which are none.

    When one is refused nothing was changed; `refused` says why, by what was pasted.
    """

    added: int
    known: int
    refused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the list, and where the reader of that address stands if there is one."""

    row: Suppression
    reader: str = ""
    state: State | None = None


def suppress_all(newsletter: Newsletter, actor: Actor, text: str, note: str) -> Pasted:
    """Put every address of a text on the list, or none of them when one cannot be one.

    They stand one a line, or with blanks, commas or semicolons between them. Raises `SuppressionRefused` for a note
    that cannot be kept.
    """
    addresses = list(dict.fromkeys(filter(None, _BETWEEN.split(text))))
    refused = {}
    for address in addresses:
        try:
            parse_address(address)
        except AddressRefused as error:
            refused[error.address] = error.reason
    if refused:
        return Pasted(0, 0, refused)
    with newsletter.session() as session:
        suppression = newsletter.suppression(session)
        new = [address for address in addresses if suppression.find(address) is None]
        rows = {suppression.add(address, SOURCE, note.strip()).id for address in new}
        if rows:
            subject, now = "suppression list", newsletter.clock()
            audit.record(session, actor, Action.SUPPRESSED, subject, now, addresses=len(rows))
    return Pasted(len(rows), len(addresses) - len(new), {})


def look(newsletter: Newsletter, number: int) -> Listed | None:
    """The row with that id, and whose it is; None when it is not there."""
    with newsletter.reading() as session:
        row = newsletter.suppression(session).get(number)
        if row is None:
            return None
        person = newsletter.people(session).by_hash(row.address_key_hash)
        return Listed(row, person.public_id, person.state) if person else Listed(row)


def lift(newsletter: Newsletter, actor: Actor, number: int) -> bool:
    """Take a row off the list, which makes nobody a reader again; False when it is not there."""
    with newsletter.session() as session:
        suppression = newsletter.suppression(session)
        row = suppression.get(number)
        if row is None:
            return False
        suppression.lift(row)
        subject, now = f"suppression {number}", newsletter.clock()
        audit.record(session, actor, Action.UNSUPPRESSED, subject, now, reason=row.reason)
        return True
