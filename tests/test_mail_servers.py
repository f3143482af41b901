"""The mail servers of the tests do what they say: complete means complete, and nothing is left behind."""

import asyncio
import hashlib
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificate
from mail_servers import (
    HOST,
    CountingSink,
    Sink,
    aiosmtpd_server,
    counting_sink,
    free_port,
    running,
    smtp_sink,
)
from postfix_server import postfix

SENDER = "daily@example.org"
MAIL = b"Subject: one\r\nMessage-ID: <1@example.org>\r\n\r\n.a dot\r\nend\r\n"


def send(server: Any, recipients: list[str], mail: bytes = MAIL) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=10) as client:
        client.sendmail(SENDER, recipients, mail)


def begin(server: Any, recipient: str, part: bytes) -> smtplib.SMTP:
    """A client that is in DATA and has sent this much."""
    client = smtplib.SMTP(server.host, server.port, timeout=10)
    client.ehlo()
    client.mail(SENDER)
    client.rcpt(recipient)
    client.docmd("DATA")
    client.send(part)
    return client


def break_off(client: smtplib.SMTP) -> None:
    """Close as a killed client does: without QUIT."""
    client.close()


def settled(sink: Sink | CountingSink) -> None:
    """Return when the sink has worked off what came before: it takes events in their order."""
    with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        client.noop()


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def test_a_dumped_message_is_what_was_sent(tmp_path: Path) -> None:
    with smtp_sink(dump=tmp_path) as sink:
        send(sink, ["ann@example.org", "bob@example.org"])
        assert sink.messages() == [(["ann@example.org", "bob@example.org"], MAIL.replace(b"\r\n", b"\n"))]


def test_a_message_is_counted_as_soon_as_it_is_accepted(tmp_path: Path) -> None:
    with smtp_sink(dump=tmp_path) as sink, smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        for number in range(1, 101):
            client.sendmail(SENDER, ["ann@example.org"], MAIL)
            assert sink.recipients() == {"ann@example.org": number}


@pytest.mark.parametrize("part", [b"", b"Subject: cut\r\n\r\nhalf a l", MAIL, b"y" * 70_000, MAIL + b"."])
def test_smtp_sink_does_not_count_a_message_cut_in_data(tmp_path: Path, part: bytes) -> None:
    with smtp_sink(dump=tmp_path) as sink:
        send(sink, ["whole@example.org"])
        client = begin(sink, "cut@example.org", part)
        settled(sink)
        while_sending = sink.recipients()
        break_off(client)
        settled(sink)
        assert while_sending == sink.recipients() == {"whole@example.org": 1}


def test_smtp_sink_does_not_count_a_message_it_was_ended_in(tmp_path: Path) -> None:
    with smtp_sink(dump=tmp_path) as sink:
        send(sink, ["whole@example.org"])
        client = begin(sink, "cut@example.org", b"y" * 70_000)
        settled(sink)
    assert len([*tmp_path.iterdir()]) == 2
    assert sink.recipients() == {"whole@example.org": 1}
    break_off(client)


def test_smtp_sink_takes_its_own_options() -> None:
    with (
        smtp_sink("-f", "RCPT", "-B", "550 5.1.1 no such user") as sink,
        pytest.raises(smtplib.SMTPRecipientsRefused) as refused,
    ):
        send(sink, ["ann@example.org"])
    assert refused.value.recipients == {"ann@example.org": (550, b"5.1.1 no such user")}


def test_the_counting_sink_writes_recipient_message_id_size_and_hash(tmp_path: Path) -> None:
    with counting_sink(tmp_path / "record") as sink:
        send(sink, ["ann@example.org", "bob@example.org"])
        rows = sink.received()
    assert [row.recipient for row in rows] == ["ann@example.org", "bob@example.org"]
    expected = ("<1@example.org>", len(MAIL), hashlib.sha256(MAIL).hexdigest())
    assert {(row.message_id, row.size_bytes, row.sha256) for row in rows} == {expected}


@pytest.mark.parametrize("mail", [b"", b".\r\n", b"..\r\n.\r\nx\r\n", b"a\r\n\r\n.\n\r\n"])
def test_the_counting_sink_reads_to_the_final_dot_and_no_further(tmp_path: Path, mail: bytes) -> None:
    with counting_sink(tmp_path / "record") as sink, smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        begun = client.sock
        assert begun
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in mail.split(b"\r\n"))
        head = b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n"
        for byte in head + stuffed + b".\r\n" + b"QUIT\r\n":  # a byte at a time: every place to be cut is met
            begun.sendall(bytes([byte]))
        while begun.recv(4096):
            pass
        assert [row.sha256 for row in sink.received()] == [hashlib.sha256(mail).hexdigest()]


def test_every_accepted_message_has_its_line_after_the_sink_is_killed(tmp_path: Path) -> None:
    accepted: Counter[str] = Counter()
    with (
        counting_sink(tmp_path / "record") as sink,
        smtplib.SMTP(sink.host, sink.port, timeout=10) as client,
    ):
        for number in range(200):
            client.sendmail(SENDER, [f"r{number}@example.org"], MAIL)
            accepted[f"r{number}@example.org"] += 1
            assert sink.recipients() == accepted
    assert sink.recipients() == accepted


def test_the_counting_sink_does_not_count_a_message_cut_in_data(tmp_path: Path) -> None:
    with counting_sink(tmp_path / "record") as sink:
        break_off(begin(sink, "cut@example.org", MAIL + b".\r"))
        settled(sink)
        assert sink.received() == []


def test_the_counting_sink_has_the_line_while_its_answer_waits(tmp_path: Path) -> None:
    with counting_sink(tmp_path / "record", delay_seconds=3600) as sink:
        client = begin(sink, "ann@example.org", MAIL + b".\r\n")
        settled(sink)
        assert sink.recipients() == {"ann@example.org": 1}
        assert client.sock
        client.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.sock.recv(1)
        break_off(client)


@pytest.mark.parametrize("delay_seconds", [0, 0.01])
def test_the_counting_sink_answers_pipelined_commands_in_order(tmp_path: Path, delay_seconds: float) -> None:
    one = b"MAIL FROM:<>\r\nRCPT TO:<%d@example.org>\r\nDATA\r\n" + MAIL.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    with (
        counting_sink(tmp_path / "record", delay_seconds) as sink,
        socket.create_connection((sink.host, sink.port), timeout=10) as line,
        line.makefile("rb") as replies,
    ):
        line.sendall(b"HELO x\r\n" + b"".join(one % number for number in range(3)) + b"QUIT\r\n")
        codes = [reply[:3] for reply in replies]
    assert codes == [b"220", b"250", *[b"250", b"250", b"354", b"250"] * 3, b"221"]
    assert [row.recipient[0] for row in sink.received()] == ["0", "1", "2"]


def test_postfix_relays_to_the_next_hop_and_refuses_nobody(tmp_path: Path) -> None:
    with counting_sink(tmp_path / "record") as hop, postfix(hop.port) as server:
        with smtplib.SMTP(server.host, server.port, timeout=10) as client:
            refused = client.sendmail(SENDER, ["ann@example.org", "nobody7@example.org"], MAIL)
        server.wait_until_empty(20)
        assert {address: code for address, (code, _) in refused.items()} == {"nobody7@example.org": 550}
        assert refused["nobody7@example.org"][1].startswith(b"5.1.1")
        assert hop.recipients() == {"ann@example.org": 1}
        assert "status=sent (250 2.0.0 written down)" in server.log()


def test_postfix_keeps_what_the_next_hop_defers_until_it_is_flushed(tmp_path: Path) -> None:
    with postfix(port := free_port()) as server:
        send(server, ["ann@example.org"])
        with pytest.raises(TimeoutError, match="1 messages"):
            server.wait_until_empty(0.5)
        record = tmp_path / "record"
        command = [sys.executable, str(Path(__file__).with_name("counting_sink.py"))]
        with running([*command, "--port", str(port), "--record", str(record)], port):
            server.flush()
            server.wait_until_empty(20)
        assert CountingSink(port, record).recipients() == {"ann@example.org": 1}


def test_postfix_offers_starttls_with_the_certificate(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path / "certificate")
    with (
        counting_sink(tmp_path / "record") as hop,
        postfix(hop.port, certificate=certificate, tls="encrypt") as server,
        smtplib.SMTP(server.host, server.port, timeout=10) as client,
    ):
        client.ehlo()
        assert client.mail(SENDER)[0] == 530
        client.starttls(context=certificate.client_context())
        client.sendmail(SENDER, ["ann@example.org"], MAIL)
        server.wait_until_empty(20)
        assert hop.recipients() == {"ann@example.org": 1}


class Accepts:
    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        return "250 taken"


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_aiosmtpd_speaks_tls_and_asks_for_the_password(tls: Any) -> None:
    with aiosmtpd_server(Accepts(), tls=tls, require_tls=tls == "starttls", auth={"ann": "secret"}) as server:
        context = ssl.create_default_context(cafile=str(server.authority))
        client: smtplib.SMTP
        if tls == "implicit":
            client = smtplib.SMTP_SSL(server.host, server.port, timeout=10, context=context)
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=10)
            assert client.docmd("MAIL FROM:<a@example.org>")[0] in (503, 530)
            client.starttls(context=context)
        with client:
            with pytest.raises(smtplib.SMTPSenderRefused):
                client.sendmail(SENDER, ["ann@example.org"], MAIL)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("ann", "guess")
            client.login("ann", "secret")
            assert client.sendmail(SENDER, ["ann@example.org"], MAIL) == {}


def test_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    other = make_certificate(tmp_path, names=("DNS:other.example.org",))
    with (
        aiosmtpd_server(Accepts(), tls="implicit", certificate=other) as server,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        smtplib.SMTP_SSL(server.host, server.port, timeout=10, context=other.client_context())


def test_an_error_inside_leaves_no_server(tmp_path: Path) -> None:
    ports = []
    with (
        suppress(KeyboardInterrupt),
        counting_sink(tmp_path / "record") as hop,
        postfix(hop.port) as server,
        smtp_sink() as sink,
    ):
        ports = [hop.port, server.port, sink.port]
        raise KeyboardInterrupt
    assert [*map(is_free, ports)] == [True, True, True]


def test_tests_that_are_killed_leave_no_server() -> None:
    script = """
from mail_servers import smtp_sink
with smtp_sink() as sink:
    print(sink.port, sink.process, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout
        port, process = map(int, tests.stdout.readline().split())
        watched = os.pidfd_open(process)
        os.kill(tests.pid, signal.SIGKILL)
    ended = asyncio.Event()

    async def wait_for_the_end() -> None:
        asyncio.get_running_loop().add_reader(watched, ended.set)
        await asyncio.wait_for(ended.wait(), 10)

    asyncio.run(wait_for_the_end())
    os.close(watched)
    assert is_free(port)
