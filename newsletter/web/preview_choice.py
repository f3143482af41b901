"""What a preview is looked at as: for whom, and how it is shown. Read from a query, written back into links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import QueryParams

from newsletter.editorial.timetable import moment_from
from subscribers.preferences import LANGUAGES

VIEWS = ("desktop", "phone", "dark", "images", "style", "inbox", "text", "source")
"""As a mail is looked at: on wide and narrow and dark screens, without images, without its style block, in the list of
an inbox, as plain text, as the bytes that travel."""

DECODED = "decoded"
"""The source with its parts decoded: a way to look at the source, not one of the views beside it."""

WAYS = ("topics", "reader", "edition")

_LONGEST = 320
"""No address and no search is longer."""

_LOOKS = {"dark": {"scheme": "dark"}, "images": {"images": "off"}, "style": {"style": "off"}}
"""What a view asks of the mail in the frame."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One state of a preview page.

    `by` is `topics`, `reader` or `edition`; `reader` is an address, empty until one was picked; `topics` are slugs,
    none meaning all of the issue's; `edition` is the key of one of the editions that there are; `search` is what the
    list of readers is narrowed by; `moment` is when a send would begin, where that is neither now nor appointed;
    `at` is the path of the page, where it is not that for people at this machine.
    """

    slug: str
    by: str = WAYS[0]
    reader: str = ""
    topics: tuple[str, ...] = ()
    language: str = LANGUAGES[0]
    view: str = VIEWS[0]
    search: str = ""
    edition: str = ""
    moment: datetime | None = None
    at: str = ""

    @classmethod
    def of(cls, slug: str, query: QueryParams, at: str = "") -> "Choice":
        """Read a query; what makes no sense counts as not said.

        The language of the mail's labels is `labels`, because `language` is that of the page around it; where nothing
        else is said, they are the same.
        """
        reader = query.get("reader", "").strip()[:_LONGEST]
        language, view = query.get("labels") or query.get("language", ""), query.get("view", "")
        by = query.get("by", "")
        return cls(
            slug=slug,
            by=by if by in WAYS[1:] else "reader" if reader else WAYS[0],
            reader=reader if by != "edition" else "",
            topics=tuple(dict.fromkeys(query.getlist("topics")))[:100],
            language=language if language in LANGUAGES else LANGUAGES[0],
            view=view if view in (*VIEWS, DECODED) else VIEWS[0],
            search=query.get("q", "").strip()[:_LONGEST],
            edition=query.get("edition", "")[:_LONGEST],
            moment=_moment(query.get("at", "")),
            at=at,
        )

    def link(self, **changes: Any) -> str:
        """The address of the preview page with some of this changed."""
        return self._address("", replace(self, **changes)._page_query())

    @property
    def home(self) -> str:
        """The address of the preview page, for forms to add their fields to."""
        return self._address("", {})

    @property
    def stamp(self) -> str:
        """The moment as it stands in links and forms; empty for none."""
        return stamp(self.moment) if self.moment else ""

    @property
    def is_source(self) -> bool:
        """Whether the bytes are shown, decoded or not."""
        return self.view in ("source", DECODED)

    @property
    def mail_link(self) -> str:
        """The address of the part that is shown, alone and as it would be sent."""
        forms = {"text": {"format": "text"}, "source": {"format": "source"}, DECODED: {"format": "source"}}
        return self._address("/mail", {**self._query(), **forms.get(self.view, {"alone": "1"})})

    @property
    def frame_link(self) -> str:
        """The address of what the frame shows."""
        return self._address("/mail", {**self._query(), **_LOOKS.get(self.view, {})})

    def message_link(self, moment: datetime | None = None) -> str:
        """The address of the whole message, as a send brings it that begins at this moment where one is given."""
        return self._address("/message.eml", replace(self, moment=moment or self.moment)._query())

    def _address(self, page: str, query: Mapping[str, Any]) -> str:
        said = urlencode({name: value for name, value in query.items() if value}, doseq=True)
        return f"{self.at or '/preview/' + quote(self.slug, safe='')}{page}" + (f"?{said}" if said else "")

    def _query(self) -> dict[str, Any]:
        """What decides the bytes of the mail."""
        if self.by != "topics":
            return {"reader": self.reader, "at": self.stamp}
        return {"topics": self.topics, "labels": self.language if self.language != LANGUAGES[0] else ""}

    def _page_query(self) -> dict[str, Any]:
        shown = {"view": self.view if self.view != VIEWS[0] else ""}
        if self.by == "reader":
            return {"by": "reader", **self._query(), "q": self.search, **shown}
        if self.by == "edition":
            return {"by": "edition", "edition": self.edition, "at": self.stamp, **shown}
        return {**self._query(), **shown}


def stamp(moment: datetime) -> str:
    """A moment as an address holds it: in UTC, without the plus sign that a form would read as a blank."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str) -> datetime | None:
    """The moment that a query names, in UTC where it has no offset; None for what is none."""
    try:
        return moment_from(text, UTC)
    except ValueError:
        return None
