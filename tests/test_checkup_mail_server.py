"""What the check-up says of mail servers: real ones, with TLS and login, and some that are not what they should be."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiosmtpd.handlers import Sink
from mail_servers import Aiosmtpd, aiosmtpd_server, free_port

from newsletter.checkup import mail_server as checks
from newsletter.checkup.findings import Finding, Verdict
from newsletter.checkup.mail_server import mail_server
from newsletter.setting_values import SmtpServer

USERS = {"daily": "a secret word"}


def look(url: str, server: Aiosmtpd | None = None) -> dict[str, Finding]:
    target = SmtpServer(url)
    if server and server.authority:
        target.ca_file = str(server.authority)
    found = {finding.name: finding for finding in mail_server(target)}
    assert "secret" not in str(found)
    assert "%20" not in str(found)
    return found


def test_a_server_with_starttls_and_login_is_well() -> None:
    with aiosmtpd_server(Sink(), tls="starttls", auth=USERS) as server:
        found = look(f"smtp://daily:a%20secret%20word@localhost:{server.port}?starttls=required", server)
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert "TLS verified, login accepted" in found["conversation"].what


def test_a_server_with_tls_from_the_first_byte_is_well() -> None:
    with aiosmtpd_server(Sink(), tls="implicit") as server:
        found = look(f"smtps://127.0.0.1:{server.port}", server)
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}


def test_a_certificate_that_nobody_vouches_for_is_wrong() -> None:
    with aiosmtpd_server(Sink(), tls="starttls") as server:
        found = look(f"smtp://localhost:{server.port}?starttls=required")
    assert found["conversation"].verdict is Verdict.WRONG
    assert "certificate" in found["conversation"].what.lower()
    assert "certificate" in found["conversation"].advice


def test_a_wrong_password_is_wrong_and_is_not_shown() -> None:
    with aiosmtpd_server(Sink(), tls="starttls", auth=USERS) as server:
        found = look(f"smtp://daily:secret%20no%20more@localhost:{server.port}?starttls=required", server)
    assert found["conversation"].verdict is Verdict.WRONG
    assert "password" in found["conversation"].advice


def test_a_server_without_tls_is_wrong_where_tls_is_required() -> None:
    with aiosmtpd_server(Sink()) as server:
        found = look(f"smtp://localhost:{server.port}?starttls=required")
    assert found["conversation"].verdict is Verdict.WRONG
    assert "offers no TLS" in found["conversation"].advice


def test_a_server_that_takes_no_login_is_wrong_where_there_is_a_user() -> None:
    with aiosmtpd_server(Sink(), tls="starttls", auth=USERS) as server:  # it takes one after STARTTLS only
        found = look(f"smtp://daily:secret@localhost:{server.port}?starttls=never")
    assert found["conversation"].verdict is Verdict.WRONG
    assert "offers no login" in found["conversation"].what
    assert "submission port" in found["conversation"].advice


def test_a_port_where_nobody_listens_is_wrong() -> None:
    found = look(f"smtp://127.0.0.1:{free_port()}")
    assert found["conversation"].verdict is Verdict.WRONG
    assert "server runs" in found["conversation"].advice


def test_a_name_without_an_address_is_wrong_and_is_not_connected_to() -> None:
    found = look("smtp://nowhere.invalid:587")
    assert [(one.name, one.verdict) for one in found.values()] == [("host name", Verdict.WRONG)]


@contextmanager
def listener(greeting: bytes) -> Iterator[int]:
    """A port that says this to everybody, and no more."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def greet() -> None:
            line, _ = server.accept()
            held.append(line)
            line.sendall(greeting)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)
        for line in held:
            line.close()


def test_a_server_that_never_greets_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "CONVERSATION_SECONDS", 0.3)
    with listener(b"") as port:
        found = look(f"smtp://127.0.0.1:{port}")
    assert found["conversation"].verdict is Verdict.WRONG
    assert "firewall" in found["conversation"].advice


def test_something_else_than_a_mail_server_is_wrong() -> None:
    with listener(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        found = look(f"smtp://127.0.0.1:{port}")
    assert found["conversation"].verdict is Verdict.WRONG


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("smtp://daily:secret@192.0.2.1:25?starttls=never", Verdict.WRONG),
        ("smtp://192.0.2.1:25?starttls=never", Verdict.WARNING),
        ("smtp://192.0.2.1:25?starttls=optional", Verdict.WARNING),
        ("smtp://192.0.2.1:587", None),
        ("smtps://192.0.2.1", None),
        ("smtp://127.0.0.1:25?starttls=never", None),
    ],
)
def test_what_travels_unencrypted_over_a_network_is_said(url: str, verdict: Verdict | None) -> None:
    assert [one.verdict for one in checks.secrecy(SmtpServer(url))] == ([verdict] if verdict else [])
