"""What a check says: a verdict, what was seen, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended: `wrong` keeps mail from being sent or taken, `warning` may do so one day."""

    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its name, the verdict, what was seen, and the advice (empty when there is nothing to do)."""

    name: str
    verdict: Verdict
    what: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The findings about one subject, such as the database or one mail server."""

    subject: str
    findings: tuple[Finding, ...]


def ok(name: str, what: str) -> Finding:
    """A check that found what it should."""
    return Finding(name, Verdict.OK, what)


def warning(name: str, what: str, advice: str) -> Finding:
    """Something that works today and should be mended all the same."""
    return Finding(name, Verdict.WARNING, what, advice)


def wrong(name: str, what: str, advice: str) -> Finding:
    """Something that keeps mail from being sent, or from being taken by receivers."""
    return Finding(name, Verdict.WRONG, what, advice)


def not_checked(name: str, why: str, advice: str = "") -> Finding:
    """A check that could not be made here, with the reason."""
    return Finding(name, Verdict.NOT_CHECKED, why, advice)
