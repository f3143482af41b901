"""What a check says: a verdict, what was seen and where. The words to it are in `templates/web/words/desk_checks.toml`.

A check is said in two languages, so it carries its name, which of its sentences fits, and the values in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from newsletter.content.diagnostics import Diagnostic

MOST_PLACES = 20
"""Places that a check names; the sentence says how many there are in all."""


class Verdict(StrEnum):
    """How a check ended: an error would harm every reader or keeps the issue from being approved."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    NOT_CHECKED = "not checked"


SEVEREST = (Verdict.ERROR, Verdict.WARNING, Verdict.NOT_CHECKED, Verdict.OK)
"""In which order a person wants to read them."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was seen.

    `what` is the thing itself (an address, a feature, a text), `note` what is wrong with it; `line` counts from 1 in
    the editor's text and is 0 where it is not known; `story` is a title; `finding` is the reader's diagnostic, where it
    is one.
    """

    what: str
    note: str = ""
    line: int = 0
    story: str = ""
    finding: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    `case` picks the sentence where one verdict has several; `values` stand in it by their names. `places` are the first
    `MOST_PLACES`. `at` is when a check was made that takes long and is kept.
    """

    name: str
    verdict: Verdict
    case: str = ""
    values: Mapping[str, str | int | float] = field(default_factory=dict)
    places: tuple[Place, ...] = ()
    at: datetime | None = None

    @property
    def line(self) -> int:
        """The first line that it names, else 0."""
        return next((place.line for place in self.places if place.line), 0)

    @property
    def sentence(self) -> str:
        """The key of its sentence, behind its name."""
        return self.case or self.verdict.value.replace(" ", "_")


def ok(name: str, **values: str | int | float) -> Check:
    """A check that found nothing wrong."""
    return Check(name, Verdict.OK, values=values)


def not_checked(name: str, case: str = "", **values: str | int | float) -> Check:
    """A check that could not be made, or was not yet."""
    return Check(name, Verdict.NOT_CHECKED, case, values)


def judged(
    name: str, verdict: Verdict, places: Sequence[Place], case: str = "", /, **values: str | int | float
) -> Check:
    """A check that is well without any place, and else has this verdict; `n` counts the places."""
    if not places:
        return ok(name, **values)
    return Check(name, verdict, case, {"n": len(places), **values}, tuple(places[:MOST_PLACES]))
