"""What looking for repeats costs, among the issues of a year and of ten, beside compiling the issue that is checked."""

import random
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, insert
from sqlmodel import Session

from benchmarks.measure import Result, cpu_seconds, paired
from benchmarks.sample import PUBLICATION
from newsletter.content import likeness
from newsletter.content.identity import identify
from newsletter.content.issue import Issue, Section, Source, Story
from newsletter.content.likeness import to_bytes, traits_of
from newsletter.content.repeats import in_earlier_issues
from newsletter.render.compile import compile_issue
from newsletter.render.theme import load_theme
from newsletter.storage.engine import open_engine
from newsletter.storage.migrate import migrate
from newsletter.storage.models import IssueRow, StoryHash, StoryRow
from newsletter.storage.story_index import Place, earlier_stories
from subscribers.topics import SHIPPED, Catalogue

STORIES = 10
ISSUES_A_YEAR = 250
YEARS = 10
BAR, BAR_GROWTH = 10, 3
TIMES = 5
_TOLD_AGAIN = 0.05
_FIRST_DAY = date(2016, 1, 4)
_TODAY = date(2026, 3, 9)


def repeats() -> list[Result]:
    """The search for one issue's stories, in a year and in ten, against compiling it; and ten years against one."""
    with tempfile.TemporaryDirectory(prefix="newsletter-repeats-") as folder:
        told = _Told(random.Random(1))
        days = [[told.story() for _ in range(STORIES - 1)] + [_SPONSOR] for _ in range(ISSUES_A_YEAR * YEARS)]
        engines = [_newsroom(Path(folder) / f"{many}.db", days[-many * ISSUES_A_YEAR :]) for many in (1, YEARS)]
        issue = _issue([told.story() for _ in range(STORIES - 2)] + [days[-9][0], _SPONSOR])
        found = [_against_compiling(engine, issue, years) for engine, years in zip(engines, (1, YEARS), strict=True)]
        found.append(_growth(*engines, issue))
        for engine in engines:
            engine.dispose()
    return found


def _against_compiling(engine: Engine, issue: Issue, years: int) -> Result:
    theme, topics = load_theme(), Catalogue()

    def check() -> None:
        likeness._traits_once.cache_clear()  # a text that was seen before costs less
        _check(engine, issue)

    def compile_once() -> object:
        return compile_issue(issue, theme=theme, language="zh", topics=topics, publication=PUBLICATION)

    compile_once()
    share, ours, one = paired(
        lambda: cpu_seconds(lambda: [check() for _ in range(TIMES)]),
        lambda: cpu_seconds(lambda: [compile_once() for _ in range(TIMES)]),
    )
    detail = (
        f"{ours / TIMES * 1000:.1f} ms to look for {STORIES} stories among {years * ISSUES_A_YEAR * STORIES:,}, "
        f"{one / TIMES * 1000:.1f} ms to compile them, CPU time, SQLite"
    )
    span = "a year" if years == 1 else f"{years} years"
    bar = f"at most {BAR} compilations"
    return Result(f"looking for repeats in {span}", 1 / share, bar, 1 / share <= BAR, detail)


def _growth(year: Engine, years: Engine, issue: Issue) -> Result:
    ratio, one, ten = paired(
        lambda: cpu_seconds(lambda: [_check(year, issue) for _ in range(4 * TIMES)]),
        lambda: cpu_seconds(lambda: [_check(years, issue) for _ in range(4 * TIMES)]),
    )
    detail = f"{ten / 4 / TIMES * 1000:.1f} ms against {one / 4 / TIMES * 1000:.1f} ms, texts seen before, CPU time"
    name = f"looking for repeats, {YEARS} years against one"
    return Result(name, ratio, f"at most {BAR_GROWTH} times", ratio <= BAR_GROWTH, detail)


def _check(engine: Engine, issue: Issue) -> None:
    """What is found of an issue when somebody checks it: the retold story and the one of every day, and no other."""
    with Session(engine.execution_options(read_only=True)) as session:
        known = earlier_stories(session, issue.stories, Place(_TODAY))
    assert len(list(in_earlier_issues(enumerate(issue.stories), known))) == 2


class _Told:
    """Stories made of words that come as often as words do; some tell one of the last days again."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._words = ["".join(chr(0x4E00 + chance.randrange(3_000)) for _ in range(2)) for _ in range(8_000)]
        self._weights = [1 / rank for rank in range(1, len(self._words) + 1)]
        self._last: list[Story] = []

    def story(self) -> Story:
        """A story, or an edited one of the last days."""
        if len(self._last) > STORIES and self._chance.random() < _TOLD_AGAIN:
            old = self._chance.choice(self._last)
            return Story(self._text(8), old.summary + self._text(5), old.background, old.points, old.source, old.topics)
        number = self._chance.randrange(10**9)
        new = Story(
            title=self._text(10),
            summary=self._text(45),
            background=self._text(25),
            points=tuple(self._text(20) for _ in range(3)),
            source=Source("示例报", f"https://news.example.org/2026/{number}"),
            topics=(self._chance.choice(SHIPPED).slug,),
        )
        self._last = [*self._last[-5 * STORIES :], new]
        return new

    def _text(self, words: int) -> str:
        return "".join(self._chance.choices(self._words, self._weights, k=words)) + "。"


_SPONSOR = Story(
    "本期赞助",
    summary="示例云为本刊提供算力：按小时计费，随时停用，新用户可以免费试用三十天，详情见其网站上的说明与价目表。",
    source=Source("示例云", "https://cloud.example.org/offer"),
    topics=(SHIPPED[0].slug,),
)
"""A story that comes every day, word for word: the worst that a search can meet."""


def _issue(stories: list[Story]) -> Issue:
    sections = [
        Section(topic.zh, tuple(story for story in stories if story.topics == (topic.slug,)), (topic.zh,), topic.slug)
        for topic in SHIPPED
    ]
    return identify(Issue("AI 行业动态", _TODAY, tuple(section for section in sections if section.stories)))


def _newsroom(file: Path, days: list[list[Story]]) -> Engine:
    """A database that has had these issues."""
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    now = datetime(2026, 3, 9, tzinfo=UTC)
    stories, hashes, issues = [], [], []
    for number, day in enumerate(days, 1):
        on = _FIRST_DAY + timedelta(days=number)
        issues.append({"id": number, "slug": str(on), "title": "AI 行业动态", "date": on, "created_at": now})
        for story in day:
            row, traits = len(stories) + 1, traits_of(story)
            stories.append(
                {
                    "id": row, "issue_id": number, "story_id": str(row), "root": str(row), "title": story.title,
                    "url": story.source.url if story.source else "", "title_key": traits.title_key,
                    "url_key": traits.url_key, "sketch": to_bytes(traits.sketch),
                }
            )  # fmt: skip
            hashes += [{"hash": value, "story_row_id": row} for value in traits.sought]
    with Session(engine) as session:
        for table, rows in ((IssueRow, issues), (StoryRow, stories), (StoryHash, hashes)):
            session.execute(insert(table), rows)
        session.commit()
    return engine
