"""A mail as a response of its own: in the frame of a page, or as the page itself."""

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from newsletter.content.picture_address import on_this_host
from newsletter.web.security import FRAMED_MAIL_POLICY, MAIL_PAGE_POLICY


def framed(html: str) -> Response:
    """A mail's HTML for a frame of ours."""
    html = on_this_host(html)
    return HTMLResponse(html.replace("<head>", '<head><base target="_blank">', 1), headers=_headers(FRAMED_MAIL_POLICY))


def framed_text(text: str) -> Response:
    """A mail's text for a frame of ours."""
    return PlainTextResponse(text, headers=_headers(FRAMED_MAIL_POLICY))


def alone(html: str) -> Response:
    """A mail's HTML as a page that nobody but its reader should find or keep."""
    icon = '<head><link rel="icon" href="/static/icon.svg" type="image/svg+xml">'
    return HTMLResponse(on_this_host(html).replace("<head>", icon, 1), headers=_headers(MAIL_PAGE_POLICY))


def _headers(policy: str) -> dict[str, str]:
    return {"content-security-policy": policy, "cache-control": "private, no-store", "x-robots-tag": "noindex"}
