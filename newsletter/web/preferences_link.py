"""The page that mails the link to one's preferences to somebody without an old mail at hand."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.readers.limits import TooMany
from newsletter.readers.preferences import ask_link
from newsletter.web.pages import newsletter_of, render
from newsletter.web.posted import Posted
from newsletter.web.sign_up_form import RETRY_SECONDS, TRAP, fresh_token, kept_token, untimely
from newsletter.web.visitor import client_of
from subscribers.addresses import AddressRefused, parse_address

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
        form_token, remark = kept_token(newsletter, token), untimely(newsletter, token)
        try:
            if remark:
                parse_address(address)  # where the address is wrong, that alone is worth saying
                return _form(request, form_token, address, remark=remark)
            ask_link(newsletter, address, client_of(request, newsletter.settings.trusted_proxies))
        except AddressRefused:
            return _form(request, form_token, address, "pref_link_wrong")
        except TooMany:
            return _form(request, form_token, address, remark="pref_link_too_many", status=429)
    return RedirectResponse("/preferences?sent=1", 303)


def _form(
    request: Request, form_token: str, address: str = "", mistake: str = "", remark: str = "", status: int = 422
) -> Response:
    return render(
        request,
        "preferences_link.html.j2",
        status=status if mistake or remark else 200,
        headers={"retry-after": RETRY_SECONDS} if status == 429 else {},
        form_token=form_token,
        address=address,
        mistakes={"address": mistake} if mistake else {},
        remark=remark,
        trap=TRAP,
    )
