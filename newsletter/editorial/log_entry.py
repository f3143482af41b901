"""One entry of the log explained: what a reader got of an issue and because of what, and what was left out and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.compose.edition import FOLLOWED
from newsletter.content.inline import plain
from newsletter.content.issue import Mark, Story
from newsletter.delivery.history import Entry, find, had_before
from newsletter.delivery.outcome import Reason
from newsletter.delivery.writer import edition_from_json
from subscribers.addresses import AddressRefused
from subscribers.models import Subscriber
from subscribers.preference_columns import preferences_of
from subscribers.preferences import Frequency, Preferences

_NOT_CHOSEN_FOR = (Reason.SUPPRESSED, Reason.PAUSED, Reason.WEEKLY)
"""Left out before anybody looked at what the issue has for them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One story of the issue; `why` it was chosen, or left out, in one word, and what that rests on.

    Chosen: `topic` (which), `followed` (the keyword, empty when it is not followed any more). Left out: `topic` (none
    of theirs), `muted` (the keyword), `had` (the issue's slug), `weekly` (a topic that they read in the digest),
    `daily` (one that is none of the digest's), `unimportant` (one of which they want only what is important), `most`
    (the reader's limit), `changed`: their choices have changed since, and do not tell.
    """

    title: str
    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with its stories; `topics` are the reader's, as of then or, where that is not kept, of now."""

    entry: Entry
    title: str
    number: int
    topics: tuple[str, ...]
    topics_now: bool
    got: tuple[Line, ...]
    missed: tuple[Line, ...]
    forgotten: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows tell about one reader's choices."""

    topics: tuple[str, ...]
    preferences: Preferences | None
    had: Mapping[str, str]
    as_then: bool


def readers_like(newsletter: Newsletter, text: str, most: int) -> Sequence[int]:
    """The id of the reader with that address; where there is none, of those whose address or name has it in it."""
    with newsletter.reading() as session:
        people = newsletter.people(session)
        try:
            exact = people.get(text)
        except AddressRefused:
            exact = None
        return [person.id or 0 for person in ((exact,) if exact else people.search(text, most))]


def tell(newsletter: Newsletter, delivery_id: int) -> Told | None:
    """What one delivery brought its reader and why; None where there is no such delivery."""
    with newsletter.reading() as session:
        found = find(session, delivery_id)
        if found is None:
            return None
        row, mailing, entry = found
        saved = newsletter.issues(session).revision(mailing.revision_id)
        person = session.get(Subscriber, row.subscriber_id)
        had = had_before(session, row.subscriber_id, mailing)
    now = preferences_of(person) if person and person.address else None
    then = row.slots.get("topics")
    edition, chooser = edition_from_json(row.edition), Chooser(saved.issue, mailing.days is not None)
    topics = tuple(then) if isinstance(then, list) else now.topics if now else ()
    as_then = now is not None and now.topics == topics and chooser.choose(now, frozenset(had)) == edition
    known = _Known(topics, now, had, as_then)
    places = {story: group.topic for group in edition.groups for story in group.stories}
    stories = {story.id: story for story in saved.issue.stories}
    untold = now is None or entry.reason in _NOT_CHOSEN_FOR
    left_out = [story for story in saved.issue.stories if story.id not in places and not untold]
    return Told(
        entry=entry,
        title=saved.issue.title,
        number=saved.number,
        topics=topics,
        topics_now=then is None,
        got=tuple(_got(stories[story], topic, chooser, known) for story, topic in places.items() if story in stories),
        missed=tuple(_missed(story, chooser, known) for story in left_out),
        forgotten=now is None,
    )


def _got(story: Story, topic: str, chooser: Chooser, known: _Known) -> Line:
    title = plain(story.title)
    if topic != FOLLOWED:
        return Line(title, "topic", topic)
    followed = known.preferences.follow if known.preferences else ()
    return Line(title, "followed", chooser.mentioned(story.id, followed) or "")


def _missed(story: Story, chooser: Chooser, known: _Known) -> Line:
    return Line(plain(story.title), *next(_reasons(story, chooser, known)))


def _reasons(story: Story, chooser: Chooser, known: _Known) -> Iterator[tuple[str, str]]:
    """Why a story was left out, the first that holds: in the order in which choosing asks."""
    if story.id in known.had:
        yield "had", known.had[story.id]
    muted = known.preferences and chooser.mentioned(story.id, known.preferences.mute)
    if muted:
        yield "muted", muted
    if not set(story.topics) & set(known.topics):
        yield "topic", ""
    if known.preferences:
        yield from _rhythm(story, chooser, known.preferences)
    if known.as_then and known.preferences and known.preferences.most:
        yield "most", str(known.preferences.most)
    yield "changed", ""


def _rhythm(story: Story, chooser: Chooser, preferences: Preferences) -> Iterator[tuple[str, str]]:
    """Why a story of the reader's topics does not come in a mailing of this kind."""

    def of(*frequencies: Frequency) -> str:
        return next((topic for topic in preferences.topics_at(*frequencies) if topic in story.topics), "")

    if chooser.is_digest:
        if not of(Frequency.WEEKLY):
            yield "daily", of(*Frequency)
    elif not of(Frequency.DAILY):
        if not (sparing := of(Frequency.IMPORTANT)):
            yield "weekly", of(Frequency.WEEKLY)
        elif Mark.IMPORTANT not in story.marks:
            yield "unimportant", sparing
