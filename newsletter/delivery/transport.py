"""Opening a connection to an SMTP server: greeting, TLS, login. The one place that knows aiosmtplib."""

import asyncio
from typing import Protocol, cast

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException

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

    `ca_file` names certificates to trust instead of the system's.
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


_STARTTLS = {"required": True, "optional": None, "never": False}
"""The library's words for it."""


async def open_connection(server: Server, timeouts: Timeouts, local_name: str) -> Connection:
    """Connect, greet, secure and log in as the server asks; raises `ServerRefused`.

    TLS is verified except where it is merely `optional`: there an unverified line still beats an open one (RFC 7435).
    """
    client = SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user or None,
        password=server.password or None,
        use_tls=server.implicit_tls,
        start_tls=None
        if server.implicit_tls
        else {"required": True, "optional": None, "never": False}[server.starttls],
        validate_certs=server.implicit_tls or server.starttls != "optional",
        cert_bundle=server.ca_file or None,
        local_hostname=local_name,
        timeout=timeouts.connect_seconds,
    )
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        transport = client.transport
        if transport is None:
            raise ConnectionError("the connection was lost")
    except (*_NO_REPLY, ValueError) as reason:
        client.close()
        final = isinstance(reason, SMTPAuthenticationError) and reason.code >= 500
        raise ServerRefused(f"{server.host}:{server.port}: {_say(reason)}", final=final) from None
    return Connection(Line(cast(asyncio.Transport, transport)), timeouts, pipelining=client.supports_extension("pipelining"))


def _say(reason: BaseException) -> str:
    """An error in words, without anything that could hold a password."""
    if isinstance(reason, SMTPResponseException):
        return readable(f"{reason.code} {reason.message}")
    return readable(f"{reason or type(reason).__name__}")
