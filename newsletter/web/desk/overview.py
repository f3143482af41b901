"""The overview: what comes next, what went out, who reads, and what needs a person."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.staff.rights import Right
from newsletter.web.desk.seat import desk_page, needs

router = APIRouter(prefix="/desk", dependencies=[needs(Right.LOOK)])


@router.api_route("", methods=["GET", "HEAD"])
def overview(request: Request) -> Response:
    """The overview."""
    return desk_page(request, "overview.html.j2", place="overview")
