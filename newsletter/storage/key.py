"""Which key the hashes of addresses in a database were made with, by its fingerprint.

With another key every suppressed address would look like a new one, and nobody would notice.
"""

import hmac

from sqlmodel import Session

from newsletter.storage.engine import DatabaseRefused, set_up_alone
from newsletter.storage.models import AddressKeyRow

_ONLY_ROW = 1


def remember_key(session: Session, key: bytes) -> None:
    """Keep the fingerprint of the key, the first time; the caller commits, and until then nobody else sets up."""
    set_up_alone(session.connection())
    if session.get(AddressKeyRow, _ONLY_ROW) is None:
        session.add(AddressKeyRow(id=_ONLY_ROW, fingerprint=_fingerprint(key)))


def require_key(session: Session, key: bytes) -> None:
    """Raise `DatabaseRefused` when the database was made with another key."""
    row = session.get(AddressKeyRow, _ONLY_ROW)
    if row is not None and not hmac.compare_digest(row.fingerprint, _fingerprint(key)):
        raise DatabaseRefused(
            "this database was made with another SECRET_KEY: put that one last in FORMER_SECRET_KEYS, "
            "or suppressed addresses would not be recognised."
        )


def _fingerprint(key: bytes) -> str:
    return hmac.digest(key, b"fingerprint of the address key", "sha256").hex()[:16]
