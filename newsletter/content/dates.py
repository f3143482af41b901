"""Finding the date in a heading, and the heading without it."""

import re
from dataclasses import dataclass
from datetime import date

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" for name in _MONTHS) + "|sept"
_FORMS = (
    re.compile(r"(?<![\d.])(?P<year>\d{4,6})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\d])"),
    re.compile(r"(?<!\d)(?P<year>\d{4,6})\s?年\s?(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号]"),
    re.compile(rf"\b(?P<name>{_MONTH})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4,6}})(?!\d)", re.I),
    re.compile(rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)? (?P<name>{_MONTH})\.?,? (?P<year>\d{{4,6}})(?!\d)", re.I),
)
_NARROW = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}
_AROUND = " \t\u3000,，:：|｜·-–—~_/"
_PAIRS = (("(", ")"), ("（", "）"), ("[", "]"), ("【", "】"))


@dataclass(frozen=True, slots=True)
class DatedText:
    """A text without its date. `written` is the date as it stood there; `date` is None when there is no such day."""

    text: str
    written: str
    date: date | None


def _day(found: re.Match[str]) -> date | None:
    parts = found.groupdict()
    month = (
        int(parts["month"])
        if parts.get("month")
        else [name[:3] for name in _MONTHS].index(parts["name"][:3].lower()) + 1
    )
    try:
        return date(int(parts["year"]), month, int(parts["day"]))
    except ValueError:
        return None


def find_date(text: str) -> DatedText:
    """The first date in a text: `2026-02-04`, `2026/2/4`, `2026.2.4`, `2026年2月4日`, `February 4, 2026`.

    Full-width digits count. When there is none, `written` is empty.
    """
    narrow = text.translate(_NARROW)
    for form in _FORMS:
        if found := form.search(narrow):
            return DatedText(_cut(text, found.start(), found.end()), text[found.start() : found.end()], _day(found))
    return DatedText(text.strip(), "", None)


def _cut(text: str, start: int, end: int) -> str:
    before, after = text[:start].rstrip(), text[end:].lstrip()
    for opening, closing in _PAIRS:
        if before.endswith(opening) and after.startswith(closing):
            before, after = before[:-1], after[1:]
            break
    return f"{before.rstrip(_AROUND)} {after.lstrip(_AROUND)}".strip()
