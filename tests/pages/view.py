"""A page as a judge sees it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A page to be judged: its name, where a browser finds it, and what the server sends for it in each language."""

    name: str
    url: str
    html: dict[str, str]
