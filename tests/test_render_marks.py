"""What a mail says of a story that its editor marked: a chip before the title, and nothing where there is no mark."""

from dataclasses import replace

import pytest
from lxml import html as trees
from render_samples import ECHO, ISSUE, OCEAN, PUBLICATION, QUIET, READER, RULES, TOPICS

from newsletter.content.issue import Issue, Mark, Section
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.contrast import ENOUGH, contrast, faint_texts
from newsletter.render.message import html_of, text_of
from newsletter.render.size import full_edition
from newsletter.render.story_view import story_view
from newsletter.render.theme import load_theme

THEMES = ("daily", "digest", "letter")
MARKED = replace(
    ISSUE,
    sections=(
        Section("模型与技术进展", (replace(OCEAN, marks=(Mark.FOLLOW_UP, Mark.IMPORTANT)), ECHO), topic="models"),
        Section("政策与监管", (replace(RULES, marks=(Mark.NEW,)),), topic="policy"),
        Section("产品与应用发布", (replace(QUIET, marks=(Mark.FOLLOW_UP,)),), topic="products"),
    ),
)


def made(theme: str, language: str = "zh", issue: Issue = MARKED) -> CompiledIssue:
    return compile_issue(
        issue, theme=load_theme(theme), language=language, topics=TOPICS, publication=PUBLICATION, slug="2026-03-09"
    )


def html(theme: str, language: str = "zh", issue: Issue = MARKED) -> str:
    compiled = made(theme, language, issue)
    return html_of(assemble(compiled, full_edition(compiled)), READER)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("language", "important", "follow_up"), [("zh", "重要", "后续"), ("en", "Important", "Follow-up")]
)
def test_the_title_of_a_marked_story_begins_with_its_marks(
    theme: str, language: str, important: str, follow_up: str
) -> None:
    titles = trees.fromstring(html(theme, language)).xpath("//h3")
    assert [[chip.text for chip in title.xpath("span")] for title in titles] == [
        [important, follow_up], [], [], [follow_up],
    ]  # fmt: skip
    compiled = made(theme, language)
    text = text_of(assemble(compiled, full_edition(compiled)), READER)
    assert f"\n1. [{important}] [{follow_up}] {OCEAN.title}\n" in text
    assert f"\n4. [{follow_up}] {QUIET.title}\n" in text
    assert f"\n3. {RULES.title}\n" in text.partition("== ")[2]


@pytest.mark.parametrize("theme", THEMES)
def test_a_chip_is_in_the_language_of_the_mail_and_says_so_in_a_foreign_story(theme: str) -> None:
    chips = trees.fromstring(html(theme)).xpath("//h3/span")
    assert [chip.get("lang") for chip in chips] == [None, None, "zh-CN"]


@pytest.mark.parametrize("theme", THEMES)
def test_chips_are_legible_by_daylight_and_in_the_dark(theme: str) -> None:
    assert [faint for faint in faint_texts(html(theme)) if faint.text in ("重要", "后续")] == []
    assert ".chip{color:#69b1ff!important;background:#15263d!important}" in html(theme)
    assert min(contrast("#0958d9", "#f0f6ff"), contrast("#69b1ff", "#15263d")) >= ENOUGH


@pytest.mark.parametrize("theme", THEMES)
def test_a_chip_has_its_colours_without_any_style_block(theme: str) -> None:
    for chip in trees.fromstring(html(theme)).xpath("//h3/span"):
        assert "color:#0958d9" in chip.get("style")
        assert "background:#f0f6ff" in chip.get("style")


@pytest.mark.parametrize("theme", THEMES)
def test_a_mail_of_an_issue_without_marks_knows_nothing_of_them(theme: str) -> None:
    assert "chip" not in html(theme, issue=ISSUE)


@pytest.mark.parametrize("theme", THEMES)
def test_a_mark_changes_nothing_of_the_other_stories(theme: str) -> None:
    marked, plain = made(theme), made(theme, issue=ISSUE)
    for name in ("story.1", "story.2", "section.1", "entry.0"):
        assert marked.html[name] == plain.html[name]
        assert marked.text[name] == plain.text[name]


def test_that_a_story_is_one_of_its_own_is_not_shown() -> None:
    assert story_view(0, replace(OCEAN, marks=(Mark.NEW,))).marks == ()
