"""Who may do what at the desk: roles that a person has, and the rights they give."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """What a page or a form asks of the person before it."""

    LOOK = "look"
    """See the desk: issues, previews, checks, coverage, progress and the log. Everybody of the staff may."""
    WRITE = "write"
    """Write issues, upload pictures, send tests, share links, ask for approval."""
    APPROVE = "approve"
    """Release an issue for sending."""
    SEND = "send"
    """Send to readers: now or at a time; pause, resume, cancel, send again, settle what is unknown."""
    READERS = "readers"
    """See and change readers; import, export, suppress."""
    MANAGE = "manage"
    """Topics, settings, staff and the audit log."""


class Role(StrEnum):
    """What a member of the staff is; one person may be several."""

    EDITOR = "editor"
    SENDER = "sender"
    ADMIN = "admin"


RIGHTS = {
    Role.EDITOR: frozenset({Right.LOOK, Right.WRITE, Right.APPROVE}),
    Role.SENDER: frozenset({Right.LOOK, Right.SEND}),
    Role.ADMIN: frozenset({Right.LOOK, Right.READERS, Right.MANAGE}),
}
"""Sending is a right of its own: neither an editor nor an admin has it by being that."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever does something: a member of the staff by their id, or the command line, which has none."""

    id: int | None
    name: str
    address: str = ""
    roles: frozenset[Role] = frozenset()

    def may(self, right: Right) -> bool:
        """Whether they have a right; whoever has the command line has the database itself, and so every right."""
        return self.id is None or any(right in RIGHTS[role] for role in self.roles)


COMMAND_LINE = Actor(None, "command line")


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """The roles of these names; one that there is no longer gives nothing."""
    return frozenset(role for role in Role if role.value in set(names))
