"""Long bodies, and the size of the mail."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from render_samples import ISSUE, OCEAN, READER, compiled, ten_stories

from newsletter.content.inline import spans
from newsletter.content.issue import Code, Issue, Listing, Paragraph, Section, Source, Story, Table
from newsletter.content.spans import plain
from newsletter.render.assemble import assemble
from newsletter.render.blocks import block_view
from newsletter.render.message import html_of, text_of
from newsletter.render.shorten import shortened, whole_sentences
from newsletter.render.size import full_edition, largest_html_bytes

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


def test_a_long_body_without_a_source_stays_whole() -> None:
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
