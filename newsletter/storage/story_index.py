"""The index of stories: what each issue's stories are known by, and which stories of earlier issues they tell again.

Nothing here reads all stories. Those that may be told again are found by the keys of their titles and links and by a
few hashes of their texts, each through an index of the database.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import islice

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Select,
    Text,
    bindparam,
    delete,
    insert,
    true,
    union,
    update,
)
from sqlalchemy import select as select_columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, func, select

from newsletter.content.as_json import issue_from_json
from newsletter.content.issue import DIGEST, Issue, Story
from newsletter.content.judge import MOST_STORIES
from newsletter.content.likeness import SOUGHT, Traits, from_bytes, to_bytes, traits_of
from newsletter.content.repeats import ITS_OWN, EarlierStories, EarlierStory
from newsletter.storage.models import IssueRow, RevisionRow, StoryHash, StoryRow

MOST_OF_A_KIND = 12
"""Of the stories that share a title, a link or a hash, the newest that are compared: a heading that comes every week,
or a sponsor's text that comes every day, must not make the search longer as the years go by."""

_NO_ISSUE = 2**31 - 1
"""Greater than the id of any issue there is: the largest that PostgreSQL keeps."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an issue stands among the others: by its date, and among those of one date by when it was made.

    Without a date it stands after all others; without an id it is to be made.
    """

    on: date | None
    issue_id: int | None = None


def earlier_stories(session: Session, stories: Iterable[Story], place: Place) -> tuple[EarlierStory, ...]:
    """The stories of earlier issues that these may tell again, the earliest first."""
    return tuple(_look_up(session, tuple(islice(stories, MOST_STORIES)), place))


def index_stories(session: Session, row: IssueRow, issue: Issue, before: Issue | None = None) -> None:
    """Write down what the stories of an issue's newest revision are known by, and what they tell again.

    What readers had of the issue stays known when it was cut since. `before` is the revision before, identified: what
    did not change since is not looked at, because an editor saves at every pause.
    """
    if row.is_digest or issue.format == DIGEST:
        _index_digest(session, row, issue)
        return
    stories = {story.id: story for story in (*issue.stories[:MOST_STORIES], *_cut(session, row, issue))}
    there = {one.story_id: one for one in session.execute(_THERE, {"issue_id": row.id})}
    _forget(session, [there[gone].id for gone in there.keys() - stories.keys()])
    same = _unchanged(stories, issue.date, before) & there.keys()
    changed = [story for story_id, story in stories.items() if story_id not in same]
    if changed:
        sketches = {story_id: (one.id, one.sketch) for story_id, one in there.items()}
        _write(session, row, changed, {**_added(session, row, changed, there.keys()), **sketches})


def refresh_roots(session: Session, issue_id: int) -> None:
    """See anew what an issue's stories tell again: earlier issues may have changed since it was saved.

    Holds the issue until the commit.
    """
    row = session.get_one(IssueRow, issue_id, with_for_update={"key_share": True}, populate_existing=True)
    index_stories(session, row, _newest(session, issue_id))


def index_missing(session: Session) -> tuple[int, ...]:
    """Index what was kept before there was an index, the earliest first; ids of the issues that are indexed now."""
    lacking = (
        select(StoryRow.issue_id)
        .where(StoryRow.title_key == "", StoryRow.sketch == b"", StoryRow.title != "")
        .distinct()
    )
    issues = select(IssueRow).where(col(IssueRow.id).in_(lacking), ~col(IssueRow.is_digest))
    rows = session.exec(issues.order_by(col(IssueRow.date), col(IssueRow.id))).all()
    for row in rows:
        index_stories(session, row, _newest(session, _key(row)))
        session.flush()
    return tuple(map(_key, rows))


def _newest(session: Session, issue_id: int) -> Issue:
    revisions = select(RevisionRow.document).where(RevisionRow.issue_id == issue_id)
    document = session.exec(revisions.order_by(col(RevisionRow.number).desc()).limit(1)).one()
    return issue_from_json(document)


def _cut(session: Session, row: IssueRow, issue: Issue) -> tuple[Story, ...]:
    """What readers had of an issue and its newest revision has no more."""
    if row.published_revision_id is None:
        return ()
    here = {story.id for story in issue.stories}
    sent = issue_from_json(session.get_one(RevisionRow, row.published_revision_id).document)
    return tuple(story for story in sent.stories if story.id not in here)


def _unchanged(stories: Mapping[str, Story], on: date | None, before: Issue | None) -> set[str]:
    """The ids of stories that are as they were; none where the issue moved to another place among the others."""
    if before is None or before.date != on:
        return set()
    earlier = {story.id: story for story in before.stories}
    return {story_id for story_id, story in stories.items() if earlier.get(story_id) == story}


def _forget(session: Session, rows: Sequence[int]) -> None:
    if rows:
        session.exec(delete(StoryHash).where(col(StoryHash.story_row_id).in_(rows)))
        session.exec(delete(StoryRow).where(col(StoryRow.id).in_(rows)))


def _added(
    session: Session, row: IssueRow, stories: Iterable[Story], there: Collection[str]
) -> dict[str, tuple[int, bytes]]:
    """Rows for those stories that have none yet: the key and the empty sketch of each."""
    new = [StoryRow(issue_id=_key(row), story_id=one.id, title="", url="") for one in stories if one.id not in there]
    session.add_all(new)
    session.flush()
    return {one.story_id: (_key(one), b"") for one in new}


def _write(session: Session, row: IssueRow, stories: Sequence[Story], there: Mapping[str, tuple[int, bytes]]) -> None:
    """Bring the rows of these stories, given by their keys and sketches, and their hashes up to date."""
    roots = _roots(session, row, stories)
    values: list[dict[str, object]] = []
    fresh: list[dict[str, int]] = []
    for story in stories:
        traits, (key, sketch) = traits_of(story), there[story.id]
        fresh += _changed_hashes(session, key, set(from_bytes(sketch)[:SOUGHT]), set(traits.sought))
        values.append(
            {
                "row": key, "title": story.title, "url": story.source.url if story.source else "",
                "root": roots[story.id], "title_key": traits.title_key, "url_key": traits.url_key,
                "sketch": to_bytes(traits.sketch),
            }
        )  # fmt: skip
    connection = session.connection()
    connection.execute(_UPDATE, values)
    if fresh:
        connection.execute(insert(StoryHash), fresh)


def _changed_hashes(session: Session, row_id: int, old: set[int], new: set[int]) -> list[dict[str, int]]:
    """Take out the hashes that a story has no more; the rows of those it did not have."""
    if gone := old - new:
        session.exec(delete(StoryHash).where(col(StoryHash.story_row_id) == row_id, col(StoryHash.hash).in_(gone)))
    return [{"hash": value, "story_row_id": row_id} for value in new - old]


def _roots(session: Session, row: IssueRow, stories: Sequence[Story]) -> dict[str, str]:
    """The root of each story: that of the one it tells again, else its own.

    Its id may be that of an earlier one that it does not tell again, as under a heading that comes every week, for ids
    are made of titles and links: then the issue's id is added.
    """
    earlier = earlier_stories(session, stories, Place(row.date, row.id))
    known = EarlierStories(earlier)
    taken = {one.id for one in earlier}
    own = {story.id: f"{story.id}.{row.id}" if story.id in taken else story.id for story in stories}
    return {story.id: _told_again(story, known) or own[story.id] for story in stories}


def _told_again(story: Story, known: EarlierStories) -> str:
    """The root of the story that one tells again; empty for none."""
    told = known.told_by(traits_of(story)) if ITS_OWN.isdisjoint(story.marks) else None
    return told[0].root if told and told[1].is_sure else ""


def _index_digest(session: Session, row: IssueRow, issue: Issue) -> None:
    """A digest's stories are those of other issues, and are known by these."""
    _forget(session, [one.id for one in session.execute(_THERE, {"issue_id": row.id})])
    ids = [story.id for story in issue.stories]
    told = select(StoryRow.story_id, StoryRow.root).where(col(StoryRow.story_id).in_(ids)).order_by(col(StoryRow.id))
    roots = dict(session.exec(told).all())
    for story in issue.stories:
        url = story.source.url if story.source else ""
        root = roots.get(story.id, story.id)
        session.add(StoryRow(issue_id=_key(row), story_id=story.id, root=root, title=story.title, url=url))
    session.flush()


def _look_up(session: Session, stories: Sequence[Story], place: Place) -> Iterator[EarlierStory]:
    """The stories of earlier issues that share a key, a hash or an id with one of these, the earliest first."""
    known = [traits_of(story) for story in stories]
    wanted = {
        "titles": list({traits.title_key for traits in known} - {""}),
        "links": list({traits.url_key for traits in known} - {""}),
        "hashes": list({value for traits in known for value in traits.sought}),
        "ids": list({story.id for story in stories} - {""}),
    }
    rows = session.execute(_search(session.get_bind().dialect.name), {**wanted, **_standing(place)})
    for story, root, title, title_key, url_key, sketch, slug in rows:
        yield EarlierStory(title, slug, Traits(title_key, url_key, from_bytes(sketch)), story, root or story)


def _standing(place: Place) -> dict[str, object]:
    own = _NO_ISSUE if place.issue_id is None else place.issue_id
    return {"on": place.on or date.max, "own": own}


def _is_earlier() -> ColumnElement[bool]:
    on, own = bindparam("on", type_=Date), bindparam("own", type_=Integer)
    same_day = (col(IssueRow.date) == on) & (col(IssueRow.id) < own)
    went_out = col(IssueRow.published_at).is_not(None)  # whatever its date: readers have it
    return ~col(IssueRow.is_digest) & (col(IssueRow.id) != own) & ((col(IssueRow.date) < on) | same_day | went_out)


Kind = tuple[type[StoryRow] | type[StoryHash], str, str, str]
"""A table, its column that is looked up, that of a story's row, and the name of the values."""

_KINDS: tuple[Kind, ...] = (
    (StoryRow, "title_key", "id", "titles"),
    (StoryRow, "url_key", "id", "links"),
    (StoryRow, "story_id", "id", "ids"),
    (StoryHash, "hash", "story_row_id", "hashes"),
)


def _newest_on_sqlite(table: type[SQLModel], column: str, row: str, values: str) -> Select[int]:
    """The newest rows of each of these values: those above the first that is too many.

    SQLite has no LATERAL, and a window function would pass all rows of a kind.
    """
    value = func.json_each(bindparam(values, type_=JSON)).table_valued("value").c.value
    one, above = aliased(table), aliased(table)
    newer = select(getattr(above, row)).where(getattr(above, column) == value).order_by(getattr(above, row).desc())
    too_many = newer.offset(MOST_OF_A_KIND).limit(1).scalar_subquery()
    return select_columns(getattr(one, row)).where(
        getattr(one, column) == value, getattr(one, row) > func.coalesce(too_many, 0)
    )


def _newest_on_postgresql(table: type[SQLModel], column: str, row: str, values: str) -> Select[int]:
    """The same with LATERAL."""
    kind = BigInteger if table is StoryHash else Text
    sought = func.unnest(bindparam(values, type_=ARRAY(kind))).table_valued("value").render_derived()
    one = aliased(table)
    newest = select(getattr(one, row).label("row_id")).where(getattr(one, column) == sought.c.value)
    found = newest.order_by(getattr(one, row).desc()).limit(MOST_OF_A_KIND).lateral()
    return select_columns(found.c.row_id).select_from(sought).join(found, true())


@lru_cache
def _search(dialect: str) -> Select[str, str, str, str, str, bytes, str]:
    """The search as a database understands it, made once: an editor saves at every pause."""
    newest = _newest_on_postgresql if dialect == "postgresql" else _newest_on_sqlite
    candidates = union(*(newest(*kind) for kind in _KINDS))
    # columns rather than rows, which the session would look after
    told = select_columns(
        col(StoryRow.story_id),
        col(StoryRow.root),
        col(StoryRow.title),
        col(StoryRow.title_key),
        col(StoryRow.url_key),
        col(StoryRow.sketch),
        col(IssueRow.slug),
    )
    return (
        told.join(IssueRow, col(IssueRow.id) == col(StoryRow.issue_id))
        .where(col(StoryRow.id).in_(candidates), _is_earlier())
        .order_by(col(IssueRow.date), col(IssueRow.id), col(StoryRow.id))
    )


_THERE = select_columns(col(StoryRow.story_id), col(StoryRow.id), col(StoryRow.sketch)).where(
    col(StoryRow.issue_id) == bindparam("issue_id")
)
_UPDATE = (
    update(StoryRow)
    .where(col(StoryRow.id) == bindparam("row"))
    .values({name: bindparam(name) for name in ("title", "url", "root", "title_key", "url_key", "sketch")})
)


def _key(row: IssueRow | StoryRow) -> int:
    if row.id is None:
        raise ValueError("the row has not been written yet")
    return row.id
