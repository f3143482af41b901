"""What the preview pages show of an issue and of a mail, as values for their templates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from newsletter.app import Newsletter
from newsletter.content.diagnostics import Severity
from newsletter.content.inline import plain
from newsletter.delivery.plan import find_mailing
from newsletter.editorial.dispatch import Standing, standing
from newsletter.editorial.preview import Preview, preview_for, preview_topics
from newsletter.editorial.readership import EditionShare, editions, page_bound
from newsletter.render.headers import MessageRefused
from newsletter.storage.issues import IssueRefused, Saved
from newsletter.web.preview_choice import DECODED, VIEWS, Choice
from newsletter.web.preview_mail import source
from subscribers.addresses import AddressRefused
from subscribers.models import Subscriber
from subscribers.preferences import LANGUAGES

REFUSALS = (IssueRefused, AddressRefused, MessageRefused)
"""Why there may be no mail to show; each says so in its message."""

READERS_SHOWN = 50
"""More than anybody looks through; the search finds the others."""
EDITIONS_SHOWN = 50
"""So many stand in the list at a time, the chosen one among them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One issue in the list, with its first story's title, how its mailing stands and how much its reading found."""

    saved: Saved
    first: str
    standing: Standing
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A mail as the preview page shows it; sizes are of the decoded HTML and of the whole message, in bytes.

    `text` is the text part, or the source where that is looked at; `at` is the moment in its Date header, `exact` how
    far its bytes are those that are sent then. `left_out` is why planning then would not send it: paused, pending,
    unsubscribed, suppressed or weekly, else empty.
    """

    sender: str
    subject: str
    preheader: str
    at: datetime
    text: str
    text_only: bool
    exact: str
    left_out: str
    stories: int
    html_bytes: int
    message_bytes: int


@dataclass(frozen=True, slots=True)
class Editions:
    """The editions of an issue, the one that is looked at, and those around it in the list; `number` counts from 1."""

    all: int
    readers: int
    number: int
    chosen: EditionShare
    listed: tuple[EditionShare, ...]
    first_listed: int
    before: str
    after: str


def line_of(newsletter: Newsletter, saved: Saved) -> Line:
    """An issue with its figures."""
    errors = sum(finding.severity is Severity.ERROR for finding in saved.diagnostics)
    stories = saved.issue.stories
    return Line(
        saved=saved,
        first=plain(stories[0].title) if stories else "",
        standing=standing(newsletter, saved),
        errors=errors,
        warnings=len(saved.diagnostics) - errors,
    )


def make(newsletter: Newsletter, choice: Choice) -> Preview:
    """The mail of a choice; raises one of `REFUSALS` when there is none."""
    if choice.by == "topics":
        return preview_topics(newsletter, choice.slug, choice.topics, choice.language)
    return preview_for(newsletter, choice.slug, choice.reader, choice.moment)


def look(newsletter: Newsletter, saved: Saved, choice: Choice) -> dict[str, Any]:
    """What the templates of a preview need: the choice with what was left open filled in, its mail, the controls."""
    readers = _readers(newsletter, choice) if choice.by == "reader" else ()
    if choice.by == "reader" and not choice.reader and readers:
        choice = replace(choice, reader=readers[0].address or "")
    only_first = _only_first(newsletter, saved) if choice.by == "edition" else None
    found = _editions(newsletter, choice, only_first) if choice.by == "edition" else None
    if found:
        choice = replace(choice, edition=found.chosen.key, reader=found.chosen.address)
    shown, refusal = (None, None) if choice.by == "edition" and not found else _show(newsletter, choice)
    with newsletter.reading() as session:
        topics = newsletter.topics(session).all()
    return {
        "choice": choice,
        "views": VIEWS,
        "languages": LANGUAGES,
        "topics": [(topic, sum(topic.slug in story.topics for story in saved.issue.stories)) for topic in topics],
        "topic_names": {topic.slug: topic for topic in topics},
        "story_titles": {story.id: plain(story.title) for story in saved.issue.stories},
        "readers": readers[:READERS_SHOWN],
        "more_readers": len(readers) > READERS_SHOWN,
        "editions": found,
        "only_first": only_first,
        "shown": shown,
        "refusal": refusal,
    }


def decoded(message: bytes) -> str:
    """A message with its header fields and parts in words, for reading."""
    parsed = message_from_bytes(message, policy=policy.default)
    assert isinstance(parsed, EmailMessage)  # noqa: S101 - what that policy makes
    parts = ["\n".join(f"{name}: {value}" for name, value in parsed.items())]
    for part in parsed.walk():
        if not part.is_multipart():
            parts += [f"── {part.get_content_type()} ──", part.get_content()]
    return "\n\n".join(parts)


def _show(newsletter: Newsletter, choice: Choice) -> tuple[Shown | None, Exception | None]:
    """What there is to show of a choice, or None and the reason why there is nothing."""
    try:
        return shown_of(make(newsletter, choice), newsletter.name, choice.view), None
    except REFUSALS as refusal:
        return None, refusal


def shown_of(made: Preview, sender: str, view: str) -> Shown:
    """A mail as a page shows it in a view."""
    data = made.message.data
    texts = {"source": lambda: source(made), DECODED: lambda: decoded(data)}
    return Shown(
        sender=sender,
        subject=made.subject,
        preheader=made.assembled.preheader,
        at=made.recipient.date,
        text=texts.get(view, lambda: made.text)(),
        text_only=made.recipient.format == "text",
        exact=made.exact,
        left_out=made.left_out,
        stories=len(made.edition.stories),
        html_bytes=len(made.html.encode()),
        message_bytes=len(data),
    )


def _readers(newsletter: Newsletter, choice: Choice) -> tuple[Subscriber, ...]:
    """Those the search finds, one more than are shown, so that it can be said that there are more.

    Whoever is looked at stands first where nobody was searched for, and they would not be among those shown.
    """
    with newsletter.reading() as session:
        people = newsletter.people(session)
        found = people.search(choice.search, READERS_SHOWN + 1)
        if choice.search or not choice.reader or any(one.address == choice.reader for one in found[:READERS_SHOWN]):
            return found
        try:
            chosen = people.get(choice.reader)
        except AddressRefused:
            return found
    return (chosen, *found) if chosen else found


def _only_first(newsletter: Newsletter, saved: Saved) -> int | None:
    """How many readers editions are chosen for, where these are not all; those of a mailing are all known."""
    with newsletter.reading() as session:
        planned = find_mailing(session, saved.issue_id)
    return None if planned else page_bound(newsletter)


def _editions(newsletter: Newsletter, choice: Choice, most: int | None) -> Editions | None:
    """All editions with the chosen one, or the first where it is none of them; None when nobody gets anything."""
    found = editions(newsletter, choice.slug, most)
    if not found:
        return None
    place = next((number for number, one in enumerate(found) if one.key == choice.edition), 0)
    first = place - place % EDITIONS_SHOWN
    return Editions(
        all=len(found),
        readers=sum(one.readers for one in found),
        number=place + 1,
        chosen=found[place],
        listed=tuple(found[first : first + EDITIONS_SHOWN]),
        first_listed=first + 1,
        before=_key(found, place - 1),
        after=_key(found, place + 1),
    )


def _key(found: Sequence[EditionShare], place: int) -> str:
    """The key of the edition at a place, or nothing beyond either end."""
    return found[place].key if 0 <= place < len(found) else ""
