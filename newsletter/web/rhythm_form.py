"""The fields for how often and when mail comes, on whichever page they stand: as typed, and as choices."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from subscribers.preferences import DAYS, Frequency, Preferences, is_zone, of_topics

_HOUR = re.compile(r"(?:[01]?[0-9]|2[0-3])(?::00)?", re.ASCII)

Fields = Sequence[tuple[str, str]]
"""Names and values, as a form or a query has them."""


@dataclass(frozen=True, slots=True)
class When:
    """The fields as they stand in the page; None where a form has no such field, which leaves what was chosen before.

    `own` is like `policy=weekly` for each topic that comes otherwise than the rest, `hour` like `7`, `day` like `fri`.
    """

    frequency: str | None = None
    own: tuple[str, ...] | None = None
    day: str | None = None
    hour: str | None = None
    zone: str | None = None

    @classmethod
    def of(cls, fields: Fields) -> "When":
        """The fields as somebody filled them."""
        said = dict(reversed(fields))  # the first of a name counts
        own = tuple(value for name, value in fields if name == "own")
        texts = {name: said[name].strip() for name in ("frequency", "day", "hour", "zone") if name in said}
        return cls(**texts, own=tuple(filter(None, own)) if own else None)

    @classmethod
    def chosen(cls, preferences: Preferences) -> "When":
        """The fields as kept choices fill them."""
        return cls(
            frequency=str(preferences.frequency),
            own=tuple(f"{topic}={own}" for topic, own in preferences.frequencies),
            day="" if preferences.day is None else DAYS[preferences.day],
            hour="" if preferences.hour is None else str(preferences.hour),
            zone=preferences.zone or "",
        )

    @property
    def query(self) -> list[tuple[str, str]]:
        """The fields that decide what a mail holds, for the query of an address that shows one."""
        own = [("own", value) for value in self.own or ()] or ([] if self.own is None else [("own", "")])
        return [*([] if self.frequency is None else [("frequency", self.frequency)]), *own]

    @property
    def said(self) -> bool:
        """Whether anything is chosen that is not so by default."""
        others = any((self.own, self.day, self.hour))
        return others or self.frequency not in (None, "", Frequency.DAILY)

    @property
    def address(self) -> str:
        """The fields that say something, as the query of an address that offers them again."""
        chosen = [("frequency", self.frequency), *(("own", one) for one in self.own or ())]
        chosen += [("day", self.day), ("hour", self.hour), ("zone", self.zone)]
        return urlencode([(name, value) for name, value in chosen if value and value != Frequency.DAILY])

    def mistakes(self) -> dict[str, str]:
        """By field, the key of the words that say what is wrong with it."""
        found = {}
        if self.hour and not _HOUR.fullmatch(self.hour):
            found["hour"] = "rhythm_wrong_hour"
        if self.zone and not is_zone(self.zone):
            found["zone"] = "rhythm_wrong_zone"
        return found

    def applied(self, choices: Preferences, home: str) -> Preferences:
        """Choices with what the fields say; a wrong field leaves them as they are.

        Who names an hour and no zone means `home`, the newsletter's own; a zone without an hour says nothing.
        """
        wrong = self.mistakes()
        frequency = self.frequency if self.frequency in tuple(Frequency) else choices.frequency
        own = choices.frequencies if self.own is None else tuple(_own(self.own))
        changed = replace(
            choices,
            frequency=Frequency(frequency or Frequency.DAILY),
            frequencies=of_topics(own, choices.topics),
            day=choices.day if self.day is None else DAYS.index(self.day) if self.day in DAYS else None,
        )
        if self.hour is None or wrong:
            return changed
        if not self.hour:
            return replace(changed, hour=None)
        return replace(changed, hour=int(self.hour.partition(":")[0]), zone=self.zone or home)


def _own(values: Sequence[str]) -> list[tuple[str, Frequency]]:
    pairs = (value.partition("=") for value in values)
    return [(slug, Frequency(word)) for slug, _, word in pairs if word in tuple(Frequency)]
