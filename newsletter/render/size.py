"""How large a compiled issue's mails can get: what approval looks at, and Gmail's clip at 102 kB."""

from datetime import UTC, datetime

from newsletter.compose.edition import FOLLOWED, Edition, Group
from newsletter.render.assemble import assemble
from newsletter.render.compiled import CompiledIssue, StoryEntry
from newsletter.render.message import html_of
from newsletter.render.recipient import Recipient
from newsletter.render.transfer import wire

_LONG_TOKEN = "t" * 64
_LONG_ADDRESS = f"a@{'d' * 63}.example.org"


def full_edition(compiled: CompiledIssue, most: int | None = None) -> Edition:
    """Every story of the issue, each under its first topic; those of no topic under `FOLLOWED`.

    Where a mail brings so many at `most`, those with the most HTML.
    """
    groups: dict[str, list[str]] = {}
    for story in _largest(compiled, most) if most else compiled.stories:
        groups.setdefault(story.topics[0] if story.topics else FOLLOWED, []).append(story.id)
    return Edition(tuple(Group(topic, tuple(stories)) for topic, stories in groups.items()))


def _largest(compiled: CompiledIssue, most: int) -> list[StoryEntry]:
    """The stories with the most HTML, in the order of the issue."""

    def html_bytes(index: int) -> int:
        parts = (compiled.html[name] for name in (f"entry.{index}", f"story.{index}") if name in compiled.html)
        return sum(len(literal.encode()) for part in parts for literal in part.literals)

    chosen = sorted(range(len(compiled.stories)), key=html_bytes, reverse=True)[:most]
    return [compiled.stories[index] for index in sorted(chosen)]


def largest_html_bytes(compiled: CompiledIssue, most: int | None = None) -> int:
    """The size in bytes of the decoded HTML of the fullest edition, for a reader of every topic; 0 without stories.

    `most` is how many stories a mail brings at most (None: all).
    """
    edition = full_edition(compiled, most)
    if not edition:
        return 0
    topics = tuple(topic for topic in compiled.headings if topic != FOLLOWED)
    tokens = (_LONG_TOKEN, _LONG_TOKEN, _LONG_TOKEN)
    reader = Recipient("size", _LONG_ADDRESS, datetime(2000, 1, 1, tzinfo=UTC), topics, *tokens)
    return len(wire(html_of(assemble(compiled, edition), reader)))
