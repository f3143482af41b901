"""View in browser: a reader's own mail as a page, by the link at its end."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.readers.viewing import view
from newsletter.render.recipient import INERT_TOKEN
from newsletter.web.mail_page import alone
from newsletter.web.pages import newsletter_of, render

router = APIRouter()


@router.api_route("/view/{token}", methods=["GET", "HEAD"])
def mail(request: Request, token: str) -> Response:
    """The mail itself, so that its links work; a polite page where there is none."""
    if token == INERT_TOKEN:
        return render(request, "view_test.html.j2")
    html = view(newsletter_of(request), token)
    return render(request, "view_unknown.html.j2", status=404) if html is None else alone(html)
