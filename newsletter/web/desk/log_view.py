"""What somebody looks for in the log, read from a query and written back into links."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from newsletter.delivery.outcome import State

_LONGEST = 320
"""No address is longer."""
_LONGEST_NUMBER = 18
"""Digits of a number that every database can hold."""


@dataclass(frozen=True, slots=True)
class Sought:
    """An address or a part of one, an issue's slug, a state; `before` and `after` are deliveries' ids to go on from."""

    address: str = ""
    issue: str = ""
    state: str = ""
    before: int | None = None
    after: int | None = None

    @classmethod
    def of(cls, query: QueryParams) -> "Sought":
        """Read a query; what makes no sense counts as not said."""
        state = query.get("state", "")
        return cls(
            address=_text(query.get("q", "")),
            issue=_text(query.get("issue", "")),
            state=state if state in set(State) else "",
            before=number(query.get("before", "")),
            after=number(query.get("after", "")),
        )

    @property
    def is_narrow(self) -> bool:
        """Whether anything at all is looked for."""
        return bool(self.address or self.issue or self.state)

    def older(self, than: int) -> str:
        """The address of the page with the entries before a delivery."""
        return replace(self, before=than, after=None)._link()

    def newer(self, than: int) -> str:
        """The address of the page with the entries after a delivery."""
        return replace(self, before=None, after=than)._link()

    def _link(self) -> str:
        said = {
            "q": self.address, "issue": self.issue, "state": self.state, "before": self.before, "after": self.after,
        }  # fmt: skip
        return "/desk/log?" + urlencode({name: value for name, value in said.items() if value})


def number(text: str) -> int | None:
    """The id in a text, or None for what is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER else None


def _text(said: str) -> str:
    """What was typed without what no database looks for."""
    return "".join(character for character in said.strip() if character.isprintable())[:_LONGEST]
