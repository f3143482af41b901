"""What an issue would mean for everybody: how many readers get 0, 1, n stories."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.compose.edition import Edition


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of readers: by number of stories, by topic they receive something of, by distinct edition."""

    by_stories: dict[int, int]
    by_topic: dict[str, int]
    editions: dict[Edition, int]

    @property
    def readers(self) -> int:
        """Everybody who was asked about."""
        return sum(self.by_stories.values())


def cover(chosen: Iterable[Edition]) -> Coverage:
    """Count what was chosen, an edition per reader; memory grows with the distinct editions, not with the readers."""
    editions = Counter(chosen)
    by_stories: Counter[int] = Counter()
    by_topic: Counter[str] = Counter()
    for edition, readers in editions.items():
        by_stories[len(edition.stories)] += readers
        by_topic.update({group.topic: readers for group in edition.groups})
    return Coverage(dict(sorted(by_stories.items())), dict(by_topic), dict(editions))
