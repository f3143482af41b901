"""Mends: whatever is offered takes its finding away, and what needs a person's knowledge is not offered."""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.content.diagnostics import Diagnostic
from newsletter.content.mends import Mend, mended, mends
from newsletter.editorial.intake import check
from subscribers.topics import Catalogue

TODAY = date(2026, 3, 9)
CATALOGUE = Catalogue()
HEAD = "# AI 行业动态 (2026-03-09)\n\n**模型与技术进展**\n\n"
STORY = "- **群岛实验室公开潮汐预报模型**\n  说明：实验室公布了观测数据。\n"
SOURCE = "  来源出处：[群岛实验室](https://lab.example.org/tides)\n"
CANONICAL = "---\ncanonical: daily\ndate: 2026-03-09\n---\n# 动态\n\n"
WHOLE = HEAD + STORY + SOURCE

MENDABLE = {
    "date-missing": [
        "# AI 行业动态\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "AI 行业动态\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "---\ntitle: AI 行业动态\n---\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "---\ntitle: AI 行业动态\ndate：2026-03-09\n---\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "---\ncanonical: daily\n---\n# AI 行业动态\n\n## 模型与技术进展\n主题：models\n\n### 题目\n说明：文字\n",
    ],
    "date-impossible": [
        WHOLE.replace("2026-03-09", "2026-02-31"),
        WHOLE.replace("2026-03-09", "2029-03-09"),
        WHOLE.replace("2026-03-09", "1996年3月9日"),
        '---\ndate: "2026-02-31"\n---\n' + WHOLE,
    ],
    "date-old": [WHOLE.replace("2026-03-09", "2026-01-02"), "---\ndate: 2026/1/2\n---\n" + WHOLE],
    "front-matter": [
        "---\ntitle: AI 行业动态\ndate: 2026-03-09\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "---\ntitle: 动态: 早报: 今天\ndate: 2026-03-09\n---\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "---\ntitle: A\ndate: 2026-03-09\ntitle: B\n---\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "---\ncanonical: weekly\ntitle: A\n---\n" + WHOLE,
    ],
    "link-scheme": [
        HEAD + STORY + "  来源出处：[项目主页](echo-2.example)\n",
        HEAD + STORY + "  来源出处：[项目主页](htps://echo-2.example/a?b=c)\n",
        HEAD + STORY + "  来源出处：[项目主页](https：//echo-2.example/a)\n",
        HEAD + STORY + "  来源出处：[项目主页](//echo-2.example/a)\n",
        HEAD + "- **题目**\n  说明：见[说明书](javascript:alert)一文。\n" + SOURCE,
        HEAD + STORY + SOURCE + "\n  ![图](file:///c/picture.png)\n",
        "# 周报 2026-03-09\n\n## 模型\n\n### 题目\n\n正文里有[链接](www.example.org/a)。\n\n[出处](https://example.org/b)\n",
    ],
    "mark-contrary": [
        WHOLE + "  标记：重要、后续、新\n",
        WHOLE + "  标记：后续\n  - 标记：新\n",
        CANONICAL + "## 甲\n主题：models\n\n### 题目\n标记：新\n说明：文\n标记：后续\n",
        "# 周报 2026-03-09\n\n## 模型\n\n### 题目\n\n一段。\nMark: new, follow-up\n\n[出处](https://example.org/b)\n",
    ],
    "mark-unknown": [
        WHOLE + "  标记：重耍\n",
        WHOLE + "  **标记**：重耍、后续、重耍\n",
        WHOLE + "  - Mark: importent, new\n",
        CANONICAL + "## 甲\n主题：models\n\n### 题目\n标记：重要、大事\n说明：文\n",
    ],
    "section-empty": [
        HEAD + "**政策与监管**\n\n" + STORY + SOURCE,
        WHOLE + "\n**政策与监管**\n\n**投融资与并购**\n\n" + STORY.replace("潮汐", "洋流"),
        CANONICAL + "## 空\n主题：models\n\n## 有\n主题：models\n\n### 题目\n说明：文\n",
        "# 周报 2026-03-09\n\n## 模型\n\n## 政策\n\n### 题目\n\n一段正文。[出处](https://example.org/b)\n",
    ],
    "source-mismatch": [
        HEAD + STORY + "  来源出处：[新华网](https://other.example.org/tides)\n",
        HEAD + STORY + "  来源出处：**[人民网财经](https://www.example.com/a)**\n",
    ],
    "source-missing": [
        HEAD + STORY + "  来源出处：echo-2.example\n",
        HEAD + STORY.replace("观测数据", "观测数据 https://lab.example.org/tides ") + "  要点：\n  - 第一点\n",
        HEAD + STORY + SOURCE + "\n" + STORY.replace("潮汐", "洋流") + "  来源：lab.example.org/currents\n",
    ],
    "span-unclosed": [
        HEAD + STORY.replace("观测数据", '<span style="color:red">观测数据') + SOURCE,
        HEAD + STORY.replace("观测", "<span>观测<span>") + "  背景：</span>完\n" + SOURCE,
    ],
    "subject-names-story": ["---\nsubject: 群岛实验室公开潮汐预报模型\ndate: 2026-03-09\n---\n" + WHOLE],
    "topic-unknown": [
        WHOLE.replace("**模型与技术进展**", "**大模型前沿**"),
        WHOLE.replace("**模型与技术进展**", "## 大模型前沿："),
        WHOLE.replace("**模型与技术进展**", "**Big Models**"),
        HEAD.replace("**模型与技术进展**\n\n", "") + STORY + SOURCE,
        WHOLE + "  主题：模型与技术进展、航天\n",
        "---\ntopics: 航天\n---\n" + WHOLE,
        CANONICAL + "## 甲\n主题：space\n\n### 题目\n说明：文\n",
    ],
    "unplaced": [
        "---\ntitle: 早报\ndate: 2026-03-09\n---\n# 动态\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
        "---\ntitle: 早报\nauthor: 陈\n---\n\n**模型与技术进展**\n\n" + STORY + SOURCE,
    ],
}
ALL = [(code, text) for code, texts in MENDABLE.items() for text in texts]
UNMENDABLE = [
    ("empty", " \n"),
    ("no-story", "# AI 行业动态 (2026-03-09)\n"),
    ("story-repeated", WHOLE + "\n" + STORY + SOURCE),
    ("text-long", WHOLE.replace("观测数据", "观测数据" * 200)),
    ("title-too-long", WHOLE.replace("潮汐", "潮汐" * 200)),
    ("image-foreign", WHOLE + "\n  ![图](https://pictures.example.net/a.png)\n"),
    ("source-missing", HEAD + STORY),
    ("unplaced", "---\ntitle: 早报\n---\n" + WHOLE),
    ("unplaced", HEAD + "散落的一句话。\n\n" + STORY + SOURCE),
    (
        "section-empty",
        CANONICAL + "## 空\n散落的一句话\n\n## 有\n\n### 题目\n说明：文\n",
    ),
]


def found(text: str, code: str = "") -> list[Diagnostic]:
    said = check(text.encode(), TODAY, CATALOGUE).diagnostics
    return [one for one in said if code in ("", one.code)]


def offers(text: str, finding: Diagnostic) -> tuple[Mend, ...]:
    return mends(text, finding, CATALOGUE, TODAY)


def counted(findings: Sequence[Diagnostic]) -> Counter[str]:
    return Counter(finding.code for finding in findings)


@pytest.mark.parametrize(("code", "text"), ALL)
def test_every_offer_takes_its_finding_away(code: str, text: str) -> None:
    for finding in found(text, code):
        for mend in offers(text, finding):
            after = mended(text, mend)
            assert after is not None
            assert counted(found(after))[code] == counted(found(text))[code] - 1, (mend, found(after))


@pytest.mark.parametrize(("code", "text"), ALL)
def test_no_offer_brings_an_error_that_was_not_there(code: str, text: str) -> None:
    before = {one.code for one in found(text) if one.severity == "error"}
    for finding in found(text, code):
        for mend in offers(text, finding):
            errors = {one.code for one in found(mended(text, mend) or "") if one.severity == "error"}
            assert errors <= before | {"topic-unknown"} - {code}


@pytest.mark.parametrize(("code", "text"), ALL)
def test_what_can_be_mended_has_an_offer(code: str, text: str) -> None:
    assert [finding for finding in found(text, code) if offers(text, finding)], found(text)


@pytest.mark.parametrize(("code", "text"), UNMENDABLE)
def test_what_needs_a_person_has_no_offer(code: str, text: str) -> None:
    assert found(text, code)
    assert [offer for finding in found(text, code) for offer in offers(text, finding)] == []


def test_a_whole_issue_asks_for_nothing() -> None:
    assert found(WHOLE) == []


def test_a_missing_scheme_is_written_first_and_a_script_is_only_taken_out() -> None:
    text = HEAD + STORY + "  来源出处：[项目主页](echo-2.example)\n"
    first, second = offers(text, found(text, "link-scheme")[0])
    assert (first.label, first.shown, second.label) == ("write", "https://echo-2.example", "unlink")
    text = text.replace("echo-2.example", "javascript:alert")
    assert [mend.label for mend in offers(text, found(text, "link-scheme")[0])] == ["unlink"]


def test_the_nearest_topic_comes_first() -> None:
    text = WHOLE.replace("**模型与技术进展**", "**投融资新闻**")
    assert offers(text, found(text, "topic-unknown")[0])[0].shown == "投融资与并购"


def test_a_mend_is_not_applied_to_lines_that_changed_meanwhile() -> None:
    text = HEAD + STORY + "  来源出处：[项目主页](echo-2.example)\n"
    mend = offers(text, found(text, "link-scheme")[0])[0]
    assert mended(text.replace("项目主页", "主页"), mend) is None
    assert mended("", mend) is None


def test_line_ends_of_other_systems_count_like_the_findings() -> None:
    text = (HEAD + STORY + "  来源出处：[项目主页](echo-2.example)\n").replace("\n", "\r\n")
    mend = offers(text, found(text, "link-scheme")[0])[0]
    assert mended(text.replace("\r\n", "\n"), mend) is not None


LINES = st.sampled_from(
    [line for _, text in ALL for line in text.split("\n")] + ["", "---", "<span>", "</span>", "date: 2026-99-99"]
)


@given(st.lists(LINES, max_size=30), st.text(max_size=30))
def test_whatever_the_text_an_offer_is_made_for_lines_that_stand_there(lines: list[str], more: str) -> None:
    text = "\n".join([*lines, more]).replace("\r", "\n")
    for finding in found(text):
        for mend in offers(text, finding):
            assert mend.new != mend.old
            assert mended("\n".join(text.split("\n")), mend) is not None or more


@given(st.lists(LINES, max_size=24))
def test_whatever_the_lines_an_offer_to_write_or_close_leaves_one_finding_less_of_its_kind(lines: list[str]) -> None:
    text = "\n".join(lines)
    for finding in found(text):
        if finding.code not in ("link-scheme", "span-unclosed"):
            continue
        for mend in offers(text, finding):
            after = mended(text, mend)
            assert after is not None
            assert counted(found(after))[finding.code] < counted(found(text))[finding.code]


def test_the_codes_with_offers_are_codes_there_are() -> None:
    table = (Path(__file__).parents[1] / "docs" / "reference" / "diagnostics.md").read_text("utf-8")
    assert [code for code in MENDABLE if f"| `{code}` |" not in table] == []
