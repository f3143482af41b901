"""The templates: the theme loads, and a sample issue becomes a message with the present settings."""

from collections.abc import Iterator
from datetime import datetime

from newsletter.checkup.findings import Finding, ok, wrong
from newsletter.compose.edition import Edition, Group
from newsletter.content.issue import Issue, Section, Source, Story
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.headers import MessageRefused
from newsletter.render.message import fill
from newsletter.render.recipient import Message, Recipient
from newsletter.render.theme import Theme, ThemeError, load_theme
from newsletter.settings import Settings
from subscribers.preferences import LANGUAGES
from subscribers.topics import SHIPPED, Catalogue

_TOPIC = SHIPPED[0].slug
_STORY = Story(
    id="sample",
    title="示例市公布数据细则",
    summary="细则写明**哪些数据**可以授权。",
    background="此前没有统一的规则。",
    points=("数据按用途分为三级。",),
    source=Source("示例市数据局", "https://data.example.org/rules"),
    topics=(_TOPIC,),
)


def templates(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Load the themes of the settings and make a sample message with each in each language."""
    themes = (
        ("theme", settings.theme),
        ("report theme", settings.report_theme),
        ("weekly theme", settings.weekly_theme),
    )
    for what, name in themes:
        try:
            theme = load_theme(name, settings.themes)
        except ThemeError as broken:
            yield wrong(what, str(broken), "Mend the file it names; `newsletter theme list` shows themes.")
            continue
        yield ok(what, f"{theme.name} loads, with labels in {', '.join(theme.labels)}")
        for language in LANGUAGES:
            yield _sample(settings, theme, language, now)


def _sample(settings: Settings, theme: Theme, language: str, now: datetime) -> Finding:
    name = f"{theme.name} mail ({language})"
    try:
        message = _message(settings, theme, language, now)
    except ThemeError as broken:
        return wrong(name, str(broken), "Mend the template at the line it names.")
    except MessageRefused as refused:
        return wrong(name, str(refused), "Mend that setting; docs/reference/settings.md says what it should be.")
    return ok(name, f"one story makes a message of {len(message.data):,} bytes")


def _message(settings: Settings, theme: Theme, language: str, now: datetime) -> Message:
    issue = Issue("示例日报", now.date(), (Section("政策与监管", (_STORY,), topic=_TOPIC),))
    compiled = compile_issue(
        issue, theme=theme, language=language, topics=Catalogue(), publication=settings.publication
    )
    assembled = assemble(compiled, Edition((Group(_TOPIC, (_STORY.id,)),)))
    recipient = Recipient(
        key="sample.1",
        address="reader@example.org",
        date=now.astimezone(settings.time_zone).replace(microsecond=0),
        topics=(_TOPIC,),
        unsubscribe_token="sample",  # noqa: S106 - leads nowhere
    )
    return fill(assembled, recipient)
