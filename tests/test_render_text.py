"""The text part: made from the structure, laid out for reading, never wrapped."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render_samples import (
    EDITION,
    EVERYTHING,
    ISSUE,
    OCEAN,
    QUIET,
    READER,
    compiled,
    editions,
    issues,
)

from newsletter.content.inline import spans
from newsletter.content.issue import Block, Code, Image, Issue, Listing, Paragraph, Points, Quote, Section, Table
from newsletter.render.assemble import assemble
from newsletter.render.message import html_of, text_of
from newsletter.render.plain_text import to_lines, to_text
from newsletter.render.size import full_edition
from newsletter.render.text_table import text_table

LONG = "https://a.example.org/" + "path/" * 20


def text_with(*body: Block, language: str = "zh") -> str:
    """The text of a mail with one story that has this body and nothing else."""
    story = replace(QUIET, source=None, body=body)
    return text_of_issue(replace(ISSUE, sections=(Section("产品", (story,), topic="products"),)), language)


def text_of_issue(issue: Issue, language: str = "zh") -> str:
    made = compiled(issue, language)
    return text_of(assemble(made, full_edition(made)), READER)


def test_the_whole_text_of_a_mail_in_chinese() -> None:
    assert text_of(assemble(compiled(), EDITION), READER) == (
        "AI 行业动态\n"
        "2026 年 3 月 9 日 · 星期一\n"
        "你订阅的 2 个主题，共 3 条\n"
        "\n"
        "本期内容\n"
        "1. 示例研究院公开海洋预报模型的训练数据\n"
        "2. 示例团队开源小参数语音模型 Echo-2\n"
        "3. 示例市发布公共数据授权运营细则\n"
        "\n"
        "\n"
        "== 模型与技术进展 ==\n"
        "\n"
        "1. 示例研究院公开海洋预报模型的训练数据\n"
        "\n"
        "说明：研究院公布了观测数据的来源与清洗步骤，并给出可复核的评测脚本，"
        "见 说明页 <https://ocean.example.org/notes?a=1&b=2>。\n"
        "\n"
        "背景：此前同类模型只公布结论，外部团队难以判断误差从何而来。\n"
        "\n"
        "要点：\n"
        "- 数据覆盖 1993 年以来的海表温度与海流观测。\n"
        "- 评测脚本可在单机运行，约两小时得到与报告一致的结果。\n"
        "\n"
        "来源出处：示例研究院官网\n"
        "https://ocean.example.org/data\n"
        "标签：海洋、开放数据\n"
        "\n"
        "\n"
        "2. 示例团队开源小参数语音模型 Echo-2\n"
        "\n"
        "说明：模型参数为 3 亿，可在手机端离线识别普通话与粤语。\n"
        "\n"
        "要点：\n"
        "- 安静环境下字错率 4.1%，嘈杂环境 9.8%。\n"
        "\n"
        "来源出处：项目主页 · 3 月 8 日\n"
        "https://echo.example.org/\n"
        "\n"
        "\n"
        "== 政策与监管 ==\n"
        "\n"
        "3. 示例市发布公共数据授权运营细则\n"
        "\n"
        "说明：细则写明哪些数据可以授权、由谁定价，以及个人信息如何先行去标识。\n"
        "\n"
        "来源出处：示例市数据局\n"
        "\n"
        "\n"
        "--------\n"
        "你收到这封邮件，是因为 c***@example.com 订阅了以下主题：模型与技术进展、政策与监管。\n"
        "调整我的主题：https://news.example.org/preferences/d2lzaGVz\n"
        "退订：https://news.example.org/unsubscribe/dGhpcyBpcyBhIHRva2Vu\n"
        "在浏览器中查看：https://news.example.org/view/bG9vaw\n"
        "示例新闻社 · 北京市海淀区示例路 1 号\n"
    )


def test_an_english_issue_in_an_english_edition_has_no_chinese_and_no_full_width_sign() -> None:
    issue = replace(ISSUE, title="AI Daily", sections=(Section("Products", (QUIET,), topic="products"),))
    made = compiled(issue, "en")
    text = text_of(assemble(made, full_edition(made)), READER).partition("--------")[0]
    assert text.isascii()
    for words in (
        "Monday, 9 March 2026\n1 story from one of your topics\n",
        "\nSource: Tidewater\n",
    ):
        assert words in text


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_edition_has_more_than_two_blank_lines_running_but_inside_code(data: st.DataObject) -> None:
    issue = data.draw(issues())
    text = text_of(assemble(compiled(issue), data.draw(editions(issue))), READER)
    assert "\n\n\n\n" not in re.sub(r"\n(?=\s*\n {4}\S)", "", text)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text("汉字标点，。 ab", min_size=200, max_size=900).map(str.split).map(" ".join))
def test_a_paragraph_is_one_line_however_long(words: str) -> None:
    assert words in text_with(Paragraph(words)).split("\n")


class Words(HTMLParser):
    """The words that a page shows, without those that only mail programs read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.shown += re.findall(r"\w+", data)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_text_has_the_words_of_the_html(language: str) -> None:
    """Scorers compare the words of the two parts: SpamAssassin's MPART_ALT_DIFF, rspamd's R_PARTS_DIFFER."""
    assembled = assemble(compiled(language=language), EVERYTHING)
    shown, text = set(Words(html_of(assembled, READER)).shown), text_of(assembled, READER)
    assert {word for word in shown if word not in text} == set()
    told = set(re.findall(r"\w+", re.sub(r"https?://\S+", "", text)))
    assert len(told & shown) > 0.8 * len(told)


def test_the_text_has_no_entities_and_no_markup() -> None:
    text = text_of(assemble(compiled(), EVERYTHING), READER)
    assert html.unescape(text) == text
    assert not re.search(r"</?[a-z]+[ >]|\*\*\w|`", text)


def test_a_long_address_stands_below_its_sentence_with_its_label() -> None:
    assert to_lines(spans(f"见 [说明页]({LONG})，另见 [附录](https://b.example.org/)。")) == [
        "见 说明页，另见 附录 <https://b.example.org/>。",
        f"说明页 <{LONG}>",
    ]
    assert to_lines(spans(f"见 <{LONG}>。")) == [f"见 <{LONG}>。"]
    assert to_lines(spans(f"**[粗]({LONG})** *[粗]({LONG})*")) == ["粗 粗", f"粗 <{LONG}>"]


def test_a_link_in_an_item_or_a_quote_stands_under_it() -> None:
    text = text_with(
        Listing((f"甲 [乙]({LONG})",)), Listing((f"[丙]({LONG})",), ordered=True), Quote((f"[丁]({LONG})",))
    )
    assert f"- 甲 乙\n  乙 <{LONG}>\n\n1. 丙\n   丙 <{LONG}>\n\n> 丁\n> 丁 <{LONG}>\n" in text


def test_every_kind_of_block_in_its_layout() -> None:
    body = (
        Paragraph("First."),
        Points("Heading", ("one", "two")),
        Points("", ("only points",)),
        Listing(("a", "b"), ordered=True),
        Quote(("First said.", "Then said.")),
        Code("if x:\n\n    go()\n"),
        Table((("Model", "参数"), ("Echo", "3 亿"), ("Lark-Large", "70"))),
        Image("https://p.example.org/a.png", ""),
        Image("javascript:alert(1)", "a chart"),
    )
    text = text_with(*body, language="en")
    layout = text.rpartition("1. Tidewater Labs opens a benchmark for quiet failures\n\n")[2].partition("\n\n\n---")[0]
    assert layout == (
        "First.\n\nHeading\n- one\n- two\n\n- only points\n\n1. a\n2. b\n\n> First said.\n>\n> Then said.\n\n"
        "    if x:\n\n        go()\n\n"
        "Model      | 参数\n-----------+-----\nEcho       | 3 亿\nLark-Large | 70\n\n"
        "Picture: <https://p.example.org/a.png>\n\nPicture: a chart"
    )


def test_blocks_without_content_leave_no_gap() -> None:
    text = text_with(Paragraph("First."), Table(()), Points("", ()), Paragraph(""), Paragraph("Last."))
    assert "First.\n\nLast.\n\n\n--------" in text


def test_a_table_too_wide_for_a_line_is_a_list_of_records() -> None:
    wide = "很长的一格文字" * 6
    rows = [[spans(cell) for cell in row] for row in (("机构", "结论", ""), ("甲", wide, "附注"), ("乙", "", ""))]
    assert text_table(rows, "：") == ["- 机构：甲", f"  结论：{wide}", "  附注", "- 机构：乙"]


def test_a_table_of_one_row_or_of_none_is_no_table() -> None:
    assert text_table([[spans("甲"), spans("乙")]], "：") == ["甲 | 乙"]
    assert text_table([], "：") == []


def test_where_the_story_goes_on_stands_once() -> None:
    story = replace(OCEAN, body=(Paragraph("一句话。" * 400),))
    text = text_of_issue(replace(ISSUE, sections=(Section("模型", (story,), topic="models"),)))
    assert "\n\n阅读全文：https://ocean.example.org/data\n\n来源出处：示例研究院官网\n标签：" in text


def test_a_title_alone_is_a_whole_story() -> None:
    story = replace(QUIET, source=None, body=())
    text = text_of_issue(replace(ISSUE, sections=(Section("产品", (story, replace(story, id="b")), topic="products"),)))
    assert f"\n\n1. {QUIET.title}\n\n\n2. {QUIET.title}\n\n\n--------\n" in text


def test_emphasis_leaves_no_trace_in_text() -> None:
    assert to_text(spans("**粗** *斜* ~~删~~ `码`")) == "粗 斜 删 码"
