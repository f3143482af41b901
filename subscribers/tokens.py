"""Tokens for links: who is meant and for what, signed; no time and no address in them.

A token is the key's id (4 characters), a MAC of 128 bits (22) and the subject in clear. The same subject and purpose
always give the same token, so that a message stays the same bytes (RFC 2104, truncated as its §5 allows).
"""

import hmac
import re
from binascii import b2a_base64
from collections.abc import Sequence
from enum import StrEnum


class Purpose(StrEnum):
    """What a link is for: a token of one purpose is none of another."""

    UNSUBSCRIBE = "unsubscribe"
    """Leave; the subject is the person's public id, as for the next two."""
    PREFERENCES = "preferences"
    FEED = "feed"
    VIEW = "view"
    """Look at one's own mail in the browser; the subject is the issue's id, a hyphen and the person's public id."""
    CONFIRM = "confirm"
    """Confirm a sign-up; the subject is its public id."""
    ADDRESS = "address"
    """Confirm a new address; the subject is the public id of the `SignUp` that wants it."""
    DATA = "data"
    """Export, erasure, change of address; the subject is the public id of the letter, whose age decides."""
    LOOK = "look"
    """Look at an issue before it is sent, without an account; the subject says which and until when."""
    INVITATION = "invitation"
    """Set a first or a new password; the subject is the public id of the member of staff and when they were invited."""
    SECOND_FACTOR = "second factor"
    """Go on with a login whose password was right; the subject is the public id, when that was, and a mark of it."""
    FORM = "form"
    """A form that was shown; the subject is when, in seconds since 1970."""


_KEY_ID = 4
_SIGNATURE = _KEY_ID + 22
_SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,128}", re.ASCII)
_LEAST_KEY_BYTES = 16


_FOR_LINKS = bytes.maketrans(b"+/", b"-_")
"""From base64 to its alphabet for links."""


def _text(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).translate(_FOR_LINKS, b"=").decode("ascii")


class Tokens:
    """Makes and reads tokens; the first key signs, all of them verify, so that a key can be replaced in peace.

    Raises `ValueError` without keys, or with one shorter than 16 bytes.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) < _LEAST_KEY_BYTES for key in keys):
            raise ValueError(f"tokens need at least one key, each of at least {_LEAST_KEY_BYTES} bytes")
        self._keys = tuple((_text(hmac.digest(key, b"token key id", "sha256")[:3]), _begun(key)) for key in keys)

    def make(self, purpose: Purpose, subject: str) -> str:
        """Sign a subject (1 to 128 of `A-Z a-z 0-9 _ -`) for one purpose.

        Raises `ValueError` for a subject that could not stand in a link as it is.
        """
        if not _SUBJECT.fullmatch(subject):
            raise ValueError(f"a token's subject is 1 to 128 letters, digits, _ or -, not {subject!r}")
        key_id, begun = self._keys[0]
        return key_id + _mac(begun[purpose], subject) + subject

    def read(self, purpose: Purpose, token: str) -> str | None:
        """Give the subject of a token made for this purpose, or None for any other string."""
        subject = token[_SIGNATURE:]
        if not token.isascii() or not _SUBJECT.fullmatch(subject):
            return None
        for key_id, begun in self._keys:
            if token[:_KEY_ID] == key_id and hmac.compare_digest(
                token[_KEY_ID:_SIGNATURE], _mac(begun[purpose], subject)
            ):
                return subject
        return None


def _begun(key: bytes) -> dict[Purpose, hmac.HMAC]:
    """What each purpose's signatures begin with: taken in once and copied, for every reader of a mailing gets some."""
    return {purpose: hmac.new(key, f"{purpose}\0".encode(), "sha256") for purpose in Purpose}


def _mac(begun: hmac.HMAC, subject: str) -> str:
    mac = begun.copy()
    mac.update(subject.encode())
    return _text(mac.digest()[:16])
