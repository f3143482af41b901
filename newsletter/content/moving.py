"""Moving a story to another place of its issue."""

from dataclasses import replace

from newsletter.content.issue import Issue, Section, Story


def move_story(issue: Issue, story: int, section: int, place: int) -> Issue:
    """The issue with one story elsewhere; every number counts from 0.

    `story` counts over the whole issue, `section` over its sections, `place` within that one as it is without the
    story; a `place` beyond its end is the end. What moves under another topic belongs to that one first, and no longer
    to the one it stood under. Raises IndexError for a story or a section that is not there.
    """
    if not (0 <= story < len(issue.stories) and 0 <= section < len(issue.sections)):
        raise IndexError(f"there is no story {story} or no section {section} in this issue")
    home = next(at for at, count in enumerate(_ends(issue)) if story < count)
    left, moved = _taken_out(issue.sections[home], story - (_ends(issue)[home] - len(issue.sections[home].stories)))
    sections = [*issue.sections]
    sections[home] = left
    target = sections[section]
    if section != home:
        moved = _under(moved, issue.sections[home].topic, target.topic)
    at = max(place, 0)
    sections[section] = replace(target, stories=(*target.stories[:at], moved, *target.stories[at:]))
    return replace(issue, sections=tuple(sections))


def _ends(issue: Issue) -> list[int]:
    """How many stories there are up to the end of each section."""
    ends, total = [], 0
    for section in issue.sections:
        total += len(section.stories)
        ends.append(total)
    return ends


def _taken_out(section: Section, at: int) -> tuple[Section, Story]:
    stories = section.stories
    return replace(section, stories=(*stories[:at], *stories[at + 1 :])), stories[at]


def _under(story: Story, former: str, topic: str) -> Story:
    others = (other for other in story.topics if other not in (former, topic))
    return replace(story, topics=(*([topic] if topic else []), *others))
