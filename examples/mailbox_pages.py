"""Web pages of the demo that show what the mailbox received, beside the newsletter's own."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from mailbox_server import Mail, received
from starlette.responses import Response

from newsletter.web.mail_page import framed
from newsletter.web.pages import Link, render
from newsletter.web.visitor import LocalOnly

VIEWS = ("html", "text", "headers", "raw")


def of(folder: Path) -> tuple[APIRouter, Path, Link]:
    """The pages of the mailbox in `folder`, where their templates lie, and the link that leads to them."""
    router = APIRouter(prefix="/mailbox", dependencies=[LocalOnly])

    @router.get("")
    def listing(request: Request) -> Response:
        return render(request, "mailbox.html.j2", mails=received(folder)[::-1])

    @router.get("/{number}")
    def one(request: Request, number: int, view: str = "html") -> Response:
        mail = _find(folder, number)
        views = VIEWS if mail.part("html") else VIEWS[1:]
        view = view if view in views else views[0]
        return render(request, "mail.html.j2", mail=mail, view=view, views=views)

    @router.get("/{number}/html")
    def html(number: int) -> Response:
        return framed(_find(folder, number).part("html"))

    @router.get("/{number}/message.eml")
    def raw(number: int) -> Response:
        return Response(_find(folder, number).raw, media_type="message/rfc822")

    return router, Path(__file__).parent / "mailbox", ("/mailbox", "Mailbox")


def _find(folder: Path, number: int) -> Mail:
    for mail in received(folder):
        if mail.number == number:
            return mail
    raise HTTPException(404, f"The mailbox has no message {number}.")
