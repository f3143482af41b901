"""How a weekly digest looks: its days above the title, its subject, its stories in short, and its size."""

from dataclasses import replace
from datetime import date

import pytest
from render_samples import ISSUE, OCEAN, PUBLICATION, READER, TOPICS

from newsletter.compose.choose import MOST_IN_DIGEST
from newsletter.compose.digest import Past, digest
from newsletter.compose.edition import Edition
from newsletter.content.issue import Issue, Mark, Section, Source, Story
from newsletter.content.spans import plain
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.labels import load_labels
from newsletter.render.message import html_of, subject_of, text_of
from newsletter.render.shorten import BRIEF_COLUMNS
from newsletter.render.size import full_edition, largest_html_bytes
from newsletter.render.story_view import story_view
from newsletter.render.theme import load_theme, templates_dir
from newsletter.render.widths import columns

WEEKLY = load_theme("weekly")
MOST_BYTES = 100_000
"""What approval refuses above, and Gmail cuts off soon after."""


def week(*issues: Issue) -> Issue:
    """The digest of Friday, 13 March."""
    past = [Past(f"{issue.date}", issue.date or date.min, issue, {}) for issue in issues]
    return digest(date(2026, 3, 13), past, TOPICS.topics)


def made(issue: Issue, language: str = "zh") -> CompiledIssue:
    return compile_issue(issue, theme=WEEKLY, language=language, topics=TOPICS, publication=PUBLICATION, slug="digest")


def mail(issue: Issue, language: str = "zh") -> tuple[str, str, str]:
    """Subject, HTML and text of all of it."""
    compiled = made(issue, language)
    assembled = assemble(compiled, full_edition(compiled))
    return subject_of(assembled, READER), html_of(assembled, READER), text_of(assembled, READER)


def long_story(number: int, *, chinese: bool) -> Story:
    """A story with a title of 200 characters, a text without an end, and both marks."""
    title = ("一个很长的标题" * 40 if chinese else "A very long title " * 20)[:197] + f"{number:03}"
    return Story(
        id=f"story{number:05}",
        title=title,
        summary="这是一句没有尽头的说明，" * 60 if chinese else "it has no end, " * 60,
        source=Source(
            "示例研究院的官方网站和新闻中心", f"https://www.example-research.org/a/long/path?a=1&b=2&n={number}"
        ),
        topics=(TOPICS.topics[number % 5].slug,),
        marks=(Mark.IMPORTANT, Mark.FOLLOW_UP),
    )


@pytest.mark.parametrize(("language", "said"), [("zh", "一周精选 · 3 月 6 日—9 日"), ("en", "The week · 6–9 March")])
def test_the_days_of_its_issues_stand_above_the_title(language: str, said: str) -> None:
    other = replace(ISSUE, date=date(2026, 3, 6), sections=(Section("x", (replace(OCEAN, id="sea"),)),))
    _, html, text = mail(week(ISSUE, other), language)
    assert text.startswith(said)
    assert said.partition(" · ")[2] in html


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("zh", "一周精选：示例市发布公共数据授权运营细则等 4 条"),
        ("en", "The week: 示例市发布公共数据授权运营细则 (and 3 more)"),
    ],
)
def test_its_subject_says_that_it_is_of_a_week(language: str, subject: str) -> None:
    assert mail(week(ISSUE), language)[0] == subject


def test_a_long_title_leaves_room_for_what_the_subject_begins_with() -> None:
    subject = mail(week(replace(ISSUE, sections=(Section("x", (long_story(0, chinese=True),)),))))[0]
    assert subject.startswith("一周精选：")
    assert columns(subject) < 60


def test_a_story_is_its_title_some_sentences_the_date_of_its_issue_and_its_source() -> None:
    _, html, text = mail(week(ISSUE))
    page = f"{PUBLICATION.base_url}/archive/2026-03-09/ocean"
    assert OCEAN.background not in text + html
    assert OCEAN.points[0] not in text + html
    assert f"3 月 9 日 · 来源出处：示例研究院官网\nhttps://ocean.example.org/data\n阅读全文：{page}\n" in text
    assert html.count(f'href="{page}"') == 2  # the title, and where the rest is


def test_a_text_is_cut_behind_a_sentence() -> None:
    sentence = "它写明哪些数据可以授权，由谁定价。"
    story = story_view(0, replace(OCEAN, summary=sentence * 20))
    assert plain(story.brief) == sentence * (BRIEF_COLUMNS // columns(sentence))


def test_an_endless_sentence_is_cut_behind_a_word() -> None:
    told = plain(story_view(0, replace(OCEAN, summary="it has no end and " * 60)).brief)
    assert columns(told) <= BRIEF_COLUMNS
    assert told.removesuffix("…").split()[-1] in ("it", "has", "no", "end", "and")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("chinese", [True, False])
def test_the_longest_one_that_anybody_gets_is_not_cut_off_by_mail_programs(language: str, *, chinese: bool) -> None:
    stories = tuple(long_story(number, chinese=chinese) for number in range(2 * MOST_IN_DIGEST))
    compiled = made(week(replace(ISSUE, sections=(Section("x", stories),))), language)
    assert largest_html_bytes(compiled, MOST_IN_DIGEST) <= MOST_BYTES
    assert largest_html_bytes(compiled) > MOST_BYTES


def test_the_fullest_edition_has_the_longest_stories_in_the_order_of_the_issue() -> None:
    compiled = made(week(ISSUE))
    fullest: Edition = full_edition(compiled, 2)
    assert len(fullest.stories) == 2
    assert "ocean" in fullest.stories


def test_an_issue_of_its_own_is_shown_whole_in_the_weekly_theme() -> None:
    assert OCEAN.background in mail(ISSUE)[2]


def test_a_compiled_digest_is_stored_and_read_again() -> None:
    compiled = made(week(ISSUE))
    assert CompiledIssue.from_json(compiled.to_json()) == compiled


@pytest.mark.parametrize(
    ("first", "zh", "en"),
    [
        (date(2026, 3, 9), "3 月 9 日—13 日", "9–13 March"),
        (date(2026, 2, 27), "2 月 27 日—3 月 13 日", "27 February – 13 March"),
        (date(2026, 3, 13), "3 月 13 日", "13 March"),
    ],
)
def test_days_are_said_without_repeating_their_month(first: date, zh: str, en: str) -> None:
    labels = load_labels(templates_dir() / "locale")
    assert [labels[language].days(first, date(2026, 3, 13)) for language in ("zh", "en")] == [zh, en]
