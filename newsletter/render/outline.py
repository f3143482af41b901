"""In which order the parts of a mail stand, by the names that the templates give to their marks."""

from collections.abc import Container, Iterable, Sequence

from newsletter.render.compiled import PERSONAL, TAIL
from newsletter.render.marks import TOP

Places = Sequence[tuple[int, Sequence[int]]]
"""For each group of an edition: which heading, and which stories, as indexes into the compiled issue."""

CONTENTS_TOPIC = "contents."
"""How the names of the headings in the contents begin."""


def outline(groups: Places, topics_in_contents: bool = False) -> Iterable[str]:
    """The names of all parts before the personal one.

    A line stands behind every story but the very last, so a story needs not know its neighbours. One story alone has
    no contents: they would say its title twice. In themes whose contents show topics, each group's entries stand below
    a part of their heading.
    """
    left = sum(len(chosen) for _, chosen in groups)
    yield from (TOP, "preheader", "masthead", "count")
    if left > 1:
        yield from _contents(groups, topics_in_contents)
    yield "stories"
    for heading, chosen in groups:
        yield f"section.{heading}"
        for story in chosen:
            yield f"story.{story}"
            left -= 1
            if left:
                yield "line"
    yield "foot"


def _contents(groups: Places, with_topics: bool) -> Iterable[str]:
    yield "contents"
    for heading, chosen in groups:
        if with_topics:
            yield f"{CONTENTS_TOPIC}{heading}"
        for story in chosen:
            yield f"entry.{story}"
    yield "entries.end"


def shows_topics_in_contents(names: Container[str]) -> bool:
    """Whether a compiled page with parts of these names has the topics in its contents."""
    return f"{CONTENTS_TOPIC}0" in names


def required(stories: int, headings: int, topics_in_contents: bool) -> set[str]:
    """The names that a compiled page must have for these numbers of stories and headings."""
    everything = [(heading, range(stories) if heading == 0 else ()) for heading in range(headings)]
    return {*outline(everything, topics_in_contents), PERSONAL, TAIL}
