"""Keeping digests: an issue that was made of others, under its own slug, built anew as often as it is wanted."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from newsletter.content.as_json import reading_to_document
from newsletter.content.issue import Issue
from newsletter.content.reading import Reading
from newsletter.storage.issues import IssueRefused, Saved, digest_of, key_of, newest_row, saved_of
from newsletter.storage.models import IssueRow, RevisionRow
from newsletter.storage.story_index import index_stories


def save_digest(session: Session, slug: str, issue: Issue, source: bytes, now: datetime) -> Saved:
    """Keep a digest as the newest revision under a slug; the same again makes no revision. The caller commits.

    `source` is its text, to be read. Its stories keep the ids that they have. Raises `IssueRefused` for an issue
    without a date.
    """
    if issue.date is None:
        raise IssueRefused("a digest needs a date.")
    row = find_row(session, slug, held=True)
    if row is None:
        row = IssueRow(slug=slug, title=issue.title, date=issue.date, is_digest=True, created_at=now)
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # somebody else built it since we looked
            return save_digest(session, slug, issue, source, now)
    number, row.title = 1, issue.title
    if row.id is not None and (newest := _newest(session, row)):
        if newest.content_hash == digest_of(issue):
            return saved_of(row, newest)
        number = newest.number + 1
    revision = RevisionRow(
        issue_id=key_of(row),
        number=number,
        source=source,
        document=reading_to_document(Reading(issue)),
        content_hash=digest_of(issue),
        created_at=now,
        saved_at=now,
    )
    session.add(revision)
    index_stories(session, row, issue)
    session.flush()
    return saved_of(row, revision)


def find_digest(session: Session, slug: str) -> Saved | None:
    """The newest revision of the digest of a slug, or None while nobody built it."""
    row = find_row(session, slug)
    return saved_of(row, newest_row(session, row)) if row else None


def find_row(session: Session, slug: str, *, held: bool = False) -> IssueRow | None:
    """The row of the digest of a slug; `held`, nobody else changes it until the commit."""
    query = select(IssueRow).where(IssueRow.slug == slug)
    if held:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.exec(query).first()


def _newest(session: Session, row: IssueRow) -> RevisionRow | None:
    """The newest revision, None for a row that was made just now."""
    of_row = select(RevisionRow).where(RevisionRow.issue_id == row.id)
    return session.exec(of_row.order_by(col(RevisionRow.number).desc()).limit(1)).first()
