"""The time zones that forms offer: by part of the world, by the city that each is called by, with what its clocks show.

The names are those of `zone.tab`, one for each region and country that keeps a time of its own; the database has more,
which mean the same and may be chosen by who knows them (a browser that says Asia/Calcutta, a reader list).
"""

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from newsletter.web.archive_view import labels
from subscribers.preferences import is_zone

_UTC = "UTC"


def zone_options(words: Mapping[str, str], language: str, day: date, chosen: str) -> Markup:
    """The options of a select for a zone, that of `chosen` selected; a name that is none of them stands first."""
    options = _options(tuple(words[f"zone_{part}"] for part in _PARTS), language, day)
    mark = Markup(' value="{}"').format(chosen)
    if not chosen:
        return options
    if mark in options:
        return Markup(options.replace(mark, mark + Markup(" selected"), 1))  # noqa: S704 - both are markup
    city = labels(language).zone_city(chosen) if is_zone(chosen) else chosen
    return Markup('<option value="{}" selected>{}</option>').format(chosen, city) + options


@lru_cache(maxsize=8)
def _options(parts: tuple[str, ...], language: str, day: date) -> Markup:
    """The same for everybody on a day: what clocks show changes twice a year."""
    noon = datetime.combine(day, time(12), ZoneInfo(_UTC))
    pieces = []
    for part, name in zip(_PARTS, parts, strict=True):
        pieces.append(f'<optgroup label="{escape(name)}">')
        pieces += [f'<option value="{zone}">{escape(text)}</option>' for zone, text in _shown(part, language, noon)]
        pieces.append("</optgroup>")
    return Markup("".join(pieces))  # noqa: S704 - every name is escaped, and zones have letters and signs alone


def _shown(part: str, language: str, noon: datetime) -> list[tuple[str, str]]:
    """The zones of a part of the world, in the order people look for them in.

    In English that is the alphabet; Chinese has none that everybody knows, so there it is from west to east.
    """
    said = labels(language)
    found = [(noon.astimezone(ZoneInfo(zone)), said.zone_city(zone), zone) for zone in _by_part()[part]]
    if language == "en":
        found.sort(key=lambda one: one[1])
    else:
        found.sort(key=lambda one: (one[0].utcoffset(), one[2]))
    return [(zone, _text(city, moment, language)) for moment, city, zone in found]


def _text(city: str, moment: datetime, language: str) -> str:
    sign, hours, minutes = (offset := f"{moment:%z}")[0], int(offset[1:3]), offset[3:5]
    offset = f"UTC{sign}{hours}" + (f":{minutes}" if minutes != "00" else "")
    return f"{city} ({offset})" if language == "en" else f"{city}（{offset}）"


@cache
def _by_part() -> Mapping[str, tuple[str, ...]]:
    """The names by what stands before their first slash."""
    lines = (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines()
    names = sorted({line.split("\t")[2] for line in lines if line and not line.startswith("#")})
    by_part = {part: tuple(found) for part, found in groupby(names, lambda name: name.partition("/")[0])}
    return {part: tuple(filter(is_zone, by_part.get(part, ()))) for part in _PARTS} | {_UTC: (_UTC,)}


_PARTS = (
    "Asia", "Europe", "America", "Africa", "Australia", "Pacific", "Atlantic", "Indian", "Arctic", "Antarctica", _UTC
)  # fmt: skip
"""The parts of the world as the database names them; those with most people first."""
