"""What a preview is looked at as: for whom, and how it is shown. Read from a query, written back into links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from subscribers.preferences import LANGUAGES

VIEWS = ("desktop", "phone", "dark", "text")

_LONGEST = 320
"""No address and no search is longer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One state of the preview page.

    `by` is `topics` or `reader`; `reader` is an address, empty until one was picked; `topics` are slugs, none meaning
    all of the issue's; `search` is what the list of readers is narrowed by.
    """

    slug: str
    by: str = "topics"
    reader: str = ""
    topics: tuple[str, ...] = ()
    language: str = LANGUAGES[0]
    view: str = VIEWS[0]
    search: str = ""

    @classmethod
    def of(cls, slug: str, query: QueryParams) -> "Choice":
        """Read a query; what makes no sense counts as not said."""
        reader = query.get("reader", "").strip()[:_LONGEST]
        language, view = query.get("language", ""), query.get("view", "")
        return cls(
            slug=slug,
            by="reader" if reader or query.get("by") == "reader" else "topics",
            reader=reader,
            topics=tuple(dict.fromkeys(query.getlist("topics")))[:100],
            language=language if language in LANGUAGES else LANGUAGES[0],
            view=view if view in VIEWS else VIEWS[0],
            search=query.get("q", "").strip()[:_LONGEST],
        )

    def link(self, **changes: Any) -> str:
        """The address of the preview page with some of this changed."""
        return self._address("", replace(self, **changes)._page_query())

    @property
    def home(self) -> str:
        """The address of the preview page, for forms to add their fields to."""
        return self._address("", {})

    @property
    def mail_link(self) -> str:
        """The address of the part that is shown, alone and as it would be sent."""
        return self._address("/mail", {**self._query(), "format": "text" if self.view == "text" else ""})

    @property
    def frame_link(self) -> str:
        """The address of what the frame shows."""
        return self._address("/mail", {**self._query(), "scheme": "dark" if self.view == "dark" else ""})

    @property
    def message_link(self) -> str:
        """The address of the whole message."""
        return self._address("/message.eml", self._query())

    def _address(self, page: str, query: Mapping[str, Any]) -> str:
        said = urlencode({name: value for name, value in query.items() if value}, doseq=True)
        return f"/preview/{quote(self.slug, safe='')}{page}" + (f"?{said}" if said else "")

    def _query(self) -> dict[str, Any]:
        """What decides the bytes of the mail."""
        if self.by == "reader":
            return {"reader": self.reader}
        return {"topics": self.topics, "language": self.language if self.language != LANGUAGES[0] else ""}

    def _page_query(self) -> dict[str, Any]:
        shown = {"view": self.view if self.view != VIEWS[0] else ""}
        if self.by == "reader":
            return {"by": "reader", **self._query(), "q": self.search, **shown}
        return {**self._query(), **shown}
