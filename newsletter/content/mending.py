"""A mend as a value, and the short ways to make one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Topic(Protocol):
    """What a mend needs of a topic; `subscribers.topics.Topic` is one."""

    @property
    def slug(self) -> str:
        """Its short name, for `topics:` and 主题."""

    @property
    def zh(self) -> str:
        """Its Chinese name."""

    @property
    def en(self) -> str:
        """Its English name."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other headings that mean it."""


class Catalogue(Protocol):
    """The topics there are; `subscribers.topics.Catalogue` is one."""

    @property
    def topics(self) -> tuple[Topic, ...]:
        """In the order that readers see."""


@dataclass(frozen=True, slots=True)
class Mend:
    """Lines to write instead of others.

    `label` says what happens: `write` (what `shown` says stands there then), `rename` (a heading or a word gets the
    name that is shown), `add` (a line comes in), `unlink` (of a link its label stays), `remove` (lines go). `old` holds
    the lines from `line` on (first = 1) as they stand, joined by line feeds; `new` what stands there instead, None for
    no line at all.
    """

    label: str
    line: int
    old: str
    new: str | None
    shown: str = ""


def rewritten(label: str, lines: Sequence[str], number: int, new: str, *, shown: str) -> Mend:
    """One line, written anew."""
    return Mend(label, number, lines[number - 1], new, shown)


def appended(label: str, lines: Sequence[str], number: int, more: str) -> Mend:
    """One line with something behind it."""
    return Mend(label, number, lines[number - 1], lines[number - 1] + more, more)


def added(lines: Sequence[str], number: int, new: str) -> Mend:
    """A line below the one of that number."""
    return Mend("add", number, lines[number - 1], f"{lines[number - 1]}\n{new}", new.strip())


def removed(lines: Sequence[str], first: int, last: int) -> Mend:
    """No lines from the first to the last."""
    return Mend("remove", first, "\n".join(lines[first - 1 : last]), None, lines[first - 1].strip())
