"""The archive read page by page: newest first, plain text, nothing asked twice."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from archive_samples import DAY, issue_text, publish_days, publish_text, story_text
from sqlalchemy import event

from newsletter.app import Newsletter
from newsletter.archive.reading import PAGE, Archive

pytestmark = pytest.mark.both_databases


def count_questions(newsletter: Newsletter, look: Any) -> int:
    """How many queries a look at the archive takes."""
    asked: list[str] = []

    def remember(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(newsletter.engine, "before_cursor_execute", remember)
    look()
    event.remove(newsletter.engine, "before_cursor_execute", remember)
    return sum(statement.startswith("SELECT") for statement in asked)


def test_issues_come_newest_first_page_by_page_and_nothing_beyond_the_last(newsletter: Newsletter) -> None:
    publish_days(newsletter, PAGE + 3)
    archive = Archive(newsletter)
    pages = [archive.issues(number) for number in (1, 2, 3)]
    days = [line.date for page in pages for line in page.items]
    assert days == [DAY - timedelta(days=back) for back in range(PAGE + 3)]
    assert [(page.page, page.pages, page.total, len(page.items)) for page in pages] == [
        (1, 2, PAGE + 3, PAGE),
        (2, 2, PAGE + 3, 3),
        (3, 2, PAGE + 3, 0),
    ]


@pytest.mark.parametrize("number", [0, -1, 2, 10**30])
def test_a_page_that_is_not_there_is_empty(newsletter: Newsletter, number: int) -> None:
    publish_days(newsletter, 1)
    archive = Archive(newsletter)
    for page in (archive.issues(number), archive.stories("policy", number), archive.search("消息", number)):
        assert (page.items, page.total) == ((), 1)


def test_an_empty_archive_has_empty_pages(newsletter: Newsletter) -> None:
    archive = Archive(newsletter)
    for page in (archive.issues(1), archive.stories("policy", 1), archive.search("消息", 1)):
        assert (page.items, page.pages, page.total) == ((), 0, 0)
    assert (archive.latest(), archive.rates(), archive.newest(3)) == (None, {}, ())


def test_stories_of_a_topic_come_newest_first_and_within_an_issue_in_its_order(newsletter: Newsletter) -> None:
    earlier = "\n".join(story_text(title) for title in ("甲", "乙"))
    publish_text(newsletter, issue_text(DAY - timedelta(days=1), earlier))
    publish_text(newsletter, issue_text(DAY, story_text("丙")))
    publish_text(newsletter, issue_text(DAY + timedelta(days=1), story_text("丁"), "融资"))
    archive = Archive(newsletter)
    assert [line.title for line in archive.stories("policy", 1).items] == ["丙", "甲", "乙"]
    assert [line.title for line in archive.stories("funding", 1).items] == ["丁"]
    assert archive.stories("models", 1).total == 0


@pytest.mark.parametrize("slug", ["nothing", "", "\0", "\ud800", "2026-03-09' OR 1=1", "x" * 10_000])
def test_a_slug_that_nothing_has_finds_nothing(newsletter: Newsletter, slug: str) -> None:
    publish_days(newsletter, 1)
    archive = Archive(newsletter)
    assert archive.issue(slug) is None
    assert archive.stories(slug, 1).total == len(archive.newest_stories(slug, 5)) == 0


def test_a_line_tells_in_plain_text_what_the_story_says(newsletter: Newsletter) -> None:
    story = story_text(
        "群岛\u0007`Echo` & <b>", "第 *二* [条](https://x.example.org/)。", "[群岛](https://l.example.org/a)"
    )
    publish_text(newsletter, issue_text(DAY, story))
    (line,) = Archive(newsletter).newest_stories("policy", 1)
    assert (line.title, line.summary) == ("群岛Echo & <b>", "第 二 条。")
    assert (line.source, line.source_url, line.lang) == ("群岛", "https://l.example.org/a", "zh-CN")
    assert line.path == f"/archive/{line.slug}/{line.story_id}"


def test_an_issue_line_tells_what_is_in_it(newsletter: Newsletter) -> None:
    stories = "\n".join(story_text(title) for title in ("甲", "乙", "丙", "丁"))
    publish_text(newsletter, issue_text(DAY, stories))
    (line,) = Archive(newsletter).issues(1).items
    assert (line.title, line.stories, line.topics) == ("岬角日报", 4, ("policy",))
    assert line.headlines == ("甲", "乙", "丙")


def test_rates_count_the_last_four_weeks_up_to_the_newest_issue(newsletter: Newsletter) -> None:
    publish_days(newsletter, 28)
    for back in (0, 1, 27, 28, 200):  # the last two are too long ago
        on = DAY - timedelta(days=back)
        publish_text(newsletter, issue_text(on, story_text(f"融资{back}"), "融资").replace("岬角日报", "岬角融资"))
    rates = Archive(newsletter).rates()
    assert {topic: rate.per_week for topic, rate in rates.items()} == {"policy": 7.0, "funding": 0.75}
    assert (rates["policy"].example.title, rates["funding"].example.title) == ("第0天前的消息", "融资0")


def test_a_young_newsletter_is_counted_by_the_weeks_it_has(newsletter: Newsletter) -> None:
    publish_days(newsletter, 14)
    assert Archive(newsletter).rates()["policy"].per_week == 7.0


def test_a_newsletter_of_one_day_is_counted_as_a_week(newsletter: Newsletter) -> None:
    publish_days(newsletter, 1)
    assert Archive(newsletter).rates()["policy"].per_week == 1.0


def test_a_page_takes_two_queries_and_one_more_for_all_that_was_never_read(newsletter: Newsletter) -> None:
    publish_days(newsletter, PAGE)
    for name, said in (("issues", ()), ("stories", ("policy",)), ("search", ("消息",))):
        look = partial(getattr(Archive(newsletter), name), *said, 1)
        assert [count_questions(newsletter, look) for _ in range(2)] == [3, 2]


def test_issues_of_the_same_day_stand_in_the_order_they_were_made(newsletter: Newsletter) -> None:
    text = issue_text(date(2026, 3, 9), story_text("甲"))
    publish_text(newsletter, text)
    publish_text(newsletter, text.replace("岬角日报", "岬角晚报"))
    archive = Archive(newsletter)
    assert [line.title for line in archive.issues(1).items] == ["岬角晚报", "岬角日报"]
    latest = archive.latest()
    assert latest is not None
    assert latest.slug == "2026-03-09-2"
