"""Writing: an issue is begun, saved as often as somebody types, looked back at, and brought back."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count

from newsletter.app import Newsletter
from newsletter.content.document import MAX_BYTES
from newsletter.content.export import to_markdown
from newsletter.content.inline import escape
from newsletter.content.issue import Issue
from newsletter.content.moving import move_story
from newsletter.content.reading import Reading
from newsletter.editorial.differences import Line, compare
from newsletter.editorial.intake import read_text
from newsletter.staff import accounts
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import Actor
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.storage.revisions import Conflict, Revision, RevisionStore, Written, text_in

__all__ = ["Conflict", "Line", "Revision"]  # what this module's functions give and raise


def create(newsletter: Newsletter, actor: Actor, on: date, text: str = "") -> Saved:
    """Begin a new issue of a date; the date that a text gives goes before `on`, and without a text it gets a heading.

    Raises `IssueRefused` for a text of more bytes than an issue may have.
    """
    title = escape(newsletter.name)
    text = _clean(text) if text.strip() else f"# {title} ({on.isoformat()})\n"
    written = Written(text.encode(), read_text(newsletter, text), actor.id)
    with newsletter.session() as session:
        now = newsletter.clock()
        saved = RevisionStore(session).create(written, title, on, now)
        record(session, actor, Action.ISSUE_CREATED, saved.slug, now, stories=len(saved.issue.stories))
    return saved


def save(newsletter: Newsletter, actor: Actor, slug: str, text: str, base: int, seen: str = "") -> Saved:
    """Keep a text as the newest of an issue, whatever is wrong with it.

    `base` is the number of the revision it was written on. `seen` is that one's `fingerprint` when it was read or last
    saved: with it, two tabs of one person, who write over one revision, are told apart. Raises `Conflict` when somebody
    saved since, `IssueRefused` when there is no such issue or the text has more bytes than an issue may have.
    """
    return save_and_read(newsletter, actor, slug, text, base, seen)[0]


def save_and_read(
    newsletter: Newsletter, actor: Actor, slug: str, text: str, base: int, seen: str = ""
) -> tuple[Saved, Reading]:
    """The same, with what was read from the text: where its parts stand in it, and all that is to be said of it."""
    text = _clean(text)
    reading = read_text(newsletter, text, slug)
    return _keep(newsletter, actor, slug, Written(text.encode(), reading, actor.id, base, seen)), reading


def bring_back(newsletter: Newsletter, actor: Actor, slug: str, number: int, base: int, seen: str = "") -> Saved:
    """Save the text of an earlier revision as a new one; `base` and `seen` are the newest's, as for `save`.

    Raises as `save` does, and `IssueRefused` when there is no revision of that number.
    """
    text = revision_text(newsletter, slug, number)
    reading = read_text(newsletter, text, slug)
    return _keep(newsletter, actor, slug, Written(text.encode(), reading, actor.id, base, seen, anew=True))


def _keep(newsletter: Newsletter, actor: Actor, slug: str, written: Written) -> Saved:
    with newsletter.session() as session:
        now = newsletter.clock()
        saved, is_new = RevisionStore(session).save(slug, written, now)
        if is_new:
            record(session, actor, Action.ISSUE_SAVED, slug, now, revision=saved.number)
    return saved


def text_of(newsletter: Newsletter, slug: str) -> tuple[Saved, str]:
    """The newest revision of an issue and its text; raises `IssueRefused` when there is no such issue."""
    with newsletter.reading() as session:
        saved = newsletter.issues(session).find(slug)
        return saved, text_in(newsletter.issues(session).source(saved.revision_id))


def revision_text(newsletter: Newsletter, slug: str, number: int) -> str:
    """The text of one revision; raises `IssueRefused` when there is none of that number."""
    with newsletter.reading() as session:
        return text_in(RevisionStore(session).source(slug, number))


def revisions(newsletter: Newsletter, slug: str, before: int = 0, most: int = 100) -> tuple[Revision, ...]:
    """The revisions of an issue, the newest first, at most so many; `before` is the number of one, to read on from.

    Raises `IssueRefused` when there is no such issue.
    """
    with newsletter.reading() as session:
        return RevisionStore(session).history(slug, before, most)


def staff_names(newsletter: Newsletter) -> dict[int, str]:
    """The names of everybody who ever was on the staff, by id."""
    with newsletter.reading() as session:
        return accounts.names(session)


def difference(newsletter: Newsletter, slug: str, old: int, new: int) -> list[Line]:
    """What changed from one revision to another; raises `IssueRefused` when one of them is not there."""
    return compare(revision_text(newsletter, slug, old), revision_text(newsletter, slug, new))


def from_earlier(newsletter: Newsletter, actor: Actor, slug: str, on: date) -> Saved:
    """Begin a new issue with the sections of an earlier one and what its front matter says, without its stories."""
    saved, _ = text_of(newsletter, slug)
    return create(newsletter, actor, on, to_markdown(emptied(saved.issue, on)))


def emptied(issue: Issue, on: date) -> Issue:
    """The sections of an issue, under another date and without stories."""
    return replace(issue, date=on, sections=tuple(replace(section, stories=()) for section in issue.sections))


def moved(saved: Saved, story: int, section: int, place: int) -> str:
    """The canonical text of an issue with one story elsewhere, as `move_story` says; raises IndexError as it does."""
    return to_markdown(move_story(saved.issue, story, section, place))


def next_free_date(newsletter: Newsletter) -> date:
    """The next day from today on that has no issue yet."""
    today = newsletter.today()
    with newsletter.reading() as session:
        taken = RevisionStore(session).dates(today)
    return next(day for n in count() if (day := today + timedelta(days=n)) not in taken)


def author(newsletter: Newsletter, saved: Saved) -> str:
    """The name of whoever wrote a revision; empty for the command line."""
    return staff_names(newsletter).get(saved.saved_by or 0, "")


def _clean(text: str) -> str:
    """What a form or a script sent as text that every database takes: LF, no NUL, no half of a surrogate pair.

    A byte order mark at the beginning is none of its letters.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_BYTES:
        raise IssueRefused(f"the text has {len(data):,} bytes, the most is {MAX_BYTES:,}: make two issues of it.")
    return data.decode()
