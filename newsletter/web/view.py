"""View in browser: a reader's own mail as a page, by the link at its end."""

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from newsletter.readers.viewing import view
from newsletter.render.recipient import INERT_TOKEN
from newsletter.web.pages import newsletter_of, render
from newsletter.web.security import MAIL_POLICY

router = APIRouter()

_POLICY = MAIL_POLICY.replace("frame-ancestors 'self'", "frame-ancestors 'none'").replace(
    "allow-same-origin", "allow-popups allow-popups-to-escape-sandbox"
)
"""A mail that is the page itself stands in no frame; nothing has to look into it, and its links may open anew."""

_HEADERS = {
    "content-security-policy": _POLICY,
    "cache-control": "private, no-store",
    "x-robots-tag": "noindex",
}


@router.api_route("/view/{token}", methods=["GET", "HEAD"])
def mail(request: Request, token: str) -> Response:
    """The mail itself, so that its links work; a polite page where there is none."""
    if token == INERT_TOKEN:
        return render(request, "view_test.html.j2")
    html = view(newsletter_of(request), token)
    if html is None:
        return render(request, "view_unknown.html.j2", status=404)
    return HTMLResponse(html, headers=_HEADERS)
