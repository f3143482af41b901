"""Digests as people publish them."""

import re

import pytest
from digest_lines import GENERAL_LINES, numbered
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.content.general import read_general
from newsletter.content.issue import Code, Image, Listing, Paragraph, Points, Quote, Section, Source, Story, Table
from newsletter.content.lines import split_lines
from newsletter.content.reading import Reading
from subscribers.topics import Catalogue

resolve = Catalogue().resolve
EXAMPLE = "https://news.example.org/a"


def read(text: str) -> Reading:
    return read_general(split_lines(text), resolve)


def sections(text: str) -> tuple[Section, ...]:
    issue = read(text).issue
    assert issue
    return issue.sections


def only_story(text: str) -> Story:
    (section,) = sections(text)
    (story,) = section.stories
    return story


@pytest.mark.parametrize(
    "line",
    [
        f"- [Orchid 3 released]({EXAMPLE})",
        f"1. [Orchid 3 released]({EXAMPLE})",
        f"1、[Orchid 3 released]({EXAMPLE})",
        f"* **[Orchid 3 released]({EXAMPLE})**",
        f"- Orchid 3 released: {EXAMPLE}",
        f"- Orchid 3 released ([link]({EXAMPLE}))",
        f"[Orchid 3 released]({EXAMPLE})",
        f"### [Orchid 3 released]({EXAMPLE})",
    ],
)
def test_a_line_that_is_a_link_is_a_story_and_its_host_the_source(line: str) -> None:
    assert only_story(f"# Digest\n\n## Models\n\n{line}\n") == Story(
        "Orchid 3 released", source=Source("news.example.org", EXAMPLE), topics=("models",)
    )


def test_what_follows_the_link_is_the_body() -> None:
    story = only_story(f"## Models\n\n- [Orchid 3]({EXAMPLE}) — small but **fast**\n\n  Second paragraph.\n")
    assert story.body == (Paragraph("small but **fast**"), Paragraph("Second paragraph."))


@pytest.mark.parametrize(
    "ending", [f"([The Wire]({EXAMPLE}))", f"— [The Wire]({EXAMPLE})", f"（来源：[The Wire]({EXAMPLE})）"]
)
def test_a_list_item_that_ends_in_its_source_link_is_a_story(ending: str) -> None:
    story = only_story(f"## Models\n\n- Orchid opens its weights {ending}\n")
    assert (story.title, story.source, story.body) == ("Orchid opens its weights", Source("The Wire", EXAMPLE), ())


def test_a_bold_beginning_is_the_title_and_the_rest_the_body() -> None:
    story = only_story(f"## 模型\n\n- **星河开源**：北辰放出了权重。来源：[某报]({EXAMPLE})\n")
    assert (story.title, story.body, story.source) == (
        "星河开源",
        (Paragraph("北辰放出了权重。"),),
        Source("某报", EXAMPLE),
    )


def test_a_link_that_is_part_of_its_sentence_stays_in_it() -> None:
    story = only_story(f"## Models\n\n- Everybody talks about [Orchid]({EXAMPLE})\n")
    assert (story.title, story.source) == ("Everybody talks about Orchid", Source("news.example.org", EXAMPLE))


def test_a_sub_heading_is_a_story_with_everything_below() -> None:
    story = only_story(
        "# Digest\n\n## Models\n\n### Orchid 3\n\nText with `code`.\n\n- one\n- two\n\n1. first\n\n> said\n\n"
        "```python\nprint(1)\n```\n\n| a | b |\n|---|---|\n| 1 | x\\|y |\n\n![chart](https://i.example.org/c.png)\n\n"
        f"#### Why\n\n- because\n\n来源：[The Wire]({EXAMPLE})\n"
    )
    assert story.source == Source("The Wire", EXAMPLE)
    assert story.body == (
        Paragraph("Text with `code`."),
        Listing(("one", "two")),
        Listing(("first",), ordered=True),
        Quote(("said",)),
        Code("print(1)", "python"),
        Table((("a", "b"), ("1", "x|y"))),
        Image("https://i.example.org/c.png", "chart"),
        Points("Why", ("because",)),
    )


def test_a_list_below_a_story_heading_belongs_to_the_story() -> None:
    (section,) = sections(
        f"## Models\n\n### Orchid\n\nProse.\n\n- [Paper]({EXAMPLE})\n- [Code]({EXAMPLE}/c)\n\n### Lupin\n\nProse.\n"
    )
    assert [story.title for story in section.stories] == ["Orchid", "Lupin"]


def test_prose_without_a_link_is_a_story_of_its_section() -> None:
    assert only_story("# Digest\n\n## 政策与监管\n\n第一段。\n\n第二段。\n") == Story(
        "政策与监管", topics=("policy",), body=(Paragraph("第一段。"), Paragraph("第二段。"))
    )


def test_prose_without_any_heading_is_a_story_of_its_first_sentence() -> None:
    story = only_story("星河发布。" + "北辰实验室今天放出权重，" * 10 + "完。\n")
    assert story.title == "星河发布。"


def test_headings_that_only_hold_sections_live_on_in_the_path() -> None:
    found = sections(f"# Digest\n\n## World\n\n### Models\n\n- [A]({EXAMPLE})\n\n### Funding\n\n- [B]({EXAMPLE}/b)\n")
    assert [(section.path, section.topic) for section in found] == [
        (("World", "Models"), "models"),
        (("World", "Funding"), "funding"),
    ]


def test_title_and_date_come_from_the_first_heading() -> None:
    issue = read(f"# AI Weekly — February 4, 2026\n\n## Models\n\n- [A]({EXAMPLE})\n").issue
    assert issue
    assert (issue.title, str(issue.date)) == ("AI Weekly", "2026-02-04")


def test_link_definitions_are_resolved_and_unused_ones_reported() -> None:
    reading = read(f"## Models\n\n### Orchid\n\nSee [the paper][p] now.\n\n[p]: {EXAMPLE}\n[q]: {EXAMPLE}/q\n")
    assert reading.issue
    assert reading.issue.stories[0].body == (Paragraph(f"See [the paper]({EXAMPLE}) now."),)
    assert [(found.code, found.line) for found in reading.diagnostics] == [("unplaced", 8)]


def test_prose_before_the_first_section_is_reported_with_its_line() -> None:
    reading = read(f"# Digest\n\nHello all.\n\n## Models\n\n- [A]({EXAMPLE})\n")
    assert [(found.code, found.line) for found in reading.diagnostics] == [("unplaced", 3)]
    assert "Hello all." in reading.diagnostics[0].message


def test_a_table_keeps_cells_beyond_its_heading() -> None:
    story = only_story("## Models\n\n| a |\n|---|\n| b | c |\n")
    assert story.body == (Table((("a", ""), ("b", "c"))),)


def test_story_lines_are_those_of_the_file() -> None:
    reading = read(f"# Digest\n\n## Models\n\n- [A]({EXAMPLE})\n- [B]({EXAMPLE}/b)\n\n## Funding\n\nProse.\n")
    assert (reading.section_lines, reading.story_lines) == ((3, 8), (5, 6, 10))


@pytest.mark.parametrize(
    "deep", ["> " * 1000 + "x", "- " * 1000 + "x", "\n".join("  " * n + "- x" for n in range(1000))]
)
def test_nesting_a_thousand_deep_is_an_error_and_what_follows_is_kept(deep: str) -> None:
    reading = read(f"## Models\n\n{deep}\n\nafterwards\n\n## Funding\n\nend\n")
    assert "too-deep" in [found.code for found in reading.errors]
    assert "end" in repr(reading.issue)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(GENERAL_LINES), max_size=14))
def test_no_word_is_lost(lines: list[str]) -> None:
    text, words = numbered(lines)
    reading = read(text)
    kept = repr(reading.issue) + "".join(found.message for found in reading.diagnostics)
    assert words <= set(re.findall(r"w\d+z", kept))


def test_bold_lines_in_a_section_are_stories() -> None:
    (section,) = sections(f"## 政策\n\n**甲**\n正文一。\n\n**乙**\n\n正文二。[来源]({EXAMPLE})\n")
    assert section.stories == (
        Story("甲", topics=("policy",), body=(Paragraph("正文一。"),)),
        Story("乙", source=Source("news.example.org", EXAMPLE), topics=("policy",), body=(Paragraph("正文二。"),)),
    )


def test_a_link_alone_below_the_prose_of_a_section_is_its_source() -> None:
    (section,) = sections(f"## Models\n\nProse.\n\n[The Wire]({EXAMPLE})\n")
    assert section.stories == (
        Story("Models", source=Source("The Wire", EXAMPLE), topics=("models",), body=(Paragraph("Prose."),)),
    )
