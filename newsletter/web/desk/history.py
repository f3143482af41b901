"""The history of an issue: who wrote when, what changed from one revision to another, and how to bring one back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.editorial import writing
from newsletter.editorial.differences import Line
from newsletter.editorial.writing import Conflict
from newsletter.staff.audit import Action, entries
from newsletter.staff.rights import Right
from newsletter.storage.issues import IssueRefused
from newsletter.web.archive_view import address
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of
from newsletter.web.posted import Posted

router = APIRouter(prefix="/desk/issues/{slug}/history")

REVISIONS = 50
"""Revisions on a page."""

_AROUND = 3
"""Lines that did not change are shown next to those that did; three say where one is."""

_MOST_LINES = 4_000
"""More is no page that anybody reads, or that a browser shows at once."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines that did not change and are not shown."""

    lines: int
    kind: str = "gap"


@router.api_route("", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def history(request: Request, slug: str, before: str = "") -> Response:
    """The revisions, the newest first."""
    bar, newsletter = issue_bar(request, slug), newsletter_of(request)
    found = writing.revisions(newsletter, slug, _number(before), REVISIONS + 1)
    return desk_page(
        request,
        "history.html.j2",
        place="issues",
        tab="history",
        issue_bar=bar,
        revisions=found[:REVISIONS],
        older=address(request.url.path, before=found[REVISIONS - 1].number) if len(found) > REVISIONS else "",
        names=writing.staff_names(newsletter),
        once_approved=_once_approved(newsletter, slug),
        moment=lambda at: moment(request, at),
    )


def _once_approved(newsletter: Newsletter, slug: str) -> set[int]:
    """The numbers of the revisions that somebody approved at some time."""
    with newsletter.reading() as session:
        return {entry.details["revision"] for entry in entries(session, subject=slug, action=Action.ISSUE_APPROVED)}


@router.api_route("/{number}", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def difference(request: Request, slug: str, number: str) -> Response:
    """What a revision changed: against the one before, or the one that the query names in `since`."""
    return _difference(request, slug, _number(number))


@router.post("/{number}", dependencies=[needs(Right.WRITE)])
def bring_back(request: Request, slug: str, number: str, posted: Posted) -> Response:
    """Save the text of a revision as the newest one; a conflict is shown and changes nothing."""
    newsletter = newsletter_of(request)
    base, seen = _number(posted.get("base", "")), posted.get("seen", "")
    try:
        writing.bring_back(newsletter, actor_of(request), slug, _number(number), base, seen)
    except IssueRefused as refusal:
        raise HTTPException(404, str(refusal)) from None
    except Conflict:
        return _difference(request, slug, _number(number), conflict=True)
    return RedirectResponse(f"/desk/issues/{quote(slug, safe='')}/history", 303)


def _difference(request: Request, slug: str, number: int, *, conflict: bool = False) -> Response:
    bar, newsletter = issue_bar(request, slug), newsletter_of(request)
    others = [one.number for one in writing.revisions(newsletter, slug, most=200)]
    before = next((other for other in others if other < number), number)
    since = _number(request.query_params.get("since", "")) or before
    try:
        lines = writing.difference(newsletter, slug, since, number)
    except IssueRefused as refusal:
        raise HTTPException(404, str(refusal)) from None
    whole = since == number or "whole" in request.query_params
    shown = lines if whole else list(around_changes(lines))
    return desk_page(
        request,
        "difference.html.j2",
        place="issues",
        status=409 if conflict else 200,
        tab="history",
        issue_bar=bar,
        number=number,
        since=since,
        others=others,
        whole=whole,
        conflict=conflict,
        lines=shown[:_MOST_LINES],
        left=len(shown) - _MOST_LINES,
        added=sum(line.kind == "added" for line in lines),
        removed=sum(line.kind == "removed" for line in lines),
    )


def around_changes(lines: Sequence[Line]) -> Iterator[Line | Gap]:
    """The lines that changed with a few around them; gaps stand for the others."""
    near: set[int] = set()
    for at, line in enumerate(lines):
        if line.kind != "same":
            near.update(range(at - _AROUND, at + _AROUND + 1))
    skipped = 0
    for at, line in enumerate(lines):
        if at not in near:
            skipped += 1
            continue
        if skipped:
            yield Gap(skipped)
            skipped = 0
        yield line
    if skipped and near:
        yield Gap(skipped)


def _number(written: str) -> int:
    """A number of a revision; 0, which none has, for anything else."""
    return int(written) if written.isdecimal() and len(written) < 9 else 0
