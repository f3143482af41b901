"""What a letter is about: looked up once, when it is first taken in hand, so that every attempt says the same."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from newsletter.app import Newsletter
from newsletter.content.inline import plain
from newsletter.readers.models import Letter, LetterKind
from newsletter.render.letter_words import Facts, Latest
from newsletter.render.spans import clean
from newsletter.render.wording import masked
from newsletter.storage.models import IssueRow
from subscribers.models import SignUp, State, Subscriber, Suppression
from subscribers.tokens import Purpose

STORIES = 5
"""So many titles of the latest issue whet the appetite; more would be a second issue."""
_LOOKED_UP = "text"
"""The name in `Letter.details` under which that lies."""
_BY_SIGN_UP = {LetterKind.CONFIRM: Purpose.CONFIRM, LetterKind.ADDRESS: Purpose.ADDRESS}
_TO_READERS = (LetterKind.ALREADY, LetterKind.WELCOME, LetterKind.PREFERENCES)
"""Letters to people who are on the list, and so can leave it by them."""


def why_not(session: Session, letter: Letter) -> str:
    """Why a letter is not to be sent any more, in words; empty when it is."""
    if letter.kind in _BY_SIGN_UP:
        sign_up = session.get(SignUp, letter.sign_up_id) if letter.sign_up_id else None
        if sign_up is None or sign_up.confirmed_at is not None:
            return "what it asks to confirm is gone" if sign_up is None else "confirmed already"
        if letter.kind == LetterKind.CONFIRM:
            return ""  # whoever let the sign-up pass has looked whether the address may be written to
    reason = _why_not_person(_person(session, letter), letter)
    hashed = select(Suppression).where(Suppression.address_key_hash == letter.address_hash)
    return reason or ("suppressed" if session.exec(hashed).first() else "")


def look_up(newsletter: Newsletter, session: Session, letter: Letter) -> None:
    """Write into a letter's row what its text needs; what stands there already stays."""
    if _LOOKED_UP in letter.details:
        return
    found: dict[str, Any]
    if letter.kind in _BY_SIGN_UP:
        sign_up = session.get_one(SignUp, letter.sign_up_id)
        found = {"id": sign_up.public_id, "topics": _names(newsletter, session, letter, sign_up.preferences["topics"])}
    else:
        person = session.get_one(Subscriber, letter.subscriber_id)
        found = {"id": person.public_id, "topics": _names(newsletter, session, letter, person.topics)}
    if letter.kind == LetterKind.ADDRESS and (mover := _person(session, letter)):
        found["former"] = masked(mover.ascii_address or "")
    if letter.kind == LetterKind.WELCOME:
        found["latest"] = _latest(newsletter, session)
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
    to_reader = letter.kind in _TO_READERS
    return Facts(
        kind=letter.kind,
        newsletter=newsletter.name,
        address=letter.address,
        link=link,
        topics=tuple(found["topics"]),
        former=found.get("former", ""),
        preferences=preferences if to_reader else "",
        unsubscribe=unsubscribe if to_reader else "",
        latest=_offer(base_url, found.get("latest")),
    )


def _person(session: Session, letter: Letter) -> Subscriber | None:
    return session.get(Subscriber, letter.subscriber_id) if letter.subscriber_id else None


def _why_not_person(person: Subscriber | None, letter: Letter) -> str:
    if person is None or person.address_hash is None:
        return "forgotten"
    if letter.kind == LetterKind.ADDRESS:
        return ""
    if person.address_hash != letter.address_hash:
        return "the address is not this reader's any more"  # and a link would open what is theirs
    if (letter.kind == LetterKind.GOODBYE) != (person.state is State.UNSUBSCRIBED) and letter.kind != LetterKind.DATA:
        return f"{person.state} meanwhile"
    return ""


def _names(newsletter: Newsletter, session: Session, letter: Letter, slugs: list[str]) -> list[str]:
    catalogue = newsletter.topics(session).catalogue()
    return [clean(topic.name(letter.language)) for topic in map(catalogue.get, slugs) if topic]


def _latest(newsletter: Newsletter, session: Session) -> dict[str, Any] | None:
    """The newest issue that everybody may read, as plain values for JSON."""
    newest = select(IssueRow).where(col(IssueRow.published_revision_id).is_not(None))
    row = session.exec(newest.order_by(col(IssueRow.date).desc(), col(IssueRow.id).desc()).limit(1)).first()
    if row is None or row.published_revision_id is None:
        return None
    issue = newsletter.issues(session).revision(row.published_revision_id).issue
    titles = [clean(plain(story.title)) for story in issue.stories[:STORIES]]
    return {"slug": row.slug, "date": row.date.isoformat(), "title": clean(plain(issue.title)), "stories": titles}


def _offer(base_url: str, latest: Mapping[str, Any] | None) -> Latest | None:
    if latest is None:
        return None
    url = f"{base_url}/archive/{latest['slug']}"
    return Latest(url, date.fromisoformat(latest["date"]), latest["title"], tuple(latest["stories"]))
