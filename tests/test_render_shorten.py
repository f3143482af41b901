"""Long bodies, and the size of the mail."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import ISSUE, OCEAN, PUBLICATION, READER, TOPICS, compiled, ten_stories

from newsletter.content.inline import spans
from newsletter.content.issue import Code, Issue, Listing, Paragraph, Section, Source, Story, Table
from newsletter.content.spans import plain
from newsletter.render.assemble import assemble
from newsletter.render.blocks import block_view
from newsletter.render.compile import compile_issue
from newsletter.render.message import html_of, text_of
from newsletter.render.shorten import shortened, whole_sentences
from newsletter.render.size import full_edition, largest_html_bytes
from newsletter.render.theme import load_theme, theme_names

LONG = "模型先在公开的观测数据上训练，再由外部团队复核。" * 60


def issue_with(story: Story) -> Issue:
    return replace(ISSUE, sections=(Section("models", (story,), topic="models"),))


def test_a_long_paragraph_ends_with_a_whole_sentence() -> None:
    (block,), cut = shortened([block_view(Paragraph(LONG))])
    shown = plain(block.rows[0][0])
    assert cut
    assert 500 < len(shown) <= 600
    assert shown.endswith("复核。")


def test_a_short_body_is_left_alone() -> None:
    blocks = [block_view(Paragraph("一句。")), block_view(Listing(("a", "b")))]
    assert shortened(blocks) == (tuple(blocks), False)


def test_of_lists_code_and_tables_the_first_rows_are_kept() -> None:
    for block in (Listing(("x" * 90,) * 20), Code("\n".join(["y" * 90] * 20)), Table((("z" * 90,),) * 20)):
        (kept,), cut = shortened([block_view(block)])
        assert cut
        assert len(kept.rows) == 6


@given(st.text(st.sampled_from("ab 。.！*_[]()"), max_size=200), st.integers(2, 200))
def test_a_cut_paragraph_is_no_longer_than_asked(text: str, most: int) -> None:
    found = spans(text)
    shown = plain(whole_sentences(found, most))
    assert len(shown) <= most
    assert plain(found).startswith(shown.removesuffix("…"))


def test_a_long_body_goes_on_at_its_source() -> None:
    story = replace(OCEAN, source=Source("甲", "https://a.example.org/whole"), body=(Paragraph(LONG),))
    assembled = assemble(compiled(issue_with(story)), full_edition(compiled(issue_with(story))))
    assert '<a href="https://a.example.org/whole" style="color:#0958d9">阅读全文</a>' in html_of(assembled, READER)
    assert "阅读全文：https://a.example.org/whole" in text_of(assembled, READER)


@pytest.mark.parametrize("source", [None, Source("甲", "https://a.example.org/whole")])
@pytest.mark.parametrize("theme", theme_names())
def test_a_long_body_goes_on_at_the_storys_page_in_the_archive(source: Source | None, theme: str) -> None:
    made = compile_issue(
        issue_with(replace(OCEAN, source=source, body=(Paragraph(LONG),))),
        theme=load_theme(theme),
        language="zh",
        topics=TOPICS,
        publication=PUBLICATION,
        slug="2026-03-09-2",
    )
    html, text = (part(assemble(made, full_edition(made)), READER) for part in (html_of, text_of))
    address = "https://news.example.org/archive/2026-03-09-2/ocean"
    assert re.search(f'<a href="{address}"[^>]*>阅读全文</a>', html)
    assert f"阅读全文：{address}\n" in text
    assert LONG not in html + text
    for part in (html, text):
        assert ("https://a.example.org/whole" in part) == (source is not None)


def test_a_long_body_that_is_nowhere_else_stays_whole() -> None:
    made = compiled(issue_with(replace(OCEAN, source=None, body=(Paragraph(LONG),))))
    assert LONG in text_of(assemble(made, full_edition(made)), READER)


def test_the_fullest_edition_of_ten_stories_is_under_45_kb() -> None:
    assert largest_html_bytes(compiled(ten_stories())) <= 45_000


def test_thirty_stories_stay_under_80_kb() -> None:
    issue = ten_stories()
    sections = tuple(
        replace(
            section,
            stories=tuple(replace(story, id=f"{story.id}.{i}") for i in range(3) for story in section.stories),
        )
        for section in issue.sections
    )
    assert largest_html_bytes(compiled(replace(issue, sections=sections))) <= 80_000


def test_no_reader_gets_more_than_the_largest() -> None:
    made = compiled(ten_stories())
    page = html_of(assemble(made, full_edition(made)), READER)
    assert len(page.encode()) <= largest_html_bytes(made)
