"""The link check: it says where links lead, and is led nowhere that is nobody's business."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sending import Clock

from newsletter.app import Newsletter
from newsletter.review.fetch import Answer, Fetcher, Verdict, is_public
from newsletter.review.links import check, known

PRIVATE = (
    "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "2002:7f00:1::", "fec0::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
)  # fmt: skip


class Site(BaseHTTPRequestHandler):
    """Answers by its path: `/404` with that status, `/to?URL` with a redirect, `/round` to itself, `/slow` never."""

    asked: list[str] = []  # noqa: RUF012 - the server makes a handler for each request

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path, _, query = self.path.partition("?")
        if path == "/slow":
            self.server.over.wait(5)  # type: ignore[attr-defined]  # set below
            return
        status = int(path[1:]) if path[1:].isdigit() else 302 if path in ("/to", "/round") else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", query or "/round")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def site() -> Iterator[tuple[str, Fetcher]]:
    """A server of this machine, and a fetcher that is allowed to ask it."""
    Site.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        server.over = threading.Event()  # type: ignore[attr-defined]  # ends whoever is slow
        threading.Thread(target=server.serve_forever, daemon=True).start()
        loopback = ipaddress.ip_address("127.0.0.1")
        fetcher = Fetcher("test", lambda address: address == loopback, (server.server_port,), timeout_seconds=0.5)
        try:
            yield f"http://127.0.0.1:{server.server_port}", fetcher
        finally:
            server.over.set()  # type: ignore[attr-defined]  # as above
            server.shutdown()


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_not_visited(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "203.119.1.1", "2606:4700::1111", "2001:4860:4860::8888"])
def test_a_public_address_may_be_visited(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_what_wraps_an_address_is_as_public_as_that(address: ipaddress.IPv4Address) -> None:
    wrapped = ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(address))
    mapped = ipaddress.IPv6Address(f"::ffff:{address}")
    assert is_public(wrapped) == is_public(mapped) == is_public(address)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/fine", Answer(Verdict.OK, "200")),
        ("/404", Answer(Verdict.BROKEN, "404")),
        ("/410", Answer(Verdict.BROKEN, "410")),
        ("/403", Answer(Verdict.UNREACHABLE, "403")),
        ("/503", Answer(Verdict.UNREACHABLE, "503")),
        ("/to?/fine", Answer(Verdict.OK, "200")),
        ("/to?/404", Answer(Verdict.BROKEN, "404")),
        ("/to?file:///etc/passwd", Answer(Verdict.REFUSED, "scheme")),
        ("/to?http://127.0.0.2/", Answer(Verdict.REFUSED, "port")),
        ("/slow", Answer(Verdict.UNREACHABLE, "timeout")),
    ],
)
def test_what_a_server_answers_is_judged(path: str, answer: Answer) -> None:
    with site() as (address, fetcher):
        assert fetcher.fetch(address + path) == answer


def test_a_redirect_in_a_circle_ends() -> None:
    with site() as (address, fetcher):
        assert fetcher.fetch(f"{address}/round") == Answer(Verdict.BROKEN, "redirects")
        assert len(Site.asked) == 6


def test_a_server_that_goes_on_talking_without_an_end_is_left() -> None:
    over = threading.Event()

    def talk(listening: socket.socket) -> None:
        line = listening.accept()[0]
        with line, suppress(OSError):
            while not over.wait(0.1):
                line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        talking = threading.Thread(target=talk, args=(listening,), daemon=True)
        talking.start()
        port = listening.getsockname()[1]
        fetcher = Fetcher("test", lambda address: True, (port,), timeout_seconds=0.3)
        fetching = threading.Thread(target=fetcher.fetch, args=(f"http://127.0.0.1:{port}/",), daemon=True)
        fetching.start()
        fetching.join(10)
        ended = not fetching.is_alive()
        over.set()
        talking.join()
    assert ended


def test_this_machine_is_not_asked_however_it_is_named() -> None:
    with site() as (_, fetcher):
        port = fetcher.ports[0]
        careful = Fetcher("test", ports=(port,), timeout_seconds=0.5)
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"):
            assert careful.fetch(f"http://{host}:{port}/").verdict in (Verdict.REFUSED, Verdict.BROKEN)
        assert Site.asked == []


def test_a_name_is_not_resolved_a_second_time_after_it_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["198.51.100.7", "127.0.0.1"])
    real = socket.getaddrinfo

    def rebinding(host: str, *arguments: object, **named: object) -> object:
        return real(next(answers) if host == "rebind.example" else host, *arguments, **named)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with site() as (_, fetcher):
        careful = Fetcher("test", lambda address: str(address) == "198.51.100.7", fetcher.ports, timeout_seconds=0.2)
        assert careful.fetch(f"http://rebind.example:{fetcher.ports[0]}/").verdict is Verdict.UNREACHABLE
        assert Site.asked == []


@given(
    st.text(max_size=60),
    st.sampled_from(
        ["http://127.0.0.1/", "https://127.0.0.1/", "", "//", "javascript:", "http://[", "http://127.0.0.1:9"]
    ),
)
def test_no_text_is_too_strange(text: str, scheme: str) -> None:
    nobody = Fetcher("test", lambda _: False, timeout_seconds=0.1)
    assert nobody.fetch(scheme + text).verdict is not Verdict.OK


@pytest.fixture
def clock(newsletter: Newsletter) -> Clock:
    """The newsletter's clock from now on."""
    clock = newsletter.clock = Clock()
    return clock


@pytest.mark.both_databases
def test_a_link_is_asked_once_a_day(newsletter: Newsletter, clock: Clock) -> None:
    with site() as (address, fetcher):
        urls = [f"{address}/fine", f"{address}/404"]
        assert {known(newsletter, urls)[url].verdict for url in urls} == {Verdict.NOT_CHECKED}
        first = check(newsletter, urls, fetcher)
        assert [first[url].verdict for url in urls] == [Verdict.OK, Verdict.BROKEN]
        assert check(newsletter, urls, fetcher) == known(newsletter, urls) == first
        assert sorted(Site.asked) == ["/404", "/fine"]
        clock.move(hours=25)
        assert check(newsletter, urls, fetcher)[urls[1]].checked_at == newsletter.clock()
        assert len(Site.asked) == 4


@pytest.mark.both_databases
def test_a_server_out_of_order_is_asked_again_after_an_hour(newsletter: Newsletter, clock: Clock) -> None:
    with site() as (address, fetcher):
        url = f"{address}/503"
        check(newsletter, [url], fetcher)
        clock.move(minutes=61)
        assert known(newsletter, [url])[url].verdict is Verdict.NOT_CHECKED


def test_a_server_that_has_no_certificate_is_told_apart_and_its_line_closed() -> None:
    with site() as (address, fetcher):
        assert fetcher.fetch(address.replace("http:", "https:")).verdict is Verdict.BROKEN
