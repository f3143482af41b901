"""Links for colleagues without an account: made at the desk, opened by whoever has one."""

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from newsletter.editorial.look import DAYS_BY_DEFAULT, Look, LookOver, look, share, take_back
from newsletter.staff.rights import Right
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.preview import path_of
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import back_to, newsletter_of, render, topics_of
from newsletter.web.posted import Posted
from newsletter.web.preview_choice import Choice
from newsletter.web.preview_mail import mail_part
from newsletter.web.preview_view import REFUSALS, shown_of
from subscribers.preferences import LANGUAGES

router = APIRouter()

VIEWS = ("desktop", "phone", "dark", "text")
_HIDDEN = {"x-robots-tag": "noindex, nofollow"}


@router.api_route("/desk/issues/{slug}/share", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def ask(request: Request, slug: str) -> Response:
    """The form stands on the preview's page."""
    return back_to(request, "desk", "issues", slug, "preview")


@router.post("/desk/issues/{slug}/share", dependencies=[needs(Right.WRITE)])
def make(request: Request, slug: str, posted: Posted) -> Response:
    """Make a link for the topics, the language and the days in the form, and show it."""
    newsletter, bar = newsletter_of(request), issue_bar(request, slug)
    days = posted.get("days", "") or str(DAYS_BY_DEFAULT)
    topics = tuple(dict.fromkeys(posted.getlist("topics")))
    language = posted.get("labels", "") or LANGUAGES[0]
    link, until, refusal = "", None, None
    try:
        number = int(days) if days.isascii() and days.isdecimal() and len(days) < 4 else 0
        token, until = share(newsletter, actor_of(request), slug, topics, language, number)
        link = f"{newsletter.settings.base_url}/look/{token}"
    except REFUSALS as error:
        refusal = error
    return desk_page(
        request,
        "preview_shared.html.j2",
        place="issues",
        status=422 if refusal else 200,
        tab="preview",
        issue_bar=bar,
        link=link,
        until=until and until.astimezone(newsletter.settings.time_zone),
        refusal=refusal,
        topic_names=topics_of(request).by_slug,
    )


@router.post("/desk/issues/{slug}/share/end", dependencies=[needs(Right.WRITE)])
def end(request: Request, slug: str) -> Response:
    """Take back all links to the issue, and lead to the preview, which says so."""
    bar = issue_bar(request, slug)
    take_back(newsletter_of(request), actor_of(request), bar.slug)
    return RedirectResponse(f"{path_of(slug)}?taken-back=1", 303)


@router.api_route("/look/{token}", methods=["GET", "HEAD"])
def page(request: Request, token: str) -> Response:
    """An issue as it would be sent, for a colleague; a polite page for a link that is over (410) or none (404)."""
    found = _found(request, token)
    if isinstance(found, Response):
        return found
    newsletter = newsletter_of(request)
    view = request.query_params.get("view", "")
    choice = Choice(found.saved.slug, view=view if view in VIEWS else VIEWS[0], at=f"/look/{token}")
    try:
        shown = shown_of(found.preview(newsletter), newsletter.name, choice.view)
    except REFUSALS:
        shown = None
    return render(
        request,
        "look.html.j2",
        headers=_HIDDEN,
        saved=found.saved,
        until=found.until.astimezone(newsletter.settings.time_zone),
        choice=choice,
        views=VIEWS,
        shown=shown,
    )


@router.api_route("/look/{token}/mail", methods=["GET", "HEAD"])
def mail(request: Request, token: str) -> Response:
    """The mail in the frame of that page."""
    found = _found(request, token)
    if isinstance(found, Response):
        return found
    try:
        return mail_part(found.preview(newsletter_of(request)), request.query_params)
    except REFUSALS as refusal:
        raise HTTPException(404, str(refusal)) from None


def _found(request: Request, token: str) -> Look | Response:
    """What a link shows, or the page that says why it shows nothing."""
    try:
        found = look(newsletter_of(request), token)
    except LookOver:
        return render(request, "look_none.html.j2", status=410, headers=_HIDDEN, over=True)
    return found or render(request, "look_none.html.j2", status=404, headers=_HIDDEN, over=False)
