"""What holds for every theme that ships: the law of the parts, the headline and the sizes."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render_samples import EVERYTHING, ISSUE, PUBLICATION, READER, TOPICS, editions, issues, ten_stories

from newsletter.compose.edition import Edition
from newsletter.content.issue import DIGEST, Issue, Origin
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.message import html_of, subject_of, text_of
from newsletter.render.pipeline import render_edition
from newsletter.render.size import largest_html_bytes
from newsletter.render.theme import Theme, load_theme, theme_names

THEMES = {name: load_theme(name) for name in theme_names()}
every_theme = pytest.mark.parametrize("name", THEMES)


def made(issue: Issue, theme: Theme, language: str = "zh") -> CompiledIssue:
    return compile_issue(issue, theme=theme, language=language, topics=TOPICS, publication=PUBLICATION)


def digest_of(issue: Issue, day: date = date(2026, 3, 6)) -> Issue:
    """A digest with the stories of an issue of that day."""
    origin = Origin(day.isoformat(), day)
    return replace(issue, format=DIGEST, origins=tuple((story.id, origin) for story in issue.stories))


def both_ways(issue: Issue, edition: Edition, theme: Theme, language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    assembled = assemble(made(issue, theme, language), edition)
    joined = html_of(assembled, READER), text_of(assembled, READER), subject_of(assembled, READER)
    whole = render_edition(
        issue, edition, theme=theme, language=language, topics=TOPICS, publication=PUBLICATION, recipient=READER
    )
    return joined, whole


def test_the_themes_that_ship() -> None:
    assert theme_names() == ["daily", "digest", "letter", "weekly"]


@pytest.mark.parametrize(
    "name", sorted(THEMES.keys() - {"daily"})
)  # daily is the theme of test_render_same_as_pipeline.py
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), language=st.sampled_from(["zh", "en"]))
def test_an_assembled_edition_is_the_whole_pipeline(name: str, data: st.DataObject, language: str) -> None:
    issue = data.draw(issues())
    joined, whole = both_ways(issue, data.draw(editions(issue)), THEMES[name], language)
    assert joined == whole


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), language=st.sampled_from(["zh", "en"]))
def test_an_assembled_edition_of_a_digest_is_the_whole_pipeline(data: st.DataObject, language: str) -> None:
    issue = digest_of(data.draw(issues()), data.draw(st.dates()))
    joined, whole = both_ways(issue, data.draw(editions(issue)), THEMES["weekly"], language)
    assert joined == whole


@every_theme
def test_a_digest_can_be_set_in_any_theme(name: str) -> None:
    html = html_of(assemble(made(digest_of(ISSUE), THEMES[name]), EVERYTHING), READER)
    assert f'href="{PUBLICATION.base_url}/archive/2026-03-06/ocean"' in html


@every_theme
def test_ten_full_stories_stay_below_30_kb(name: str) -> None:
    assert largest_html_bytes(made(ten_stories(), THEMES[name])) <= 30_000


@every_theme
def test_the_title_carries_the_headline_style_to_the_letter(name: str) -> None:
    html = html_of(assemble(made(ISSUE, THEMES[name]), EVERYTHING), READER)
    assert 'style="color:#1677ff;font-size:18px;font-weight:bold">AI 行业动态<' in html


def test_the_contents_of_a_digest_name_each_topic_before_its_stories() -> None:
    assembled = assemble(made(ISSUE, THEMES["digest"]), EVERYTHING)
    html, text = html_of(assembled, READER), text_of(assembled, READER)
    for page in (html.partition("</dl>")[0].partition("<dl")[2], text.partition("\n== ")[0]):
        order = [
            page.index(words)
            for words in ("政策与监管", "示例市发布公共数据", "模型与技术", "示例团队开源", "示例研究院公开")
        ]
        assert order == sorted(order)


def test_a_letter_has_no_boxes() -> None:
    html = html_of(assemble(made(ISSUE, THEMES["letter"]), EVERYTHING), READER)
    body = html.partition("<body")[2]
    assert "border-radius" not in body
    assert "border-left" not in body
