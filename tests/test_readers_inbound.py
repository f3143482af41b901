"""Leaving by mail: a token of ours in the right place unsubscribes, and no other message does anything at all."""

import base64
import io
import quopri
import sys
from collections.abc import Callable
from email.header import Header
from typing import Any
from urllib.parse import unquote

import pytest
from command import Command, Said
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import select
from web_samples import add_reader, state_of

from newsletter.app import Newsletter
from newsletter.cli import inbound
from newsletter.readers.inbound import MOST_BYTES, Answer, receive
from newsletter.readers.models import Letter
from newsletter.render.letterhead import letterhead
from newsletter.render.recipient import INERT_TOKEN
from newsletter.settings import Settings
from subscribers.models import Consent, State
from subscribers.tokens import Purpose, Tokens

ADDRESS = "chen@example.org"
HUMAN = b"Return-Path: <chen@example.org>\r\nFrom: chen@example.org\r\nTo: leave@example.org\r\n"


@pytest.fixture
def token(newsletter: Newsletter) -> str:
    """The unsubscribe token of an active reader."""
    return add_reader(newsletter, ADDRESS)


def mail(subject: str | bytes = b"", body: bytes = b"", head: bytes = HUMAN) -> bytes:
    subject = subject.encode() if isinstance(subject, str) else subject
    return head + b"Subject: " + subject + b"\r\n\r\n" + body


def everything(newsletter: Newsletter) -> list[Any]:
    """Whatever a message could have changed."""
    with newsletter.reading() as session:
        return [state_of(newsletter, ADDRESS), session.exec(select(Consent)).all(), session.exec(select(Letter)).all()]


def in_q(text: str) -> str:
    """An encoded word with every byte written as its number."""
    return f"=?utf-8?q?{''.join(f'={byte:02X}' for byte in text.encode())}?="


SUBJECTS: dict[str, Callable[[str], str | bytes]] = {
    "as in the header": lambda token: f"unsubscribe {token}",
    "upper case": lambda token: f"UNSUBSCRIBE {token}",
    "answered": lambda token: f"Re: unsubscribe {token}",
    "answered in Chinese": lambda token: f"回复：unsubscribe {token}",
    "forwarded": lambda token: f"Fwd: Re: unsubscribe {token}",
    "folded": lambda token: f"unsubscribe\r\n {token}",
    "folded without CR": lambda token: f"unsubscribe\n\t{token}",
    "alone": lambda token: token,
    "in GBK, unencoded": lambda token: f"退订 {token}".encode("gbk"),
    "encoded by base64": lambda token: Header(f"退订 unsubscribe {token}", "utf-8").encode(),
    "encoded by Q": lambda token: in_q(f"退订 {token}"),
    "one word encoded": lambda token: f"=?gb18030?B?zcu2qQ==?= {token}",
    "token in two encoded words": lambda token: f"{in_q(token[:9])}\r\n {in_q(token[9:])}",
    "broken base64 before": lambda token: f"=?utf-8?b?x?= {token}",
    "with NUL and 8 bits": lambda token: b"\0\xff\xfe " + token.encode() + b" \x80",
}


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_a_token_in_the_subject_unsubscribes(
    subject: Callable[[str], str | bytes], newsletter: Newsletter, token: str
) -> None:
    assert receive(newsletter, mail(subject(token))) is Answer.DONE
    assert state_of(newsletter, ADDRESS) is State.UNSUBSCRIBED


def test_the_mailto_of_our_header_leads_there(newsletter: Newsletter, token: str) -> None:
    link = letterhead(newsletter.settings.publication).leave + token
    address, _, subject = link.removeprefix("mailto:").partition("?subject=")
    assert address == newsletter.settings.inbound_address
    assert receive(newsletter, mail(unquote(subject))) is Answer.DONE


def test_repeating_it_changes_nothing(newsletter: Newsletter, token: str) -> None:
    receive(newsletter, mail(token))
    before = everything(newsletter)
    assert receive(newsletter, mail(token)) is Answer.DONE
    assert everything(newsletter) == before


def test_it_is_written_down_as_said_by_mail(newsletter: Newsletter, token: str) -> None:
    receive(newsletter, mail(token))
    with newsletter.reading() as session:
        last = session.exec(select(Consent)).all()[-1]
    assert (last.kind, last.source) == ("unsubscribe", "mail")


@pytest.mark.parametrize("field", ["To", "Delivered-To", "X-Original-To"])
def test_a_token_in_the_sub_address_unsubscribes(field: str, newsletter: Newsletter, token: str) -> None:
    head = f"{field}: <leave+{token}@example.org>\r\n".encode()
    assert receive(newsletter, mail("hello", head=head)) is Answer.DONE


def part(content_type: str, body: bytes, more: str = "") -> bytes:
    return f"Content-Type: {content_type}\r\n{more}\r\n".encode() + body


def multipart(*parts: bytes, boundary: str = "b 1", kind: str = "alternative") -> bytes:
    line = f"\r\n--{boundary}\r\n".encode()
    return part(f'multipart/{kind};\r\n boundary="{boundary}"', b"preamble" + line + line.join(parts))


BODIES: dict[str, Callable[[bytes], bytes]] = {
    "alone": lambda token: b"\r\n" + token + b"\r\n",
    "behind a word": lambda token: b"Hello,\r\nunsubscribe " + token + b"\r\nThanks\r\n",
    "behind a Chinese word": lambda token: "请\n退订 ".encode() + token,
    "plain, quoted-printable": lambda token: part(
        "text/plain", quopri.encodestring(b"unsubscribe " + token), "Content-Transfer-Encoding: Quoted-Printable\r\n"
    ),
    "plain, base64": lambda token: part(
        "TEXT/PLAIN; charset=gbk",
        base64.encodebytes(b"unsubscribe " + token + b"\n" * 40_000),
        "Content-Transfer-Encoding: base64\r\n",
    ),
    "alternative": lambda token: multipart(part("text/plain", token), part("text/html", b"<p>x</p>")),
    "nested": lambda token: multipart(
        multipart(part("text/plain", token), boundary="inner"),
        kind="mixed",
    ),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_token_on_a_first_line_of_the_text_unsubscribes(
    body: Callable[[bytes], bytes], newsletter: Newsletter, token: str
) -> None:
    text = body(token.encode())
    message = HUMAN + (text if text.startswith(b"Content-Type") else b"\r\n" + text)
    assert receive(newsletter, message) is Answer.DONE


HARMLESS: dict[str, Callable[[bytes], bytes]] = {
    "quoted": lambda token: mail("hello", b"> unsubscribe " + token),
    "quoted by a bar": lambda token: mail("hello", b"| " + token),
    "a link in a mail passed on": lambda token: mail("fwd", b"https://news.example.org/unsubscribe/" + token),
    "far below": lambda token: mail("hello", b"\r\n" * 10 + token),
    "in the HTML": lambda token: HUMAN + part("text/html", token),
    "in another header": lambda token: HUMAN + b"X-Other: " + token + b"\r\n\r\n",
    "with a letter more": lambda token: mail(token + b"x"),
    "cut": lambda token: mail(token[:-1]),
    "in another case": lambda token: mail(token.swapcase()),
    "of a test mail": lambda token: mail(f"unsubscribe {INERT_TOKEN}"),
    "only From": lambda token: mail("unsubscribe"),
    "behind what is read": lambda token: b"A: " + b"x" * 2_000_000 + b"\nSubject: " + token + b"\n\n",
}


@pytest.mark.parametrize("message", HARMLESS.values(), ids=HARMLESS)
def test_a_token_elsewhere_or_changed_does_nothing(
    message: Callable[[bytes], bytes], newsletter: Newsletter, token: str
) -> None:
    assert receive(newsletter, message(token.encode())) is Answer.NOBODY
    assert state_of(newsletter, ADDRESS) is State.ACTIVE


def test_a_token_of_another_purpose_or_another_newsletter_does_nothing(newsletter: Newsletter, token: str) -> None:
    public_id = newsletter.tokens.read(Purpose.UNSUBSCRIBE, token)
    assert public_id
    others = [newsletter.tokens.make(purpose, public_id) for purpose in Purpose if purpose is not Purpose.UNSUBSCRIBE]
    foreign = Tokens([b"the key of somebody else"]).make(Purpose.UNSUBSCRIBE, public_id)
    assert {receive(newsletter, mail(" ".join([*others, foreign])))} == {Answer.NOBODY}
    assert state_of(newsletter, ADDRESS) is State.ACTIVE


AUTOMATIC = {
    "auto-replied": b"Auto-Submitted: auto-replied (vacation)\r\n",
    "auto-generated": b"auto-submitted:AUTO-GENERATED; x=y\r\n",
    "null return path": b"Return-Path: <>\r\n",
    "null return path as Postfix's pipe writes it": b"Return-Path: <MAILER-DAEMON>\r\n",
    "precedence": b"Precedence: bulk\r\n",
    "junk": b"Precedence: Junk\r\n",
    "report": b"Content-Type: multipart/report; boundary=b\r\n",
}


@pytest.mark.parametrize("head", AUTOMATIC.values(), ids=AUTOMATIC)
def test_automatic_mail_that_quotes_us_does_nothing(head: bytes, newsletter: Newsletter, token: str) -> None:
    head += f"To: <leave+{token}@example.org>\r\n".encode()
    bounce = b"\r\n--b\r\n\r\nunsubscribe " + token.encode()
    for body in (token.encode(), bounce):
        assert receive(newsletter, mail("Undelivered", body, head)) is Answer.AUTOMATIC
    assert state_of(newsletter, ADDRESS) is State.ACTIVE


@pytest.mark.parametrize("head", AUTOMATIC.values(), ids=AUTOMATIC)
def test_automatic_mail_with_the_token_in_its_subject_unsubscribes(
    head: bytes, newsletter: Newsletter, token: str
) -> None:
    assert receive(newsletter, mail(f"unsubscribe {token}", head=head)) is Answer.DONE


def test_mail_that_says_it_is_not_automatic_is_not(newsletter: Newsletter, token: str) -> None:
    head = HUMAN + b"Auto-Submitted: no\r\n"
    assert receive(newsletter, mail("", token.encode(), head)) is Answer.DONE


@pytest.mark.both_databases
def test_it_does_so_on_either_database(newsletter: Newsletter) -> None:
    token = add_reader(newsletter, ADDRESS)
    assert receive(newsletter, mail(token)) is Answer.DONE
    assert state_of(newsletter, ADDRESS) is State.UNSUBSCRIBED


NASTY = {
    "nothing": b"",
    "NUL": b"\0" * 1000,
    "headers": b"".join(b"Header-%d: x\r\n" % number for number in range(100_000)) + b"\r\nbody",
    "one header": b"Subject:" + b" =?utf-8?q?" * 500_000 + b"\r\n\r\n",
    "a fold each line": b"Subject: x" + b"\r\n y" * 1_000_000 + b"\r\n\r\n",
    "recipients": b"To: " + b"a+b@" * 1_000_000 + b"\r\n\r\n",
    "parts in parts": b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 100_000,
    "boundaries": b"Content-Type: multipart/mixed; boundary=-\n\n" + b"-" * 1_000_000,
    "boundary without end": b'Content-Type: multipart/mixed; boundary="' + b'";' * 500_000,
    "spaces": b"Content-Type: text/plain\n\n" + b" " * 1_000_000,
    "broken base64": b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nA",
    "unknown charset": b"Subject: =?hex?b?eA==?= =?undefined?q?x?=\n\n",
}


@pytest.mark.parametrize("message", NASTY.values(), ids=NASTY)
def test_a_nasty_message_is_read_without_harm(message: bytes, newsletter: Newsletter, token: str) -> None:
    before = everything(newsletter)
    assert receive(newsletter, message) is Answer.NOBODY
    assert everything(newsletter) == before


PIECES = [
    *(b"Subject: ", b"\r\n", b"\n", b" ", b"=?utf-8?b?", b"?=", b"--b", b"unsubscribe ", b"To: leave+", b"@"),
    *(b"Content-Type: multipart/mixed; boundary=b", b"Content-Transfer-Encoding: base64", b"Return-Path: <>"),
]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(PIECES)), max_size=40).map(b"".join))
@example(message=b"Subject: =?utf-8?b?=?=\r\n\r\n")
def test_any_bytes_without_our_token_change_nothing(message: bytes, newsletter: Newsletter) -> None:
    with newsletter.reading() as session:
        known = newsletter.people(session).get(ADDRESS)
    if known is None:
        add_reader(newsletter, ADDRESS)
    before = everything(newsletter)
    assert receive(newsletter, message) in (Answer.NOBODY, Answer.AUTOMATIC)
    assert everything(newsletter) == before


class Pipe(io.BytesIO):
    """Standard input with its bytes where a command looks for them."""

    @property
    def buffer(self) -> "Pipe":
        return self


@pytest.fixture
def pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Settings, newsletter: Newsletter
) -> Callable[[bytes], Said]:
    """Calls `newsletter inbound` with a message, on the database of the test."""
    monkeypatch.setattr(inbound, "open_newsletter", lambda: Newsletter(settings))
    command = Command(monkeypatch, capsys)

    def say(message: bytes) -> Said:
        monkeypatch.setattr(sys, "stdin", Pipe(message))
        return command("inbound")

    return say


def test_the_command_ends_with_0_and_names_nobody(pipe: Callable[[bytes], Said], token: str) -> None:
    said = pipe(mail(token))
    assert (said.code, said.out, said.err) == (0, "newsletter: unsubscribed.\n", "")


def test_a_message_without_a_token_ends_with_0_too_and_says_so(pipe: Callable[[bytes], Said], token: str) -> None:
    said = pipe(mail("hello"))
    assert (said.code, said.out) == (0, "newsletter: nothing done: no reader's unsubscribe link is in it.\n")


def test_what_is_too_long_is_read_to_its_end_and_not_kept(pipe: Callable[[bytes], Said], token: str) -> None:
    assert pipe(mail(token, b"x" * (MOST_BYTES + 5_000_000))).code == 0
    assert not sys.stdin.read()


def test_without_a_database_the_mail_server_is_to_try_again(
    pipe: Callable[[bytes], Said], token: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = settings.model_copy(update={"database_url": settings.database_url + "-away"})
    monkeypatch.setattr(inbound, "open_newsletter", lambda: Newsletter(away))
    said = pipe(mail(token))
    assert said.code == 75
    assert said.err.startswith("newsletter: not now: there is no database at ")
    assert token not in said.err


def test_without_settings_the_mail_server_is_to_try_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", Pipe(b""))
    (tmp_path / "newsletter.toml").write_text("broken", "utf-8")
    said = Command(monkeypatch, capsys)("inbound")
    assert said.code == 75
    assert said.err.count("\n") == 1


def test_a_fault_of_ours_is_no_traceback_in_a_bounce(
    pipe: Callable[[bytes], Said], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Newsletter:
        raise RuntimeError(f"with {token} in it")

    monkeypatch.setattr(inbound, "open_newsletter", fail)
    said = pipe(mail(token))
    assert (said.code, said.err) == (75, "newsletter: not now: RuntimeError; `newsletter doctor` may tell more\n")
