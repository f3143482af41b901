"""The form for what one reader gets, as the staff fill it: the fields of the reader's own page, and their name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from starlette.datastructures import QueryParams

from newsletter.readers.preferences import Held
from newsletter.web.preferences_form import Form, Mistakes, form_from, form_of, read
from subscribers.preferences import Preferences

NOBODY = Preferences(topics=())
"""What somebody gets of whom nothing is known."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The fields as they stand in the page; `choices` are those that the reader could fill themselves."""

    name: str
    choices: Form


@dataclass(frozen=True, slots=True)
class Filled:
    """A sheet that came with a request: what it means, and by field the key of the words for what is wrong with it."""

    sheet: Sheet
    preferences: Preferences
    mistakes: Mistakes
    moved: bool


def sheet_of(name: str, preferences: Preferences, known: Sequence[str]) -> Sheet:
    """The sheet of a reader as they are; `known` are the slugs of all topics, in the newsletter's order."""
    return Sheet(name, form_of(Held("", preferences), known))


def filled(fields: QueryParams, current: Preferences, known: Sequence[str], today: date, home: str) -> Filled:
    """Read a sheet; a wrong field leaves `current` as it is. Somebody may have no topic here, as after an import.

    `moved` says that a button was pressed which moves a topic, and nothing is to be kept yet.
    """
    choices = form_from(fields, known)
    preferences, _, mistakes = read(choices, current, today, home)
    mistakes.pop("topics", None)
    return Filled(Sheet(fields.get("name", ""), choices), preferences, mistakes, bool(fields.get("move")))
