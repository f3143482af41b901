"""Keeping issues: save a revision, find it again, remember its approval and what was compiled for it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from newsletter.content.as_json import issue_from_json, issue_to_json, reading_to_document
from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.content.identity import identify
from newsletter.content.issue import Issue
from newsletter.content.judge import EarlierStory
from newsletter.content.reading import Reading
from newsletter.render.compiled import CompiledIssue
from newsletter.storage.models import CompiledRow, IssueRow, RevisionRow
from newsletter.storage.story_index import Place, earlier_stories, index_stories


class IssueRefused(Exception):
    """An issue cannot be found, saved or approved; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Saved:
    """One revision of an issue as it is kept.

    `approved_hash` is empty unless this very revision is the approved one; what it is compared with is the business of
    `newsletter.editorial.approval`. `asked_at` and `asked_by` are set when somebody was asked to approve this very one.
    `sent` says that the issue went out in some revision. Ids are those of staff, None for the command line.
    `fingerprint` tells one text from another: while one person goes on writing, a revision keeps its number.
    """

    issue_id: int
    revision_id: int
    slug: str
    number: int
    issue: Issue
    diagnostics: tuple[Diagnostic, ...]
    created_at: datetime
    approved_hash: str = ""
    approved_at: datetime | None = None
    approved_by: int | None = None
    asked_at: datetime | None = None
    asked_by: int | None = None
    saved_at: datetime | None = None
    saved_by: int | None = None
    sent: bool = False
    fingerprint: str = ""


class IssueStore:
    """Issues and their revisions; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def save(self, reading: Reading, source: bytes, now: datetime) -> tuple[Saved, bool]:
        """Keep what was read as a new revision of the issue of that date and title, and say whether anything changed.

        Reading the same again makes no revision. Stories keep the ids they had. Raises `IssueRefused` for an issue
        without a date, which even a draft needs to have a name.
        """
        if reading.issue is None or reading.issue.date is None:
            raise IssueRefused("an issue needs a date to be kept under; write one into its heading, or give --date.")
        same = select(IssueRow).where(
            IssueRow.date == reading.issue.date, IssueRow.title == reading.issue.title, ~col(IssueRow.is_digest)
        )
        row = self._session.exec(same.with_for_update(key_share=True)).first()  # one revision after the other
        earlier = self._newest(row) if row else None
        issue = identify(reading.issue, earlier.issue if earlier else None)
        document = reading_to_document(replace(reading, issue=issue))
        digest = digest_of(issue)
        if earlier and row:
            known = self._session.get_one(RevisionRow, earlier.revision_id)
            if known.content_hash == digest:
                known.document = document
                self._session.flush()
                return saved_of(row, known), False
        try:
            row = row or make_row(self._session, issue.title, reading.issue.date, now)
        except IntegrityError:  # somebody else made an issue of that date since we looked
            return self.save(reading, source, now)
        revision = RevisionRow(
            issue_id=key_of(row),
            number=earlier.number + 1 if earlier else 1,
            source=source,
            document=document,
            content_hash=digest,
            created_at=now,
            saved_at=now,
        )
        self._session.add(revision)
        index_stories(self._session, row, issue, earlier.issue if earlier else None)
        self._session.flush()
        return saved_of(row, revision), True

    def find(self, slug: str) -> Saved:
        """The newest revision of an issue, or `IssueRefused` with the slugs there are."""
        known_as = select(IssueRow).where(IssueRow.slug == slug)
        row = self._session.exec(known_as).first() if slug.isprintable() else None  # PostgreSQL refuses to look for NUL
        if row is None:
            known = self._session.exec(select(IssueRow.slug).order_by(col(IssueRow.date).desc()).limit(5)).all()
            there = (
                f"there are {', '.join(known)}"
                if known
                else "there are none yet; `newsletter issue import FILE` adds one"
            )
            raise IssueRefused(f"no issue {slug!r}: {there}.")
        return self._newest(row)

    def all(self) -> tuple[Saved, ...]:
        """The newest revision of every issue, the latest date first."""
        rows = self._session.exec(select(IssueRow).order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())).all()
        return tuple(self._newest(row) for row in rows)

    def newest(self, issue_id: int) -> Saved:
        """The newest revision of the issue with that id."""
        return self._newest(self._session.get_one(IssueRow, issue_id))

    def of_date(self, on: date) -> tuple[Saved, ...]:
        """The newest revision of every issue of a date, in the order they were made."""
        rows = self._session.exec(select(IssueRow).where(IssueRow.date == on).order_by(col(IssueRow.id))).all()
        return tuple(self._newest(row) for row in rows)

    def revision(self, revision_id: int) -> Saved:
        """The revision with that id: what a mailing keeps, however often the issue is revised later."""
        revision = self._session.get_one(RevisionRow, revision_id)
        return saved_of(self._session.get_one(IssueRow, revision.issue_id), revision)

    def source(self, revision_id: int) -> bytes:
        """The text of a revision, byte for byte as it came."""
        return self._session.get_one(RevisionRow, revision_id).source

    def approve(
        self, saved: Saved, compiled: Sequence[CompiledIssue], approval: str, now: datetime, by: int | None
    ) -> None:
        """Remember that this revision was approved, what `approval` hash it had, and keep what was compiled of it.

        Raises `IssueRefused` when its text was written over since it was read.
        """
        row = self._unchanged(saved)
        row.approved_revision_id, row.approved_hash = saved.revision_id, approval
        row.approved_at, row.approved_by = now, by
        for one in compiled:
            if self._compiled_row(saved.revision_id, one.theme, one.language, one.content_hash) is None:
                self._session.add(
                    CompiledRow(
                        revision_id=saved.revision_id,
                        theme=one.theme,
                        language=one.language,
                        content_hash=one.content_hash,
                        document=one.to_json(),
                    )
                )
        self._session.flush()

    def ask(self, saved: Saved, by: int | None, now: datetime) -> None:
        """Remember that a second person was asked to approve this revision; raises `IssueRefused` as `approve` does."""
        row = self._unchanged(saved)
        row.asked_revision_id, row.asked_by, row.asked_at = saved.revision_id, by, now

    def _unchanged(self, saved: Saved) -> IssueRow:
        """The row of an issue, held, whose revision is still as it was read."""
        row = self._session.get_one(IssueRow, saved.issue_id, with_for_update={"key_share": True})
        revision = self._session.get_one(RevisionRow, saved.revision_id, populate_existing=True)
        if fingerprint_of(revision.source) != saved.fingerprint:
            raise IssueRefused(f"{saved.slug} was changed this very moment: look at it again.")
        return row

    def compiled(self, revision_id: int, theme: str, hashes: Mapping[str, str]) -> dict[str, CompiledIssue]:
        """What was approved of a revision, by language, for the content hash of each language."""
        rows = {
            language: self._compiled_row(revision_id, theme, language, content_hash)
            for language, content_hash in hashes.items()
        }
        return {language: CompiledIssue.from_json(row.document) for language, row in rows.items() if row}

    def earlier_stories(self, issue: Issue, title: str) -> tuple[EarlierStory, ...]:
        """The stories of earlier issues that an issue may tell again, which is kept under its date and this title."""
        same = select(IssueRow.id).where(IssueRow.date == issue.date, IssueRow.title == title, ~col(IssueRow.is_digest))
        place = Place(issue.date, self._session.exec(same).first() if issue.date else None)
        return earlier_stories(self._session, issue.stories, place)

    def _newest(self, row: IssueRow) -> Saved:
        return saved_of(row, newest_row(self._session, row))

    def _compiled_row(self, revision_id: int, theme: str, language: str, content_hash: str) -> CompiledRow | None:
        return self._session.exec(
            select(CompiledRow).where(
                CompiledRow.revision_id == revision_id,
                CompiledRow.theme == theme,
                CompiledRow.language == language,
                CompiledRow.content_hash == content_hash,
            )
        ).first()


def make_row(session: Session, title: str, on: date, now: datetime) -> IssueRow:
    """The row of a new issue, known by its date; raises IntegrityError when somebody took that slug meanwhile."""
    wanted = on.isoformat()
    taken = set(session.exec(select(IssueRow.slug).where(col(IssueRow.slug).startswith(wanted))).all())
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in count(1))
    row = IssueRow(slug=next(name for name in names if name not in taken), title=title, date=on, created_at=now)
    with session.begin_nested():
        session.add(row)
    return row


def newest_row(session: Session, row: IssueRow) -> RevisionRow:
    """The newest revision of an issue."""
    newest = select(func.max(RevisionRow.number)).where(RevisionRow.issue_id == row.id).scalar_subquery()
    return session.exec(select(RevisionRow).where(RevisionRow.issue_id == row.id, RevisionRow.number == newest)).one()


def digest_of(issue: Issue) -> str:
    """What tells one issue from another: not its findings, which change with the day and the lines."""
    return hashlib.sha256(json.dumps(issue_to_json(issue), sort_keys=True).encode()).hexdigest()


def fingerprint_of(source: bytes) -> str:
    """What tells one text from another."""
    return hashlib.sha256(source).hexdigest()[:16]


def saved_of(row: IssueRow, revision: RevisionRow) -> Saved:
    """The value of a revision and the row of its issue."""
    approved = row.approved_revision_id == revision.id
    asked = row.asked_revision_id == revision.id
    return Saved(
        issue_id=key_of(row),
        revision_id=key_of(revision),
        slug=row.slug,
        number=revision.number,
        issue=issue_from_json(revision.document),
        diagnostics=diagnostics_in(revision.document),
        created_at=revision.created_at,
        approved_hash=(row.approved_hash or "") if approved else "",
        approved_at=row.approved_at if approved else None,
        approved_by=row.approved_by if approved else None,
        asked_at=row.asked_at if asked else None,
        asked_by=row.asked_by if asked else None,
        saved_at=revision.saved_at or revision.created_at,
        saved_by=revision.saved_by,
        sent=row.published_revision_id is not None,
        fingerprint=fingerprint_of(revision.source),
    )


def diagnostics_in(document: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    """The findings that a revision keeps; those that were kept before there were facts have none."""
    return tuple(
        Diagnostic(
            Severity(found["severity"]),
            found["line"],
            found["code"],
            found["message"],
            tuple(sorted(found.get("facts", {}).items())),
        )
        for found in document["diagnostics"]
    )


def key_of(row: IssueRow | RevisionRow) -> int:
    """The primary key of a row after it was written."""
    if row.id is None:
        raise ValueError("the row has not been written yet")
    return row.id
