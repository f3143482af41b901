"""What a letter is about: looked up once, when it is first taken in hand, so that every attempt says the same."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.compose.choose import Chooser
from newsletter.content.inline import plain
from newsletter.readers.letters import SUPPRESSED
from newsletter.readers.models import Letter, LetterKind
from newsletter.readers.sample import in_any_mail
from newsletter.render.labels import Labels, load_labels
from newsletter.render.letter_words import Facts, Latest
from newsletter.render.rhythm_words import Rhythm
from newsletter.render.spans import clean
from newsletter.render.theme import templates_dir
from newsletter.render.wording import masked
from newsletter.storage.models import IssueRow
from subscribers.models import SignUp, State, Subscriber, Suppression
from subscribers.people import LIFTED_BY_CONSENT
from subscribers.preference_columns import preferences_of
from subscribers.preferences import DAYS, Preferences
from subscribers.tokens import Purpose

STORIES = 5
"""So many titles of the latest issue whet the appetite; more would be a second issue."""
_LOOKED_UP = "text"
"""The name in `Letter.details` under which that lies."""
_BY_SIGN_UP = {LetterKind.CONFIRM: Purpose.CONFIRM, LetterKind.ADDRESS: Purpose.ADDRESS}
_ASKED_FOR = (LetterKind.CONFIRM, LetterKind.ADDRESS, LetterKind.PREFERENCES, LetterKind.DATA)
"""Letters that open what only the owner of an address may do: they go to one that its owner can have lifted, too."""
_TO_READERS = (LetterKind.ALREADY, LetterKind.WELCOME, LetterKind.PREFERENCES)
"""Letters to people who are on the list, and so can leave it by them."""
_TO_THOSE_WHO_LEFT_TOO = (LetterKind.DATA, LetterKind.PREFERENCES)


def why_not(session: Session, letter: Letter) -> str:
    """Why a letter is not to be sent any more, in words; empty when it is."""
    if letter.kind in _BY_SIGN_UP:
        sign_up = session.get(SignUp, letter.sign_up_id) if letter.sign_up_id else None
        if sign_up is None or sign_up.confirmed_at is not None:
            return "what it asks to confirm is gone" if sign_up is None else "confirmed already"
    reason = "" if letter.kind == LetterKind.CONFIRM else _why_not_person(_person(session, letter), letter)
    return reason or (SUPPRESSED if _is_suppressed(session, letter) else "")


def is_to_its_reader(session: Session, letter: Letter) -> bool:
    """Whether a letter goes to the address of somebody who has confirmed it, and still has it."""
    person = _person(session, letter)
    return person is not None and person.state is not State.PENDING and person.address_hash == letter.address_hash


def look_up(newsletter: Newsletter, session: Session, letter: Letter) -> None:
    """Write into a letter's row what its text needs; what stands there already stays."""
    if _LOOKED_UP in letter.details:
        return
    found: dict[str, Any]
    if letter.kind in _BY_SIGN_UP:
        person, sign_up = _person(session, letter), session.get_one(SignUp, letter.sign_up_id)
        found = {"id": sign_up.public_id, "topics": _names(newsletter, session, letter, sign_up.preferences["topics"])}
        if person is not None:
            found["other"] = masked(person.ascii_address or "")
    else:
        person = session.get_one(Subscriber, letter.subscriber_id)
        found = {"id": person.public_id, "topics": _names(newsletter, session, letter, person.topics)}
        found["left"] = person.state is State.UNSUBSCRIBED
        if letter.kind == LetterKind.MOVED:
            found["other"] = masked(person.ascii_address or "")
        if letter.kind == LetterKind.WELCOME:
            found["latest"] = _latest(newsletter, session, preferences_of(person))
            found["rhythm"] = _rhythm(newsletter, session, letter, preferences_of(person))
    letter.details = {**letter.details, _LOOKED_UP: found}


def facts_of(newsletter: Newsletter, letter: Letter) -> Facts:
    """The values of a letter whose text was looked up, as the words need them."""
    found: Mapping[str, Any] = letter.details[_LOOKED_UP]
    base_url, make = newsletter.settings.base_url, newsletter.tokens.make
    preferences = f"{base_url}/preferences/{make(Purpose.PREFERENCES, found['id'])}"
    unsubscribe = f"{base_url}/unsubscribe/{make(Purpose.UNSUBSCRIBE, found['id'])}"
    link = preferences
    if letter.kind in _BY_SIGN_UP:
        purpose = _BY_SIGN_UP[LetterKind(letter.kind)]
        link = f"{base_url}/{purpose}/{make(purpose, found['id'])}"
    elif letter.kind == LetterKind.DATA:
        link = f"{base_url}/data/{make(Purpose.DATA, letter.public_id)}"
    elif letter.kind == LetterKind.GOODBYE:
        link = unsubscribe  # the way back is on that page, as long as it is open
    elif letter.kind == LetterKind.MOVED:
        link = f"{base_url}/"  # no link of the reader's own: they may have given this mailbox up
    to_reader = letter.kind in _TO_READERS and not found["left"]
    return Facts(
        kind=letter.kind,
        newsletter=newsletter.name,
        address=letter.address,
        link=link,
        topics=tuple(found["topics"]),
        other=found.get("other", ""),
        preferences=preferences if to_reader else "",
        unsubscribe=unsubscribe if to_reader else "",
        latest=_offer(base_url, found.get("latest")),
        rhythm=found.get("rhythm", ""),
    )


def _person(session: Session, letter: Letter) -> Subscriber | None:
    return session.get(Subscriber, letter.subscriber_id) if letter.subscriber_id else None


def _why_not_person(person: Subscriber | None, letter: Letter) -> str:
    if person is None or person.address_hash is None:
        return "forgotten"
    if letter.kind == LetterKind.ADDRESS:
        return ""
    if letter.kind == LetterKind.MOVED:
        return "moved back meanwhile" if person.address_hash == letter.address_hash else ""
    if person.address_hash != letter.address_hash:
        return "the address is not this reader's any more"  # and a link would open what is theirs
    if letter.kind in _TO_THOSE_WHO_LEFT_TOO:
        return ""
    if (letter.kind == LetterKind.GOODBYE) != (person.state is State.UNSUBSCRIBED):
        return f"{person.state} meanwhile"
    return ""


def _is_suppressed(session: Session, letter: Letter) -> bool:
    """Whether a letter's address is on the list, for a reason that counts for this kind of letter."""
    row = session.exec(select(Suppression).where(Suppression.address_key_hash == letter.address_hash)).first()
    return row is not None and not (letter.kind in _ASKED_FOR and row.reason in LIFTED_BY_CONSENT)


def _names(newsletter: Newsletter, session: Session, letter: Letter, slugs: list[str]) -> list[str]:
    catalogue = newsletter.topics(session).catalogue()
    return [clean(topic.name(letter.language)) for topic in map(catalogue.get, slugs) if topic]


def _rhythm(newsletter: Newsletter, session: Session, letter: Letter, preferences: Preferences) -> str:
    """When mail comes, in a sentence of the letter's language."""
    catalogue, language = newsletter.topics(session).catalogue(), letter.language
    rhythm = Rhythm(
        _labels()[language],
        lambda slug: clean(topic.name(language)) if (topic := catalogue.get(slug)) else None,
        DAYS.index(newsletter.settings.weekly_day),
    )
    return rhythm.sentence(preferences)


@cache
def _labels() -> Mapping[str, Labels]:
    return load_labels(templates_dir() / "locale")


def _latest(newsletter: Newsletter, session: Session, preferences: Preferences) -> dict[str, Any] | None:
    """The newest issue that everybody may read, with what these choices bring of it, as plain values for JSON.

    None when they bring nothing.
    """
    newest = select(IssueRow).where(col(IssueRow.published_revision_id).is_not(None))
    row = session.exec(newest.order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc()).limit(1)).first()
    if row is None or row.published_revision_id is None:
        return None
    issue = newsletter.issues(session).revision(row.published_revision_id).issue
    edition = Chooser(issue).choose(in_any_mail(preferences))
    chosen = [story for group in edition.groups for story in group.stories][:STORIES]
    if not chosen:
        return None
    title_of = {story.id: clean(plain(story.title)) for story in issue.stories}
    titles = [title_of[story] for story in chosen]
    return {"slug": row.slug, "date": row.date.isoformat(), "title": clean(plain(issue.title)), "stories": titles}


def _offer(base_url: str, latest: Mapping[str, Any] | None) -> Latest | None:
    if latest is None:
        return None
    url = f"{base_url}/archive/{latest['slug']}"
    return Latest(url, date.fromisoformat(latest["date"]), latest["title"], tuple(latest["stories"]))
