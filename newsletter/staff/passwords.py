"""Passwords: which ones are taken, and keeping and trying them with argon2 (through pwdlib).

One trial takes an eighth of a second and 64 MiB, for us as for whoever steals the table.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

LEAST_CHARACTERS, MOST_CHARACTERS = 10, 1000
_TRIALS = BoundedSemaphore(2)
"""So many trials at a time: more would only take memory, and the processor from the pages."""


class PasswordRefused(ValueError):
    """A password that is not taken; `why` is short, long, address or differs."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the password is not taken: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether a password was the right one, and its new hash where the old one was made with weaker parameters."""

    right: bool
    new_hash: str | None = None


def check(password: str, again: str, address: str) -> None:
    """Raise `PasswordRefused` unless a new password, typed twice, can be one.

    Length alone makes it strong (NIST SP 800-63B §3.1.1.2); nothing else is asked but that it is not the address.
    """
    plain = _plain(password)
    if len(plain) < LEAST_CHARACTERS:
        raise PasswordRefused("short")
    if len(plain) > MOST_CHARACTERS:
        raise PasswordRefused("long")
    if plain.strip().casefold() == address.casefold():
        raise PasswordRefused("address")
    if plain != _plain(again):
        raise PasswordRefused("differs")


def keep(password: str) -> str:
    """The hash to keep of a password that was checked."""
    with _TRIALS:
        return _hashes().hash(_plain(password))


def attempt(password: str, kept: str | None) -> Trial:
    """Try a password against a kept hash; where there is none, it takes as long and is wrong."""
    dummy = _dummy()
    plain = _plain(password)
    possible = kept is not None and len(plain) <= MOST_CHARACTERS
    with _TRIALS:
        try:
            right, new_hash = _hashes().verify_and_update(plain[:MOST_CHARACTERS], kept if kept and possible else dummy)
        except UnknownHashError:  # whatever stands there, no password opens it
            right, new_hash = False, None
    return Trial(right, new_hash) if possible else Trial(False)


def _plain(password: str) -> str:
    """The same characters however a keyboard put them together (Unicode NFKC)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _hashes() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _dummy() -> str:
    """The hash of a password that nobody has, made with the parameters of now."""
    return _hashes().hash("")
