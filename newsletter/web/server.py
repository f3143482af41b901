"""Running the web application until the process is told to stop."""

import socket

import uvicorn
from starlette.types import ASGIApp


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at a name or address and a port (0: any free one); raises OSError when it cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free at once
        bound.bind(address)
        bound.listen(2048)  # whoever comes before the application is ready waits in line
    except OSError:
        bound.close()
        raise
    return bound


def run(application: ASGIApp, bound: socket.socket) -> None:
    """Serve on a listening socket until SIGINT or SIGTERM.

    There is no access log, because addresses hold tokens; and nobody's word is taken for where a request came from.
    """
    config = uvicorn.Config(
        application, log_level="warning", access_log=False, proxy_headers=False, server_header=False, lifespan="on"
    )
    uvicorn.Server(config).run(sockets=[bound])
