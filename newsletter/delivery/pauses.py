"""What a mailing was paused for, as `Mailing.why` keeps it: a code and its two numbers, such as `first 2 25`.

| code | the numbers | meaning |
|---|---|---|
| hand | | a person paused it |
| first | wrong, of | too many of those it began with were not reached |
| share | wrong, of | too many of its readers so far were not reached |
| strange | wrong, of | nearly all of the last few failed in a way that cannot be the readers' doing |
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What mailings are paused for."""

    HAND = "hand"
    FIRST = "first"
    SHARE = "share"
    STRANGE = "strange"


_KEPT = re.compile(rf"(?P<cause>{'|'.join(Cause)})(?: (?P<wrong>\d+) (?P<of>\d+))?")
_ENGLISH = {
    Cause.HAND: "by hand",
    Cause.FIRST: "{wrong} of the first {of} readers were not reached",
    Cause.SHARE: "{wrong} of {of} readers were not reached",
    Cause.STRANGE: (
        "{wrong} of the last {of} readers are unknown to the server, their lines broke, or their messages could not be "
        "made: that is hardly their fault"
    ),
}


@dataclass(frozen=True, slots=True)
class Pause:
    """A cause, how many readers went wrong, and of how many; both are 0 where a person paused."""

    cause: Cause
    wrong: int = 0
    of: int = 0

    def __str__(self) -> str:
        return f"{self.cause} {self.wrong} {self.of}" if self.of else str(self.cause)


def read_pause(why: str) -> Pause | None:
    """What `Mailing.why` keeps; None for other text, such as a sentence from before there were codes."""
    found = _KEPT.fullmatch(why)
    return Pause(Cause(found["cause"]), int(found["wrong"] or 0), int(found["of"] or 0)) if found else None


def in_english(why: str) -> str:
    """What `Mailing.why` keeps, as the command line says it; other text as it is."""
    pause = read_pause(why)
    return _ENGLISH[pause.cause].format(wrong=pause.wrong, of=pause.of) if pause else why
