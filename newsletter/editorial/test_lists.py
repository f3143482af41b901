"""Lists of addresses that tests are sent to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.editorial.models import TestList
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import Actor
from subscribers.addresses import AddressRefused, parse_address

MOST_ADDRESSES = 20
"""A test is for those who look it over; whoever wants to reach more makes readers of them."""
_NAME_CHARACTERS = 100
_BETWEEN = re.compile(r"[\s,;，；、]+")


@dataclass(frozen=True, slots=True)
class SavedList:
    """Addresses under a name."""

    id: int
    name: str
    addresses: tuple[str, ...]


class ListRefused(ValueError):
    """A list that cannot be kept or used; `code` is name, taken, none, many, address or gone, `value` what is wrong."""

    def __init__(self, code: str, value: str = "") -> None:
        super().__init__(f"{code} {value}".strip())
        self.code = code
        self.value = value


def all_lists(newsletter: Newsletter) -> tuple[SavedList, ...]:
    """All lists, by name."""
    with newsletter.reading() as session:
        rows = session.exec(select(TestList).order_by(func.lower(TestList.name))).all()
    return tuple(SavedList(row.id or 0, row.name, tuple(row.addresses)) for row in rows)


def keep(newsletter: Newsletter, actor: Actor, name: str, text: str, list_id: int | None = None) -> SavedList:
    """Keep the addresses in a text under a name, as a new list or instead of what the list `list_id` was.

    Raises `ListRefused`.
    """
    name = " ".join(name.split())
    if not name or len(name) > _NAME_CHARACTERS or not name.isprintable():
        raise ListRefused("name", str(_NAME_CHARACTERS))
    addresses = addresses_in(text)
    with newsletter.session() as session:
        same = session.exec(select(TestList).where(col(TestList.name) == name)).first()
        if same and same.id != list_id:
            raise ListRefused("taken", name)
        row = TestList(name="", addresses=[]) if list_id is None else _find(session, list_id)
        row.name, row.addresses = name, list(addresses)
        session.add(row)
        session.flush()
        record(session, actor, Action.TEST_LIST_CHANGED, name, newsletter.clock(), addresses=len(addresses))
    return SavedList(row.id or 0, name, addresses)


def drop(newsletter: Newsletter, actor: Actor, list_id: int) -> str:
    """Delete a list; its name. Raises `ListRefused` when it is gone already."""
    with newsletter.session() as session:
        row = _find(session, list_id)
        session.delete(row)
        record(session, actor, Action.TEST_LIST_CHANGED, row.name, newsletter.clock(), deleted=True)
    return row.name


def addresses_in(text: str, more: Sequence[str] = ()) -> tuple[str, ...]:
    """The addresses in a text, separated by blanks, lines or commas, behind `more`; none of them twice.

    Raises `ListRefused` when there is none, there are too many, or one is impossible.
    """
    found: dict[str, str] = {}
    for written in (*more, *filter(None, _BETWEEN.split(text))):
        try:
            found.setdefault(parse_address(written).key, written)
        except AddressRefused:
            raise ListRefused("address", written[:_NAME_CHARACTERS]) from None
    if not found:
        raise ListRefused("none")
    if len(found) > MOST_ADDRESSES:
        raise ListRefused("many", str(len(found)))
    return tuple(found.values())


def _find(session: Session, list_id: int) -> TestList:
    row = session.get(TestList, list_id) if 0 < list_id < 1 << 31 else None  # no column holds a larger one
    if row is None:
        raise ListRefused("gone")
    return row
