"""What a mail says in one language beside its stories: read from a gettext catalogue, stored with what is compiled."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from gettext import c2py
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
"""What stands in a message for a value. Nothing else does: all that `str.format` knows would let a theme reach far."""

_COUNTS = range(1000)  # every plural rule that CLDR knows repeats within these


@dataclass(frozen=True, slots=True)
class Labels:
    """The words of one language.

    `lang` is its name in HTML (BCP 47); `plural` is the catalogue's rule, an expression in C that gives for `n` the
    place of the form to take; `forms` are the translations by their English original (of two originals the one for a
    single thing): one form, or as many as the language has. What lacks is said in English.
    """

    lang: str
    plural: str
    forms: Mapping[str, tuple[str, ...]]

    def gettext(self, original: str, **values: object) -> str:
        """A message in this language, its placeholders filled."""
        return _filled(self.forms[original][0] if original in self.forms else original, values)

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        """A message in the form that fits the number `n`, its placeholders filled, `{n}` too."""
        english = one if n == 1 else many
        pattern = self.forms[one][_rule(self.plural)(n)] if one in self.forms else english
        return _filled(pattern, {"n": n, **values})

    def long_date(self, day: date) -> str:
        """The date as the masthead shows it, with its weekday."""
        # NOTE: a date in the letters of CLDR (UTS 35): Monday, 9 March 2026
        return self._dated(day, self.gettext("EEEE, d MMMM y"))

    def short_date(self, day: date, issue: date | None = None) -> str:
        """The date as a source line shows it: without the year where that is the issue's."""
        if issue is None or day.year != issue.year:
            # NOTE: a date in the letters of CLDR (UTS 35): 9 March 2026
            return self._dated(day, self.gettext("d MMMM y"))
        # NOTE: a date in the letters of CLDR (UTS 35): 9 March
        return self._dated(day, self.gettext("d MMMM"))

    def _dated(self, day: date, pattern: str) -> str:
        return format_date(day, pattern, locale=Locale.parse(self.lang, sep="-"))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Labels":
        """Build from the plain values of `to_dict`, after JSON or not."""
        forms = {original: tuple(translations) for original, translations in values["forms"].items()}
        return cls(values["lang"], values["plural"], forms)


def load_labels(folder: Path) -> dict[str, Labels]:
    """The languages that have a catalogue (`zh.po`) in a folder; raises ValueError naming the file that is wrong."""
    labels = {}
    for path in sorted(folder.glob("*.po")):
        try:
            labels[path.stem] = read_labels(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from error
    return labels


def read_labels(source: str) -> Labels:
    """Read a catalogue, the text of a `.po` file.

    Raises ValueError that says what is wrong: no gettext catalogue, a language that CLDR does not know, a plural rule
    that leaves its forms, or a translation with a placeholder that nothing fills (with its line).
    """
    try:
        catalogue = read_po(BytesIO(source.encode()), abort_invalid=True)
        rule = _rule(catalogue.plural_expr)
        fits = all(0 <= rule(n) < catalogue.num_plurals for n in _COUNTS)
    except (PoFileError, UnknownLocaleError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"this is no gettext catalogue that can be used: {error}") from error
    if catalogue.locale is None:
        raise ValueError(f"its header names no language that CLDR knows: {catalogue.locale_identifier!r}")
    if not fits:
        raise ValueError(f"its plural rule leaves its {catalogue.num_plurals} forms: {catalogue.plural_expr}")
    return Labels(_tag(catalogue.locale), catalogue.plural_expr, _forms(catalogue))


def _tag(locale: Locale) -> str:
    """The name of a locale in HTML, without the script where language and territory say it: `zh-CN`."""
    short = "-".join(filter(None, (locale.language, locale.territory)))
    return short if Locale.parse(short, sep="-") == locale else str(locale).replace("_", "-")


def _forms(catalogue: Catalog) -> dict[str, tuple[str, ...]]:
    """The translations that are whole and sure: a fuzzy one is a guess of a tool."""
    forms = {}
    for message in catalogue:
        translated = _strings(message.string)
        if not message.id or message.fuzzy or not all(translated):
            continue
        known = placeholders(*_strings(message.id), *message.auto_comments)
        if wrong := placeholders(*translated) - known:
            raise ValueError(f"line {message.lineno}: nothing fills {', '.join(sorted(wrong))}")
        forms[_strings(message.id)[0]] = translated
    return forms


def _strings(texts: Any) -> tuple[str, ...]:
    """Babel has one string, or several where there are plural forms."""
    return (texts,) if isinstance(texts, str) else tuple(texts or ("",))


def placeholders(*texts: str) -> set[str]:
    """The placeholders in these texts, as they are written."""
    return {found[0] for text in texts for found in PLACEHOLDER.finditer(text)}


def _filled(pattern: str, values: Mapping[str, object]) -> str:
    return _format(pattern).format_map(_Values(values)) if values else pattern


class _Values(dict[str, object]):
    """The values of placeholders; one that lacks stays as it is written."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


@lru_cache(maxsize=256)
def _format(pattern: str) -> str:
    """A pattern for `str.format`, where no brace but those of placeholders means anything."""
    literals = PLACEHOLDER.split(pattern)
    literals[::2] = [literal.replace("{", "{{").replace("}", "}}") for literal in literals[::2]]
    literals[1::2] = ["{" + name + "}" for name in literals[1::2]]
    return "".join(literals)


@lru_cache
def _rule(expression: str) -> Callable[[int], int]:
    """A plural rule from its C expression; raises ValueError for what is none."""
    return c2py(expression)
