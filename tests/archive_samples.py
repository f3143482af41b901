"""Published issues for tests of the archive, by the short way: what approval and a mailing do besides is left out."""

from datetime import UTC, date, datetime, timedelta

from newsletter.app import Newsletter
from newsletter.archive.publishing import publish
from newsletter.editorial.intake import read, take_in
from newsletter.storage.issues import Saved
from newsletter.storage.models import IssueRow

DAY = date(2026, 3, 9)


def issue_text(on: date, stories: str, heading: str = "政策与监管") -> str:
    """An issue of a day with these lines under one heading."""
    return f"# 岬角日报 ({on.isoformat()})\n\n**{heading}**\n\n{stories}\n"


def story_text(title: str, summary: str = "说明文字。", source: str = "[岬角市](https://city.example.org/data)") -> str:
    """The lines of a story."""
    return f"- **{title}**\n  说明：{summary}\n  来源出处：{source}\n"


def publish_text(newsletter: Newsletter, text: str, at: datetime | None = None) -> Saved:
    """Keep an issue and publish it; at noon of its day if nothing else is said."""
    data = text.encode()
    saved, _ = take_in(newsletter, read(newsletter, data), data, draft=True)
    assert saved.issue.date
    noon = datetime.combine(saved.issue.date, datetime.min.time(), UTC) + timedelta(hours=12)
    with newsletter.session() as session:
        session.get_one(IssueRow, saved.issue_id).approved_revision_id = saved.revision_id
        session.flush()
        publish(session, saved.issue_id, at or noon)
    return saved


def publish_days(newsletter: Newsletter, days: int, heading: str = "政策与监管") -> None:
    """Publish an issue of one story for each of so many days, the last on `DAY`."""
    for back in reversed(range(days)):
        on = DAY - timedelta(days=back)
        publish_text(newsletter, issue_text(on, story_text(f"第{back}天前的消息"), heading))
