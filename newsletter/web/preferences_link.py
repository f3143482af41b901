"""The page that mails the link to one's preferences to somebody without an old mail at hand."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.readers.preferences import ask_link
from newsletter.web.pages import newsletter_of, render
from newsletter.web.posted import Posted
from newsletter.web.sign_up_form import TRAP, fresh_token, is_timely, kept_token
from subscribers.addresses import AddressRefused

router = APIRouter()


@router.api_route("/preferences", methods=["GET", "HEAD"])
def ask(request: Request, sent: bool = False) -> Response:
    """One field for the address; or that a letter is on its way, if there is a reader of that address."""
    if sent:
        return render(request, "preferences_link_sent.html.j2")
    return _form(request, fresh_token(newsletter_of(request)))


@router.post("/preferences")
def send(request: Request, posted: Posted) -> Response:
    """Mail the link; the answer does not tell whether the address is known, and robots get the same."""
    newsletter = newsletter_of(request)
    token, address = posted.get("form", ""), posted.get("address", "")
    if not posted.get(TRAP):
        if not is_timely(newsletter, token):
            return _form(request, kept_token(newsletter, token), address, "pref_link_once_more")
        try:
            ask_link(newsletter, address)
        except AddressRefused:
            return _form(request, kept_token(newsletter, token), address, "pref_link_wrong")
    return RedirectResponse("/preferences?sent=1", 303)


def _form(request: Request, form_token: str, address: str = "", mistake: str = "") -> Response:
    return render(
        request,
        "preferences_link.html.j2",
        status=422 if mistake else 200,
        form_token=form_token,
        address=address,
        mistakes={"address": mistake} if mistake else {},
        trap=TRAP,
    )
