"""A page as a judge sees it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class View:
    """A page to be judged: its name, where a browser finds it, and what the server sends for it in each language.

    `found` is false for a page that says that there is nothing, with a status of 4xx.
    """

    name: str
    url: str
    found: bool
    html: dict[str, str]
