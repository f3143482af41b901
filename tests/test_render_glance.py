"""A mail at a glance shows what the message shows, and takes no text part."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render_samples import EDITION, ISSUE, PUBLICATION, READER, THEME, TOPICS, editions, issues

from newsletter.content.issue import Issue
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.glance import glance
from newsletter.render.keeping import Compilations
from newsletter.render.message import html_of, subject_of


def compiled(issue: Issue, with_text: bool) -> CompiledIssue:
    given = {"theme": THEME, "language": "zh", "topics": TOPICS, "publication": PUBLICATION}
    return compile_issue(issue, **given, with_text=with_text)  # type: ignore[arg-type]  # each of its own type


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_glance_is_the_message_letter_by_letter(data: st.DataObject) -> None:
    issue = data.draw(issues())
    edition = data.draw(editions(issue))
    seen, sent = glance(compiled(issue, False), edition, READER), assemble(compiled(issue, True), edition)
    assert (seen.subject, seen.preheader) == (subject_of(sent, READER), sent.preheader)
    assert seen.html == html_of(sent, READER)


def test_what_was_compiled_to_be_looked_at_makes_no_message() -> None:
    with pytest.raises(KeyError):
        assemble(compiled(ISSUE, False), EDITION)


def test_a_whole_compilation_does_for_a_glance_but_not_the_other_way_round() -> None:
    kept = Compilations()
    given = {"theme": THEME, "language": "zh", "topics": TOPICS, "publication": PUBLICATION}
    light = kept.compile(ISSUE, **given, with_text=False)  # type: ignore[arg-type]  # each of its own type
    whole = kept.compile(ISSUE, **given)  # type: ignore[arg-type]  # each of its own type
    assert not light.text
    assert whole.text
    assert kept.compile(ISSUE, **given, with_text=False) is whole  # type: ignore[arg-type]  # each of its own type
