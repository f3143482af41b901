"""Every diagnostic of the reader has a text that brings it and one that does not."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in

TABLE = (Path(__file__).parents[1] / "docs" / "reference" / "diagnostics.md").read_text("utf-8")
NOW = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
STORY = "- **群岛实验室公开潮汐预报模型**\n  说明：实验室公布了观测数据。\n  来源出处：[群岛实验室](https://lab.example.org/tides)\n"
OTHER = "- **山谷团队开源语音模型**\n  说明：可以离线识别。\n  来源出处：[项目主页](https://project.example.org/)\n"
HEAD = "# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n\n"
WHOLE = HEAD + STORY + OTHER
ARTICLE = (
    "要点速览 - 群岛实验室公开潮汐模型的观测数据 [1][3] 数据范围:近海与港口 - 覆盖十二个港口的潮位 [2] "
    "- 三家机构参加了复核 [2][4] 后续 - 每季度更新一次 [5]"
)
BYLINE = "\n群岛实验室公开潮汐预报模型\n示例日报·2026-03-08 20:28"
REPORT = """示例智能产业周报（2026年3月2日—3月8日）

目 录

一、模型与技术进展\t2
1. 群岛实验室公开潮汐预报模型\t2
2. 山谷团队开源语音模型\t3

一、模型与技术进展

1. 群岛实验室公开潮汐预报模型

标签：潮汐

实验室公布了训练所用的观测数据。
"""
REST = "\n2. 山谷团队开源语音模型\n\n标签：语音\n\n可以离线识别。\n"
EARLIER = (
    WHOLE.replace("2026-03-09", "2026-03-08").replace("山谷团队开源语音模型", "另一条").replace("project", "other")
)
OURS = "https://news.example.org/a.png"
PICTURE = "\n  ![一张潮汐图]({url})\n\n"


def titled(title: str) -> str:
    """The issue with another title for its first story."""
    return WHOLE.replace("群岛实验室公开潮汐预报模型", title)


def front(**lines: str) -> str:
    """The issue with a front matter."""
    return "---\n" + "".join(f"{name}: {value}\n" for name, value in lines.items()) + "---\n" + WHOLE


BRINGS: dict[str, str | bytes] = {
    "byline-missing": ARTICLE,
    "date-impossible": WHOLE.replace("2026-03-09", "2026-13-09"),
    "date-missing": WHOLE.replace(" (2026-03-09)", ""),
    "date-old": WHOLE.replace("2026-03-09", "2026-02-28"),
    "empty": " \n",
    "encoding": bytes(range(256)) * 4,
    "front-matter": front(title="a: b"),
    "image-alt-missing": HEAD + STORY + PICTURE.format(url=OURS).replace("一张潮汐图", "") + OTHER,
    "image-foreign": HEAD + STORY + PICTURE.format(url="https://pictures.example.net/a.png") + OTHER,
    "issue-too-long": HEAD + "".join(f"- **第 {n} 条**\n  说明：文\n" for n in range(2001)),
    "link-scheme": WHOLE.replace("https://project.example.org/", "ftp://project.example.org/"),
    "mark-contrary": WHOLE + "  标记：后续、新\n",
    "mark-unknown": WHOLE + "  标记：重耍\n",
    "missing-story": REPORT,
    "no-story": "# AI 行业动态 (2026-03-09)\n",
    "section-empty": WHOLE + "\n**政策与监管**\n",
    "source-mismatch": WHOLE.replace("项目主页", "新华网"),
    "source-missing": HEAD + STORY + "- **没有来源的一条**\n  说明：这一条忘了写来源。\n",
    "span-unclosed": WHOLE.replace("实验室公布", '<span style="color:#1677ff">实验室公布'),
    "story-earlier": WHOLE,
    "story-repeated": WHOLE + STORY,
    "story-too-long": WHOLE.replace("可以离线识别", "长" * 200_001),
    "subject-names-story": front(subject="群岛实验室公开潮汐预报模型"),
    "text-long": titled("长" * 81),
    "title-missing": "---\ndate: 2026-03-09\n---\n" + WHOLE.partition("\n\n")[2],
    "title-too-long": titled("长" * 301),
    "too-deep": WHOLE + "\n" + "> " * 1000 + "深\n",
    "too-large": b"# " + b"x" * 5_000_001,
    "topic-unknown": WHOLE.replace("模型与技术进展", "今天的天气"),
    "unplaced": HEAD + "散落的一句话。\n\n" + STORY + OTHER,
}  # fmt: skip
BRINGS_NOT = {
    **dict.fromkeys(BRINGS, WHOLE),
    "byline-missing": ARTICLE + BYLINE,
    "image-alt-missing": HEAD + STORY + PICTURE.format(url=OURS) + OTHER,
    "image-foreign": HEAD + STORY + PICTURE.format(url=OURS) + OTHER,
    "mark-contrary": WHOLE + "  标记：重要、后续\n",
    "mark-unknown": WHOLE + "  标记：重要、新\n",
    "missing-story": REPORT + REST,
    "story-earlier": HEAD + OTHER,
    "front-matter": front(title="早报"),
    "subject-names-story": front(subject="今天的要闻"),
    "text-long": titled("长" * 80),
    "title-too-long": titled("长" * 300),
}


@pytest.fixture
def ours(newsletter: Newsletter) -> Newsletter:
    """A newsletter with fixed time that has had an issue the day before."""
    newsletter.clock = lambda: NOW
    data = EARLIER.encode()
    take_in(newsletter, read(newsletter, data), data, draft=True)
    return newsletter


def codes(newsletter: Newsletter, text: str | bytes) -> set[str]:
    """The codes of what is said of a text."""
    data = text if isinstance(text, bytes) else text.encode()
    return {one.code for one in read(newsletter, data).diagnostics}


@pytest.mark.parametrize("code", sorted(BRINGS))
def test_a_text_brings_the_diagnostic(code: str, ours: Newsletter) -> None:
    assert code in codes(ours, BRINGS[code])


@pytest.mark.parametrize("code", sorted(BRINGS_NOT))
def test_a_text_that_is_right_in_this_does_not_bring_it(code: str, ours: Newsletter) -> None:
    assert code not in codes(ours, BRINGS_NOT[code])


def test_every_diagnostic_that_is_documented_is_tried() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", TABLE, re.M)) == set(BRINGS)
