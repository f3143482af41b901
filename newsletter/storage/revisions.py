"""Issues as the desk writes them: always saved, known by their slug, one revision for each stretch of writing."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from newsletter.content.as_json import issue_from_json, reading_to_document
from newsletter.content.diagnostics import Severity
from newsletter.content.encoding import decode
from newsletter.content.identity import identify
from newsletter.content.issue import Issue, Section
from newsletter.content.judge import EarlierStory
from newsletter.content.reading import Reading
from newsletter.storage.issues import (
    IssueRefused,
    Saved,
    digest_of,
    fingerprint_of,
    key_of,
    make_row,
    newest_row,
    saved_of,
)
from newsletter.storage.models import IssueRow, RevisionRow
from newsletter.storage.story_index import Place, earlier_stories, index_stories

WRITTEN_OVER_FOR = timedelta(minutes=10)
"""So long after it began, a revision takes what the same person goes on writing."""


class Conflict(Exception):
    """Somebody saved since the text was read; `newest` is what they saved."""

    def __init__(self, newest: Saved) -> None:
        super().__init__(f"{newest.slug} was saved by somebody else since: revision {newest.number} is the newest.")
        self.newest = newest


@dataclass(frozen=True, slots=True)
class Written:
    """A text that somebody wrote, and what was read from it.

    `base` is the number of the revision it was written on and `seen` that one's fingerprint, empty where it is not
    known; `by` is an id of the staff, None for the command line. `anew` begins a revision of its own in any case.
    """

    source: bytes
    reading: Reading
    by: int | None
    base: int = 0
    seen: str = ""
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """One stretch of writing: when it began and was saved last, by whom, and what it holds.

    `by` is an id of the staff, None for the command line; `use` says what the revision was used for: sent, approved,
    asked (a second person is to approve it), or nothing.
    """

    number: int
    begun_at: datetime
    saved_at: datetime
    by: int | None
    title: str
    stories: int
    errors: int
    use: str


def text_in(source: bytes) -> str:
    """The text of a revision for a form: its line ends are LF, whatever the file had; U+FFFD stands for no text.

    What was written at the desk is UTF-8 without NUL and comes back letter by letter, however strange it is; only the
    encoding of a file that was taken in is guessed.
    """
    text = _utf8(source) or decode(source)
    text = source.decode("utf-8", "replace") if text is None else text
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _utf8(source: bytes) -> str | None:
    try:
        return None if b"\0" in source else source.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


class RevisionStore:
    """Revisions that are written at the desk; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, written: Written, title: str, on: date, now: datetime) -> Saved:
        """A new issue of the date that its text gives, else of `on`; `title` stands for one that lacks."""
        issue = written.reading.issue
        day = _date_of(written.reading) or on
        try:
            row = make_row(self._session, (issue and issue.title) or title, day, now)
        except IntegrityError:  # somebody else made an issue of that date since we looked
            return self.create(written, title, on, now)
        return self._add(row, 1, written, _kept(written.reading, row), now)

    def save(self, slug: str, written: Written, now: datetime) -> tuple[Saved, bool]:
        """Keep a text as the issue's newest, and say whether a new revision began.

        The newest revision is written over as long as the same person goes on writing and nobody relies on it. Raises
        `Conflict` when the newest is another than the text was written on, unless it says the same.
        """
        row = self._row(slug, held=True)
        if row.is_digest:
            raise IssueRefused(f"{slug} is made of the stories of other issues: change them there, and build it anew.")
        newest = newest_row(self._session, row)
        same_text = text_in(newest.source) == text_in(written.source)
        stale = newest.number != written.base or written.seen not in ("", fingerprint_of(newest.source))
        if stale and not same_text:
            raise Conflict(saved_of(row, newest))
        self._follow(row, written.reading)
        known = self._known_stories(row, newest)
        issue = identify(_kept(written.reading, row), known)
        if same_text and digest_of(issue) == newest.content_hash:
            newest.document = _document(written.reading, issue)
            self._session.flush()
            return saved_of(row, newest), False
        if written.anew or not self._may_write_over(row, newest, written.by, now):
            return self._add(row, newest.number + 1, written, issue, now, known), True
        newest.source, newest.document = written.source, _document(written.reading, issue)
        newest.content_hash, newest.saved_at = digest_of(issue), now
        index_stories(self._session, row, issue, known)
        self._session.flush()
        return saved_of(row, newest), False

    def history(self, slug: str, before: int = 0, most: int = 100) -> tuple[Revision, ...]:
        """The revisions of an issue, the newest first; `before` is the number of one, to read on from."""
        row = self._row(slug)
        wanted = (
            select(RevisionRow)
            .options(defer(RevisionRow.source))  # type: ignore[arg-type]  # an attribute of SQLAlchemy's, typed as its value
            .where(RevisionRow.issue_id == row.id)
            .order_by(col(RevisionRow.number).desc())
            .limit(most)
        )
        if before:
            wanted = wanted.where(RevisionRow.number < before)
        return tuple(_revision(row, revision) for revision in self._session.exec(wanted))

    def source(self, slug: str, number: int) -> bytes:
        """The text of one revision as it was saved; raises `IssueRefused` when there is none of that number."""
        row = self._row(slug)
        wanted = select(RevisionRow.source).where(RevisionRow.issue_id == row.id, RevisionRow.number == number)
        source = self._session.exec(wanted).first()
        if source is None:
            raise IssueRefused(f"there is no revision {number} of {slug}.")
        return source

    def earlier_stories(self, slug: str, issue: Issue) -> tuple[EarlierStory, ...]:
        """The stories of earlier issues that what is written for an issue (without a slug, a new one) may tell again.

        Raises `IssueRefused` when there is no issue of that slug.
        """
        if not slug:
            return earlier_stories(self._session, issue.stories, Place(issue.date))
        row = self._row(slug)
        # a text may give a day that the issue does not take: it keeps the one under which it was sent
        on = row.date if row.published_revision_id is not None else issue.date or row.date
        return earlier_stories(self._session, issue.stories, Place(on, row.id))

    def dates(self, since: date) -> set[date]:
        """The dates from that one on that have an issue."""
        those = col(IssueRow.date) >= since, ~col(IssueRow.is_digest)
        return set(self._session.exec(select(col(IssueRow.date)).where(*those)).all())

    def _row(self, slug: str, *, held: bool = False) -> IssueRow:
        query = select(IssueRow).where(IssueRow.slug == slug)
        if held:  # one revision after the other
            query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
        row = self._session.exec(query).first() if slug.isprintable() else None  # PostgreSQL refuses to look for NUL
        if row is None:
            raise IssueRefused(f"no issue {slug!r}.")
        return row

    def _follow(self, row: IssueRow, reading: Reading) -> None:
        """Let the issue's title, and its date until it is sent, be what its text says."""
        if reading.issue and reading.issue.title:
            row.title = reading.issue.title
        if row.published_revision_id is None:
            row.date = _date_of(reading) or row.date

    def _known_stories(self, row: IssueRow, newest: RevisionRow) -> Issue:
        """The newest revision, and the stories that readers had of the issue: one that was cut and comes back is it."""
        issue = issue_from_json(newest.document)
        if row.published_revision_id in (None, newest.id):
            return issue
        here = {story.id for story in issue.stories}
        sent = issue_from_json(self._session.get_one(RevisionRow, row.published_revision_id).document)
        gone = tuple(_without(section, here) for section in sent.sections)
        return replace(issue, sections=(*issue.sections, *gone))

    def _may_write_over(self, row: IssueRow, newest: RevisionRow, by: int | None, now: datetime) -> bool:
        relied_on = {row.approved_revision_id, row.asked_revision_id, row.published_revision_id}
        same_stretch = by is not None and newest.saved_by == by and now - newest.created_at < WRITTEN_OVER_FOR
        return same_stretch and newest.id not in relied_on

    def _add(
        self, row: IssueRow, number: int, written: Written, issue: Issue, now: datetime, before: Issue | None = None
    ) -> Saved:
        issue = issue if number > 1 else identify(issue)
        revision = RevisionRow(
            issue_id=key_of(row),
            number=number,
            source=written.source,
            document=_document(written.reading, issue),
            content_hash=digest_of(issue),
            created_at=now,
            saved_by=written.by,
            saved_at=now,
        )
        self._session.add(revision)
        index_stories(self._session, row, issue, before)
        self._session.flush()
        return saved_of(row, revision)


def _document(reading: Reading, issue: Issue) -> dict[str, object]:
    return reading_to_document(replace(reading, issue=issue))


def _date_of(reading: Reading) -> date | None:
    """The date that a text gives, if it is one that an issue can have."""
    impossible = any(found.code == "date-impossible" for found in reading.diagnostics)
    return reading.issue.date if reading.issue and not impossible else None


def _kept(reading: Reading, row: IssueRow) -> Issue:
    """What was read, under the title and the date that the issue has where the text gives none."""
    if reading.issue is None:
        return Issue(title=row.title, date=row.date, sections=())
    return replace(reading.issue, title=reading.issue.title or row.title, date=row.date)


def _without(section: Section, here: set[str]) -> Section:
    return replace(section, stories=tuple(story for story in section.stories if story.id not in here))


def _revision(row: IssueRow, revision: RevisionRow) -> Revision:
    uses = {"sent": row.published_revision_id, "approved": row.approved_revision_id, "asked": row.asked_revision_id}
    document = revision.document
    return Revision(
        number=revision.number,
        begun_at=revision.created_at,
        saved_at=revision.saved_at or revision.created_at,
        by=revision.saved_by,
        title=document["title"],
        stories=sum(len(section["stories"]) for section in document["sections"]),
        errors=sum(found["severity"] == Severity.ERROR for found in document["diagnostics"]),
        use=next((use for use, used in uses.items() if used == revision.id), ""),
    )
