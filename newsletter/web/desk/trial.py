"""Test sends, and the lists of addresses that they go to."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.delivery.outcome import Outcome
from newsletter.delivery.transport import ServerRefused
from newsletter.editorial.expected import fullest_subject
from newsletter.editorial.test_lists import (
    MOST_ADDRESSES,
    ListRefused,
    SavedList,
    addresses_in,
    all_lists,
    drop,
    keep,
)
from newsletter.editorial.trial import MOST_A_DAY, TooManyTests, order_trial
from newsletter.render.headers import MessageRefused
from newsletter.staff.rights import Right
from newsletter.storage.issues import IssueRefused
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.desk.trial_results import TrialResult, TrialResults
from newsletter.web.pages import back_to, newsletter_of, words_for
from newsletter.web.posted import Posted

WITHIN_SECONDS = 30.0
"""A test holds one of the few turns to write: a server that does not answer may not keep it."""
router = APIRouter(prefix="/desk", dependencies=[needs(Right.WRITE)])


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in a form that is shown again: the list it is about (None: a new one) and what is wrong with it."""

    list_id: int | None = None
    name: str = ""
    addresses: str = ""
    wrong: str = ""


@router.api_route("/issues/{slug}/test", methods=["GET", "HEAD"])
def ask_trial(request: Request, slug: str) -> Response:
    """Where a test of an issue is to go; after one was sent, what became of it."""
    if "done" not in request.query_params:
        return _trial_page(request, slug)
    sent = _results(request).of(actor_of(request).id, slug)
    if sent is None:
        return _trial_page(request, slug, gone=True)
    return _trial_page(request, slug, typed=Typed(sent.list_id, addresses=sent.typed), outcomes=sent.outcomes)


@router.post("/issues/{slug}/test")
def trial(request: Request, slug: str, posted: Posted) -> Response:
    """Send a test; the page it leads to shows what became of it, address by address, however often it is loaded."""
    issue_bar(request, slug)
    typed = Typed(_number(posted.get("list", "")), addresses=posted.get("addresses", ""))
    newsletter = newsletter_of(request)
    try:
        chosen = [one for one in all_lists(newsletter) if one.id == typed.list_id]
        addresses = addresses_in(typed.addresses, [address for one in chosen for address in one.addresses])
        outcomes = order_trial(newsletter, slug, addresses, actor_of(request), WITHIN_SECONDS)
    except ListRefused as refusal:
        return _trial_page(request, slug, 422, typed=typed, wrong=_refusal_words(request, refusal))
    except TooManyTests as refusal:
        wrong = words_for(request)["trial_too_many"].format(n=refusal.sent, most=MOST_A_DAY)
        return _trial_page(request, slug, 429, typed=typed, wrong=wrong)
    except ServerRefused as refusal:
        wrong = words_for(request)["trial_no_server"].format(detail=refusal)
        return _trial_page(request, slug, 503, typed=typed, wrong=wrong)
    except (IssueRefused, MessageRefused) as refusal:
        wrong = words_for(request)["trial_no_message"].format(detail=refusal)
        return _trial_page(request, slug, 409, typed=typed, wrong=wrong)
    result = TrialResult(typed.list_id, typed.addresses, outcomes)
    _results(request).keep(actor_of(request).id, slug, result)
    return RedirectResponse(f"{request.url.path}?done=1", 303)


@router.api_route("/test-lists", methods=["GET", "HEAD"])
def lists(request: Request) -> Response:
    """All lists of addresses for tests."""
    return _lists_page(request)


@router.post("/test-lists")
def add(request: Request, posted: Posted) -> Response:
    """Keep a new list."""
    return _keep(request, Typed(None, posted.get("name", ""), posted.get("addresses", "")))


@router.post("/test-lists/{number}")
def change(request: Request, number: int, posted: Posted) -> Response:
    """Change a list."""
    return _keep(request, Typed(number, posted.get("name", ""), posted.get("addresses", "")))


@router.post("/test-lists/{number}/delete")
def delete(request: Request, number: int) -> Response:
    """Delete a list; one that is gone is gone."""
    try:
        drop(newsletter_of(request), actor_of(request), number)
    except ListRefused:
        return _done("gone")
    return _done("deleted")


@router.api_route("/test-lists/{number}", methods=["GET", "HEAD"])
@router.api_route("/test-lists/{number}/delete", methods=["GET", "HEAD"])
def back(request: Request, number: int) -> Response:
    """The page of these forms, for whoever opens the address that one is sent to."""
    return back_to(request, "desk", "test-lists")


def _keep(request: Request, typed: Typed) -> Response:
    """Keep what was typed, or show it again with what is wrong."""
    try:
        keep(newsletter_of(request), actor_of(request), typed.name, typed.addresses, typed.list_id)
    except ListRefused as refusal:
        new = None if refusal.code == "gone" else typed.list_id
        again = Typed(new, typed.name, typed.addresses, _refusal_words(request, refusal))
        return _lists_page(request, 422, again)
    return _done("kept")


def _done(what: str) -> Response:
    return RedirectResponse(f"/desk/test-lists?done={what}", 303)


def _lists_page(request: Request, status: int = 200, typed: Typed | None = None) -> Response:
    done = request.query_params.get("done", "")
    forms = [_form(one, typed) for one in all_lists(newsletter_of(request))]
    return desk_page(
        request,
        "test_lists.html.j2",
        place="settings",
        status=status,
        forms=forms,
        new=typed if typed and typed.list_id is None else Typed(),
        done=words_for(request)[f"lists_done_{done}"] if done in ("kept", "deleted", "gone") else "",
        most=MOST_ADDRESSES,
    )


def _form(one: SavedList, typed: Typed | None) -> Typed:
    """The form of a list: as it is kept, or as somebody just typed it."""
    return typed if typed and typed.list_id == one.id else Typed(one.id, one.name, "\n".join(one.addresses))


def _trial_page(
    request: Request,
    slug: str,
    status: int = 200,
    *,
    typed: Typed | None = None,
    wrong: str = "",
    outcomes: Sequence[tuple[str, Outcome]] = (),
    gone: bool = False,
) -> Response:
    newsletter = newsletter_of(request)
    return desk_page(
        request,
        "trial.html.j2",
        place="issues",
        status=status,
        tab="send",
        issue_bar=issue_bar(request, slug),
        lists=all_lists(newsletter),
        typed=typed or Typed(),
        wrong=wrong,
        outcomes=outcomes,
        gone=gone,
        accepted=sum(outcome.verdict == "accepted" for _, outcome in outcomes),
        most=MOST_ADDRESSES,
        subject=fullest_subject(newsletter, slug),
        sender=newsletter.settings.sender,
        within_seconds=int(WITHIN_SECONDS),
    )


def _results(request: Request) -> TrialResults:
    """The tests that an application remembers."""
    kept: TrialResults = request.app.state.trial_results
    return kept


def _refusal_words(request: Request, refusal: ListRefused) -> str:
    return words_for(request)[f"lists_refused_{refusal.code}"].format(value=refusal.value, most=MOST_ADDRESSES)


def _number(text: str) -> int | None:
    """The id of a list in a form's field, None for none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
