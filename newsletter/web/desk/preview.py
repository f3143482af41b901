"""The preview at the desk: what any reader, any set of topics and every edition gets of an issue."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.editorial.look import DAYS, DAYS_BY_DEFAULT, good_links
from newsletter.staff.rights import Right
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.seat import desk_page, needs
from newsletter.web.pages import newsletter_of
from newsletter.web.preview import file_of, part_of
from newsletter.web.preview_choice import Choice
from newsletter.web.preview_view import look

router = APIRouter(prefix="/desk/issues/{slug}/preview", dependencies=[needs(Right.LOOK)])


@router.api_route("", methods=["GET", "HEAD"])
def page(request: Request, slug: str) -> Response:
    """The mail in its frame, and the controls that say whose mail and how it is shown."""
    bar = issue_bar(request, slug)
    choice = Choice.of(slug, request.query_params, at=path_of(slug))
    return desk_page(
        request,
        "preview.html.j2",
        place="issues",
        tab="preview",
        issue_bar=bar,
        days=DAYS,
        days_by_default=DAYS_BY_DEFAULT,
        good_links=good_links(newsletter_of(request), slug),
        taken_back="taken-back" in request.query_params,
        **look(newsletter_of(request), bar.saved, choice),
    )


@router.api_route("/mail", methods=["GET", "HEAD"])
def mail(request: Request, slug: str) -> Response:
    """One part of the mail as it would be sent, for the frame of a page; see `mail_part`."""
    return part_of(request, slug)


@router.api_route("/message.eml", methods=["GET", "HEAD"])
def message(request: Request, slug: str) -> Response:
    """The whole message, byte for byte, to be kept as a file."""
    return file_of(request, slug)


def path_of(slug: str) -> str:
    """Where the preview of an issue is."""
    return f"/desk/issues/{quote(slug, safe='')}/preview"
