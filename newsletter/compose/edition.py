"""What one reader gets of an issue: story ids under topic slugs, in the reader's order."""

from dataclasses import dataclass

FOLLOWED = "followed"
"""The group of stories that match a keyword the reader follows; stands first and is no topic of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """Stories under one heading: a topic's slug, or `FOLLOWED`."""

    topic: str
    stories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Edition:
    """A selection that many readers may share. No group is empty, and no story stands twice."""

    groups: tuple[Group, ...] = ()

    @property
    def stories(self) -> tuple[str, ...]:
        """Every story id in the order of the mail."""
        return tuple(story for group in self.groups for story in group.stories)

    def __bool__(self) -> bool:
        """Whether anything is left to send."""
        return bool(self.groups)
