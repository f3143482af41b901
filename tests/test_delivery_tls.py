"""A connection is secured and logged in as its URL says, or refused with what helps; no password is ever shown."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from certificates import Certificate, make_certificate
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_pem_private_key,
)
from mail_servers import aiosmtpd_server, free_port

from newsletter.delivery.connection import Connection, Timeouts
from newsletter.delivery.outcome import Outcome, Verdict
from newsletter.delivery.transport import ServerRefused, open_connection
from newsletter.render.recipient import Message
from newsletter.setting_values import SmtpServer

QUICK = Timeouts(5, 5, 5, 5, 5)
PASSWORD = "p@ss w0rd:秘"
USERS = {"ann": PASSWORD}
LETTER = Message("bounce@example.org", "reader@example.org", b"Subject: x\r\n\r\nbody\r\n")


def test_a_server_that_does_not_greet_is_left_after_the_connect_time_out() -> None:
    async def never(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def scene() -> None:
        server = await asyncio.start_server(never, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ServerRefused, match="Timed out"):
            await open_connection(SmtpServer(f"smtp://127.0.0.1:{port}"), replace(QUICK, connect_seconds=0.1), "here")
        server.close()

    asyncio.run(scene())


class Takes:
    """Takes what it is given, and remembers whether it came over TLS and after a login."""

    def __init__(self) -> None:
        self.secured: list[tuple[bool, bool]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        over_tls = server.transport.get_extra_info("sslcontext") is not None
        self.secured.append((over_tls, bool(session.authenticated)))
        return "250 taken"


def hand_one(url: str) -> Outcome:
    """Open a connection to a server and hand one letter over."""

    async def hand() -> Outcome:
        connection: Connection = await open_connection(SmtpServer(url), QUICK, "here.example.org")
        outcome = await connection.hand_over(LETTER)
        await connection.quit()
        return outcome

    return asyncio.run(hand())


def refused(url: str) -> ServerRefused:
    with pytest.raises(ServerRefused) as caught:
        hand_one(url)
    return caught.value


def expired(folder: Path) -> Certificate:
    """A certificate that was good until yesterday."""
    made = make_certificate(folder)
    known = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    authority = load_pem_private_key((folder / "ca.key").read_bytes(), None)
    now = datetime.now(UTC)
    old = x509.CertificateBuilder(
        known.issuer,
        known.subject,
        known.public_key(),
        1,
        now - timedelta(9),
        now - timedelta(1),
        list(known.extensions),
    )
    signed = old.sign(authority, hashes.SHA256())  # type: ignore[arg-type]  # the key of an authority can sign
    made.certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    return made


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize(
    ("make", "says", "mend"),
    [
        (lambda folder: make_certificate(folder, ("DNS:mail.example.org",)), "mismatch", "name the server as"),
        (expired, "expired", "renewed"),
    ],
    ids=["another name", "expired"],
)
def test_a_wrong_certificate_is_refused_with_what_helps(
    tmp_path: Path, tls: Any, make: Callable[[Path], Certificate], says: str, mend: str
) -> None:
    scheme = "smtps" if tls == "implicit" else "smtp"
    with aiosmtpd_server(Takes(), tls=tls, certificate=make(tmp_path)) as server:
        no = refused(f"{scheme}://127.0.0.1:{server.port}?starttls=required&ca={server.authority}")
    assert says in str(no) and mend in str(no)
    assert no.final


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_an_unknown_authority_is_refused_until_it_is_named(tls: Any) -> None:
    scheme = "smtps" if tls == "implicit" else "smtp"
    with aiosmtpd_server(takes := Takes(), tls=tls) as server:
        url = f"{scheme}://127.0.0.1:{server.port}?starttls=required"
        no = refused(url)
        assert "?ca=FILE" in str(no) and no.final
        assert takes.secured == []
        assert hand_one(f"{url}&ca={server.authority}").verdict == Verdict.ACCEPTED
    assert takes.secured == [(True, False)]


def test_a_certificate_file_that_is_not_there_is_named() -> None:
    with aiosmtpd_server(Takes(), tls="starttls") as server:
        no = refused(f"smtp://127.0.0.1:{server.port}?starttls=required&ca=/nowhere/ca.pem")
    assert "?ca=/nowhere/ca.pem: No such file" in str(no) and no.final


def test_named_certificates_are_trusted_instead_of_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_certificate(tmp_path / "other")
    with aiosmtpd_server(Takes(), tls="starttls") as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
        assert hand_one(f"smtp://127.0.0.1:{server.port}?starttls=required").verdict == Verdict.ACCEPTED
        refused(f"smtp://127.0.0.1:{server.port}?starttls=required&ca={other.authority}")


def test_a_server_without_tls_is_refused_where_it_is_required_and_hears_no_password() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            heard.append(line)
            writer.write(b"250-here\r\n250 AUTH PLAIN LOGIN\r\n")
        writer.close()

    async def scene() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ServerRefused, match="STARTTLS, which is required") as caught:
            await open_connection(SmtpServer(f"smtp://ann:secret@127.0.0.1:{port}?starttls=required"), QUICK, "here")
        assert caught.value.final
        server.close()

    asyncio.run(scene())
    assert [line.split()[0] for line in heard] == [b"EHLO"]


def test_optional_tls_is_used_where_it_is_and_done_without_where_not() -> None:
    with aiosmtpd_server(secure := Takes(), tls="starttls") as server:
        assert hand_one(f"smtp://127.0.0.1:{server.port}?starttls=optional").verdict == Verdict.ACCEPTED
    with aiosmtpd_server(bare := Takes()) as server:
        assert hand_one(f"smtp://127.0.0.1:{server.port}?starttls=optional").verdict == Verdict.ACCEPTED
    assert (secure.secured, bare.secured) == ([(True, False)], [(False, False)])


def test_tls_that_is_never_wanted_is_not_begun() -> None:
    with aiosmtpd_server(takes := Takes(), tls="starttls") as server:
        assert hand_one(f"smtp://127.0.0.1:{server.port}?starttls=never").verdict == Verdict.ACCEPTED
    assert takes.secured == [(False, False)]


CREDENTIALS = "ann:p%40ss%20w0rd%3A%E7%A7%98"


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_login_is_made_over_tls(tls: Any) -> None:
    scheme = "smtps" if tls == "implicit" else "smtp"
    with aiosmtpd_server(takes := Takes(), tls=tls, auth=USERS) as server:
        url = f"{scheme}://{CREDENTIALS}@127.0.0.1:{server.port}?starttls=required&ca={server.authority}"
        assert hand_one(url).verdict == Verdict.ACCEPTED
    assert takes.secured == [(True, True)]


def test_a_wrong_password_is_final_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with aiosmtpd_server(Takes(), tls="starttls", auth={"ann": "another"}) as server:
        url = f"smtp://{CREDENTIALS}@127.0.0.1:{server.port}?starttls=required&ca={server.authority}"
        no = refused(url)
    assert no.final and "535" in str(no)
    assert PASSWORD not in str(no) + caplog.text


def test_a_server_without_a_login_says_so_where_one_is_wanted() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while await reader.readline():
            writer.write(b"250 here\r\n")
        writer.close()

    async def scene() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ServerRefused, match="offers no login") as caught:
            await open_connection(SmtpServer(f"smtp://{CREDENTIALS}@127.0.0.1:{port}?starttls=never"), QUICK, "here")
        assert caught.value.final
        server.close()

    asyncio.run(scene())


@pytest.mark.parametrize("mechanism", [b"PLAIN", b"LOGIN"])
def test_a_server_that_repeats_the_password_does_not_get_it_into_the_log(mechanism: bytes) -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            words = line.split()
            heard.append(words[-1])
            if words[0] == b"EHLO":
                writer.write(b"250-here\r\n250 AUTH " + mechanism + b"\r\n")
            elif words[:2] == [b"AUTH", b"LOGIN"]:
                writer.write(b"334 UGFzc3dvcmQ6\r\n")
            else:
                writer.write(b"535 5.7.8 what is " + line.strip() + b" " + PASSWORD.encode() + b"\r\n")
        writer.close()

    async def scene() -> ServerRefused:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ServerRefused) as caught:
            await open_connection(SmtpServer(f"smtp://{CREDENTIALS}@127.0.0.1:{port}?starttls=never"), QUICK, "here")
        server.close()
        return caught.value

    no = asyncio.run(scene())
    assert no.final and "535 5.7.8 what is" in str(no)
    assert heard[-1].decode() not in str(no)
    assert PASSWORD not in str(no)


def test_a_connection_that_is_given_up_while_it_opens_is_closed() -> None:
    async def scene() -> None:
        greeted, gone = asyncio.Event(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 here\r\n")
            await reader.readline()
            greeted.set()
            assert await reader.read() == b""
            gone.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        opening = asyncio.create_task(open_connection(SmtpServer(f"smtp://127.0.0.1:{port}"), QUICK, "here"))
        await greeted.wait()
        opening.cancel()
        await asyncio.wait_for(gone.wait(), 5)
        server.close()

    asyncio.run(scene())


def test_nobody_listening_is_said_with_host_and_port() -> None:
    port = free_port()
    no = refused(f"smtp://127.0.0.1:{port}")
    assert f"127.0.0.1:{port}" in str(no) and not no.final
