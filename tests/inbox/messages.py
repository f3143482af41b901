"""A thousand generated messages of awkward names, subjects, texts and addresses, with what each of them means."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from inbox.judge import Sample
from inbox.samples import PUBLICATION, TOPICS, themes, whole
from newsletter.content.inline import escape
from newsletter.content.issue import Issue, Paragraph, Points, Section, Source, Story
from newsletter.render.assemble import Assembled, assemble
from newsletter.render.compile import compile_issue
from newsletter.render.message import fill, html_of, subject_of, text_of
from newsletter.render.publication import Publication
from newsletter.render.recipient import Recipient
from newsletter.render.theme import load_theme

MANY = 1_000
READERS = 10
"""So many messages are made of one issue: compiling is what takes time."""

_PIECES = (
    "示例研究院公开海洋模型", "，", "、", "「引用」", "（括号）", "𠮷野家", "粵語", "日本語テスト", "한국어",
    "👩‍🚀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇳", "❤️", "1️⃣", "é", "Ångström", "naïve", "Zoë O’Neill",
    "שלום עולם", "مرحبا بالعالم", "\u202bعربي\u202c", "\u200f", "\u200b", "\u200d", "\ufe0f", "\u00ad",
    '"quoted"', "'single'", "O'Brien, Jr.", "a,b;c:d", "<angle@example.com>", "(comment)", "[list]", "back\\slash",
    "user@example.com", "=?utf-8?q?fake?=", "=?gb2312?b?uuw=?=", "=2E", "=\u20ac", "_under_score_", "?=", "%0d%0a",
    "Bcc: all@example.com", ".", "..", "--", "From ", "-- ", "&amp;", "&#39;", "</title>", "<b>bold</b>", "{{ x }}",
    "plain words of English", "Model 4.1", "Re:", "x" * 80, "W" * 300, "长" * 400, "é" * 90, "Z" * 998,
)  # fmt: skip
_ZONES = (0, 480, -210, 765)
"""Offsets in minutes, of whole, half and quarter hours."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A message and what it means; `headers` are those of it that a parser has to find, decoded.

    Their names: subject, from, to (display names), address (the reader's), url and mail (what unsubscribes).
    """

    sample: Sample
    headers: dict[str, str] = field(default_factory=dict)


def messages(many: int = MANY, seed: int = 5322) -> Iterator[Meant]:
    """So many messages, the same ones for the same seed."""
    chance = random.Random(seed)
    for number in range(many // READERS):
        issue = _issue(chance)
        publication, name = _publication(chance)
        language = chance.choice(("zh", "en"))
        theme = load_theme(chance.choice(themes()))
        compiled = compile_issue(issue, theme=theme, language=language, topics=TOPICS, publication=publication)
        assembled = assemble(compiled, whole(issue))
        for reader in range(READERS):
            yield _meant(assembled, _recipient(chance, f"{number}.{reader}"), name)


def _meant(assembled: Assembled, recipient: Recipient, sender: str) -> Meant:
    publication = assembled.compiled.publication
    html = html_of(assembled, recipient) if recipient.format == "html" else ""
    sample = Sample(recipient.key, fill(assembled, recipient).data, html, text_of(assembled, recipient))
    token = recipient.unsubscribe_token
    mail = f"{publication.inbound_address}?subject=unsubscribe%20{token}" if publication.inbound_address else ""
    return Meant(
        sample,
        {
            "subject": subject_of(assembled, recipient),
            "from": sender,
            "to": recipient.name,
            "address": recipient.address,
            "url": f"{publication.base_url}/unsubscribe/{token}",
            "mail": mail,
        },
    )


def _words(chance: random.Random, most: int) -> str:
    """Awkward pieces, joined with and without blanks; no blank at either end, nor two in a row."""
    joined = "".join(chance.choice(_PIECES) + chance.choice(("", " ")) for _ in range(chance.randint(1, most)))
    return " ".join(word for word in joined.split(" ") if word)


def _issue(chance: random.Random) -> Issue:
    made = tuple(_story(chance, number) for number in range(chance.randint(1, 4)))
    return Issue(
        title=escape(_words(chance, 3)),
        date=None,
        sections=(Section(escape(_words(chance, 2)), made, topic="models"),),
        subject=chance.choice(("", _words(chance, 6))),
        preheader=chance.choice(("", _words(chance, 3))),
    )


def _story(chance: random.Random, number: int) -> Story:
    return Story(
        id=str(number),
        title=escape(_words(chance, 4)),
        summary=escape(_words(chance, 8)),
        background=escape(_words(chance, 4)),
        points=tuple(escape(_words(chance, 3)) for _ in range(chance.randint(0, 3))),
        source=Source(_words(chance, 2), "https://a.example.org/路径?词=值&b=2"),
        topics=(chance.choice(("models", "policy", "funding")),),
        tags=(_words(chance, 1),),
        body=(Paragraph(escape(_words(chance, 9))), Points(escape(_words(chance, 2)), (escape(_words(chance, 2)),))),
    )


def _publication(chance: random.Random) -> tuple[Publication, str]:
    """A publication and its sender's name."""
    name = _words(chance, 2)
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return replace(
        PUBLICATION,
        sender=f'"{quoted}" <daily@example.org>',
        inbound_address=chance.choice(("", "leave@example.org")),
        base_url="https://news.example.org" + "/long" * chance.choice((0, 4, 60)),
        reply_to=chance.choice(("", PUBLICATION.reply_to)),
    ), name


def _token(chance: random.Random) -> str:
    return "".join(chance.choices("abcXYZ019-_~.", k=chance.choice((30, 44, 58))))


def _recipient(chance: random.Random, key: str) -> Recipient:
    local = chance.choice(("chen", "o'brien", "a+b", "x_y=z", "{curly}", "l" * 64))
    moment = datetime(2026, 3, 9, tzinfo=UTC) + timedelta(seconds=chance.randint(0, 10_000_000))
    return Recipient(
        key=f"m1.{key}",
        address=f"{local}@{chance.choice(('example.com', 'xn--fsqu00a.example', 'd' * 63 + '.example'))}",
        date=moment.astimezone(timezone(timedelta(minutes=chance.choice(_ZONES)))),
        topics=tuple(chance.sample(("models", "policy", "funding"), chance.randint(0, 3))),
        unsubscribe_token=_token(chance),
        preferences_token=_token(chance),
        view_token=_token(chance),
        name=chance.choice(("", _words(chance, 3))),
        format=chance.choice(("html", "html", "html", "text")),
        test=chance.random() < 0.1,
    )
