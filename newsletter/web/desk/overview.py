"""The overview: what comes next, what went out, who reads, and what needs a person."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.editorial.overview import overview
from newsletter.staff.rights import Right
from newsletter.web.desk.seat import desk_page, needs
from newsletter.web.pages import newsletter_of, topics_of

router = APIRouter(prefix="/desk", dependencies=[needs(Right.LOOK)])


@router.api_route("", methods=["GET", "HEAD"])
def show(request: Request) -> Response:
    """The overview."""
    newsletter = newsletter_of(request)
    return desk_page(
        request,
        "overview.html.j2",
        place="overview",
        seen=overview(newsletter),
        names={topic.slug: topic for topic in topics_of(request).topics},
        zone=newsletter.settings.time_zone,
        today=newsletter.today(),
    )
