"""What guards the pages: headers on every response, and no writing on behalf of another site."""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Our own pages: nothing inline, nothing from elsewhere (Content Security Policy Level 3)."""

EMBED_POLICY = PAGE_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")
"""A page that stands in a frame on anybody's site."""

_MAIL = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'none'; base-uri 'none'"
"""A mail: its inline styles and nothing else, no script above all."""

PREVIEW_POLICY = (
    f"sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; {_MAIL}; frame-ancestors 'self'"
)
"""A mail beside the text that an editor writes: the page looks into the frame to keep the place in it; as in every
mail nothing runs there."""

FRAMED_MAIL_POLICY = f"sandbox allow-popups allow-popups-to-escape-sandbox; {_MAIL}; frame-ancestors 'self'"
"""A mail in the frame of a reader's page: its links open in a tab of their own, where no rule of the frame is left."""

MAIL_PAGE_POLICY = f"{_MAIL}; frame-ancestors 'none'"
"""A mail that is the page itself."""

HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    # addresses of pages hold tokens, so no other site is told them; without any, browsers post with `Origin: null`
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""What a response carries unless its page set the header itself."""

_FRAME_OPTIONS = {"frame-ancestors 'none'": "DENY", "frame-ancestors 'self'": "SAMEORIGIN"}
"""What the policy says about frames, for browsers that do not read policies."""

CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "retry-after",
    "cross-origin-resource-policy": "cross-origin",
}
"""What lets the scripts of any site read an answer of `/api/`."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""RFC 9110 §9.2.1."""

COME_BACK = {"retry-after": "30"}
"""What an answer carries that says to try again, in seconds (RFC 9110 §10.2.3)."""

FROM_ANYWHERE = ("/unsubscribe/", "/api/subscribe")
"""What other sites may post to: the one-click link (RFC 8058 §3.2: mail services come without cookies, the token in the
address is the proof), and the call that asks for a confirmation mail, which nobody's cookie makes worse."""


Refusal = Callable[[Scope], Response]
"""Makes the answer to a request that is not passed on."""


class SecurityHeaders:
    """ASGI middleware that completes the headers of every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, adding to the headers of what comes back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-cache")  # kept, but asked for again by its ETag
                complete(headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


class SameSiteWrites:
    """ASGI middleware that refuses unsafe methods from pages of other sites.

    Fetch Metadata tells; browsers without it send Origin, which must be the Host. Programs send neither. `refuse` makes
    the answer.
    """

    def __init__(self, app: ASGIApp, refuse: Refusal) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "http" and _crosses_sites(scope):
            await self._refuse(scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def complete(headers: MutableHeaders) -> None:
    """Add the security headers that a response has not set itself."""
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    for rule, option in _FRAME_OPTIONS.items():
        if rule in headers["content-security-policy"]:
            headers.setdefault("x-frame-options", option)


def _crosses_sites(scope: Scope) -> bool:
    if scope["method"] in SAFE_METHODS or scope["path"].startswith(FROM_ANYWHERE):
        return False
    headers = Headers(scope=scope)
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")
