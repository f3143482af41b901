"""An edition joined from fragments is what the whole pipeline makes of its stories, letter by letter."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render_samples import EVERYTHING, ISSUE, PUBLICATION, READER, THEME, TOPICS, compiled, editions, issues

from newsletter.compose.edition import Edition
from newsletter.content.issue import Issue
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.message import html_of, subject_of, text_of
from newsletter.render.pipeline import render_edition

SLUG = "2026-03-09"


def both_ways(issue: Issue, edition: Edition, language: str) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    made = compile_issue(issue, theme=THEME, language=language, topics=TOPICS, publication=PUBLICATION, slug=SLUG)
    assembled = assemble(made, edition)
    joined = html_of(assembled, READER), text_of(assembled, READER), subject_of(assembled, READER)
    whole = render_edition(
        issue,
        edition,
        theme=THEME,
        language=language,
        topics=TOPICS,
        publication=PUBLICATION,
        recipient=READER,
        slug=SLUG,
    )
    return joined, whole


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.sampled_from(["zh", "en"]))
def test_an_assembled_edition_is_the_whole_pipeline_on_the_same_selection(data: st.DataObject, language: str) -> None:
    issue = data.draw(issues())
    joined, whole = both_ways(issue, data.draw(editions(issue)), language)
    assert joined[0] == whole[0]
    assert joined[1] == whole[1]
    assert joined[2] == whole[2]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_subset_in_any_order_of_topics_is_the_pipeline_on_it(data: st.DataObject) -> None:
    joined, whole = both_ways(ISSUE, data.draw(editions(ISSUE)), "zh")
    assert joined == whole


def test_a_stored_compiled_issue_gives_the_same_edition() -> None:
    fresh = compiled()
    stored = CompiledIssue.from_json(fresh.to_json())
    assert stored == fresh
    assert stored.content_hash == fresh.content_hash
    assert html_of(assemble(stored, EVERYTHING), READER) == html_of(assemble(fresh, EVERYTHING), READER)
