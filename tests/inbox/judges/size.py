"""The weight of the finished HTML: Gmail cuts a mail at 102 kB, and phones pay for every one of them.

The bars are for stories as the daily has them: a title and the four labels. A long text below each is measured too, and
has no bar: how long it gets is for the editor to decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from render_samples import ten_stories

from inbox.judge import Ruling, Sample
from inbox.samples import LANGUAGES, sample, themes
from newsletter.content.issue import Block, Issue, Paragraph

_MOST = {10: 30_000, 30: 80_000}
"""Bytes of HTML that so many stories of four labels may take."""
_BODY = 600
"""Characters of the text that stands below each story in the figure without a bar."""
_LONG = (Paragraph(("海洋预报模型公开了训练数据。" * _BODY)[: _BODY // 3]),) * 3


class Size:
    """Bytes, counted: ten stories and thirty, in every theme and language."""

    name = "Size of the HTML, stories of four labels"
    bar = ", ".join(f"{stories} ≤ {most // 1000} kB" for stories, most in _MOST.items()) + f"; bodies of {_BODY}: none"

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
        return [_ruling(f"{stories} stories", stories, most + 1, 0) for stories, most in _MOST.items()]


def _rulings() -> Iterator[Ruling]:
    for theme in themes():
        for language in LANGUAGES:
            for stories in _MOST:
                name = f"{stories} stories {theme} {language}"
                sizes = [
                    len(sample(name, _issue(stories, body), theme, language).html.encode()) for body in ((), _LONG)
                ]
                yield _ruling(name, stories, *sizes)


def _ruling(name: str, stories: int, size_bytes: int, size_with_bodies_bytes: int) -> Ruling:
    most = _MOST[stories]
    figure = (
        f"{size_bytes / 1000:.1f} kB for {stories} stories; "
        f"{size_with_bodies_bytes / 1000:.1f} kB with bodies of {_BODY} characters"
    )
    return Ruling(name, size_bytes <= most, figure, size_bytes / most)


def _issue(stories: int, body: tuple[Block, ...]) -> Issue:
    """An issue of so many stories under five topics: ten, or ten over and over, with a body below each."""
    ten = ten_stories()
    sections = tuple(
        replace(
            section,
            stories=tuple(
                replace(story, id=f"{story.id}-{copy}", body=body)
                for copy in range(stories // 10)
                for story in section.stories
            ),
        )
        for section in ten.sections
    )
    return replace(ten, sections=sections)
