"""The issues that a theme is tried on: every field, kind of block and mark, both languages, any number of stories."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

from newsletter.compose.edition import FOLLOWED, Edition, Group
from newsletter.content.issue import (
    DIGEST,
    Block,
    Code,
    Image,
    Issue,
    Listing,
    Mark,
    Origin,
    Paragraph,
    Points,
    Quote,
    Section,
    Source,
    Story,
    Table,
)
from newsletter.render.publication import Publication
from newsletter.render.recipient import Recipient
from subscribers.topics import SHIPPED

TITLE = "示例日报"
PUBLICATION = Publication(
    sender="示例日报 <daily@example.org>",
    envelope_sender="bounce@example.org",
    list_id="<daily.example.org>",
    base_url="https://news.example.org",
    postal_address="示例新闻社 · 示例路 1 号",
)
READER = Recipient(
    key="sample.1",
    address="reader@example.com",
    date=datetime(2026, 3, 9, 8, 0, tzinfo=UTC),
    topics=tuple(topic.slug for topic in SHIPPED[:2]),
    unsubscribe_token="c2FtcGxl",  # noqa: S106 - leads nowhere
    preferences_token="d2lzaGVz",  # noqa: S106 - leads nowhere
    view_token="bG9vaw",  # noqa: S106 - leads nowhere
)
_BODY: tuple[Block, ...] = (
    Paragraph("The report lists *every* failure, with the `seed` that leads to it."),
    Points("What is in it", ("Four languages", "Two hundred tasks")),
    Listing(("Install it", "Run it"), ordered=True),
    Quote(("We wanted to hear the silence.",)),
    Code("bench --all\n  --quiet"),
    Table((("Model", "Score"), ("Echo", "0.41"))),
    Image("https://pictures.example.net/chart.png", "A chart of scores"),
    Image(f"https://news.example.org/image/{'0' * 32}-1072x600.png", "A map of the bay"),
)
# of a Chinese story both, and one of an English one; few, as in an issue that somebody wrote
_MARKS = {0: (Mark.IMPORTANT, Mark.FOLLOW_UP), 2: (Mark.FOLLOW_UP,)}


def sample_issue(stories: int, bodies: bool = False) -> Issue:
    """An issue of so many stories with all four labels, as many under each topic that ships.

    `bodies` gives every fourth a long body; the others have none.
    """
    sections = []
    for place, topic in enumerate(SHIPPED):
        numbers = range(place, stories, len(SHIPPED))
        told = tuple(_story(number, topic.slug, _BODY if bodies and number % 4 == 0 else ()) for number in numbers)
        sections.append(Section(topic.zh, told, topic=topic.slug))
    return Issue(TITLE, date(2026, 3, 9), tuple(section for section in sections if section.stories))


def sample_digest(stories: int) -> Issue:
    """A weekly digest of so many stories."""
    issue = sample_issue(stories)
    origins = tuple((story.id, Origin("2026-03-06", date(2026, 3, 6))) for story in issue.stories)
    return replace(issue, format=DIGEST, origins=origins)


def sample_editions(issue: Issue) -> Iterator[Edition]:
    """Editions that put the parts of an issue beside other neighbours: one story alone, and every second backwards."""
    last = issue.stories[-1]
    yield Edition((Group(last.topics[0], (last.id,)),))
    followed, *others = issue.sections
    yield Edition(
        (
            Group(FOLLOWED, _backwards(followed)),
            *(Group(section.topic, _backwards(section)) for section in reversed(others)),
        )
    )


def _backwards(section: Section) -> tuple[str, ...]:
    return tuple(story.id for story in section.stories[::-2])


def _story(number: int, topic: str, body: tuple[Block, ...]) -> Story:
    """A story as editors write them; every third is in English."""
    english = number % 3 == 2
    return Story(
        id=f"s{number}",
        title=f"A sample lab opens its benchmark for quiet failures ({number})"
        if english
        else f"示例研究院公开海洋预报模型的训练数据（{number}）",
        summary="The suite measures how often a model is wrong without saying so; see [the notes](https://a.example.org/n)."
        if english
        else "研究院公布了观测数据的来源与清洗步骤，并给出*可复核*的评测脚本，见 [说明页](https://a.example.org/n)。",
        background="Until now such failures were counted by hand, if at all."
        if english
        else "此前同类模型只公布结论，外部团队难以判断误差从何而来。",
        points=("Four languages, two hundred tasks.", "It runs on one machine in about two hours.")
        if english
        else ("数据覆盖 1993 年以来的海表温度与海流观测。", "评测脚本可在单机运行，约两小时得到与报告一致的结果。"),
        source=Source("示例研究院官网", f"https://a.example.org/{number}"),
        topics=(topic,),
        tags=("海洋", "开放数据"),
        published=datetime(2026, 3, 8, tzinfo=UTC),
        body=body,
        marks=_MARKS.get(number, ()),
    )
