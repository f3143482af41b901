"""`newsletter serve`: the pages for readers and the previews, and on SQLite the sender beside them."""

import signal
from contextlib import nullcontext, suppress
from types import FrameType
from typing import Annotated

import typer

from newsletter.cli.errors import fail
from newsletter.cli.output import console, open_newsletter
from newsletter.editorial.station import sending_beside
from newsletter.readers.post import Post
from newsletter.web.application import build
from newsletter.web.server import listen, run


def command(
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 for every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for any that is free.")] = 8000,
) -> None:
    """Serve the pages for readers and the previews of issues, until Ctrl-C; on SQLite, send what is due too."""
    newsletter = open_newsletter()
    try:
        bound = listen(host, port)
    except OSError as reason:
        fail(f"{host}:{port} cannot be listened on ({reason.strerror}); choose another with --host and --port.")
    shown = f"[{host}]" if ":" in host else host
    console().print(f"http://{shown}:{bound.getsockname()[1]}/ (Ctrl-C ends it; previews are at /preview/)")
    signal.signal(signal.SIGTERM, _interrupt)
    sender = sending_beside(newsletter, Post(newsletter)) if newsletter.database_file else nullcontext()
    with sender, suppress(KeyboardInterrupt):
        run(build(newsletter), bound)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as by Ctrl-C: the server hands a signal on when it has ended, and the sender has to drain first."""
    raise KeyboardInterrupt
