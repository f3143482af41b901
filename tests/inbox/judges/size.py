"""The weight of the finished HTML: Gmail cuts a mail at 102 kB, and phones pay for every one of them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from render_samples import ten_stories

from inbox.judge import Ruling, Sample
from inbox.samples import sample, themes
from newsletter.content.issue import Issue

_MOST = {10: 30_000, 30: 80_000}
"""Bytes of HTML that so many stories may take."""
_LANGUAGES = ("zh", "en")


class Size:
    """Bytes, counted: ten full stories and thirty, in every theme and language."""

    name = "Size of the HTML"
    bar = ", ".join(f"{stories} stories ≤ {most // 1000} kB" for stories, most in _MOST.items())

    def lack(self) -> str:
        """Nothing: it counts."""
        return ""

    def version(self) -> str:
        """None: it counts."""
        return ""

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each theme, language and number of stories, on editions of its own."""
        return list(_rulings())

    def judge_bad(self) -> list[Ruling]:
        """Mails that are a byte too large."""
        return [_ruling(f"{stories} stories", stories, most + 1) for stories, most in _MOST.items()]


def _rulings() -> Iterator[Ruling]:
    for theme in themes():
        for language in _LANGUAGES:
            for stories in _MOST:
                name = f"{stories} stories {theme} {language}"
                html = sample(name, _issue(stories), theme, language).html
                yield _ruling(name, stories, len(html.encode()))


def _ruling(name: str, stories: int, size_bytes: int) -> Ruling:
    most = _MOST[stories]
    figure = f"{size_bytes / 1000:.1f} kB for {stories} stories"
    return Ruling(name, size_bytes <= most, figure, size_bytes / most)


def _issue(stories: int) -> Issue:
    """An issue of so many full stories under five topics: ten, or ten over and over."""
    ten = ten_stories()
    sections = tuple(
        replace(
            section,
            stories=tuple(
                replace(story, id=f"{story.id}-{copy}") for copy in range(stories // 10) for story in section.stories
            ),
        )
        for section in ten.sections
    )
    return replace(ten, sections=sections)
