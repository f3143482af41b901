"""Lines of marks in dialects without other labels: taken out before a text is read, handed to their stories after."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.fields import Field, match_label, unplaced

Numbered = list[tuple[int, str]]


def without_marks(rows: Iterable[tuple[int, str]]) -> tuple[Numbered, Numbered]:
    """Numbered lines without those of marks, and what stands in those behind the label."""
    rest: Numbered = []
    marks: Numbered = []
    for number, text in rows:
        label = match_label(text)
        if label and label.field is Field.MARKS and label.text:
            marks.append((number, label.text))
        else:
            rest.append((number, text))
    return rest, marks


def by_story(
    marks: Numbered, stories: Sequence[int], sections: Sequence[int], findings: list[Diagnostic]
) -> dict[int, Numbered]:
    """Lines of marks by the line of the story they belong to: the last one that begins above them.

    `stories` and `sections` are lines in rising order. A line of marks between a section's heading and its first story
    belongs to none and becomes a finding.
    """
    found: dict[int, Numbered] = {}
    for number, text in marks:
        story, section = _above(number, stories), _above(number, sections)
        if story and story >= section:
            found.setdefault(story, []).append((number, text))
        else:
            findings.append(unplaced(text, number, "this mark stands in no story; put it below a story's title"))
    return found


def _above(number: int, lines: Sequence[int]) -> int:
    at = bisect_left(lines, number)
    return lines[at - 1] if at else 0
