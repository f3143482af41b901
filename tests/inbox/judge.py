"""What a judge is: somebody else's program that says of a mail whether it will do, and can be shown a bad one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Sample:
    """A mail to be judged: its name, the message as it goes over the wire, and its decoded parts.

    `html` is empty for a reader who asked for text alone.
    """

    name: str
    data: bytes
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a judge said of one sample, with the figure it measured; `worst` ranks figures, the highest is shown."""

    sample: str
    passed: bool
    figure: str
    worst: float = 0


Shown = TypeVar("Shown")


class Judge(Protocol[Shown]):
    """Somebody else's program, and what it is shown."""

    name: str
    """What the table calls it."""
    bar: str
    """What it has to say for us to pass."""

    def lack(self) -> str:
        """What of it this machine lacks, and which command brings it; empty when nothing."""

    def version(self) -> str:
        """Its own version."""

    def judge(self, samples: Sequence[Shown]) -> list[Ruling]:
        """Its rulings: one for each sample it has a say in, or one for all of them together."""

    def judge_bad(self) -> list[Ruling]:
        """Its rulings on what it has to reject: a judge that lets anything pass proves nothing."""
