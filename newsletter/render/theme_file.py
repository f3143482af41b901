"""The `theme.toml` of a theme: its names, which theme it builds on, and its colours by daylight and in the dark."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COLOUR = re.compile(r"#[0-9a-f]{6}")
"""How a colour is written: old versions of Outlook understand neither `#1bf` nor `rgb()`."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
"""What a theme may be called: its folder, and a word in the settings."""

NAME_IN_WORDS = "small letters, digits, - and _, a letter or digit first"
"""The same, for people."""

LANGUAGES = ("zh", "en")
"""The languages that `name` and `description` are written in."""

_TEXTS = ("name", "description")
_COLOURS = ("light", "dark")
_LINE = re.compile(r"at line (\d+)")


class ThemeFileError(ValueError):
    """A `theme.toml` says what it may not say; `line` counts from 1, 0 where no line is to blame."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """What a `theme.toml` says: `name` and `description` by language, colours as `#rrggbb` by their names.

    `extends` names the theme whose files stand in for those that this one lacks; empty when there is none.
    """

    name: Mapping[str, str]
    description: Mapping[str, str]
    extends: str = ""
    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)


def read_theme_file(text: str) -> ThemeFile:
    """Read a `theme.toml`; raises ThemeFileError that says what is wrong, what it should be, and on which line."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _LINE.search(str(error))
        raise ThemeFileError(f"this is not TOML: {error}", int(at[1]) if at else text.count("\n") + 1) from error
    for key in values:
        if key not in (*_TEXTS, *_COLOURS, "extends"):
            raise ThemeFileError(
                f"there is no {key!r}; there are {', '.join(_TEXTS)}, extends, light and dark", line_of(text, key)
            )
    for key in _TEXTS:
        _check_words(values.get(key), key, text)
    extends = values.get("extends", "")
    if extends != "" and not (isinstance(extends, str) and NAME.fullmatch(extends)):
        raise ThemeFileError('extends should be the name of a theme, such as "daily"', line_of(text, "extends"))
    for key in _COLOURS:
        _check_colours(values.get(key, {}), key, text)
    return ThemeFile(**values)


def line_of(text: str, key: str, after: int = 0) -> int:
    """The first line behind that many which begins with a key or is the head of its table; 0 when there is none."""
    pattern = re.compile(rf"\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*[\]=.]")
    lines = enumerate(text.split("\n")[after:], after + 1)
    return next((number for number, line in lines if pattern.match(line)), 0)


def _check_words(value: Any, key: str, text: str) -> None:
    """Refuse what is not a line of words in each language."""
    if not isinstance(value, dict) or set(value) != set(LANGUAGES):
        raise ThemeFileError(f'{key} should be written {key} = {{ zh = "…", en = "…" }}', line_of(text, key))
    for words in value.values():
        if not isinstance(words, str) or not words.strip() or not words.isprintable():
            raise ThemeFileError(f"{key} should be a line of words in each language", line_of(text, key))


def _check_colours(value: Any, key: str, text: str) -> None:
    """Refuse what is not a table of colours with names that a template can write."""
    if not isinstance(value, dict):
        raise ThemeFileError(f"{key} should be a table of colours, [{key}]", line_of(text, key))
    for name, colour in value.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ThemeFileError(
                f"the colour {name!r} should have a name of small letters", line_of(text, name, line_of(text, key))
            )
        if not isinstance(colour, str) or not COLOUR.fullmatch(colour):
            raise ThemeFileError(
                f'the colour {name} should be written {name} = "#1f2329"', line_of(text, name, line_of(text, key))
            )
