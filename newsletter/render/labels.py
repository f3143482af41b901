"""The words of a theme in one language: labels, dates and sentence patterns, read from its `labels.toml`."""

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

Pair = tuple[str, str]
"""A pattern for exactly one, and one for any other number `{n}`."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Every word that the theme adds to a mail; see `templates/email/daily/labels.toml` for what fills `{...}`."""

    lang: str
    colon: str
    summary: str
    background: str
    points: str
    source: str
    tags: str
    contents: str
    followed: str
    more: str
    image: str
    unsubscribe: str
    date: str
    day: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...]
    stories: Pair
    topics: Pair
    keywords: str
    both: str
    count: str
    subject: str
    test: str
    list: str
    titles: str
    reason: str
    reason_plain: str

    def long_date(self, day: datetime.date) -> str:
        """The date as the masthead shows it, with its weekday."""
        return self._dated(self.date, day)

    def short_date(self, day: datetime.date) -> str:
        """The date as a source line shows it, without the year."""
        return self._dated(self.day, day)

    def _dated(self, pattern: str, day: datetime.date) -> str:
        return pattern.format(
            year=day.year, month=self.months[day.month - 1], day=day.day, weekday=self.weekdays[day.weekday()]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Labels":
        """Build from plain values; raises ValueError naming the labels that are missing or unknown."""
        wanted = {field.name for field in fields(cls)}
        if wrong := sorted(wanted ^ values.keys()):
            raise ValueError(f"missing or unknown labels: {', '.join(wrong)}")
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**plain)


def read_labels(text: str) -> dict[str, Labels]:
    """Read `labels.toml`: one table per language; raises ValueError that says which language lacks what."""
    labels = {}
    for language, values in tomllib.loads(text).items():
        try:
            labels[language] = Labels.from_dict(values)
        except ValueError as error:
            raise ValueError(f"labels.toml, [{language}]: {error}") from error
    return labels


def one_or_many(pair: Pair, number: int) -> str:
    """The pattern of a pair that fits a number, filled with it."""
    return pair[0] if number == 1 else pair[1].format(n=number)
