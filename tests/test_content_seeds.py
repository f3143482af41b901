"""The five sample documents that lie beside the project are read as a person reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from newsletter.content.document import read_issue
from newsletter.content.issue import Issue, Points
from subscribers.topics import Catalogue

SHARED = Path(__file__).resolve().parents[2] / "shared"
EXPECTED = SHARED / "acceptance" / "seeds.json"
pytestmark = pytest.mark.skipif(not EXPECTED.exists(), reason="the sample documents do not lie at ../shared")


def documents(*names: str) -> list[Any]:
    """The expectations of those formats, with their file names."""
    wanted = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.exists() else {}
    return [
        pytest.param(SHARED / "seeds" / name, want, id=name) for name, want in wanted.items() if want["format"] in names
    ]


def read(path: Path) -> Issue:
    reading = read_issue(path.read_bytes(), resolve=Catalogue().resolve)
    assert reading.issue
    return reading.issue


def bare(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(("path", "want"), documents("daily", "report", "article"))
def test_the_format_is_found(path: Path, want: dict[str, Any]) -> None:
    assert read(path).format == want["format"]


@pytest.mark.parametrize(("path", "want"), documents("daily", "report", "article"))
def test_nothing_blocks_the_import_but_what_the_judge_finds(path: Path, want: dict[str, Any]) -> None:
    reading = read_issue(path.read_bytes(), resolve=Catalogue().resolve)
    assert reading.errors == ()


@pytest.mark.parametrize(("path", "want"), documents("daily"))
def test_a_daily_digest_has_its_sections_and_stories(path: Path, want: dict[str, Any]) -> None:
    issue = read(path)
    assert (issue.title, str(issue.date)) == (want["title"], want["date"])
    assert [section.title for section in issue.sections] == [section["title"] for section in want["sections"]]
    assert all(section.topic for section in issue.sections)
    wanted = [story for section in want["sections"] for story in section["stories"]]
    assert [(s.title, len(s.points), s.source and (s.source.name, s.source.url)) for s in issue.stories] == [
        (story["title"], story["points"], (story["source_name"], story["source_url"])) for story in wanted
    ]


@pytest.mark.parametrize(("path", "want"), documents("daily"))
def test_a_daily_story_has_summary_and_background(path: Path, want: dict[str, Any]) -> None:
    wanted = [story for section in want["sections"] for story in section["stories"]]
    for story, expected in zip(read(path).stories, wanted, strict=True):
        assert story.summary.startswith(expected["summary_starts"])
        assert story.background.startswith(expected["background_starts"])


@pytest.mark.parametrize(("path", "want"), documents("daily"))
def test_a_daily_digest_raises_no_diagnostic(path: Path, want: dict[str, Any]) -> None:
    assert read_issue(path.read_bytes(), resolve=Catalogue().resolve).diagnostics == ()


@pytest.mark.parametrize(("path", "want"), documents("report"))
def test_a_report_has_its_headings_and_titles(path: Path, want: dict[str, Any]) -> None:
    sections = read(path).sections
    assert [list(section.path) for section in sections] == [section["path"] for section in want["sections"]]
    assert [[bare(story.title) for story in section.stories] for section in sections] == [
        [bare(title) for title in section["titles"]] for section in want["sections"]
    ]


@pytest.mark.parametrize(("path", "want"), documents("report"))
def test_a_report_keeps_its_text_and_joins_what_a_page_broke(path: Path, want: dict[str, Any]) -> None:
    issue = read(path)
    text = repr(issue)
    assert [part for part in want["joined_paragraphs"] if part not in text] == []
    # An expected phrase that the document itself does not have (one leaves words out) says nothing about the reader.
    document = path.read_text("utf-8")
    assert [part for part in want["contains"] if part in document and part not in text] == []
    assert not any(story.title.startswith(want["not_a_title"]) for story in issue.stories)
    assert all(story.tags and story.body for story in issue.stories)


@pytest.mark.parametrize(("path", "want"), documents("article"))
def test_an_article_is_one_story_with_its_headings(path: Path, want: dict[str, Any]) -> None:
    (story,) = read(path).stories
    assert (story.title, story.source and story.source.name) == (want["title"], want["source_name"])
    assert story.published
    assert story.published.isoformat().startswith(want["published"])
    assert [block.heading for block in story.body if isinstance(block, Points) and block.heading] == want["headings"]
