"""Searching the archive on either database: what is found, in which order, and that nobody's syntax reaches it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from archive_samples import DAY, issue_text, publish_text, story_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session

from newsletter.app import Newsletter
from newsletter.archive import search
from newsletter.archive.models import ArchivedStory
from newsletter.archive.reading import Archive
from newsletter.storage.models import IssueRow

pytestmark = pytest.mark.both_databases


@pytest.fixture
def archive(newsletter: Newsletter) -> Archive:
    stories = [
        story_text("潮汐科技完成B轮融资", "本轮融资由岬角基金领投。"),
        story_text(
            "Echo-2 语音模型开源", "模型 **Café** 可在手机上运行。", "[群岛实验室](https://lab.example.org/echo)"
        ),
    ]
    publish_text(newsletter, issue_text(DAY, "\n".join(stories)))
    publish_text(newsletter, issue_text(date(2026, 3, 10), story_text("山谷公司融资租赁上线", "资金融通。")))
    return Archive(newsletter)


def found(archive: Archive, text: str) -> list[str]:
    return [line.title for line in archive.search(text, 1).items]


def test_a_chinese_word_is_found_inside_longer_runs_and_the_newest_comes_first(archive: Archive) -> None:
    assert found(archive, "融资") == ["山谷公司融资租赁上线", "潮汐科技完成B轮融资"]


@pytest.mark.parametrize("text", ["融资租赁", "租", "山谷 上线", "山谷公司融资租赁上线"])
def test_longer_and_single_and_several_words_are_found(archive: Archive, text: str) -> None:
    assert found(archive, text) == ["山谷公司融资租赁上线"]


@pytest.mark.parametrize("text", ["ECHO", "echo-2", "cafe", "群岛实验室", "手机"])
def test_titles_summaries_and_sources_are_searched_whatever_case_and_accent(archive: Archive, text: str) -> None:
    assert found(archive, text) == ["Echo-2 语音模型开源"]


@pytest.mark.parametrize("text", ["资融", "融资 开源", "ech", "lab.example.org"])
def test_what_no_story_has_is_not_found(archive: Archive, text: str) -> None:
    assert archive.search(text, 1).total == 0


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        "融资'",
        '"融资',
        "融资*",
        "融资 ***",
        "NEAR(融资)",
        "words:融资",
        "-融资",
        "融资 & !",
        "融资:*",
        "(融资",
    ],
)
def test_no_syntax_of_a_database_means_anything(archive: Archive, text: str) -> None:
    assert archive.search(text, 1).total in (0, 2)


@pytest.mark.parametrize(
    "text", ["AND", "OR", "NOT", "a OR b", "\0", "融资\0", "😀", "\ud800", "'; DROP TABLE issue; --"]
)
def test_words_of_query_languages_and_characters_nobody_types_are_harmless(archive: Archive, text: str) -> None:
    archive.search(text, 1)
    assert archive.issues(1).total == 2


@given(st.text(max_size=60) | st.text(st.sampled_from("融资*\"'():&|!<->\\\0 ORandNEAR^-+{}"), max_size=20))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_may_be_looked_for(archive: Archive, text: str) -> None:
    page = archive.search(text, 1)
    assert len(page.items) == page.total <= 3


def test_ten_kilobytes_may_be_looked_for(archive: Archive) -> None:
    assert archive.search("融资" * 5000, 1).total == 0
    assert archive.search("融资 " * 3000, 1).total == 2


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=2, max_size=9), st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_finds_every_piece_of_a_chinese_text(session: Session, text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text) - 1))
    piece = text[first : data.draw(st.integers(first + 1, len(text)))]
    search.remember(session, {1: f"甲{text}乙"})
    query = search.matching(session, piece)
    assert query is not None
    assert session.execute(query).scalars().all() == [1]
    session.rollback()


def test_what_was_forgotten_is_not_found(session: Session) -> None:
    search.remember(session, {1: "融资", 2: "融资"})
    search.forget(session, [1])
    query = search.matching(session, "融资")
    assert query is not None
    assert session.execute(query).scalars().all() == [2]


def add_ten_thousand_stories(newsletter: Newsletter) -> None:
    with newsletter.session() as session:
        session.add(IssueRow(id=1, slug="many", title="Many", date=DAY, created_at=newsletter.clock()))
        session.flush()
        session.add_all(
            ArchivedStory(id=key, issue_id=1, story_id=str(key), date=DAY, position=key) for key in range(1, 10_001)
        )
        search.remember(session, {key: f"story{key} 消息" for key in range(1, 10_001)})
    postgresql = newsletter.engine.dialect.name == "postgresql"
    with newsletter.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if postgresql else "ANALYZE")  # as the server does by itself


def plans(newsletter: Newsletter, look: Any) -> Iterator[str]:
    """How the database would answer each question that this look asks about the archive."""
    asked: list[tuple[str, Any]] = []

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "archived_" in statement:  # not those about settings, which any look may ask
            asked.append((statement, parameters))

    event.listen(newsletter.engine, "before_cursor_execute", remember)
    look()
    event.remove(newsletter.engine, "before_cursor_execute", remember)
    explain = "EXPLAIN " if newsletter.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with newsletter.engine.connect() as connection:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                yield "\n".join(str(row) for row in connection.exec_driver_sql(explain + statement, parameters))


def test_ten_thousand_stories_are_searched_by_the_index(newsletter: Newsletter) -> None:
    add_ten_thousand_stories(newsletter)
    archive = Archive(newsletter)
    found = list(plans(newsletter, lambda: archive.search("story777 消息", 2)))
    assert len(found) == 1  # beyond the last page only the total is asked for
    index = "ix_archived_words_words" if newsletter.engine.dialect.name == "postgresql" else "VIRTUAL TABLE INDEX 0:M"
    assert [plan for plan in found if index not in plan] == []
