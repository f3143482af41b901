"""The columns of a reader list, and what a cell of each means."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from subscribers.addresses import Address, clean_name, parse_address
from subscribers.characters import shown
from subscribers.models import State
from subscribers.preferences import DAYS, LANGUAGES, Frequency, MailFormat, split_list
from subscribers.topic_store import unknown_topic
from subscribers.topics import Catalogue

COLUMNS = (
    "address",
    "name",
    "topics",
    "state",
    "frequency",
    "language",
    "zone",
    "hour",
    "most",
    "follow",
    "mute",
    "format",
    "day",
    "frequencies",
)

_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
"""What a spreadsheet would run (ASVS 5.0 1.2.10), also behind apostrophes, so that one more can be taken off again."""

_NUMBER = re.compile(r"\d{1,4}", re.ASCII)
_Choice = TypeVar("_Choice", bound=StrEnum)


class RowRefused(ValueError):
    """A line that cannot be taken, and what to write instead: `code` is the column, `value` what stands there."""

    def __init__(self, code: str, value: str, message: str) -> None:
        super().__init__(message)
        self.code, self.value = code, shown(value)


@dataclass(frozen=True, slots=True)
class ReaderRow:
    """What one line says. An empty cell says nothing: None, or absent from `changes` (fields of `Preferences`)."""

    address: Address
    name: str | None = None
    state: State | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)


def defused(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return "'" + cell if _FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """Take off the apostrophe that `defused` put there: `restored(defused(cell)) == cell` for every cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def read_row(cells: Mapping[str, str], topics: Catalogue) -> ReaderRow:
    """Read one line, its cells by column.

    Raises `AddressRefused`, `NameRefused`, or `RowRefused` for an unknown topic, a word that is none of the column's,
    or what is no number. Zone, language, limits and keywords are for `check_preferences`, once joined with the rest.
    """
    present = {column: text for column, cell in cells.items() if (text := restored(cell).strip(" \t\u3000"))}
    address = parse_address(present.pop("address", ""))
    name = clean_name(present.pop("name", ""))
    state = present.pop("state", None)
    return ReaderRow(
        address=address,
        name=name or None,
        state=None if state is None else _choice(State, "state", state),
        changes={column: _value(column, text, topics) for column, text in present.items()},
    )


def _value(column: str, text: str, topics: Catalogue) -> Any:
    if column == "topics":
        return _topics(text, topics)
    if column == "frequency":
        return _choice(Frequency, column, text)
    if column == "format":
        return _choice(MailFormat, column, text)
    if column == "frequencies":
        return _frequencies(text, topics)
    if column == "hour":
        return _number(column, text.replace("：", ":").removesuffix(":00"))
    if column == "most":
        return _number(column, text)
    if column == "day":
        return _day(text)
    if column in ("follow", "mute"):
        return split_list(text)
    if column == "language" and text.casefold() in LANGUAGES:
        return text.casefold()
    return text


def _topics(text: str, topics: Catalogue) -> tuple[str, ...]:
    slugs = split_list(text)
    for slug in slugs:
        if topics.get(slug) is None:
            raise RowRefused("topics", slug, unknown_topic(slug, topics))
    return slugs


def _frequencies(text: str, topics: Catalogue) -> tuple[tuple[str, Frequency], ...]:
    """Read `policy=weekly;models=important`; of one topic the last counts."""
    found: dict[str, Frequency] = {}
    for item in split_list(text):
        slug, sign, word = (piece.strip() for piece in item.partition("="))
        if not sign:
            raise RowRefused("frequencies", item, f"frequencies are like policy=weekly, not {shown(item)}")
        if topics.get(slug) is None:
            raise RowRefused("topics", slug, unknown_topic(slug, topics))
        found[slug] = _choice(Frequency, "frequency", word)
    return tuple(found.items())


def _day(text: str) -> int:
    try:
        return DAYS.index(text.casefold())
    except ValueError as error:
        raise RowRefused("day", text, f"day is one of {', '.join(DAYS)}, not {shown(text)}") from error


def _choice(choices: type[_Choice], column: str, text: str) -> _Choice:
    try:
        return choices(text.casefold())
    except ValueError as error:
        raise RowRefused(column, text, f"{column} is one of {', '.join(choices)}, not {shown(text)}") from error


def _number(column: str, text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise RowRefused(column, text, f"{column} is a whole number, not {shown(text)}")
    return int(text)
