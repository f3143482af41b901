"""The shelf: published revisions that were read once and are kept, since a revision never changes."""

from collections import OrderedDict
from collections.abc import Collection
from threading import Lock

from sqlmodel import Session, col, select

from newsletter.archive.lines import ArchivedIssue, archived_issue
from newsletter.content.as_json import issue_from_json
from newsletter.storage.models import IssueRow, RevisionRow

_KEPT = 256
"""Issues kept, of some 100 kB each: the last year of a daily."""


class Shelf:
    """The issues of one newsletter by the id of their published revision; for any number of threads."""

    def __init__(self) -> None:
        self._kept = OrderedDict[int, ArchivedIssue]()
        self._lock = Lock()

    def take(self, session: Session, revision_ids: Collection[int]) -> dict[int, ArchivedIssue]:
        """These revisions, which must be published ones; those that are not on the shelf come by one query."""
        with self._lock:
            found = {one: self._kept[one] for one in revision_ids if one in self._kept}
        missing = [one for one in revision_ids if one not in found]
        if missing:
            found |= _read(session, missing)
        with self._lock:
            for one, issue in found.items():
                self._kept[one] = issue
                self._kept.move_to_end(one)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


def _read(session: Session, revision_ids: Collection[int]) -> dict[int, ArchivedIssue]:
    shown = col(RevisionRow.id) == col(IssueRow.published_revision_id)
    rows = session.exec(
        select(IssueRow, RevisionRow.id, RevisionRow.created_at, RevisionRow.document)
        .join(RevisionRow, shown)
        .where(col(RevisionRow.id).in_(revision_ids))
    ).all()
    return {
        key: archived_issue(row.slug, row.date, row.published_at, written_at, issue_from_json(document))
        for row, key, written_at, document in rows
        if key is not None and row.published_at is not None
    }
