"""Approving an issue, and asking somebody else to."""

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from newsletter.editorial.approval import approve as release_it
from newsletter.editorial.approval import ask as ask_for
from newsletter.editorial.release import tell_asked
from newsletter.staff.rights import Right
from newsletter.storage.issues import IssueRefused
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.seat import actor_of, needs
from newsletter.web.desk.sending_view import go_back, refused
from newsletter.web.pages import back_to, newsletter_of
from newsletter.web.posted import Posted

router = APIRouter(prefix="/desk/issues/{slug}")
_approves = needs(Right.APPROVE)
_writes = needs(Right.WRITE)


@router.post("/approval", dependencies=[_approves])
def approve(request: Request, slug: str, posted: Posted) -> Response:
    """Release the newest revision, if it is still the one that was looked at."""
    issue_bar(request, slug)
    try:
        release_it(newsletter_of(request), slug, actor_of(request), posted.get("seen", ""))
    except IssueRefused as refusal:
        return refused(request, slug, refusal)
    return go_back(slug, "approved")


@router.post("/ask", dependencies=[_writes])
def ask(request: Request, slug: str) -> Response:
    """Remember who asks and tell the staff, after the answer: a mail server that is away holds nobody up."""
    issue_bar(request, slug)
    newsletter, actor = newsletter_of(request), actor_of(request)
    saved = ask_for(newsletter, slug, actor)
    if saved.approved_hash:
        return go_back(slug, "approved")
    response = go_back(slug, "asked" if newsletter.settings.staff else "asked-untold")
    if newsletter.settings.staff:
        response.background = BackgroundTask(tell_asked, newsletter, saved, actor)
    return response


@router.api_route("/approval", methods=["GET", "HEAD"], dependencies=[_approves])
@router.api_route("/ask", methods=["GET", "HEAD"], dependencies=[_writes])
def back(request: Request, slug: str) -> Response:
    """The page of these forms, for whoever opens the address that one is sent to."""
    return back_to(request, "desk", "issues", slug, "sending")
