"""Judging an issue: which finding for which fault, how severe, and where."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from newsletter.content.diagnostics import Diagnostic, Severity
from newsletter.content.document import read_issue
from newsletter.content.hosts import expected_domains
from newsletter.content.issue import Image, Issue, Paragraph, Section, Source, Story
from newsletter.content.judge import EarlierStory, judge, with_topic
from newsletter.content.likeness import traits_of
from newsletter.content.reading import Reading
from subscribers.topics import Catalogue

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
TODAY = date(2026, 2, 5)
TOPICS = ("policy", "models", "模型与技术进展")


def story(**changes):
    whole = Story(
        "云帆科技发布推理引擎", summary="一句话。", source=Source("示例报", "https://example.org/a"), topics=("models",)
    )
    return replace(whole, **changes)


def reading(*stories, topic="models", title="示例日报", day=TODAY, **more):
    section = Section("模型与技术进展", stories, ("模型与技术进展",), topic)
    lines = tuple(range(5, 5 + 10 * len(stories), 10))
    return Reading(Issue(title, day, (section,), **more), (), (3,), lines)


def found(given, **more):
    findings = judge(given, today=TODAY, topics_known=TOPICS, **more)
    return [(str(finding.severity), finding.line, finding.code) for finding in findings]


def message(given, **more):
    [finding] = judge(given, today=TODAY, topics_known=TOPICS, **more)
    return finding.message


def test_a_good_issue_has_no_findings():
    assert found(reading(story())) == []


def test_what_cannot_be_read_keeps_the_readers_own_findings():
    own = Diagnostic(Severity.ERROR, 0, "encoding", "not text")
    assert judge(Reading(None, (own,)), today=TODAY, topics_known=TOPICS) == (own,)


def test_an_issue_without_stories_is_one_error_however_many_sections_wait_for_them():
    assert found(reading()) == [("error", 0, "no-story")]


def test_a_missing_title_is_a_warning_that_says_what_is_used_instead():
    assert found(reading(story(), title="")) == [("warning", 0, "title-missing")]
    assert "the newsletter's own name is used" in message(reading(story(), title=""))


def test_a_story_without_title_is_a_warning_in_its_line():
    assert found(reading(story(title=""))) == [("warning", 5, "title-missing")]


def test_a_missing_date_is_an_error():
    assert found(reading(story(), day=None)) == [("error", 0, "date-missing")]


def test_a_date_that_the_reader_found_impossible_is_not_missing_too():
    own = Diagnostic(Severity.ERROR, 1, "date-impossible", "no such day")
    assert found(replace(reading(story(), day=None), diagnostics=(own,))) == [("error", 1, "date-impossible")]


@pytest.mark.parametrize("day", [date(1999, 12, 31), TODAY + timedelta(days=367)])
def test_a_date_before_2000_or_more_than_a_year_ahead_is_an_error(day):
    assert found(reading(story(), day=day)) == [("error", 0, "date-impossible")]


@pytest.mark.parametrize("days", [-366, -1, 0, 7])
def test_a_date_up_to_a_week_ago_or_a_year_ahead_is_plausible(days):
    assert found(reading(story(), day=TODAY - timedelta(days=days))) == []


def test_a_date_more_than_a_week_ago_is_a_warning():
    assert found(reading(story(), day=TODAY - timedelta(days=8))) == [("warning", 0, "date-old")]


def test_a_section_without_topic_is_an_error_that_names_heading_and_nearest_topic():
    given = reading(story(topics=()), topic="")
    renamed = replace(given.issue.sections[0], title="模型和技术", path=("模型和技术",))
    given = replace(given, issue=replace(given.issue, sections=(renamed,)))
    assert found(given) == [("error", 3, "topic-unknown")]
    assert "“模型和技术”" in message(given) and "“模型与技术进展”" in message(given)


def test_a_story_with_an_unknown_topic_is_an_error_that_names_it():
    assert "“polcy”" in message(reading(story(topics=("models", "polcy"))))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://example.org/a", "/relative", "https://"])
def test_a_source_link_that_is_not_http_is_an_error(url):
    assert ("error", 5, "link-scheme") in found(reading(story(source=Source("示例报", url))))


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "[云帆](data:text/html,x)"},
        {"summary": "[一](javascript:x)"},
        {"background": "[一](javascript:x)"},
        {"points": ("[一](javascript:x)",)},
        {"body": (Paragraph("[一](javascript:x)"),)},
        {"body": (Image("file:///etc/passwd", "图"),)},
    ],
)
def test_a_link_that_is_not_http_is_found_in_every_field(changes):
    assert ("error", 5, "link-scheme") in found(reading(story(**changes)))


@pytest.mark.parametrize(
    ("changes", "severity", "code"),
    [
        ({"title": "长" * 301}, "error", "title-too-long"),
        ({"title": "长" * 81}, "warning", "text-long"),
        ({"summary": "长" * 601}, "warning", "text-long"),
        ({"points": ("短", "长" * 601)}, "warning", "text-long"),
        ({"body": (Paragraph("长" * 200_001),)}, "error", "story-too-long"),
    ],
)
def test_a_text_that_is_too_long(changes, severity, code):
    assert found(reading(story(**changes))) == [(severity, 5, code)]


def test_the_address_of_a_link_does_not_make_a_text_long():
    assert found(reading(story(summary=f"[一](https://example.org/{'a' * 700})"))) == []


def test_more_stories_than_an_issue_can_have_are_an_error():
    many = [story(title=f"第{n}条", source=Source("报", f"https://example.org/{n}")) for n in range(2_001)]
    assert found(reading(*many)) == [("error", 0, "issue-too-long")]


def test_a_missing_source_is_a_warning():
    assert found(reading(story(source=None))) == [("warning", 5, "source-missing")]


def test_a_source_without_link_is_a_warning_except_in_an_article():
    given = reading(story(source=Source("示例报", "")))
    assert found(given) == [("warning", 5, "source-missing")]
    assert found(replace(given, issue=replace(given.issue, format="article"))) == []


def test_an_issue_without_any_source_is_told_once():
    assert found(reading(story(source=None), story(title="另一条", source=None))) == [("warning", 0, "source-missing")]


def test_a_source_label_that_does_not_fit_its_host_is_a_warning_that_names_both():
    given = reading(story(source=Source("新华网", "https://news.example.org/a")))
    assert found(given) == [("warning", 5, "source-mismatch")]
    assert "news.example.org" in message(given) and "news.cn" in message(given)


@pytest.mark.parametrize(
    ("label", "url"),
    [
        ("新华网", "https://www.news.cn/a"),
        ("新华网", "http://www.xinhuanet.com/a"),
        ("新浪财经", "https://finance.sina.com.cn/a"),
        ("人民网财经", "http://finance.people.com.cn/a"),
        ("The Verge", "https://www.theverge.com/a"),
        ("量子位", "https://mp.weixin.qq.com/s/a"),
        ("无人知晓的报纸", "https://example.org/a"),
        ("Wired Magazine of Somewhere", "https://example.org/a"),
        ("新华网", "https://[broken"),
    ],
)
def test_a_source_label_that_fits_or_is_unknown_is_no_mismatch(label, url):
    assert expected_domains(label, url) == ()


@pytest.mark.parametrize("url", ["https://notnews.cn/a", "https://news.cn.example.org/a"])
def test_a_host_that_only_looks_like_the_expected_one_is_a_mismatch(url):
    assert expected_domains("新华网", url) == ("news.cn", "xinhuanet.com")


@pytest.mark.parametrize(
    "second",
    [{"title": "云帆科技，发布推理引擎！", "source": Source("报", "https://example.org/b")}, {"title": "别的题目"}],
)
def test_the_same_title_or_link_twice_is_a_warning_at_the_second_story(second):
    given = reading(story(), story(**second))
    assert found(given) == [("warning", 15, "story-repeated")]
    assert "line 5" in message(given)


def test_a_story_of_an_earlier_issue_is_a_warning_that_names_the_issue():
    told = Story("另一个题目", source=Source("示例报", "http://www.example.org/a/"))
    earlier = [EarlierStory(told.title, "2026-02-01", traits_of(told))]
    assert found(reading(story()), earlier=earlier) == [("warning", 5, "story-earlier")]
    assert "2026-02-01" in message(reading(story()), earlier=earlier)


def test_a_subject_for_everybody_that_names_a_story_is_a_warning():
    assert found(reading(story(), subject="今日：云帆科技发布推理引擎等")) == [("warning", 0, "subject-names-story")]
    assert found(reading(story(), subject="每日要闻")) == []


def test_a_picture_on_a_foreign_host_is_a_warning():
    given = reading(story(body=(Image("https://cdn.example.net/a.png", "图"),)))
    assert found(given) == [("warning", 5, "image-foreign")]
    assert found(given, own_host="cdn.example.net") == []


def test_findings_stand_in_the_order_of_their_lines():
    own = Diagnostic(Severity.WARNING, 9, "unplaced", "left out")
    given = replace(reading(story(source=None), story(title="", source=Source("报", "x:y"))), diagnostics=(own,))
    lines = [line for _, line, _ in found(given)]
    assert lines == sorted(lines) and 9 in lines


def test_a_given_topic_goes_to_the_sections_that_have_none():
    given = with_topic(reading(story(topics=("policy",)), topic=""), "models")
    assert given.issue.sections[0].topic == "models"
    assert given.issue.stories[0].topics == ("models", "policy")


def test_a_given_topic_leaves_the_sections_that_have_one():
    given = reading(story(), topic="policy")
    assert with_topic(given, "models") == given


def test_a_given_topic_changes_nothing_in_what_cannot_be_read():
    assert with_topic(Reading(None), "models") == Reading(None)


@pytest.mark.skipif(not SEEDS.exists(), reason="the sample documents lie beside the project, not in it")
def test_the_sample_whose_source_label_points_elsewhere_is_noticed_at_its_first_story():
    given = read_issue((SEEDS / "000_edcf4d99eb27c909.txt").read_bytes(), resolve=Catalogue().resolve)
    slugs = [topic.slug for topic in Catalogue().topics]
    findings = judge(given, today=TODAY, topics_known=slugs)
    assert given.story_lines[0] in [finding.line for finding in findings if finding.code == "source-mismatch"]
    assert [finding for finding in findings if finding.severity is Severity.ERROR] == []
