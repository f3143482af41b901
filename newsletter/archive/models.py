"""Tables of the archive: the stories of published issues, by topic. Their words for searching are in `search.py`."""

from datetime import date

from sqlmodel import Field, Index, SQLModel, UniqueConstraint


class ArchivedStory(SQLModel, table=True):
    """A story of the published revision of an issue; rows are made anew when another revision is published."""

    __tablename__ = "archived_story"
    __table_args__ = (UniqueConstraint("issue_id", "story_id"), Index("ix_archived_story_date", "date"))

    id: int | None = Field(default=None, primary_key=True)
    issue_id: int = Field(foreign_key="issue.id")
    story_id: str
    date: date
    position: int


class ArchivedTopic(SQLModel, table=True):
    """That an archived story belongs to a topic."""

    __tablename__ = "archived_topic"

    topic: str = Field(primary_key=True)
    archived_story_id: int = Field(primary_key=True, foreign_key="archived_story.id", index=True)
