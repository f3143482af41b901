"""The list of issues: a page of them at a time, with how each stands, in a handful of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlmodel import Session, col, func, select

from newsletter.app import Newsletter
from newsletter.content.diagnostics import Severity
from newsletter.content.inline import plain
from newsletter.delivery.counts import NOTHING, counts_of
from newsletter.delivery.models import Mailing
from newsletter.editorial.dispatch import Standing, standing_of
from newsletter.storage.models import IssueRow, RevisionRow, StoryRow

PAGE = 30
"""Issues on a page: a month of them."""

STATES = ("draft", "asked", "approved", "mailed")
"""What the list can be narrowed to; `mailed` is every state of a mailing, from its beginning on."""

_NEWEST = (
    select(func.max(RevisionRow.number)).where(col(RevisionRow.issue_id) == col(IssueRow.id)).correlate(IssueRow)
).scalar_subquery()
_MAILED = exists().where(col(Mailing.issue_id) == col(IssueRow.id))
_APPROVED = col(IssueRow.approved_revision_id) == col(RevisionRow.id)
_ASKED = col(IssueRow.asked_revision_id) == col(RevisionRow.id)


@dataclass(frozen=True, slots=True)
class Entry:
    """One issue of the list: its newest revision in short, and how its mailing stands."""

    slug: str
    date: date
    title: str
    first: str
    stories: int
    errors: int
    warnings: int
    number: int
    saved_at: datetime
    standing: Standing
    is_digest: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of the list, and how many issues there are in all of what was asked for."""

    entries: tuple[Entry, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // PAGE))


def issues(newsletter: Newsletter, *, page: int = 1, state: str = "", search: str = "") -> Listed:
    """A page of issues, the latest date first, of a state and with these words in slug, title or a story's title.

    A page beyond the last is the last.
    """
    conditions = (col(RevisionRow.number) == _NEWEST, *_of_state(state), *_with_words(search))
    joined = col(RevisionRow.issue_id) == col(IssueRow.id)
    with newsletter.reading() as session:
        counting = select(func.count()).select_from(IssueRow).join(RevisionRow, joined).where(*conditions)
        total = session.exec(counting).one()
        page = min(max(page, 1), max(1, -(-total // PAGE)))
        columns = (col(RevisionRow.number), col(RevisionRow.document), col(RevisionRow.saved_at), _APPROVED, _ASKED)
        wanted = (
            select(IssueRow, *columns)  # type: ignore[call-overload]  # more columns than it is typed for
            .join(RevisionRow, joined)
            .where(*conditions)
            .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())
            .offset((page - 1) * PAGE)
            .limit(PAGE)
        )
        rows = session.exec(wanted).all()
        standings = _standings(session, [row.id for row, *_ in rows])
    entries = tuple(
        _entry(row, number, document, saved_at, approved, asked, standings.get(row.id))
        for row, number, document, saved_at, approved, asked in rows
    )
    return Listed(entries, total, page)


def to_go_on_with(newsletter: Newsletter) -> str:
    """The slug of the issue whose sections a new one begins with; empty where there is none.

    Among the last few it is the latest in the daily format; where all are of other kinds, the latest of them.
    """
    columns = (col(IssueRow.slug), col(RevisionRow.document))
    wanted = (
        select(*columns)
        .join(RevisionRow, col(RevisionRow.issue_id) == col(IssueRow.id))
        .where(col(RevisionRow.number) == _NEWEST, ~col(IssueRow.is_digest))
        .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())
        .limit(PAGE)
    )
    with newsletter.reading() as session:
        found = session.exec(wanted).all()
    useful = [(slug, document["format"]) for slug, document in found if _has_headings(document)]
    dailies = [slug for slug, kind in useful if kind == "daily"]
    return next(iter((*dailies, *(slug for slug, _ in useful))), "")


def _has_headings(document: dict[str, Any]) -> bool:
    """Whether a revision has sections for other stories; an article's one section is its own."""
    return document["format"] != "article" and any(section["title"] for section in document["sections"])


def _of_state(state: str) -> Sequence[ColumnElement[bool]]:
    not_approved = or_(col(IssueRow.approved_revision_id).is_(None), ~_APPROVED)
    not_asked = or_(col(IssueRow.asked_revision_id).is_(None), ~_ASKED)
    match state:
        case "mailed":
            return (_MAILED,)
        case "approved":
            return (~_MAILED, _APPROVED)
        case "asked":
            return (~_MAILED, not_approved, _ASKED)
        case "draft":
            return (~_MAILED, not_approved, not_asked)
        case _:
            return ()


def _with_words(search: str) -> Sequence[ColumnElement[bool]]:
    words = search.replace("\0", "").split()
    return [
        or_(
            col(IssueRow.slug).icontains(word, autoescape=True),
            col(IssueRow.title).icontains(word, autoescape=True),
            exists().where(
                and_(col(StoryRow.issue_id) == col(IssueRow.id), col(StoryRow.title).icontains(word, autoescape=True))
            ),
        )
        for word in words
    ]


def _standings(session: Session, issue_ids: Sequence[int]) -> dict[int, Standing]:
    """How the mailings of these issues stand, by issue."""
    mailings = session.exec(select(Mailing).where(col(Mailing.issue_id).in_(issue_ids))).all()
    counts = counts_of(session, [mailing.id for mailing in mailings if mailing.id])
    return {mailing.issue_id: standing_of(mailing, counts.get(mailing.id or 0, NOTHING)) for mailing in mailings}


def _entry(
    row: IssueRow,
    number: int,
    document: dict[str, Any],
    saved_at: datetime | None,
    approved: bool | None,
    asked: bool | None,
    standing: Standing | None,
) -> Entry:
    stories = [story for section in document["sections"] for story in section["stories"]]
    errors = sum(found["severity"] == Severity.ERROR for found in document["diagnostics"])
    without = "approved" if approved else "asked" if asked else "draft"
    return Entry(
        slug=row.slug,
        date=row.date,
        title=plain(row.title),
        first=plain(stories[0]["title"]) if stories else "",
        stories=len(stories),
        errors=errors,
        warnings=len(document["diagnostics"]) - errors,
        number=number,
        saved_at=saved_at or row.created_at,
        standing=standing or Standing(without, NOTHING),
        is_digest=row.is_digest,
    )
