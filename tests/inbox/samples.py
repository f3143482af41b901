"""The samples: kinds of issues in every theme and language, digests, and letters, made by the very code that sends."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from email.utils import parseaddr
from pathlib import Path

from inbox.judge import Sample
from newsletter.compose.digest import Past, digest
from newsletter.compose.edition import Edition, Group
from newsletter.content.document import read_issue
from newsletter.content.identity import identify
from newsletter.content.inline import plain
from newsletter.content.issue import Issue
from newsletter.content.judge import with_topic
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.letter import Stationery, letter
from newsletter.render.letter_words import Facts, Latest
from newsletter.render.message import fill, html_of, text_of
from newsletter.render.publication import Publication
from newsletter.render.recipient import Recipient
from newsletter.render.theme import load_theme, templates_dir
from subscribers.topics import Catalogue


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of issue: its example, the language it is written in, and the theme that suits it."""

    file: str
    language: str
    theme: str


ISSUES = Path(__file__).resolve().parents[2] / "examples" / "issues"
KINDS = {
    "daily": Kind("2026-03-12-daily.md", "zh", "daily"),
    "report": Kind("2026-03-08-report.txt", "zh", "digest"),
    "article": Kind("2026-03-09-article.txt", "zh", "letter"),
    "English daily": Kind("2026-03-06-typed.md", "en", "daily"),
    "English report": Kind("2026-03-07-digest.md", "en", "digest"),
}
"""The last of them has what the others have not: code, a table, a quotation and a picture."""
ENGLISH_WEEK = ("2026-03-07-digest.md", "2026-03-06-typed.md")
LANGUAGES = ("zh", "en")
PUBLICATION = Publication(
    sender="AI 行业动态 <daily@example.org>",
    envelope_sender="bounce@example.org",
    list_id="<daily.example.org>",
    base_url="https://news.example.org",
    reply_to="编辑部 <desk@example.org>",
    inbound_address="leave@example.org",
    postal_address="示例新闻社 · 北京市海淀区示例路 1 号",
    zone="Asia/Shanghai",
)
PUBLICATIONS = {
    "zh": PUBLICATION,
    "en": replace(
        PUBLICATION,
        sender="The Saturday Tensor <daily@example.org>",
        reply_to="The editors <desk@example.org>",
        postal_address="Example News, 1 Example Road, Beijing",
    ),
}
TOPICS = Catalogue()
DATE = datetime(2026, 3, 12, 8, 0, tzinfo=timezone(timedelta(hours=8)))


def samples() -> Iterator[Sample]:
    """Every kind of issue in every theme, in its own also with labels of the other language; two as text; the rest."""
    for name, kind in KINDS.items():
        for theme in themes():
            for language in LANGUAGES if theme == kind.theme else (kind.language,):
                yield edition(name, theme, language)
    for language in LANGUAGES:
        yield weekly(language)
    for name in ("daily", "English report"):
        yield edition(name, KINDS[name].theme, KINDS[name].language, form="text")
    for language in LANGUAGES:
        for about in (confirmation(language), welcome(language)):
            yield letter_sample(about, language)


def weekly(language: str, topics: int | None = None) -> Sample:
    """A week's digest of so many topics (None: all), of the issues of three days or, in English, of two."""
    files = [f"2026-03-{day}-daily.md" for day in (12, 11, 10)] if language == "zh" else ENGLISH_WEEK
    past = [Past(file[:10], date.fromisoformat(file[:10]), read(file), {}) for file in files]
    made = digest(past[0].date + timedelta(days=1), past, TOPICS.topics)
    made = replace(made, sections=made.sections[:topics])
    return sample(f"week weekly {language}", made, "weekly", language, publication=PUBLICATIONS[language])


def edition(name: str, theme: str, language: str, form: str = "html") -> Sample:
    """One of the kinds in a theme, with labels of a language; an English issue is of an English publication."""
    kind = KINDS[name]
    called = f"{name} {theme} {language}" if form == "html" else f"{name} as text"
    return sample(called, read(kind.file), theme, language, form, PUBLICATIONS[kind.language])


def confirmation(language: str) -> Facts:
    """What a letter that asks to confirm a sign-up is about."""
    name = parseaddr(PUBLICATIONS[language].sender)[0]
    link = f"{PUBLICATION.base_url}/confirm/dGhpcyBpcyBhIHRva2Vu"
    topics = tuple(topic.name(language) for topic in TOPICS.topics[:3])
    return Facts("confirm", name, "chen@example.com", link, topics)


def welcome(language: str) -> Facts:
    """What a welcome is about; its latest issue is one of the examples."""
    kind = KINDS["daily" if language == "zh" else "English daily"]
    issue = read(kind.file)
    base_url = PUBLICATION.base_url
    titles = tuple(plain(story.title) for story in issue.stories[:5])
    return replace(
        confirmation(language),
        kind="welcome",
        preferences=f"{base_url}/preferences/dGhpcyBpcyBhIHRva2Vu",
        unsubscribe=f"{base_url}/unsubscribe/dGhpcyBpcyBhIHRva2Vu",
        latest=Latest(f"{base_url}/archive/{kind.file[:10]}", DATE.date(), plain(issue.title), titles),
    )


def letter_sample(about: Facts, language: str) -> Sample:
    """The message of a letter."""
    publication = PUBLICATIONS[language]
    written = Stationery(load_theme()).write(publication, about, language)
    made = letter(publication, written, about, DATE, f"letter.{about.kind}.{language}")
    return Sample(f"{about.kind} letter {language}", made.data, written.html, written.text)


def themes() -> list[str]:
    """The themes that ship."""
    return sorted(path.name for path in (templates_dir() / "email").iterdir() if (path / "theme.toml").is_file())


def read(file: str) -> Issue:
    """One of the examples."""
    reading = read_issue((ISSUES / file).read_bytes(), resolve=TOPICS.resolve)
    return identify(with_topic(reading, "policy").issue)  # the article names no topic


def sample(
    name: str, issue: Issue, theme: str, language: str, form: str = "html", publication: Publication = PUBLICATION
) -> Sample:
    """The message of a reader who gets every story of an issue."""
    compiled = compile_issue(
        issue, theme=load_theme(theme), language=language, topics=TOPICS, publication=publication, slug=f"{issue.date}"
    )
    assembled = assemble(compiled, whole(issue))
    recipient = Recipient(
        key=f"sample.{name.replace(' ', '-')}",
        address="chen@example.com",
        date=DATE,
        topics=tuple(group.topic for group in whole(issue).groups),
        unsubscribe_token="dGhpcyBpcyBhIHRva2Vu",
        preferences_token="d2lzaGVz",
        view_token="bG9vaw",
        name="陈晓" if language == "zh" else "Chen Xiao",
        format=form,
    )
    html = html_of(assembled, recipient) if form == "html" else ""
    return Sample(name, fill(assembled, recipient).data, html, text_of(assembled, recipient))


def whole(issue: Issue) -> Edition:
    """All stories of an issue, each under its first topic."""
    groups: dict[str, list[str]] = {}
    for story in issue.stories:
        groups.setdefault(story.topics[0], []).append(story.id)
    return Edition(tuple(Group(topic, tuple(stories)) for topic, stories in groups.items()))
