"""Asking a server whether an address leads anywhere, without being led to machines that are nobody's business.

The text of an issue is not to be trusted: an address in it may name this machine, its network or a cloud's own
services, or lead there by a redirect or by a name that answers differently the second time. So a name is resolved once,
every address it has must be a public one, and the connection goes to what was looked at (OWASP ASVS 5.0, 1.3.6).
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urljoin, urlsplit

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GONE = (404, 410)
_FOLLOWED = (301, 302, 303, 307, 308)
_MOST_HOPS = 5
_LONGEST = 2
"""So many time-outs a server may take for handshake and answer together."""
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
        if address.is_site_local:  # of old, and of the reserved ones the only one that is not counted to them
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Follows links; `may_visit` says which addresses are reached, `ports` where, and nothing takes longer than that.

    `timeout_seconds` is for each of connecting, the handshake and the answer, and for a server that goes on talking
    twice that in all; `agent` is who we say we are.
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
        query = f"?{quote(parts.query, safe=_SAFE)}" if parts.query else ""
        headers = {"User-Agent": self.agent, "Accept": "text/html,*/*;q=0.5", "Connection": "close"}
        with closing(self._line(parts.scheme == "https", name, port)) as line, _cut_off(line, self.timeout_seconds):
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            connection = http.client.HTTPConnection(name, port)
            connection.sock = line
            connection.request("GET", quote(parts.path or "/", safe=_SAFE) + query, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("location", "")

    def _line(self, is_secure: bool, name: str, port: int) -> socket.socket:
        """A line to an address that was looked at; the certificate will have to be that of the name."""
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses or not all(self.may_visit(ipaddress.ip_address(one.partition("%")[0])) for one in addresses):
            raise _Refused("private-address")
        plain = socket.create_connection((addresses[0], port), self.timeout_seconds)
        if not is_secure:
            return plain
        with ExitStack() as unless_secured:
            unless_secured.callback(plain.close)
            context = ssl.create_default_context()
            secured = context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False)
            unless_secured.pop_all()
            return secured


@contextmanager
def _cut_off(line: socket.socket, timeout_seconds: float) -> Iterator[None]:
    """Break a line that was talked on for long: who says a byte now and then runs into no time-out."""

    def cut() -> None:
        with suppress(OSError):  # it ended this very moment
            socket.socket.shutdown(line, socket.SHUT_RDWR)  # not TLS's own, which would say goodbye first

    timer = threading.Timer(_LONGEST * timeout_seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _judge(status: int) -> Answer:
    if status < 400:
        return Answer(Verdict.OK, str(status))
    return Answer(Verdict.BROKEN if status in _GONE else Verdict.UNREACHABLE, str(status))
