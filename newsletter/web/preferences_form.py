"""The form of the preferences page: what was typed, kept as it was typed, and read into choices or mistakes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from newsletter.readers.preferences import KEYWORDS, Held, check_pause
from newsletter.web.rhythm_form import When
from subscribers.characters import unwritable
from subscribers.preferences import KEYWORD_CHARACTERS, LANGUAGES, MailFormat, Preferences, PreferencesRefused

MOST_STORIES = 1000
"""As `subscribers.preferences` says."""

_BETWEEN_KEYWORDS = re.compile(r"[,，、;；]")
_DIGITS = re.compile(r"[0-9]{1,4}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

Mistakes = dict[str, str]
"""By field, the key of the words that say what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields as they stand in the page.

    `order` holds every topic there is, in the order of the page; `topics` those that are ticked, in any order.
    """

    order: tuple[str, ...]
    topics: frozenset[str]
    most: str
    follow: str
    mute: str
    format: str
    language: str
    until: str
    when: When

    @property
    def query(self) -> str:
        """The fields that decide what a mail looks like, for the address of the frame that shows it."""
        fields: dict[str, Any] = {
            "topics": [topic for topic in self.order if topic in self.topics],
            "most": self.most,
            "follow": self.follow,
            "mute": self.mute,
            "format": self.format,
            "mail": self.language,
        }
        said = urlencode({name: value for name, value in fields.items() if value}, doseq=True)
        return "&".join(filter(None, (said, urlencode(self.when.query))))


def form_of(held: Held, known: Sequence[str]) -> Form:
    """The fields as a person's kept choices fill them; `known` are the slugs of all topics, in the newsletter's order.

    Chosen topics come first, in the order of the choice.
    """
    choices = held.preferences
    return Form(
        order=_ordered(choices.topics, known),
        topics=frozenset(choices.topics),
        most=str(choices.most or ""),
        follow="\n".join(choices.follow),
        mute="\n".join(choices.mute),
        format=str(choices.format),
        language=choices.language,
        until=held.until.isoformat() if held.until else "",
        when=When.chosen(choices),
    )


def form_from(fields: QueryParams, known: Sequence[str]) -> Form:
    """The fields as somebody filled them, posted or in a query; a topic that does not exist counts as not said.

    `move` (`up models`) is the button that was pressed to move a topic.
    """
    ticked = fields.getlist("topics")
    order = _ordered([*fields.getlist("order"), *ticked], known)
    direction, _, topic = fields.get("move", "").partition(" ")
    return Form(
        order=_moved(order, topic, {"up": -1, "down": 1}.get(direction, 0)),
        topics=frozenset(ticked) & frozenset(known),
        most=fields.get("most", "").strip(),
        follow=fields.get("follow", ""),
        mute=fields.get("mute", ""),
        format=fields.get("format", MailFormat.HTML),
        language=fields.get("mail", LANGUAGES[0]),
        until=fields.get("until", "").strip(),
        when=When.of(fields.multi_items()),
    )


def read(form: Form, current: Preferences, today: date, home: str) -> tuple[Preferences, date | None, Mistakes]:
    """The choices and the end of a pause that a form means, with what is wrong; a wrong field leaves `current` as is.

    What the form does not ask for stays as it is in `current`. An hour without a zone is that of `home`.
    """
    mistakes: Mistakes = form.when.mistakes()
    choices = replace(
        current,
        topics=tuple(topic for topic in form.order if topic in form.topics),
        most=_most(form.most, current.most, mistakes),
        follow=_keywords("follow", form.follow, current.follow, mistakes),
        mute=_keywords("mute", form.mute, current.mute, mistakes),
        format=MailFormat(form.format) if form.format in tuple(MailFormat) else current.format,
        language=form.language if form.language in LANGUAGES else current.language,
    )
    if not choices.topics and not choices.follow and "follow" not in mistakes:
        mistakes["topics"] = "pref_wrong_topics"
    return form.when.applied(choices, home), _day(form.until, today, mistakes), mistakes


def _ordered(first: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Every known topic once: those of `first`, then the others."""
    return tuple(dict.fromkeys(topic for topic in (*first, *known) if topic in known))


def _moved(order: tuple[str, ...], topic: str, step: int) -> tuple[str, ...]:
    if topic not in order:
        return order
    others = [one for one in order if one != topic]
    others.insert(max(order.index(topic) + step, 0), topic)
    return tuple(others)


def _most(text: str, current: int | None, mistakes: Mistakes) -> int | None:
    if not text:
        return None
    if _DIGITS.fullmatch(text) and 1 <= int(text) <= MOST_STORIES:
        return int(text)
    mistakes["most"] = "pref_wrong_most"
    return current


def _keywords(field: str, text: str, current: tuple[str, ...], mistakes: Mistakes) -> tuple[str, ...]:
    """One a line, or several with commas between them; a line that was kept as it is stays one keyword."""
    found: dict[str, None] = {}
    for line in map(str.strip, text.splitlines()):
        pieces = [line] if line in current else map(str.strip, _BETWEEN_KEYWORDS.split(line))
        found.update(dict.fromkeys(piece for piece in pieces if piece))
    if any(len(keyword) > KEYWORD_CHARACTERS or unwritable(keyword) for keyword in found):
        mistakes[field] = "pref_wrong_keyword"
    elif len(found) > KEYWORDS:
        mistakes[field] = "pref_wrong_keywords"
    return current if field in mistakes else tuple(found)


def _day(text: str, today: date, mistakes: Mistakes) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        if day is None:
            raise PreferencesRefused(text)
        check_pause(day, today)
    except ValueError:  # also the dates that no calendar has
        mistakes["until"] = "pref_wrong_until"
        return None
    return day
