"""What the tests of the review share: an issue with nothing to find, and a bench to look it over on."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from web_samples import add_reader

from newsletter.app import Newsletter
from newsletter.editorial.intake import read, take_in
from newsletter.render.theme import load_theme
from newsletter.review.models import CheckedLink
from newsletter.review.report import review
from newsletter.review.specimen import Specimen, gather
from newsletter.review.verdicts import Check
from newsletter.settings import Settings
from newsletter.storage.issues import Saved

NOW = datetime(2026, 3, 9, 6, 0, tzinfo=UTC)
KEY = "0123456789abcdef0123456789abcdef-1072x400"
PICTURE = f"https://news.example.org/image/{KEY}.png"
ISSUE = f"""# AI 行业动态 (2026-03-09)

**模型与技术进展**

- **群岛实验室公开潮汐预报模型**
  说明：实验室公布了训练所用的观测数据，见 [说明页](https://lab.example.org/notes)。
  来源出处：[群岛实验室](https://lab.example.org/tides)

  ![一张潮汐图]({PICTURE})

- **山谷团队开源语音模型 Echo-2**
  说明：端侧语音的瓶颈是内存而不是算力。
  来源出处：[项目主页](https://project.example.org/)
"""
LINKS = (
    *("https://lab.example.org/notes", "https://lab.example.org/tides", "https://project.example.org/"),
    PICTURE,
)
ABOUT = 'extends = "letter"\nname = { zh = "甲", en = "A" }\ndescription = { zh = "乙", en = "B" }\n'


class Bench:
    """A newsletter of its own with fixed time, in which everything is well unless a test spoils it."""

    def __init__(self, settings: Settings, engine: Engine, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self._engine = engine
        self._made: Newsletter | None = None

    @property
    def newsletter(self) -> Newsletter:
        """The newsletter, with the topics that ship; made when it is first asked for."""
        if self._made is None:
            self._made = Newsletter(self.settings, lambda: NOW)
            with self._made.session() as session:
                self._made.topics(session).seed()
        return self._made

    def set(self, **changes: object) -> None:
        """Other settings, before the newsletter is made."""
        assert self._made is None
        self.settings = self.settings.model_copy(update=changes)

    def theme(self, file: str, old: str, new: str, more: str = "") -> None:
        """A theme of ours that builds on the letter, with something else in one of its files."""
        folder = self.folder / "themes" / "ours"
        folder.mkdir(parents=True)
        (folder / "theme.toml").write_text(ABOUT + more, "utf-8")
        source = load_theme("letter").sources[file]
        assert old in source
        (folder / file).write_text(source.replace(old, new), "utf-8")
        self.set(theme="ours", themes=folder.parent)

    def keep(self, text: str) -> Saved:
        """Keep a text as an issue, with a reader of its first topic when there is none yet."""
        data = text.encode()
        saved, _ = take_in(self.newsletter, read(self.newsletter, data), data, draft=True)
        return saved

    def readers(self, count: int, *topics: str) -> None:
        """Add readers of these topics."""
        for number in range(count):
            add_reader(self.newsletter, f"{'-'.join(topics)}{number}@example.com", *topics)

    def know(self, verdicts: Mapping[str, str], reason: str = "200") -> None:
        """What fetching these links came to."""
        with self.newsletter.session() as session:
            for url, verdict in verdicts.items():
                key = hashlib.sha256(url.encode()).hexdigest()
                session.merge(CheckedLink(url_hash=key, url=url, checked_at=NOW, verdict=verdict, detail=reason))

    def specimen(self, text: str = ISSUE) -> Specimen:
        """What the checks look at of a text."""
        return gather(self.newsletter, self.keep(text).slug)

    def checks(self, text: str = ISSUE) -> dict[str, Check]:
        """The quick checks of a text by their names."""
        made = review(self.newsletter, self.keep(text).slug)
        return {check.name: check for check in made.checks}
