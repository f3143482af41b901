"""Opening a connection to an SMTP server: greeting, TLS, login. The one place that knows aiosmtplib."""

import asyncio
import base64
import ssl
from typing import Protocol, cast

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPHeloError, SMTPResponseException

from newsletter.delivery.connection import Connection, Timeouts, readable
from newsletter.delivery.line import Line


class ServerRefused(Exception):
    """No connection could be opened; the message says to where and why.

    `final` is true when trying again would be refused alike, as a wrong password is.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Server(Protocol):
    """Where to connect: `starttls` is required, optional or never; `user` is empty when there is no login.

    `ca_file` names certificates to trust instead of the system's. `starttls` says nothing where TLS is implicit.
    """

    host: str
    port: int
    user: str
    password: str
    implicit_tls: bool
    starttls: str
    ca_file: str


_NO_REPLY = (SMTPException, OSError, asyncio.TimeoutError)
"""What the library raises when there is no reply to go by: time-outs, a broken line, a reply that is not SMTP."""


_MENDS = {
    10: "it has to be renewed on the server",
    62: "the URL has to name the server as its certificate does",
    64: "the URL has to name the server as its certificate does",
}
"""What helps against a certificate's fault, by OpenSSL's number for it: expired, another name, another IP address."""


async def open_connection(server: Server, timeouts: Timeouts, local_name: str) -> Connection:
    """Connect, greet, secure and log in as the server asks; raises `ServerRefused`.

    TLS is verified except where it is merely `optional`: there an unverified line still beats an open one (RFC 7435).
    """
    where = f"{server.host}:{server.port}"
    client = SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.implicit_tls,
        start_tls=False,  # done here, step by step
        tls_context=await _tls(server, where) if server.implicit_tls else None,
        local_hostname=local_name,
        timeout=timeouts.connect_seconds,
    )
    try:
        await client.connect()
        await _greet(client)
        await _secure(client, server, where)
        if server.user:
            if not client.supported_auth_methods:
                raise ServerRefused(f"{where}: it offers no login; leave user and password out of its URL", final=True)
            await client.login(server.user, server.password)
        transport = client.transport
        if transport is None:
            raise ConnectionError("the connection was lost")
    except (*_NO_REPLY, ValueError) as reason:
        client.close()
        raise ServerRefused(f"{where}: {_say(reason, server)}", final=_is_final(reason)) from None
    except (ServerRefused, asyncio.CancelledError):
        client.close()
        raise
    line = Line(cast(asyncio.Transport, transport))
    return Connection(line, timeouts, pipelining=client.supports_extension("pipelining"))


async def _tls(server: Server, where: str) -> ssl.SSLContext:
    """What TLS is spoken with; raises `ServerRefused` when the certificates to trust cannot be read."""
    try:
        context = await asyncio.to_thread(ssl.create_default_context, cafile=server.ca_file or None)
    except OSError as reason:
        raise ServerRefused(f"{where}: ?ca={server.ca_file}: {reason.strerror or reason}", final=True) from None
    if server.starttls == "optional" and not server.implicit_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _greet(client: SMTP) -> None:
    """EHLO, or HELO for a server that does not know it (RFC 5321 §3.2)."""
    try:
        await client.ehlo()
    except SMTPHeloError as reason:
        if not client.is_connected or reason.code < 500:
            raise
        await client.helo()


async def _secure(client: SMTP, server: Server, where: str) -> None:
    """STARTTLS (RFC 3207), and a new greeting after it."""
    if server.implicit_tls or server.starttls == "never":
        return
    if client.supports_extension("starttls"):
        await client.starttls(tls_context=await _tls(server, where))
        await _greet(client)
    elif server.starttls == "required":
        why = "it offers no STARTTLS, which is required; ?starttls=optional in its URL would send over an open line"
        raise ServerRefused(f"{where}: {why}", final=True)


def _is_final(reason: BaseException) -> bool:
    """Whether the same try would fail alike: a wrong password, a certificate that is not trusted."""
    if isinstance(reason, SMTPAuthenticationError):
        return reason.code >= 500
    return _untrusted(reason) is not None


def _untrusted(reason: BaseException) -> ssl.SSLCertVerificationError | None:
    """What is wrong with the server's certificate, if that is the reason."""
    found = reason if isinstance(reason, ssl.SSLCertVerificationError) else reason.__cause__
    return found if isinstance(found, ssl.SSLCertVerificationError) else None


def _say(reason: BaseException, server: Server) -> str:
    """An error in words, without anything that could hold a password: a server may repeat what it was told."""
    if untrusted := _untrusted(reason):
        mend = _MENDS.get(untrusted.verify_code, "if it is your own, name its authority's file as ?ca=FILE in the URL")
        return f"its certificate is not trusted ({untrusted.verify_message.rstrip('.')}): {mend}"
    said = f"{reason.code} {reason.message}" if isinstance(reason, SMTPResponseException) else str(reason)
    for secret in _secrets(server):
        said = said.replace(secret, "…")
    return readable(said or type(reason).__name__)


def _secrets(server: Server) -> list[str]:
    """The password and the forms in which it goes over the wire (RFC 4616, AUTH LOGIN)."""
    if not server.password:
        return []
    plain = f"\0{server.user}\0{server.password}", server.password
    return [*(base64.b64encode(text.encode()).decode() for text in plain), server.password]
