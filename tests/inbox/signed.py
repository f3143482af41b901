"""Signed messages, no two alike: what the verifiers have to believe, what they have not, and what a relay passes on."""

import random
import smtplib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from dkim_verifiers import altered, altered_behind
from mail_servers import smtp_sink
from postfix_server import postfix

from inbox.messages import messages
from inbox.samples import DATE, ISSUES, PUBLICATION, TOPICS, read, themes, whole
from inbox.signing import signed
from newsletter.compose.edition import Edition
from newsletter.content.issue import Issue
from newsletter.render.assemble import assemble
from newsletter.render.compile import compile_issue
from newsletter.render.compiled import CompiledIssue
from newsletter.render.message import fill
from newsletter.render.recipient import Recipient
from newsletter.render.theme import load_theme

MANY, TRAVELLED = 1_000, 50
_Thing = TypeVar("_Thing")
_NAMES = ("", "陈晓", "Chen Xiao", "Zoë O’Neill", "欧阳, 修文", "山田 太郎")
_SIGNED_HEADERS = (b"From", b"To", b"Subject", b"Date", b"Message-ID", b"List-Unsubscribe")
_END = 40
"""A body has a letter among so many bytes at its end: at least those of a boundary, or of the address to leave."""
_QUEUE_SECONDS = 60


@cache
def thousand() -> tuple[bytes, ...]:
    """Most are editions of the examples in every theme and language, a quarter is generated from awkward texts."""
    mails = [signed(data) for data in _editions(MANY * 3 // 4)]
    return (*mails, *(signed(meant.sample.data) for meant in messages(MANY - len(mails))))


@cache
def travelled() -> tuple[bytes, ...]:
    """Some of them as they leave a Postfix, which put its own Received line above each."""
    mails = thousand()[:: MANY // TRAVELLED]
    with (
        tempfile.TemporaryDirectory() as folder,
        smtp_sink(dump=Path(folder)) as sink,
        postfix(sink.port) as server,
    ):
        with smtplib.SMTP(server.host, server.port, timeout=30) as client:
            for mail in mails:
                client.sendmail(PUBLICATION.envelope_sender, ["chen@example.com"], mail)
        server.wait_until_empty(_QUEUE_SECONDS)
        arrived = tuple(body.replace(b"\n", b"\r\n") for _, body in sink.messages())
    if len(arrived) != len(mails):
        raise RuntimeError(f"of {len(mails)} messages {len(arrived)} came out of Postfix")
    return arrived


def tampered(mails: Sequence[bytes]) -> list[bytes]:
    """Each of them with one letter changed: anywhere in the body of every other one, in a signed header of the rest."""
    chance = random.Random(6377)
    places = [b"\r\n" + name + b": " for name in _SIGNED_HEADERS]
    return [
        altered(mail, chance.choice(places)) if number % 2 else altered_behind(mail, _in_body(chance, mail))
        for number, mail in enumerate(mails)
    ]


def _in_body(chance: random.Random, mail: bytes) -> int:
    body = mail.index(b"\r\n\r\n")
    return chance.randint(body, len(mail) - min(len(mail) - body, _END))


def _editions(many: int) -> Iterator[bytes]:
    """So many messages: some of an issue's stories, in any order of topics, to readers of all kinds."""
    chance = random.Random(6376)
    compiled = list(_compiled())
    for number in range(many):
        issue, form = chance.choice(compiled)
        yield fill(assemble(form, _edition(chance, issue)), _reader(chance, number)).data


def _compiled() -> Iterator[tuple[Issue, CompiledIssue]]:
    for path in sorted(ISSUES.iterdir()):
        issue = read(path.name)
        for theme in map(load_theme, themes()):
            for language in ("zh", "en"):
                yield (
                    issue,
                    compile_issue(issue, theme=theme, language=language, topics=TOPICS, publication=PUBLICATION),
                )


def _edition(chance: random.Random, issue: Issue) -> Edition:
    stories = list(whole(issue).groups)
    groups = [replace(group, stories=_some(chance, group.stories)) for group in _some(chance, stories)]
    return Edition(tuple(groups))


def _some(chance: random.Random, things: Sequence[_Thing]) -> tuple[_Thing, ...]:
    return tuple(chance.sample(things, chance.randint(1, len(things))))


def _reader(chance: random.Random, number: int) -> Recipient:
    return Recipient(
        key=f"m4.{number}",
        address=f"reader.{number}@example.com",
        date=DATE + timedelta(seconds=number),
        topics=tuple(topic.slug for topic in _some(chance, TOPICS.topics)),
        unsubscribe_token="".join(chance.choices("abcXYZ019-_~.", k=44)),
        preferences_token="".join(chance.choices("abcXYZ019-_~.", k=44)),
        view_token="".join(chance.choices("abcXYZ019-_~.", k=46)),
        name=chance.choice(_NAMES),
        format=chance.choice(("html", "html", "html", "text")),
        test=chance.random() < 0.05,
    )
