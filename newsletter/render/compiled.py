"""A compiled issue: fragments and the rules that join them, as one value that can be stored and approved."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from newsletter.render.fragment import Fragment, Piece
from newsletter.render.headers import MessageRefused
from newsletter.render.labels import Labels
from newsletter.render.publication import Publication

PERSONAL = "personal"
"""The only fragment of either part with slots that depend on the reader; nothing but `TAIL` stands behind it."""

TAIL = "tail"
"""The last fragment of either part."""

LINKS = ("unsubscribe", "preferences", "view")
"""The personal slots that hold an address, each named as the address begins."""

FORM = 3
"""Counts the forms that `to_json` has written; another one when a field, a slot or a part of the page comes or goes."""


@dataclass(frozen=True, slots=True)
class StoryEntry:
    """What subject, preheader and selection need of a story: its title and summary as plain text, and its topics."""

    id: str
    name: str
    teaser: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledIssue:
    """One revision of an issue in one theme and language.

    `subject` and `preheader` are what the front matter fixed, else empty, and `prefix` is what a subject begins with
    that is made for an edition; `names` are headings by slug; `headings` are the slugs that stories may stand under, in
    the order of their `section.N` fragments; `html` and `text` are the fragments by the names of
    `newsletter.render.outline`. `pieces` are the HTML fragments without slots, already encoded. One that was compiled
    to be looked at has neither `text` nor `pieces`, and no message is made of it.
    """

    theme: str
    language: str
    publication: Publication
    subject: str
    preheader: str
    labels: Labels
    names: Mapping[str, str]
    headings: tuple[str, ...]
    stories: tuple[StoryEntry, ...]
    html: Mapping[str, Fragment]
    text: Mapping[str, Fragment]
    prefix: str = ""
    pieces: Mapping[str, Piece] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Encode what is the same in every message."""
        pieces = {
            name: Piece.of(fragment.literals[0])
            for name, fragment in self.html.items()
            if self.text and not fragment.slots and name != TAIL
        }
        object.__setattr__(self, "pieces", pieces)

    def to_json(self) -> str:
        """Everything as JSON, in one canonical form: equal values give equal strings."""
        values = {name: getattr(self, name) for name in ("theme", "language", "subject", "preheader")}
        values |= {
            "form": FORM,
            "publication": asdict(self.publication),
            "labels": self.labels.to_dict(),
            "names": dict(self.names),
            "headings": self.headings,
            "stories": [asdict(story) for story in self.stories],
            "html": _fragments_out(self.html),
            "text": _fragments_out(self.text),
        }
        if self.prefix:  # where there is none, an approval holds that was given before there were any
            values["prefix"] = self.prefix
        return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "CompiledIssue":
        """The compiled issue that `to_json` wrote; raises MessageRefused when that was another version's."""
        values: dict[str, Any] = json.loads(text)
        if values.pop("form", None) != FORM:
            raise MessageRefused("it was compiled by another version of newsletter: approve the issue again")
        values |= {
            "publication": Publication(**values["publication"]),
            "labels": Labels.from_dict(values["labels"]),
            "headings": tuple(values["headings"]),
            "stories": tuple(StoryEntry(**(story | {"topics": tuple(story["topics"])})) for story in values["stories"]),
            "html": _fragments_in(values["html"]),
            "text": _fragments_in(values["text"]),
        }
        return cls(**values)

    @property
    def content_hash(self) -> str:
        """SHA-256 over fragments, subject rule and publication: what an approval is bound to."""
        return sha256(self.to_json().encode()).hexdigest()


def _fragments_out(fragments: Mapping[str, Fragment]) -> dict[str, list[Any]]:
    return {name: [fragment.literals, fragment.slots] for name, fragment in fragments.items()}


def _fragments_in(values: dict[str, list[Any]]) -> dict[str, Fragment]:
    return {name: Fragment(tuple(literals), tuple(slots)) for name, (literals, slots) in values.items()}
