"""What a mail says in one language beside its stories: read from a gettext catalogue, stored with what is compiled."""

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, tzinfo
from functools import lru_cache
from gettext import c2py
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.core import Locale, UnknownLocaleError, get_global
from babel.dates import format_date, get_timezone_name
from babel.messages.catalog import Catalog
from babel.messages.pofile import PoFileError, read_po

PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
"""What stands in a message for a value. Nothing else does: all that `str.format` knows would let a theme reach far."""

_MONDAY = date(2026, 3, 9)
_DATES = ("EEEE, d MMMM y", "d MMMM y", "d MMMM", "d–|d MMMM", "d MMMM – |d MMMM")
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
        english, forms = one if n == 1 else many, self.forms.get(one, ())
        place = _rule(self.plural)(n)
        return _filled(forms[place] if place < len(forms) else english, {"n": n, **values})

    def long_date(self, day: date) -> str:
        """The date as the masthead shows it, with its weekday."""
        # NOTE: a date in the letters of CLDR (UTS 35): Monday, 9 March 2026
        return self.dated(day, self.gettext("EEEE, d MMMM y"))

    def short_date(self, day: date, issue: date | None = None) -> str:
        """The date as a source line shows it: without the year where that is the issue's."""
        if issue is None or day.year != issue.year:
            # NOTE: a date in the letters of CLDR (UTS 35): 9 March 2026
            return self.dated(day, self.gettext("d MMMM y"))
        # NOTE: a date in the letters of CLDR (UTS 35): 9 March
        return self.dated(day, self.gettext("d MMMM"))

    def days(self, first: date, last: date) -> str:
        """A span of days as a masthead shows it, without a year: 9–13 March, 30 March – 3 April."""
        if first == last:
            return self.dated(last, self.gettext("d MMMM"))
        if (first.year, first.month) == (last.year, last.month):
            # NOTE: the first and the last of some days of one month in the letters of CLDR (UTS 35): 9–13 March
            pattern = self.gettext("d–|d MMMM")
        else:
            # NOTE: the first and the last of some days of two months, in the same letters: 30 March – 3 April
            pattern = self.gettext("d MMMM – |d MMMM")
        begin, _, end = pattern.partition("|")
        return self.dated(first, begin) + (self.dated(last, end) if end else "")

    def dated(self, day: date, pattern: str) -> str:
        """The date in the letters of CLDR (UTS 35): of `MMMM y` comes March 2026."""
        return format_date(day, pattern, locale=_locale(self.lang))

    def zone_name(self, zone: tzinfo) -> str:
        """A time zone by the name that people know it by, the same in summer and in winter: China Time."""
        placed = str(zone) != "UTC"  # which lies nowhere, and has one name alone
        return get_timezone_name(zone, zone_variant=None if placed else "standard", locale=_locale(self.lang))

    def zone_city(self, name: str) -> str:
        """The city that an IANA zone is called by: Europe/Berlin is Berlin, or 柏林."""
        return _city(self.lang, name)

    def week_day(self, day: int, pattern: str) -> str:
        """A day of the week (0 is Monday) in the letters of CLDR: of `EEEE` comes Monday."""
        return self.dated(_MONDAY.fromordinal(_MONDAY.toordinal() + day), pattern)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Labels":
        """Build from the plain values of `to_dict`, after JSON or not."""
        forms = {original: tuple(translations) for original, translations in values["forms"].items()}
        return cls(values["lang"], values["plural"], forms)


def load_labels(folder: Path) -> dict[str, Labels]:
    """The languages that have a catalogue (`zh.po`) in a folder.

    Raises ValueError naming the file that is wrong, as `read_labels` does, and when a message has plural forms in
    another catalogue but not in this one.
    """
    catalogues: dict[Path, Catalog] = {}
    for path in sorted(folder.glob("*.po")):
        with _named(path):
            catalogues[path] = _catalogue(path.read_text(encoding="utf-8"))
    counted = {message.id[0] for catalogue in catalogues.values() for message in catalogue if message.pluralizable}
    labels = {}
    for path, catalogue in catalogues.items():
        with _named(path):
            labels[path.stem] = _labels(catalogue, counted)
    return labels


def read_labels(source: str) -> Labels:
    """Read a catalogue, the text of a `.po` file.

    Raises ValueError that says what is wrong: no gettext catalogue, a language that CLDR does not know, a plural rule
    that leaves its forms, or (with its line) a translation with a placeholder that nothing fills, or without one of
    its original.
    """
    return _labels(_catalogue(source))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in which something is wrong."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def _catalogue(source: str) -> Catalog:
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
    return catalogue


def _tag(locale: Locale) -> str:
    """The name of a locale in HTML, without the script where language and territory say it: `zh-CN`."""
    short = "-".join(filter(None, (locale.language, locale.territory)))
    return short if Locale.parse(short, sep="-") == locale else str(locale).replace("_", "-")


def _labels(catalogue: Catalog, counted: Container[str] = ()) -> Labels:
    """The translations that are whole and sure: a fuzzy one is a guess of a tool. `counted` messages have plurals."""
    forms: dict[str, tuple[str, ...]] = {}
    alone = _for_one_number(catalogue)
    for message in catalogue:
        translated = _strings(message.string)
        if not message.id or message.fuzzy or not all(translated):
            continue
        original = _strings(message.id)
        if len(original) == 1 and original[0] in counted:
            raise ValueError(f"line {message.lineno}: {original[0]!r} goes by a number: it lacks msgid_plural")
        for place, form in enumerate(translated):
            if wrong := _wrong(form, original, message.auto_comments, len(original) > 1 and place in alone):
                raise ValueError(f"line {message.lineno}: {wrong}")
        forms[original[0]] = translated
    labels = Labels(_tag(catalogue.locale), catalogue.plural_expr, forms)
    _require_dates(labels)
    return labels


def _require_dates(labels: Labels) -> None:
    """Raise ValueError for a date whose letters CLDR does not know: better now than when a mail is made."""
    day = date(2026, 3, 9)
    says = (
        *(labels.long_date, labels.short_date, lambda day: labels.short_date(day, day)),
        *(lambda day: labels.days(day.replace(day=1), day), lambda day: labels.days(day.replace(month=1), day)),
    )
    for say in says:
        try:
            say(day)
        except (ValueError, LookupError) as error:
            patterns = [labels.gettext(original) for original in _DATES]
            raise ValueError(f"one of its dates ({'; '.join(patterns)}) is no pattern of CLDR's: {error}") from error


def _wrong(form: str, original: Sequence[str], notes: Sequence[str], says_its_number: bool) -> str:
    """What is wrong with the placeholders of a translation, in words.

    One that a note offers may stand instead of one of the original, and a form for one number alone can do without it.
    """
    asked, used, offered = placeholders(*original), placeholders(form), placeholders(*notes)
    if idle := used - asked - offered:
        return f"nothing fills {', '.join(sorted(idle))}"
    lost = asked - used - ({"{n}"} if says_its_number else set())
    return "" if len(lost) <= len(used - asked) else f"the translation leaves out {', '.join(sorted(lost))}"


def _for_one_number(catalogue: Catalog) -> set[int]:
    """The plural forms that are for a single number, so that they may say it in a word: one of your topics."""
    used = Counter(map(_rule(catalogue.plural_expr), _COUNTS[1:]))
    return {place for place, numbers in used.items() if numbers == 1}


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


@lru_cache(maxsize=2048)
def _city(lang: str, name: str) -> str:
    """What CLDR calls a zone's city; it keeps names that were given up since, so those are looked for too."""
    known = _locale(lang).time_zones
    for key in (name, *_former_names().get(name, ())):
        if city := known.get(key, {}).get("city"):
            return str(city)
    return name.rpartition("/")[2].replace("_", " ")


@lru_cache
def _former_names() -> Mapping[str, Sequence[str]]:
    former: dict[str, list[str]] = {}
    for old, new in get_global("zone_aliases").items():
        former.setdefault(new, []).append(old)
    return former


@lru_cache
def _locale(lang: str) -> Locale:
    return Locale.parse(lang, sep="-")  # which looks through all the languages that there are


@lru_cache
def _rule(expression: str) -> Callable[[int], int]:
    """A plural rule from its C expression; raises ValueError for what is none."""
    return c2py(expression)
