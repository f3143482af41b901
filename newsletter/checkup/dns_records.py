"""Asking a name server, and never waiting long for it. The one place that knows dnspython."""

import time
from typing import Any

from dns.exception import DNSException
from dns.name import from_text
from dns.rdatatype import RdataType
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

QUESTION_SECONDS = 3.0
ALL_SECONDS = 12.0
"""For all questions together, however slow the name server is."""


class Unanswered(Exception):
    """The name server could not be asked or failed; the message says for which name and why."""


class Names:
    """A name server to ask: that of this machine, or the one at `address` and `port`."""

    def __init__(self, address: str = "", port: int = 53, *, question_seconds: float = QUESTION_SECONDS) -> None:
        self._address = address
        self._port = port
        self._question_seconds = question_seconds
        self._ends: float | None = None

    def texts(self, domain: str) -> tuple[str, ...]:
        """The TXT records of a name, their strings joined (RFC 7208 §3.3); none when there is no such name."""
        return tuple(b"".join(record.strings).decode(errors="replace") for record in self._ask(domain, RdataType.TXT))

    def mail_hosts(self, domain: str) -> tuple[str, ...]:
        """The hosts of the MX records of a name, the preferred first; "." alone is a domain that takes no mail."""
        records = sorted(self._ask(domain, RdataType.MX), key=lambda record: record.preference)
        return tuple(str(record.exchange).rstrip(".") or "." for record in records)

    def addresses(self, domain: str) -> tuple[str, ...]:
        """The addresses of a name, IPv4 before IPv6."""
        return tuple(str(record) for kind in (RdataType.A, RdataType.AAAA) for record in self._ask(domain, kind))

    def knows_the_world(self) -> bool:
        """Whether it knows the root: a name server that does not would call every domain missing."""
        return bool(self._ask(".", RdataType.NS))

    def _ask(self, domain: str, kind: RdataType) -> tuple[Any, ...]:
        try:
            return tuple(self._resolver().resolve(from_text(domain), kind, lifetime=self._seconds_left(domain)))
        except (NXDOMAIN, NoAnswer):
            return ()
        except (DNSException, OSError, UnicodeError) as reason:
            raise Unanswered(f"no answer for {domain} ({type(reason).__name__})") from None

    def _resolver(self) -> Resolver:
        resolver = Resolver(configure=not self._address)
        if self._address:
            resolver.nameservers, resolver.port = [self._address], self._port
        return resolver

    def _seconds_left(self, domain: str) -> float:
        if self._ends is None:
            self._ends = time.monotonic() + ALL_SECONDS
        left = self._ends - time.monotonic()
        if left <= 0:
            raise Unanswered(f"no answer for {domain} (no time left, the name server is slow)")
        return min(left, self._question_seconds)
