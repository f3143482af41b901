"""Asking a server whether an address leads anywhere, without being led to machines that are nobody's business.

The text of an issue is not to be trusted: an address in it may name this machine, its network or a cloud's own
services, or lead there by a redirect or by a name that answers differently the second time. So a name is resolved once,
every address it has must be a public one, and the connection goes to what was looked at (OWASP ASVS 5.0, 1.3.6).
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urljoin, urlsplit

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GONE = (404, 410)
_FOLLOWED = (301, 302, 303, 307, 308)
_MOST_HOPS = 5
_MOST_URL_CHARACTERS = 2000
_SAFE = "/%:@!$&'()*+,;=~-._?"
"""What of a path or a query goes on as it is written; everything else, Chinese above all, is percent-encoded."""


class Verdict(StrEnum):
    """What fetching a link came to."""

    OK = "ok"
    BROKEN = "broken"
    """Nobody who follows it will get there: the page is gone, the name does not exist."""
    REFUSED = "refused"
    """We do not go there: not http(s), not a public address, an unusual port."""
    UNREACHABLE = "unreachable"
    """It may work for people: the server was slow, out of order, or wants no programs."""
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict and the reason as one word: a status such as `404`, or `no-such-host`, `timeout`, `tls`, …."""

    verdict: Verdict
    reason: str


class _Refused(Exception):
    """We do not go there; the argument is the reason."""


def is_public(address: _Address) -> bool:
    """Whether an address is one that anybody on the internet may reach, also when it wraps another one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Follows links; `may_visit` says which addresses are reached, `ports` where, and nothing takes longer than that.

    `timeout_seconds` is for each of connecting, the handshake and the answer; `agent` is who we say we are.
    """

    agent: str
    may_visit: Callable[[_Address], bool] = is_public
    ports: tuple[int, ...] = (80, 443)
    timeout_seconds: float = 8

    def fetch(self, url: str) -> Answer:
        """Where a link leads; redirects are followed, each looked at as the first. Reads no body; never raises."""
        try:
            for _ in range(_MOST_HOPS + 1):
                status, location = self._ask(url)
                if status not in _FOLLOWED or not location:
                    return _judge(status)
                url = urljoin(url, location)
        except _Refused as refusal:
            return Answer(Verdict.REFUSED, str(refusal))
        except socket.gaierror as trouble:
            # "try again" is said of a resolver that is away, so of a machine without network too
            away = trouble.errno == socket.EAI_AGAIN
            return Answer(Verdict.NOT_CHECKED, "no-network") if away else Answer(Verdict.BROKEN, "no-such-host")
        except TimeoutError:
            return Answer(Verdict.UNREACHABLE, "timeout")
        except ssl.SSLError:
            return Answer(Verdict.BROKEN, "tls")
        except (OSError, http.client.HTTPException, UnicodeError, ValueError):
            return Answer(Verdict.UNREACHABLE, "no-answer")
        return Answer(Verdict.BROKEN, "redirects")

    def _ask(self, url: str) -> tuple[int, str]:
        """The status of one address and where it redirects to."""
        if len(url) > _MOST_URL_CHARACTERS:
            raise _Refused("too-long")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _Refused("scheme")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if port not in self.ports:
            raise _Refused("port")
        name = parts.hostname.encode("idna").decode("ascii") if not parts.hostname.isascii() else parts.hostname
        connection = self._connected(parts.scheme == "https", name, port)
        try:
            query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
            headers = {"User-Agent": self.agent, "Accept": "text/html,*/*;q=0.5", "Connection": "close"}
            connection.request("GET", quote(parts.path or "/", safe=_SAFE) + query, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("location", "")
        finally:
            connection.close()

    def _connected(self, is_secure: bool, name: str, port: int) -> http.client.HTTPConnection:
        """A connection to an address that was looked at; the certificate has to be that of the name."""
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses or not all(self.may_visit(ipaddress.ip_address(one.partition("%")[0])) for one in addresses):
            raise _Refused("private-address")
        connection = http.client.HTTPConnection(name, port, timeout=self.timeout_seconds)
        plain = socket.create_connection((addresses[0], port), self.timeout_seconds)
        try:
            connection.sock = (
                ssl.create_default_context().wrap_socket(plain, server_hostname=name) if is_secure else plain
            )
        except BaseException:
            plain.close()
            raise
        return connection


def _judge(status: int) -> Answer:
    if status < 400:
        return Answer(Verdict.OK, str(status))
    return Answer(Verdict.BROKEN if status in _GONE else Verdict.UNREACHABLE, str(status))
