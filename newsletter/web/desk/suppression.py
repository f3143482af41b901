"""The suppression list: who is not written to and why, found by address; many put on it at once; one taken off."""

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from newsletter.readers import staff_changes, suppressing
from newsletter.readers.suppressing import Listed, Pasted
from newsletter.staff.rights import Right
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.posted import Posted
from subscribers.addresses import AddressRefused
from subscribers.people import FORGOTTEN
from subscribers.suppression import SuppressionRefused

router = APIRouter(prefix="/desk/suppression", dependencies=[needs(Right.READERS)])

PAGE = 50


@router.api_route("", methods=["GET", "HEAD"])
def show(request: Request, done: str = "") -> Response:
    """The list, the newest first; or the row of one address."""
    return _page(request, done=done if done == "lifted" else "")


@router.post("")
def add(request: Request, posted: Posted) -> Response:
    """Put addresses on the list, all that were pasted or none."""
    text, note = posted.get("addresses", ""), posted.get("note", "")
    try:
        pasted = suppressing.suppress_all(newsletter_of(request), actor_of(request), text, note)
    except SuppressionRefused:
        return _page(request, typed=(text, note), mistake="note")
    if pasted.refused or not pasted.added + pasted.known:
        return _page(request, typed=(text, note), pasted=pasted, mistake="addresses")
    return _page(request, pasted=pasted)


@router.api_route("/{number}/lift", methods=["GET", "HEAD"])
def ask_to_lift(request: Request, number: int) -> Response:
    """What lifting means for this address, with the button that does it."""
    listed = _listed(request, number)
    return desk_page(
        request,
        "suppression_lift.html.j2",
        place="readers",
        tab="suppression",
        listed=listed,
        forgotten=FORGOTTEN,
        since=moment(request, listed.row.created_at),
    )


@router.post("/{number}/lift")
def lift(request: Request, number: int) -> Response:
    """Take an address off the list; it makes nobody a reader."""
    _listed(request, number)
    suppressing.lift(newsletter_of(request), actor_of(request), number)
    return RedirectResponse("/desk/suppression?done=lifted", 303)


def _listed(request: Request, number: int) -> Listed:
    found = suppressing.look(newsletter_of(request), number) if 0 < number < 1 << 31 else None
    if found is None:
        raise HTTPException(404, words_for(request)["suppressed_gone"])
    return found


def _page(
    request: Request,
    *,
    typed: tuple[str, str] = ("", ""),
    pasted: Pasted | None = None,
    mistake: str = "",
    done: str = "",
) -> Response:
    newsletter, fields = newsletter_of(request), request.query_params
    text, reason = fields.get("q", "").strip(), fields.get("reason", "")
    before = fields.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 10 else None
    unreadable = False
    with newsletter.reading() as session:
        store = newsletter.suppression(session)
        reasons = store.count_by_reason()
        rows = store.newest(PAGE + 1, number, reason if reason in reasons else "")
    if text:
        try:
            rows = tuple(filter(None, staff_changes.kept_out(newsletter, text)[1:]))
        except AddressRefused:
            rows, unreadable = (), True
    return desk_page(
        request,
        "suppression.html.j2",
        status=422 if mistake else 200,
        place="readers",
        tab="suppression",
        text=text,
        unreadable=unreadable,
        reason=reason,
        reasons=reasons,
        rows=rows[:PAGE],
        older=rows[PAGE - 1].id if len(rows) > PAGE else None,
        first=number is None,
        typed=typed,
        pasted=pasted,
        mistake=mistake,
        done=done,
        moment=lambda at: moment(request, at),
    )
