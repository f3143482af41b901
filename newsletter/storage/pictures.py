"""Keeping pictures, which lie in the database because workers share nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from newsletter.storage.models import ImageRow, IssueRow, RevisionRow

MEDIA_TYPES = {"image/png": "png", "image/jpeg": "jpg"}
"""What pictures are kept as, and how their addresses end."""


@dataclass(frozen=True, slots=True)
class Made:
    """A picture ready to be kept: what is served, and its size in pixels."""

    key: str
    media_type: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a picture beside its data; `made_by` is an id of the staff, None for the command line."""

    key: str
    media_type: str
    width: int
    height: int
    size_bytes: int
    name: str
    alt: str
    made_at: datetime
    made_by: int | None

    @property
    def path(self) -> str:
        """The path of its address."""
        return f"/image/{self.key}.{MEDIA_TYPES[self.media_type]}"


class PictureStore:
    """Pictures; the caller commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def keep(self, made: Made, name: str, alt: str, by: int | None, now: datetime) -> tuple[Kept, bool]:
        """Keep a picture and say whether it is new; the same picture again takes the newer name and text."""
        row = self._find(made.key)
        is_new = row is None
        if row is None:
            row = ImageRow(
                key=made.key,
                media_type=made.media_type,
                width=made.width,
                height=made.height,
                data=made.data,
                name=name,
                alt=alt,
                made_at=now,
                made_by=by,
            )
            try:
                with self._session.begin_nested():
                    self._session.add(row)
            except IntegrityError:  # somebody else kept it this moment
                return self.keep(made, name, alt, by, now)
        row.name, row.alt = name, alt
        self._session.flush()
        return _kept(row, len(made.data)), is_new

    def data(self, key: str) -> tuple[str, bytes] | None:
        """The media type and the bytes of a picture, or None when there is none with that key."""
        found = self._session.exec(select(ImageRow.media_type, ImageRow.data).where(ImageRow.key == key)).first()
        return (found[0], found[1]) if found else None

    def find(self, key: str) -> Kept | None:
        """What is kept of the picture with that key."""
        rows = self._some(select(ImageRow.id).where(ImageRow.key == key))
        return rows[0] if rows else None

    def page(self, first: int, most: int) -> tuple[Sequence[Kept], int]:
        """So many pictures from the `first` on, the newest first, and how many there are in all."""
        total = self._session.exec(select(func.count()).select_from(ImageRow)).one()
        ids = select(ImageRow.id).order_by(col(ImageRow.id).desc()).offset(first).limit(most)
        return self._some(ids), total

    def uses(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """The slugs of the issues whose newest revision has one of these pictures, the latest date first, by key."""
        newest = (
            select(func.max(RevisionRow.number)).where(RevisionRow.issue_id == IssueRow.id).correlate(IssueRow)
        ).scalar_subquery()
        text = cast(col(RevisionRow.document), String)
        with_pictures = (
            select(IssueRow.slug, text)
            .join(RevisionRow, col(RevisionRow.issue_id) == col(IssueRow.id))
            .where(RevisionRow.number == newest, text.contains("/image/"))
            .order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc())
        )
        found = self._session.exec(with_pictures).all() if keys else ()
        return {key: [slug for slug, document in found if key in document] for key in keys}

    def _find(self, key: str) -> ImageRow | None:
        return self._session.exec(select(ImageRow).where(ImageRow.key == key)).first()

    def _some(self, ids: object) -> Sequence[Kept]:
        rows = self._session.exec(
            select(ImageRow, func.length(ImageRow.data))
            .options(defer(ImageRow.data))  # type: ignore[arg-type]  # an attribute of SQLAlchemy's, typed as its value
            .where(col(ImageRow.id).in_(ids))  # type: ignore[arg-type]  # a select, which `in_` takes
            .order_by(col(ImageRow.id).desc())
        )
        return [_kept(row, size) for row, size in rows]


def _kept(row: ImageRow, size_bytes: int) -> Kept:
    return Kept(
        key=row.key,
        media_type=row.media_type,
        width=row.width,
        height=row.height,
        size_bytes=size_bytes,
        name=row.name,
        alt=row.alt,
        made_at=row.made_at,
        made_by=row.made_by,
    )
