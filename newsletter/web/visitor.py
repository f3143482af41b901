"""Who is asking: a person at this machine or somebody out there, from where, and in which language."""

import ipaddress
from collections.abc import Sequence

from fastapi import Depends, Request
from starlette.responses import Response

from subscribers.preferences import LANGUAGES

LANGUAGE_FIELD = "language"
LANGUAGE_COOKIES = ("__Host-language", "language")
"""The first one over https; a browser takes it from nobody else."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class NotLocal(Exception):
    """A page that is for people at this machine was asked for from elsewhere."""


def is_local(request: Request) -> bool:
    """Whether a request was made on this machine, to this machine, by its own name.

    The Host header must be a loopback name too: a page elsewhere can let its own name point here (DNS rebinding). What
    came through a proxy is not local, whatever address the proxy has.
    """
    client = request.client.host if request.client else ""
    if any(name in request.headers for name in _FORWARDED):
        return False
    return _is_loopback(client) and _is_loopback(_host_name(request.headers.get("host", "")))


def require_local(request: Request) -> None:
    """Raise `NotLocal` unless the request was made on this machine."""
    if not is_local(request):
        raise NotLocal


LocalOnly = Depends(require_local)
"""For routers whose pages are only for people at this machine."""


def client_of(request: Request, trusted: Sequence[str]) -> str:
    """The network address a visitor comes from, which limits are counted by; an IPv6 network of 64 bits counts as one.

    `trusted` are networks of proxies: behind them it is the last address they name that is none of theirs.
    """
    hops = [request.client.host if request.client else ""]
    hops += [part.strip() for line in request.headers.getlist("x-forwarded-for") for part in line.split(",")][::-1]
    networks = [ipaddress.ip_network(network) for network in trusted]
    for index, hop in enumerate(hops):
        address = _address(hop)
        if address is None:  # whoever wrote that is the last one known
            return _counted(_address(hops[index - 1])) if index else ""
        if index == len(hops) - 1 or not any(address in network for network in networks):
            return _counted(address)
    return ""


def language_of(request: Request) -> str:
    """The language of a page: the one that was switched to, else what the browser likes best of those we have.

    A switch is `?language=`, kept in a cookie; RFC 9110 §12.5.4 says how browsers tell what they like.
    """
    kept = [request.cookies.get(name, "") for name in LANGUAGE_COOKIES]
    for said in (request.query_params.get(LANGUAGE_FIELD, ""), *kept):
        if said in LANGUAGES:
            return said
    wishes = [_wish(part) for part in request.headers.get("accept-language", "")[:500].split(",")]
    liked = [(weight, name) for name, weight in wishes if name in LANGUAGES and weight > 0]
    return max(liked, key=lambda wish: wish[0])[1] if liked else LANGUAGES[0]


def keep_language(request: Request, response: Response, *, https: bool) -> None:
    """Let the visitor's browser remember, for a year, the language that was just switched to."""
    said = request.query_params.get(LANGUAGE_FIELD)
    if said in LANGUAGES:
        name = LANGUAGE_COOKIES[0 if https else 1]
        response.set_cookie(name, said, max_age=31_536_000, path="/", secure=https, httponly=True, samesite="lax")


def _wish(part: str) -> tuple[str, float]:
    """One language range as its primary subtag and its weight."""
    name, _, weight = part.partition(";")
    try:
        value = float(weight.strip().removeprefix("q=")) if weight else 1.0
    except ValueError:
        value = 0.0
    return name.strip().split("-")[0].lower(), value


def _address(text: str) -> _Address | None:
    """A network address, without the port and brackets that proxies write it with; IPv4 in IPv6 as IPv4."""
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _counted(address: _Address | None) -> str:
    """What a visitor is counted as: whoever has one IPv6 address has 2^64 of them."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address or "")


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    address = _address(name)  # a socket for both families gives ::ffff:127.0.0.1
    return address is not None and address.is_loopback
