"""Real servers and their faults: smtp-sink with each of its options, and a Postfix in between."""

import logging
from pathlib import Path
from typing import Any

import dkim
import pytest
from certificates import make_certificate
from command import Command
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from mail_servers import counting_sink, smtp_sink
from postfix_server import postfix
from pydantic import SecretStr
from sending import hand_over
from sqlmodel import select

from newsletter.app import Newsletter
from newsletter.delivery.classify import Class
from newsletter.delivery.connection import Timeouts
from newsletter.delivery.models import Delivery, Mailing
from newsletter.delivery.outcome import Outcome, Reason, State, Verdict
from newsletter.delivery.sender import Worked
from newsletter.editorial.approval import approve
from newsletter.editorial.intake import read, take_in
from newsletter.editorial.outbox import Outbox, routes
from newsletter.editorial.preview import writer_of
from subscribers.preferences import Preferences

SLUG = "2026-03-10"
ISSUE = """# 示例日报 (2026-03-10)

**政策与监管**

- **示例市开放公共算力**
  说明：小团队可以按小时申请。
"""
READERS = 5


def add_readers(newsletter: Newsletter, *addresses: str) -> None:
    with newsletter.session() as session:
        people = newsletter.people(session)
        for address in addresses:
            people.add(address, Preferences(topics=("policy",)))


@pytest.fixture
def ready(newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch) -> Newsletter:
    """An approved issue, readers of it, two connections, short waits."""
    monkeypatch.setattr("newsletter.delivery.route._PAUSES", (0.01,))
    data = ISSUE.encode()
    take_in(newsletter, read(newsletter, data), data)
    approve(newsletter, SLUG)
    add_readers(newsletter, *[f"reader{number}@example.org" for number in range(READERS)])
    settings = newsletter.settings
    settings.connections = 2
    settings.drain_seconds = 5
    return newsletter


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A folder for what a sink received."""
    folder = tmp_path / "dump"
    folder.mkdir()
    return folder


def send(newsletter: Newsletter, port: int, options: str = "starttls=never") -> tuple[Worked, list[Outcome]]:
    """Send until each reader has had an outcome, or the server is given up."""
    seen: list[Outcome] = []

    def count(outcome: Outcome, outbox: Outbox) -> None:
        seen.append(outcome)
        if len(seen) == READERS:
            outbox.stop()

    newsletter.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{port}?{options}")
    worked, counts = hand_over(newsletter, SLUG, count)
    parts = counts.accepted + counts.queued + counts.deferred + counts.failed + counts.unknown + counts.excluded
    assert counts.candidates == parts == READERS
    return worked, seen


def states(newsletter: Newsletter) -> set[str]:
    with newsletter.reading() as session:
        return {row.state for row in session.exec(select(Delivery))}


NOT_CHARGED, LATER, GONE, UNKNOWN = State.QUEUED, State.DEFERRED, State.FAILED, State.UNKNOWN
FAULTS = {
    "-r CONNECT": NOT_CHARGED,
    "-f CONNECT": NOT_CHARGED,
    "-q CONNECT": NOT_CHARGED,
    "-Q CONNECT": NOT_CHARGED,
    "-r EHLO,HELO": NOT_CHARGED,
    "-f EHLO,HELO": NOT_CHARGED,
    "-q EHLO": NOT_CHARGED,
    "-Q EHLO": NOT_CHARGED,
    "-r MAIL": NOT_CHARGED,
    "-f MAIL": NOT_CHARGED,
    "-q MAIL": NOT_CHARGED,
    "-Q MAIL": NOT_CHARGED,
    "-r RCPT": LATER,
    "-f RCPT": GONE,
    "-q RCPT": NOT_CHARGED,
    "-Q RCPT": NOT_CHARGED,
    "-r DATA": LATER,
    "-f DATA": GONE,
    "-q DATA": NOT_CHARGED,
    "-Q DATA": NOT_CHARGED,
    "-r .": LATER,
    "-f .": GONE,
    "-q .": UNKNOWN,
    "-Q .": NOT_CHARGED,
    "-r RCPT -f RSET": LATER,
    "-r RCPT -q RSET": LATER,
    "-p -r RCPT": LATER,
    "-p -f DATA": GONE,
    "-p -Q DATA": NOT_CHARGED,
    "-p -q .": UNKNOWN,
    "-L": NOT_CHARGED,
}
"""What a fault of smtp-sink leaves each reader in, after one try."""


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_a_server_gives_each_reader_the_right_outcome(
    ready: Newsletter, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    with smtp_sink(*fault.split()) as sink:
        worked, seen = send(ready, sink.port)
    assert states(ready) == {FAULTS[fault]}
    assert worked.trouble or len(seen) == READERS
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("where", "text", "state", "meaning"),
    [
        ("RCPT", "550 5.1.1 no such user", State.FAILED, Class.HARD),
        ("RCPT", "550 Ip frequency limited", State.DEFERRED, Class.SOFT),
        ("RCPT", "550 MI:SFQ", State.DEFERRED, Class.SOFT),
        (".", "554 DT:SPM", State.DEFERRED, Class.BLOCK),
        (".", "554 5.7.1 spam", State.FAILED, Class.BLOCK),
        (".", "552 5.2.2 mailbox full", State.DEFERRED, Class.SOFT),
    ],
)
def test_the_words_of_a_refusal_decide_what_it_means(
    ready: Newsletter, where: str, text: str, state: State, meaning: Class
) -> None:
    with smtp_sink("-f", where, "-B", text) as sink:
        send(ready, sink.port)
    with ready.reading() as session:
        rows = session.exec(select(Delivery)).all()
        suppressed = [ready.suppression(session).is_suppressed(str(row.address)) for row in rows]
    assert {(row.state, row.reply_class, row.code) for row in rows} == {(state, meaning, int(text[:3]))}
    assert set(suppressed) == {meaning is Class.HARD}


@pytest.mark.parametrize(
    "poor", ["-e", "-p", "-8", "-N", "-E", "-a", "-P", "-m 1", "-n 9", "-f EHLO", "-f QUIT", "-q QUIT", "-w 1"]
)
def test_a_poor_server_gets_every_message_once(ready: Newsletter, dump: Path, poor: str) -> None:
    ready.settings.connections = 5
    with smtp_sink(*poor.split(), dump=dump) as sink:
        _, seen = send(ready, sink.port)
        assert sink.recipients() == {f"reader{number}@example.org": 1 for number in range(READERS)}
    assert [outcome.verdict for outcome in seen] == [Verdict.ACCEPTED] * READERS


def test_a_server_that_ends_in_the_middle_loses_nobody(ready: Newsletter, dump: Path) -> None:
    with smtp_sink("-M", "3", dump=dump) as sink:
        worked, seen = send(ready, sink.port)
        received = len(sink.recipients())
    sent = [outcome for outcome in seen if outcome.verdict in (Verdict.ACCEPTED, Verdict.UNKNOWN)]
    assert "Error connecting" in worked.trouble
    assert len(sent) >= received
    assert states(ready) <= {State.ACCEPTED, State.UNKNOWN, State.QUEUED}


@pytest.mark.parametrize(
    ("slow", "setting", "state"),
    [
        ("-W .:2", "final_dot_timeout_seconds", State.UNKNOWN),
        ("-p -W RCPT:2", "command_timeout_seconds", State.QUEUED),
        ("-p -w 2", "data_timeout_seconds", State.QUEUED),
        ("-H 2", "final_dot_timeout_seconds", State.UNKNOWN),
        ("-A 2", "final_dot_timeout_seconds", State.UNKNOWN),
    ],
)
def test_a_server_that_is_too_slow_is_left_after_the_time_set_for_the_step(
    ready: Newsletter, slow: str, setting: str, state: State
) -> None:
    ready.settings.connections = READERS
    setattr(ready.settings, setting, 0.3)
    with smtp_sink(*slow.split()) as sink:
        send(ready, sink.port)
    assert state in states(ready)
    assert states(ready) <= {state, State.QUEUED}


def test_a_server_that_aborts_the_body_charges_only_whom_it_refused(ready: Newsletter) -> None:
    with smtp_sink("-A", "0") as sink:
        _, seen = send(ready, sink.port)
    assert {(outcome.verdict, outcome.code) for outcome in seen} <= {
        (Verdict.LATER, 0),  # the abort came before all had left
        (Verdict.UNKNOWN, 0),
        (Verdict.REFUSED, 550),
    }


def test_every_time_out_is_a_setting(newsletter: Newsletter) -> None:
    settings = newsletter.settings
    for number, name in enumerate(("connect", "command", "data", "block", "final_dot"), 1):
        setattr(settings, f"{name}_timeout_seconds", number)
    (route,) = routes(newsletter)
    assert Timeouts(1, 2, 3, 4, 5) in route.connect.args  # type: ignore[attr-defined]  # a partial


# a Postfix in between


def dkim_key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_two_hundred_messages_pass_a_postfix_once_each_as_they_were_signed(ready: Newsletter, dump: Path) -> None:
    settings = ready.settings
    settings.dkim_domain, settings.dkim_selector, settings.dkim_key = "example.org", "s1", SecretStr(dkim_key())
    add_readers(ready, *[f"more{number}@example.org" for number in range(200 - READERS)])
    with smtp_sink(dump=dump) as sink, postfix(sink.port) as relay:
        settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{relay.port}?starttls=never")
        signing = Newsletter(settings)
        _, counts = hand_over(signing, SLUG)
        relay.wait_until_empty(20)
        received = {recipients[0]: body.replace(b"\n", b"\r\n") for recipients, body in sink.messages()}
        assert sink.recipients() == dict.fromkeys(received, 1)
    assert (counts.accepted, len(received)) == (200, 200)
    with signing.reading() as session:
        rows = session.exec(select(Delivery)).all()
        writer = writer_of(signing, session.exec(select(Mailing)).one())
    signing.engine.dispose()
    signer = signing.signer
    assert signer
    records = signer.records()
    for row in rows:
        assert row.address
        made = writer.message(row.subscriber_id, row.address, row.due, row.language, row.edition, row.slots).data
        head, _, body = received[row.address].partition(b"\r\n\r\n")
        assert body == made.partition(b"\r\n\r\n")[2]
        assert dkim.verify(
            head + b"\r\n\r\n" + body, dnsfunc=lambda name, timeout=5: records[name.decode().rstrip(".")].encode()
        )


def test_a_reader_whom_postfix_does_not_know_is_suppressed_until_that_is_undone(
    ready: Newsletter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_readers(ready, "nobody@example.org")
    with counting_sink(tmp_path / "record") as sink, postfix(sink.port) as relay:
        ready.settings.smtp_url = SecretStr(f"smtp://127.0.0.1:{relay.port}?starttls=never")
        _, counts = hand_over(ready, SLUG)
        relay.wait_until_empty(20)
        assert sink.recipients() == {f"reader{number}@example.org": 1 for number in range(READERS)}
        assert "MAILER-DAEMON" not in relay.log()
    assert (counts.accepted, counts.failed) == (READERS, 1)
    with ready.reading() as session:
        row = session.exec(select(Delivery).where(Delivery.address == "nobody@example.org")).one()
        assert (row.state, row.reason, row.reply_class) == (State.FAILED, Reason.REFUSED, Class.HARD)
        assert row.code == 550 and "5.1.1" in str(row.reply)
        assert ready.suppression(session).is_suppressed("nobody@example.org")
    monkeypatch.setenv("NEWSLETTER_DATABASE_URL", ready.settings.database_url)
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", ready.settings.secret_key.get_secret_value())
    assert Command(monkeypatch, capsys)("suppression", "remove", "nobody@example.org").code == 0
    with ready.reading() as session:
        assert not ready.suppression(session).is_suppressed("nobody@example.org")


@pytest.mark.parametrize("tls", ["may", "encrypt"])
def test_postfix_takes_mail_over_verified_tls(tmp_path: Path, ready: Newsletter, tls: Any) -> None:
    certificate = make_certificate(tmp_path / "certificates")
    with counting_sink(tmp_path / "record") as sink, postfix(sink.port, certificate=certificate, tls=tls) as relay:
        _, seen = send(ready, relay.port, f"starttls=required&ca={certificate.authority}")
        relay.wait_until_empty(20)
        assert sink.recipients() == {f"reader{number}@example.org": 1 for number in range(READERS)}
    assert [outcome.verdict for outcome in seen] == [Verdict.ACCEPTED] * READERS


def test_a_postfix_that_wants_tls_refuses_an_open_line_and_charges_nobody(tmp_path: Path, ready: Newsletter) -> None:
    certificate = make_certificate(tmp_path / "certificates")
    with (
        counting_sink(tmp_path / "record") as sink,
        postfix(sink.port, certificate=certificate, tls="encrypt") as relay,
    ):
        send(ready, relay.port, "starttls=never")
        assert sink.received() == []
    assert states(ready) == {State.QUEUED}
