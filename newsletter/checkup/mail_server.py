"""The mail servers: each name resolves, and a connection is greeted, secured and logged in as for sending."""

import asyncio
import socket
import threading
from collections.abc import Iterator

from newsletter.checkup.findings import Finding, ok, warning, wrong
from newsletter.delivery.connection import Timeouts
from newsletter.delivery.transport import ServerRefused, open_connection
from newsletter.setting_values import SmtpServer
from newsletter.settings import Settings

LOOK_UP_SECONDS = 5
STEP_SECONDS = 10
CONVERSATION_SECONDS = 20
"""A server that is slower than that is in trouble, though sending itself waits longer (RFC 5321 §4.5.3.2)."""
_ADVICE = (
    ("offers no login", "Use its submission port, or take user and password out."),
    (
        "certificate",
        "Use the host name its certificate is for, have it renewed, or name your own authority with ?ca=FILE.",
    ),
    ("starttls", "The server offers no TLS here: use its submission port (587, or smtps:// on 465)."),
    ("authentic", "User or password in its URL is wrong; write / @ : in a password as %2F %40 %3A."),
    ("535", "User or password in its URL is wrong; write / @ : in a password as %2F %40 %3A."),
    ("timed out", "A firewall may drop the port: many providers close 25 outward; use 587 or 465."),
    ("connect", "Look whether the server runs, and whether host and port in its URL are right."),
)


def servers_of(settings: Settings) -> tuple[SmtpServer, ...]:
    """The servers that mail is handed to."""
    return tuple(server.smtp for server in settings.smtp_servers)


def mail_server(server: SmtpServer) -> Iterator[Finding]:
    """Look over one server; no message is sent."""
    addresses = _look_up(server)
    if not addresses:
        advice = "Mend the host in its URL, or the name server of this machine."
        yield wrong("host name", f"{server.host} has no address, as far as this machine can find out", advice)
        return
    yield ok("host name", addresses[0] if addresses[0] == server.host else f"{server.host} is {', '.join(addresses)}")
    yield _conversation(server)
    yield from secrecy(server)


def _look_up(server: SmtpServer) -> list[str]:
    """The addresses of a host, in a thread of its own: a dead name server can hold up a look-up for a minute."""
    found: list[str] = []

    def ask() -> None:
        try:
            known = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(one[4][0]) for one in known))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(LOOK_UP_SECONDS)
    return list(found)


def _conversation(server: SmtpServer) -> Finding:
    try:
        asyncio.run(_greet(server))
    except ServerRefused as refused:
        why = str(refused).removeprefix(f"{server.host}:{server.port}: ").removesuffix(".")
        return wrong("conversation", why, _advice(why))
    except TimeoutError:
        return wrong("conversation", f"the server took longer than {CONVERSATION_SECONDS} s", _advice("timed out"))
    steps = ["connected and greeted"]
    steps += ["TLS verified"] if server.implicit_tls or server.starttls == "required" else []
    steps += ["login accepted"] if server.user else ["no login asked for in its URL"]
    return ok("conversation", ", ".join(steps))


async def _greet(server: SmtpServer) -> None:
    timeouts = Timeouts(*[STEP_SECONDS] * 5)
    async with asyncio.timeout(CONVERSATION_SECONDS):
        connection = await open_connection(server, timeouts, socket.gethostname())
        await connection.quit()


def secrecy(server: SmtpServer) -> Iterator[Finding]:
    """What travels unprotected, to a server that is not on this machine."""
    if server.is_loopback or server.implicit_tls or server.starttls == "required":
        return
    advice = "Take `?starttls=` out of its URL: TLS is then required and verified."
    if server.starttls == "never":
        what = "the password and all mail travel unencrypted" if server.user else "all mail travels unencrypted"
        yield (wrong if server.user else warning)("encryption", what, advice)
    else:
        yield warning("encryption", "TLS is used if offered, but whoever sits in between can take it away", advice)


def _advice(why: str) -> str:
    return next((advice for word, advice in _ADVICE if word in why.lower()), "Ask the operator of the server.")
