"""The preview: which mail a reader or a set of topics gets of an issue, exactly, for people at this machine."""

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from newsletter.app import Newsletter
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.pages import newsletter_of, render
from newsletter.web.preview_choice import Choice
from newsletter.web.preview_mail import mail_part, message_file
from newsletter.web.preview_view import REFUSALS, line_of, look, make
from newsletter.web.visitor import LocalOnly

router = APIRouter(prefix="/preview", dependencies=[LocalOnly])


@router.api_route("", methods=["GET", "HEAD"], include_in_schema=False)
@router.api_route("/", methods=["GET", "HEAD"])
def issues(request: Request) -> Response:
    """Every issue, the newest first."""
    newsletter = newsletter_of(request)
    with newsletter.reading() as session:
        found = newsletter.issues(session).all()
    return render(request, "preview_list.html.j2", lines=[line_of(newsletter, saved) for saved in found])


@router.api_route("/{slug}", methods=["GET", "HEAD"])
def preview(request: Request, slug: str) -> Response:
    """The mail in its frame, and the controls that say whose mail and how it is shown."""
    newsletter = newsletter_of(request)
    saved = _find(newsletter, slug)
    choice = Choice.of(slug, request.query_params)
    return render(request, "preview.html.j2", line=line_of(newsletter, saved), **look(newsletter, saved, choice))


@router.api_route("/{slug}/mail", methods=["GET", "HEAD"])
def mail(request: Request, slug: str) -> Response:
    """One part of the mail as it would be sent; see `mail_part`."""
    return part_of(request, slug)


@router.api_route("/{slug}/message.eml", methods=["GET", "HEAD"])
def message(request: Request, slug: str) -> Response:
    """The whole message, byte for byte, to be kept as a file."""
    return file_of(request, slug)


def part_of(request: Request, slug: str) -> Response:
    """One part of the mail that a query chooses; ends in 404 with the reason when there is none."""
    try:
        made = make(newsletter_of(request), Choice.of(slug, request.query_params))
        return mail_part(made, request.query_params)
    except REFUSALS as refusal:
        raise HTTPException(404, str(refusal)) from None


def file_of(request: Request, slug: str) -> Response:
    """The whole message that a query chooses; ends in 404 with the reason when there is none."""
    try:
        made = make(newsletter_of(request), Choice.of(slug, request.query_params))
        return message_file(made, slug)  # an issue was found, so its slug is a date and a number
    except REFUSALS as refusal:
        raise HTTPException(404, str(refusal)) from None


def _find(newsletter: Newsletter, slug: str) -> Saved:
    with newsletter.reading() as session:
        try:
            return newsletter.issues(session).find(slug)
        except IssueRefused as refusal:
            raise HTTPException(404, str(refusal)) from None
