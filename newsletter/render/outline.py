"""In which order the parts of a mail stand, by the names that the templates give to their marks."""

from collections.abc import Iterable, Sequence

from newsletter.render.compiled import PERSONAL, TAIL
from newsletter.render.marks import TOP

Places = Sequence[tuple[int, Sequence[int]]]
"""For each group of an edition: which heading, and which stories, as indexes into the compiled issue."""


def outline(groups: Places) -> Iterable[str]:
    """The names of all parts before the personal one.

    A line stands behind every story but the very last, so a story needs not know its neighbours.
    """
    stories = [story for _, chosen in groups for story in chosen]
    yield from (TOP, "preheader", "masthead", "count", "contents")
    for story in stories:
        yield f"entry.{story}"
    yield "entries.end"
    left = len(stories)
    for heading, chosen in groups:
        yield f"section.{heading}"
        for story in chosen:
            yield f"story.{story}"
            left -= 1
            if left:
                yield "line"
    yield "foot"


def required(stories: int, headings: int) -> set[str]:
    """The names that a compiled page must have for these numbers of stories and headings."""
    everything = [(heading, range(stories) if heading == 0 else ()) for heading in range(headings)]
    return {*outline(everything), PERSONAL, TAIL}
