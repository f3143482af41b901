"""The index of stories: what an issue tells again is found among all issues, without reading them."""

from datetime import date, timedelta
from sqlite3 import Cursor

import pytest
from archive_samples import DAY, issue_text, publish_text, story_text
from desk_samples import add_staff
from sending import add_readers, plan
from sqlalchemy import Engine, event, update
from sqlmodel import Session, col, delete, func, select

from newsletter.app import Newsletter
from newsletter.content.diagnostics import Diagnostic
from newsletter.content.identity import identify
from newsletter.content.issue import DIGEST, Issue, Section, Source, Story
from newsletter.content.likeness import SOUGHT
from newsletter.content.reading import Reading
from newsletter.delivery.models import Delivery, MailingStory
from newsletter.delivery.outcome import Reason
from newsletter.editorial import writing
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.opening import know_stories
from newsletter.storage.issues import Saved
from newsletter.storage.models import IssueRow, StoryHash, StoryRow
from newsletter.storage.story_index import (
    MOST_OF_A_KIND,
    Place,
    earlier_stories,
    index_missing,
    index_stories,
    refresh_roots,
)

pytestmark = pytest.mark.both_databases

TIDES = (
    "群岛实验室昨日公开了潮汐预报模型的全部训练数据，覆盖十二个港口近三十年的逐时潮位。数据附有清洗脚本与评测说明，"
    "第三方可以据此核对论文中的结论。"
)
EDITED = TIDES.replace("昨日", "周二").replace("第三方可以", "任何人都能")
SPEECH = (
    "山谷团队发布离线语音识别模型，安装包不到四十兆，可在三年前的手机上实时转写普通话与四种方言，录音不会离开设备。"
)
LAB = "[群岛实验室](https://lab.example.org/news/2026/tides)"
VALLEY = "[山谷团队](https://valley.example.org/)"
FIRST = story_text("群岛实验室公开潮汐数据", TIDES, LAB)
AGAIN = story_text("潮汐模型的数据可以下载了", EDITED, VALLEY)
NEWS = story_text("山谷团队发布语音模型", SPEECH, VALLEY)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def keep(newsletter: Newsletter, on: date, *stories: str) -> Saved:
    data = issue_text(on, "\n".join(stories)).encode()
    return take_in(newsletter, read(newsletter, data), data, draft=True)[0]


def rows(newsletter: Newsletter, saved: Saved) -> dict[str, StoryRow]:
    """The rows of an issue by their titles."""
    with newsletter.reading() as session:
        return {row.title: row for row in session.exec(select(StoryRow).where(StoryRow.issue_id == saved.issue_id))}


def roots(newsletter: Newsletter, saved: Saved) -> list[str]:
    found = rows(newsletter, saved)
    return [found[story.title].root for story in saved.issue.stories]


def ids(saved: Saved) -> list[str]:
    return [story.id for story in saved.issue.stories]


def repeats(newsletter: Newsletter, on: date, *stories: str) -> list[Diagnostic]:
    said = read(newsletter, issue_text(on, "\n".join(stories)).encode()).diagnostics
    return [one for one in said if one.code == "story-earlier"]


def marked(story: str, mark: str) -> str:
    return story.replace("  来源出处", f"  标记：{mark}\n  来源出处")


def test_an_edited_story_has_the_root_of_the_one_it_tells_again(newsletter: Newsletter) -> None:
    first, again = keep(newsletter, day(0), FIRST), keep(newsletter, day(1), NEWS, AGAIN)
    assert roots(newsletter, again) == [ids(again)[0], ids(first)[0]]


def test_a_story_told_a_third_time_has_the_root_of_the_first(newsletter: Newsletter) -> None:
    first = keep(newsletter, day(0), FIRST)
    keep(newsletter, day(1), AGAIN)
    third = keep(newsletter, day(2), story_text("数据公开", EDITED.replace("十二个", "十三个"), VALLEY))
    assert roots(newsletter, third) == ids(first)


@pytest.mark.parametrize("mark", ["后续", "新"])
def test_a_marked_story_is_its_own_root_even_under_the_same_title_and_link(newsletter: Newsletter, mark: str) -> None:
    first, again = keep(newsletter, day(0), FIRST), keep(newsletter, day(1), marked(FIRST, mark))
    assert ids(first) == ids(again)
    assert roots(newsletter, again) != roots(newsletter, first)
    assert repeats(newsletter, day(1), marked(FIRST, mark)) == []


def test_a_mark_that_comes_later_and_goes_again_moves_the_root_there_and_back(newsletter: Newsletter) -> None:
    first = keep(newsletter, day(0), FIRST)
    seen = [roots(newsletter, keep(newsletter, day(1), text)) for text in (AGAIN, marked(AGAIN, "后续"), AGAIN)]
    assert [root == ids(first) for root in seen] == [True, False, True]


def test_a_heading_that_comes_every_week_is_its_own_root_each_time(newsletter: Newsletter) -> None:
    weekly = [keep(newsletter, day(7 * n), story_text("本周数据", text)) for n, text in enumerate((TIDES, SPEECH))]
    assert ids(weekly[0]) == ids(weekly[1])
    assert roots(newsletter, weekly[0]) != roots(newsletter, weekly[1])


def test_the_same_article_in_other_words_is_said_and_still_its_own_root(newsletter: Newsletter) -> None:
    keep(newsletter, day(0), FIRST)
    other = story_text("海洋团队开放数据", SPEECH, LAB)
    assert [one.case for one in repeats(newsletter, day(1), other)] == ["page"]
    again = keep(newsletter, day(1), other)
    assert roots(newsletter, again) == ids(again)


def test_the_finding_names_the_issue_the_earlier_title_and_the_percent(newsletter: Newsletter) -> None:
    keep(newsletter, day(0), FIRST)
    (finding,) = repeats(newsletter, day(1), AGAIN)
    assert (finding.case, finding.facts["issue"], finding.facts["of"]) == (
        "text",
        "2026-03-09",
        "群岛实验室公开潮汐数据",
    )
    assert 60 < int(finding.facts["n"]) < 95
    assert f"{finding.facts['n']} %" in finding.message


def test_a_later_issue_is_no_earlier_one(newsletter: Newsletter) -> None:
    keep(newsletter, day(1), FIRST)
    before = keep(newsletter, day(0), AGAIN)
    assert roots(newsletter, before) == ids(before)
    assert repeats(newsletter, day(0), AGAIN) == []


def test_an_issue_that_went_out_is_an_earlier_one_whatever_its_date(newsletter: Newsletter) -> None:
    sent = keep(newsletter, day(1), FIRST)
    with newsletter.session() as session:
        session.get_one(IssueRow, sent.issue_id).published_at = newsletter.clock()
    late = keep(newsletter, day(0), AGAIN)
    assert roots(newsletter, late) == ids(sent)


def test_of_two_issues_of_one_day_the_one_made_first_is_the_earlier(newsletter: Newsletter) -> None:
    chen = add_staff(newsletter)
    texts = [issue_text(DAY, story) for story in (FIRST, AGAIN)]
    morning, evening = (writing.create(newsletter, chen, DAY, text) for text in texts)
    assert roots(newsletter, evening) == ids(morning)
    saved = writing.save(newsletter, chen, morning.slug, texts[0] + "\n", morning.number)
    assert [one for one in saved.diagnostics if one.code == "story-earlier"] == []


def test_a_story_that_moved_before_the_other_is_the_first(newsletter: Newsletter) -> None:
    keep(newsletter, day(1), FIRST)
    chen = add_staff(newsletter)
    later = writing.create(newsletter, chen, day(2), issue_text(day(2), AGAIN))
    assert roots(newsletter, later) != ids(later)
    writing.save(newsletter, chen, later.slug, issue_text(day(0), AGAIN), later.number)
    assert roots(newsletter, later) == ids(later)


def test_an_earlier_issue_that_got_the_story_afterwards_counts_when_it_is_looked_at_anew(
    newsletter: Newsletter,
) -> None:
    later = keep(newsletter, day(1), AGAIN)
    first = keep(newsletter, day(0), FIRST)
    assert roots(newsletter, later) == ids(later)
    with newsletter.session() as session:
        refresh_roots(session, later.issue_id)
    assert roots(newsletter, later) == ids(first)


def test_a_mailing_takes_the_roots_as_they_are_when_it_begins(newsletter: Newsletter) -> None:
    later = keep(newsletter, day(1), AGAIN)
    first = keep(newsletter, day(0), FIRST)
    approve(newsletter, later.slug)
    begin(newsletter, later.slug)
    with newsletter.reading() as session:
        assert session.exec(select(MailingStory.root)).all() == ids(first)


@pytest.mark.parametrize(
    ("again", "gets"),
    [
        (AGAIN, False),
        (FIRST, False),
        (marked(AGAIN, "后续"), True),
        (marked(FIRST, "后续"), True),
        (marked(FIRST, "新"), True),
        (story_text("群岛实验室公开潮汐数据", SPEECH, VALLEY), True),
    ],
    ids=["edited", "the same", "an edited follow-up", "the same as follow-up", "the same as new", "a title again"],
)
def test_a_reader_who_had_the_story_gets_it_again_only_when_it_is_another(
    newsletter: Newsletter, again: str, *, gets: bool
) -> None:
    add_readers(newsletter, 1)
    for saved in (keep(newsletter, day(0), FIRST), keep(newsletter, day(1), again)):
        approve(newsletter, saved.slug)
        plan(newsletter, saved.slug)
    with newsletter.reading() as session:
        rows = session.exec(select(Delivery).order_by(col(Delivery.id))).all()
    assert [(row.reason, bool(row.edition)) for row in rows] == [
        (None, True),
        (None, True) if gets else (Reason.ALREADY_HAD, False),
    ]


def test_what_readers_had_stays_known_when_it_is_cut_afterwards(newsletter: Newsletter) -> None:
    sent = publish_text(newsletter, issue_text(day(0), FIRST + NEWS))
    writing.save(newsletter, add_staff(newsletter), sent.slug, issue_text(day(0), NEWS), sent.number)
    assert [one.case for one in repeats(newsletter, day(1), AGAIN)] == ["text"]


def test_what_was_cut_before_it_was_sent_is_forgotten_with_its_hashes(newsletter: Newsletter) -> None:
    chen = add_staff(newsletter)
    saved = writing.create(newsletter, chen, DAY, issue_text(DAY, FIRST + NEWS))
    writing.save(newsletter, chen, saved.slug, issue_text(DAY, NEWS), saved.number)
    assert list(rows(newsletter, saved)) == ["山谷团队发布语音模型"]
    with newsletter.reading() as session:
        assert session.exec(select(func.count()).select_from(StoryHash)).one() == SOUGHT


def test_an_edit_leaves_the_index_as_a_new_one_would_be(newsletter: Newsletter) -> None:
    chen = add_staff(newsletter)
    saved = writing.create(newsletter, chen, DAY, issue_text(DAY, FIRST + NEWS))
    writing.save(newsletter, chen, saved.slug, issue_text(DAY, NEWS + AGAIN), saved.number)
    new = keep(newsletter, day(40), NEWS, AGAIN)
    for title, row in rows(newsletter, new).items():
        edited = rows(newsletter, saved)[title]
        assert (edited.title_key, edited.url_key, edited.sketch) == (row.title_key, row.url_key, row.sketch)
        assert hashes(newsletter, edited) == hashes(newsletter, row)


def hashes(newsletter: Newsletter, row: StoryRow) -> set[int]:
    with newsletter.reading() as session:
        return set(session.exec(select(StoryHash.hash).where(StoryHash.story_row_id == row.id)))


def test_a_digest_is_known_by_its_stories_issues_and_is_no_earlier_issue(newsletter: Newsletter) -> None:
    first, again = keep(newsletter, day(0), FIRST), keep(newsletter, day(1), AGAIN)
    with newsletter.session() as session:
        row = IssueRow(
            slug="digest-2026-03-13", title="周报", date=day(4), created_at=newsletter.clock(), is_digest=True
        )
        session.add(row)
        session.flush()
        index_stories(session, row, Issue("周报", day(4), again.issue.sections, format=DIGEST))
        digest = row.id
    with newsletter.reading() as session:
        assert session.exec(select(StoryRow.root).where(StoryRow.issue_id == digest)).all() == ids(first)
        known = earlier_stories(session, again.issue.stories, Place(day(9)))
    assert {one.issue for one in known} == {"2026-03-09", "2026-03-10"}


def forget_index(newsletter: Newsletter) -> None:
    """Leave the rows as the migration finds them."""
    with newsletter.session() as session:
        session.execute(delete(StoryHash))
        columns = {"title_key": "", "url_key": "", "sketch": b"", "root": StoryRow.story_id}
        session.execute(update(StoryRow).values(columns))


def everything(newsletter: Newsletter) -> list[object]:
    with newsletter.reading() as session:
        stories = session.exec(select(StoryRow).order_by(col(StoryRow.id))).all()
        found = session.exec(select(StoryHash).order_by(col(StoryHash.hash), col(StoryHash.story_row_id))).all()
        return [row.model_dump() for row in (*stories, *found)]


def test_what_was_kept_before_there_was_an_index_is_indexed_once(newsletter: Newsletter) -> None:
    kept = [keep(newsletter, day(n), *told) for n, told in enumerate([(FIRST,), (NEWS, AGAIN), (FIRST,)])]
    as_saved = everything(newsletter)
    forget_index(newsletter)
    with newsletter.session() as session:
        assert index_missing(session) == tuple(one.issue_id for one in kept)
    assert everything(newsletter) == as_saved
    with newsletter.session() as session:
        assert index_missing(session) == ()


def test_what_was_mailed_before_there_was_an_index_is_known_by_its_roots(newsletter: Newsletter) -> None:
    first, again = keep(newsletter, day(0), FIRST), keep(newsletter, day(1), AGAIN)
    for saved in (first, again):
        approve(newsletter, saved.slug)
        begin(newsletter, saved.slug)
    forget_index(newsletter)
    with newsletter.session() as session:
        session.execute(update(MailingStory).values(root=MailingStory.story_id))
    know_stories(newsletter)
    with newsletter.reading() as session:
        assert session.exec(select(MailingStory.root)).all() == ids(first) * 2


def test_an_issue_of_many_stories_is_looked_up_as_a_whole(newsletter: Newsletter) -> None:
    many = tuple(
        Story(f"第 {n} 条", summary=f"{n} {SPEECH}", source=Source("甲", f"https://a.example.org/{n}"))
        for n in range(1_200)
    )
    issue = identify(Issue("很长的一期", day(0), (Section("模型", many, topic="models"),)))
    with newsletter.session() as session:
        newsletter.issues(session).save(Reading(issue, ()), b"text", newsletter.clock())
        known = earlier_stories(session, [many[0], many[-1]], Place(day(1)))
    assert {many[0].title, many[-1].title} <= {one.title for one in known}


def test_a_text_that_comes_every_day_does_not_make_the_search_longer(newsletter: Newsletter) -> None:
    for n in range(MOST_OF_A_KIND + 5):
        keep(newsletter, day(n), story_text("赞助", TIDES, VALLEY))
    with newsletter.reading() as session:
        known = earlier_stories(session, [Story("赞助", summary=TIDES)], Place(day(90)))
    assert len(known) == MOST_OF_A_KIND


def test_one_query_asks_for_all_stories_of_an_issue(newsletter: Newsletter) -> None:
    saved = keep(newsletter, day(0), FIRST, NEWS)
    asked: list[str] = []
    event.listen(newsletter.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    with newsletter.reading() as session:
        asked.clear()
        earlier_stories(session, saved.issue.stories, Place(day(1)))
    assert len([one for one in asked if one.startswith("SELECT")]) == 1


@pytest.mark.both_databases(False)
def test_the_search_reads_no_table_from_end_to_end(newsletter: Newsletter) -> None:
    saved = keep(newsletter, day(0), FIRST, NEWS)
    plans = explained(newsletter.engine, saved)
    assert any("ix_story_title_key" in line for line in plans)
    assert any("ix_story_url_key" in line for line in plans)
    assert any("story_hash" in line and "hash=?" in line for line in plans)
    assert [line for line in plans if line.startswith("SCAN") and "story" in line] == []
    assert [line for line in plans if line.startswith("SCAN") and "issue" in line] == []


def explained(engine: Engine, saved: Saved) -> list[str]:
    """SQLite's plan of the search for an issue's stories."""
    plans: list[str] = []

    def explain(_: object, cursor: Cursor, statement: str, parameters: tuple[str, ...], *_more: object) -> None:
        if statement.startswith("SELECT story"):
            said = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in said)

    event.listen(engine, "before_cursor_execute", explain)
    with Session(engine) as session:
        earlier_stories(session, saved.issue.stories, Place(day(1)))
    return plans
