"""Who is asking: a person at this machine or somebody out there, and in which language."""

import ipaddress
from typing import Annotated

from fastapi import Depends, Request

from subscribers.preferences import LANGUAGES

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


def language_of(request: Request) -> str:
    """The language of a page: what the browser likes best of those we have (RFC 9110 §12.5.4), else the first."""
    wishes = [_wish(part) for part in request.headers.get("accept-language", "")[:500].split(",")]
    liked = [(weight, name) for name, weight in wishes if name in LANGUAGES and weight > 0]
    return max(liked, key=lambda wish: wish[0])[1] if liked else LANGUAGES[0]


Language = Annotated[str, Depends(language_of)]


def _wish(part: str) -> tuple[str, float]:
    """One language range as its primary subtag and its weight."""
    name, _, weight = part.partition(";")
    try:
        value = float(weight.strip().removeprefix("q=")) if weight else 1.0
    except ValueError:
        value = 0.0
    return name.strip().split("-")[0].lower(), value


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)  # a socket for both families gives ::ffff:127.0.0.1
    return bool((mapped or address).is_loopback)
