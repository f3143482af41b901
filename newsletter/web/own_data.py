"""Pages behind a data link: export, erasure, change of address; each such link is mailed and opens for an hour."""

import json

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.readers import new_address, own_data
from newsletter.readers.own_data import Door
from newsletter.render.recipient import INERT_TOKEN
from newsletter.web.pages import back_to, newsletter_of, render, words_for
from newsletter.web.posted import Posted
from newsletter.web.visitor import client_of
from subscribers.addresses import AddressRefused

router = APIRouter()


@router.post("/preferences/{token}/data")
def ask(request: Request, token: str) -> Response:
    """Mail a data link to the address of a preferences link; the answer does not tell whether it had enough of them."""
    if not own_data.ask(newsletter_of(request), token):
        return render(request, "preferences_unknown.html.j2", status=404)
    return RedirectResponse(f"/preferences/{token}?done=data", 303)


@router.api_route("/preferences/{token}/data", methods=["GET", "HEAD"])
def go_to_preferences(request: Request, token: str) -> Response:
    """The preferences, for whoever opens the address of the button on them."""
    return back_to(request, "preferences", token)


@router.api_route("/data/{token}", methods=["GET", "HEAD"])
def show(request: Request, token: str, done: str = "") -> Response:
    """What can be done with one's data; nothing is done here."""
    door = own_data.look(newsletter_of(request), token)
    if door is None or door.over:
        return _closed(request, token, door)
    return _page(request, token, door, asked=done == "address")


@router.api_route("/data/{token}/export.json", methods=["GET", "HEAD"])
def export(request: Request, token: str) -> Response:
    """Everything held about the person, as a file."""
    newsletter = newsletter_of(request)
    held = own_data.export(newsletter, token)
    if held is None:
        return _closed(request, token, own_data.look(newsletter, token))
    text = json.dumps(held, ensure_ascii=False, indent=2) + "\n"
    name = f"newsletter-{newsletter.today()}.json"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode("utf-8", "replace"), media_type="application/json", headers=headers)


@router.api_route("/data/{token}/erase", methods=["GET", "HEAD"])
def ask_again(request: Request, token: str) -> Response:
    """What erasing takes away and what it leaves, with the button that does it."""
    door = own_data.look(newsletter_of(request), token)
    if door is None or door.over:
        return _closed(request, token, door)
    return render(request, "data_erase.html.j2", token=token, door=door)


@router.post("/data/{token}/erase")
def erase(request: Request, token: str) -> Response:
    """Forget the person; the page after it knows nobody any more."""
    newsletter = newsletter_of(request)
    door = own_data.look(newsletter, token)
    if not own_data.erase(newsletter, token):
        return _closed(request, token, door)
    return render(request, "data_erased.html.j2")


@router.post("/data/{token}/address")
def move(request: Request, token: str, posted: Posted) -> Response:
    """Write to a new address so that its owner can confirm it; the answer does not tell whether it is taken."""
    newsletter = newsletter_of(request)
    door = own_data.look(newsletter, token)
    if door is None or door.over:
        return _closed(request, token, door)
    typed = posted.get("address", "")
    try:
        new_address.ask(
            newsletter,
            token,
            typed,
            wording=words_for(request)["data_address_text"],
            origin=client_of(request, newsletter.settings.trusted_proxies),
        )
    except AddressRefused:
        return _page(request, token, door, typed=typed, mistake="data_address_wrong", status=422)
    return RedirectResponse(f"/data/{token}?done=address", 303)


@router.api_route("/data/{token}/address", methods=["GET", "HEAD"])
def go_to_data(request: Request, token: str) -> Response:
    """The page with the field for a new address, for whoever opens the address that it is sent to."""
    return back_to(request, "data", token)


@router.api_route("/address/{token}", methods=["GET", "HEAD"])
def look_at_move(request: Request, token: str) -> Response:
    """The new address, masked, and the button that confirms it; nothing changes here."""
    return _moving(request, new_address.look(newsletter_of(request), token))


@router.post("/address/{token}")
def confirm_move(request: Request, token: str) -> Response:
    """Write to the new address from now on."""
    newsletter = newsletter_of(request)
    origin = client_of(request, newsletter.settings.trusted_proxies)
    words = words_for(request)
    said = " ".join(words[f"data_move_{part}"] for part in ("ask", "text", "button"))
    wording = said.format(address="…", former="…")  # the record has no address
    return _moving(request, new_address.confirm(newsletter, token, origin, wording))


def _page(
    request: Request,
    token: str,
    door: Door,
    *,
    asked: bool = False,
    typed: str = "",
    mistake: str = "",
    status: int = 200,
) -> Response:
    mistakes = {"address": mistake} if mistake else {}
    return render(
        request, "data.html.j2", status=status, token=token, door=door, asked=asked, typed=typed, mistakes=mistakes
    )


def _closed(request: Request, token: str, door: Door | None) -> Response:
    """The pages for a link that is over, for one from a test mail, and for one that never opened anything."""
    if token == INERT_TOKEN:
        return render(request, "preferences_test.html.j2")
    if door is None:
        return render(request, "data_unknown.html.j2", status=404)
    return render(request, "data_over.html.j2", status=410, door=door)


_STATUS = {new_address.Standing.OVER: 410, new_address.Standing.TAKEN: 409}


def _moving(request: Request, found: new_address.Move | None) -> Response:
    if found is None:
        return render(request, "data_unknown.html.j2", status=404)
    return render(request, "address.html.j2", status=_STATUS.get(found.state, 200), move=found)
