"""A database that was restored from a copy: what it would send now, and the two ways to go on."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.editorial.going_on import go_on, standstill
from newsletter.readers.letters import count_due
from newsletter.staff.rights import Right
from newsletter.storage.witness_file import WitnessTrouble
from newsletter.web.desk.log_view import number
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of
from newsletter.web.posted import Posted

router = APIRouter(prefix="/desk/restored", dependencies=[needs(Right.SEND)])
_DONE = ("on", "skipped")


@router.api_route("", methods=["GET", "HEAD"])
def show(request: Request, done: str = "", n: str = "") -> Response:
    """What would be sent now, where something is held back."""
    return _page(request, done=done if done in _DONE else "", readers=number(n) or 0)


@router.post("")
def act(request: Request, posted: Posted) -> Response:
    """Send again: all that waits, or only what becomes due from now on."""
    choice = posted.get("choice")
    if choice not in ("all", "skip"):
        return _page(request, status=422)
    try:
        skipped = go_on(newsletter_of(request), actor_of(request), skip_due=choice == "skip")
    except WitnessTrouble:
        return _page(request, status=409, is_stuck=True)
    if skipped is None:
        return RedirectResponse("/desk/restored", 303)
    done = f"skipped&n={skipped.readers}" if choice == "skip" else "on"
    return RedirectResponse(f"/desk/restored?done={done}", 303)


def _page(request: Request, *, status: int = 200, done: str = "", readers: int = 0, is_stuck: bool = False) -> Response:
    newsletter = newsletter_of(request)
    stands = standstill(newsletter)
    with newsletter.reading() as session:
        letters = count_due(session, newsletter.clock())
    return desk_page(
        request,
        "restored.html.j2",
        status=status,
        place="overview",
        stands=stands,
        letters=letters,
        done="" if stands.why else done,
        number=readers,
        is_stuck=is_stuck,
        moment=lambda at: moment(request, at),
    )
