"""The issue and the readers that are measured: ten stories over five topics, everybody with topics of their own."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime

from newsletter.content.identity import identify
from newsletter.content.issue import Issue, Section, Source, Story
from newsletter.render.publication import Publication
from newsletter.render.recipient import Recipient
from subscribers.preferences import Preferences
from subscribers.tokens import Purpose, Tokens
from subscribers.topics import SHIPPED

PUBLICATION = Publication(
    sender="AI 行业动态 <daily@example.org>",
    envelope_sender="bounce@example.org",
    list_id="<daily.example.org>",
    base_url="https://news.example.org",
    inbound_address="leave@example.org",
    postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
)
_SENTENCE = (
    "示例研究院公布了模型所用观测数据的来源、时间范围与清洗步骤，并给出可复核的评测脚本，外部团队可据此核对结论。"
)
_TOPICS = tuple(topic.slug for topic in SHIPPED)
_SENT = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)
_TOKENS = Tokens([b"a key for measuring with, nothing else"])


def story(number: int, topic: str) -> Story:
    """A story somewhat longer than those of real digests: title, two paragraphs, three points, a source."""
    return Story(
        title=f"示例团队发布第 {number} 号海洋预报模型的训练数据说明",
        summary=_SENTENCE * 2,
        background=_SENTENCE,
        points=tuple(f"第 {point} 点：{_SENTENCE}" for point in range(1, 4)),
        source=Source("示例研究院官网", f"https://institute.example.org/2026/{number}"),
        topics=(topic,),
        tags=("海洋", "开放数据"),
    )


def issue(stories: int = 10) -> Issue:
    """An issue of so many stories, evenly over the five topics."""
    sections = tuple(
        Section(
            title=topic.zh,
            stories=tuple(story(number, topic.slug) for number in range(place, stories, len(SHIPPED))),
            path=(topic.zh,),
            topic=topic.slug,
        )
        for place, topic in enumerate(SHIPPED)
    )
    return identify(Issue(title="AI 行业动态", date=date(2026, 3, 9), sections=sections))


def readers(many: int, seed: int = 1) -> list[tuple[Preferences, Recipient]]:
    """So many readers, each with one to five topics in an order of their own; one in ten reads labels in English."""
    chance = random.Random(seed)
    found = []
    for number in range(many):
        topics = tuple(chance.sample(_TOPICS, chance.randint(1, len(_TOPICS))))
        language = "en" if chance.random() < 0.1 else "zh"
        public_id = f"{number:024x}"
        recipient = Recipient(
            key=f"0123456789abcdef.{number}",
            address=f"reader{number}@example.org",
            date=_SENT,
            topics=topics,
            unsubscribe_token=_TOKENS.make(Purpose.UNSUBSCRIBE, public_id),
            preferences_token=_TOKENS.make(Purpose.PREFERENCES, public_id),
            view_token=_TOKENS.make(Purpose.VIEW, f"7-{public_id}"),
            name=f"读者 {number}",
        )
        found.append((replace(Preferences(topics=topics), language=language), recipient))
    return found


def markdown(stories: int) -> bytes:
    """A daily issue of so many stories as an editor writes it."""
    lines = ["# AI 行业动态 (2026-03-09)", ""]
    for number in range(stories):
        if number % 10 == 0:
            lines += [f"**{SHIPPED[number // 10 % len(SHIPPED)].zh}**", ""]
        lines += [
            f"- **示例团队发布第 {number} 号模型**",
            f"  说明：{_SENTENCE}",
            f"  背景：{_SENTENCE}",
            "  要点：",
            f"  - {_SENTENCE}",
            f"  来源出处：[示例研究院官网](https://institute.example.org/{number})",
            "",
        ]
    return "\n".join(lines).encode()
