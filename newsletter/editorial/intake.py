"""Taking an issue in: read a file, judge it, keep it as a revision."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.app import Newsletter
from newsletter.content.document import MAX_BYTES, read_issue
from newsletter.content.inline import escape
from newsletter.content.judge import EarlierStory, judge, with_topic
from newsletter.content.reading import Reading
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.revisions import RevisionStore
from subscribers.topics import Catalogue


def read_file(path: Path) -> bytes:
    """The bytes of a file, one more than an issue may have at most; raises `IssueRefused` when it cannot be read."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise IssueRefused(f"{path} is no file that can be read to its end.")  # a pipe would be waited for
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise IssueRefused(f"{path} is a directory; name the files in it.") from None
    except OSError as reason:
        raise IssueRefused(f"{path} cannot be read: {reason.strerror}.") from None


def check(
    data: bytes, today: date, catalogue: Catalogue, *, title: str = "", on: date | None = None, topic: str = ""
) -> Reading:
    """Read and judge a text on its own: no database, no settings, no other issues."""
    return _judged(_read(data, catalogue, title, on, topic), today, catalogue)


def read(newsletter: Newsletter, data: bytes, *, title: str = "", on: date | None = None, topic: str = "") -> Reading:
    """Read and judge a text against this newsletter's topics and earlier issues.

    Raises `IssueRefused` when `topic`, the slug for sections without one, is no topic of this newsletter.
    """
    with newsletter.reading() as session:
        catalogue = newsletter.topics(session).catalogue()
        reading = _read(data, catalogue, title, on, topic)
        issue = reading.issue
        kept_as = issue.title if issue and issue.title else escape(newsletter.name)
        earlier = newsletter.issues(session).earlier_stories(issue, kept_as) if issue else ()
    return _judged(reading, newsletter.today(), catalogue, earlier, _own_host(newsletter))


def read_text(newsletter: Newsletter, text: str, slug: str = "") -> Reading:
    """Read and judge what somebody writes at the desk, for the issue of that slug or for a new one."""
    with newsletter.reading() as session:
        catalogue = newsletter.topics(session).catalogue()
        reading = _read(text.encode("utf-8", "replace"), catalogue, "", None, "")
        earlier = RevisionStore(session).earlier_stories(slug, reading.issue) if reading.issue else ()
    return _judged(reading, newsletter.today(), catalogue, earlier, _own_host(newsletter))


def take_in(newsletter: Newsletter, reading: Reading, source: bytes, *, draft: bool = False) -> tuple[Saved, bool]:
    """Keep a reading as a revision and say whether it is new; refuses errors unless it is a draft.

    An issue without a title gets the newsletter's name.
    """
    if reading.errors and not draft:
        raise IssueRefused(f"{len(reading.errors)} error(s); mend them, or keep it as a draft with --draft.")
    if reading.issue and not reading.issue.title:
        reading = replace(reading, issue=replace(reading.issue, title=escape(newsletter.name)))
    with newsletter.session() as session:
        return newsletter.issues(session).save(reading, source, newsletter.clock())


def _own_host(newsletter: Newsletter) -> str:
    return urlsplit(newsletter.settings.base_url).hostname or ""


def _read(data: bytes, catalogue: Catalogue, title: str, on: date | None, topic: str) -> Reading:
    if topic and catalogue.get(topic) is None:
        known = ", ".join(one.slug for one in catalogue.topics)
        raise IssueRefused(f"there is no topic {topic!r}; there are {known}.")
    reading = read_issue(data, resolve=catalogue.resolve, title=title, date=on)
    return with_topic(reading, topic) if topic else reading


def _judged(
    reading: Reading, today: date, catalogue: Catalogue, earlier: Collection[EarlierStory] = (), own_host: str = ""
) -> Reading:
    known = {name for topic in catalogue.topics for name in (topic.slug, topic.zh, topic.en, *topic.aliases)}
    findings = judge(reading, today=today, topics_known=known, earlier=earlier, own_host=own_host)
    return replace(reading, diagnostics=findings)
