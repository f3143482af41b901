"""The overview: what comes next, what went out, who reads, and what needs a person."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.editorial.first_steps import first_steps
from newsletter.editorial.overview import overview
from newsletter.staff.rights import Right
from newsletter.web.desk.seat import desk_page, needs
from newsletter.web.desk.sending_view import why_words
from newsletter.web.pages import newsletter_of, topics_of

router = APIRouter(prefix="/desk", dependencies=[needs(Right.LOOK)])


@router.api_route("", methods=["GET", "HEAD"])
def show(request: Request) -> Response:
    """The overview."""
    newsletter = newsletter_of(request)
    seen = overview(newsletter)
    return desk_page(
        request,
        "overview.html.j2",
        place="overview",
        seen=seen,
        steps=() if seen.sent else first_steps(newsletter),
        names={topic.slug: topic for topic in topics_of(request).topics},
        why_words=why_words,
        zone=newsletter.settings.time_zone,
        today=newsletter.today(),
    )
