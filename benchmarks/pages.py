"""The pages that readers see under fifty clients at once, beside a bare FastAPI page that says hello."""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Result
from benchmarks.newsroom import Newsroom, open_newsroom
from benchmarks.sending import url_of
from benchmarks.servers import missing, smtp_sink
from newsletter.archive.reading import Archive

CLIENTS = 50
PAGES_SECONDS = 60
HELLO_SECONDS = 20
RUNS = 3
READERS = 100
ISSUES = 20
BAR = 20
"""Our 99th percentile may be so many times the median of the hello page."""
_HELLO = """
import sys
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from newsletter.web.server import listen, run
application = FastAPI()

@application.get("/", response_class=HTMLResponse)
def hello() -> str:
    return "<!doctype html><title>Hello</title><p>Hello</p>"

bound = listen("127.0.0.1", 0)
print(f"http://127.0.0.1:{bound.getsockname()[1]}/ ", flush=True)
run(application, bound)
"""
_ASK_IN_TURN = """
local paths = {{ {} }}
local turn = 0
request = function()
  turn = turn % #paths + 1
  return wrk.format("GET", paths[turn])
end
"""
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk saw: milliseconds, answers a second, and answers that were no answer."""

    median_ms: float
    p99_ms: float
    per_second: float
    errors: int


def pages() -> Result:
    """The 99th percentile of sign-up and archive pages over the median of the hello page, the middle of three runs."""
    name, bar = "pages under 50 clients, p99", f"at most {BAR} times hello's median, no error"
    if lack := missing():
        return Result(name, None, bar, None, lack)
    if not shutil.which("wrk"):
        return Result(name, None, bar, None, "wrk is missing: `make system` brings it")
    with _served() as (ours, paths), _process([sys.executable, "-c", _HELLO]) as hello:
        runs = [(_load(hello, ["/"], HELLO_SECONDS), _load(ours, paths, PAGES_SECONDS)) for _ in range(RUNS)]
    ratio = statistics.median(mine.p99_ms / bare.median_ms for bare, mine in runs)
    errors = sum(mine.errors for _, mine in runs)
    detail = (
        f"{_middle([mine.per_second for _, mine in runs]):,.0f} pages a second, p99 "
        f"{_middle([mine.p99_ms for _, mine in runs]):,.0f} ms, {errors} errors in {RUNS} runs of {PAGES_SECONDS} s; "
        f"hello {_middle([bare.per_second for bare, _ in runs]):,.0f} a second, median "
        f"{_middle([bare.median_ms for bare, _ in runs]):,.1f} ms; {len(paths)} addresses, {ISSUES} issues"
    )
    return Result(name, ratio, bar, ratio <= BAR and not errors, detail)


@contextmanager
def _served() -> Iterator[tuple[str, list[str]]]:
    """A newsletter whose issues were sent, behind `newsletter serve`, and the addresses that are asked for in turn."""
    with smtp_sink() as port, open_newsroom(READERS, smtp_url=url_of(port)) as newsroom:
        slugs = [newsroom.approve_next() for _ in range(ISSUES)]
        mailings = [newsroom.begin(slug) for slug in slugs]
        newest = Archive(newsroom.newsletter).issue(slugs[-1])
        assert newest is not None
        story = newest.issue.stories[0].id
        paths = ["/", "/?topics=models&topics=policy", "/archive", "/archive?q=%E6%A8%A1%E5%9E%8B", "/topic/models"]
        paths += [f"/archive/{slug}" for slug in slugs[-5:]] + [f"/archive/{slugs[-1]}/{story}"]
        command = [sys.executable, "-u", "-m", "newsletter", "serve", "--port", "0"]
        with _process(command, newsroom) as address:
            for mailing_id in mailings:
                newsroom.wait_until_sent(mailing_id)
            yield address, paths


@contextmanager
def _process(command: Sequence[str], newsroom: Newsroom | None = None) -> Iterator[str]:
    """A server that says its address first, for the length of a block."""
    place = {"cwd": newsroom.folder, "env": newsroom.environment()} if newsroom else {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **place) as server:  # type: ignore[call-overload]  # two keywords that fit
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split("/ ")[0]
        finally:
            server.terminate()


def _load(address: str, paths: Sequence[str], seconds: int) -> Load:
    """What fifty clients see that ask for these paths in turn, each as soon as it has its answer."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "paths.lua")
        script.write_text(_ASK_IN_TURN.format(", ".join(f'"{path}"' for path in paths)), encoding="utf-8")
        command = ["wrk", "--threads", "1", "--connections", str(CLIENTS), "--duration", f"{seconds}s", "--latency"]
        command += ["--timeout", "30s", "--header", "Accept: text/html", "--script", str(script), address]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    errors = re.findall(r"(?:connect|read|write|timeout) (\d+)|Non-2xx or 3xx responses: (\d+)", said)
    return Load(
        _milliseconds(said, "50%"),
        _milliseconds(said, "99%"),
        float(_found(r"Requests/sec:\s+([\d.]+)", said)[0]),
        sum(int(number) for pair in errors for number in pair if number),
    )


def _milliseconds(said: str, share: str) -> float:
    value, unit = _found(rf"{share}\s+([\d.]+)(us|ms|s)", said)
    return float(value) * _UNITS[unit]


def _found(pattern: str, said: str) -> tuple[str, ...]:
    match = re.search(pattern, said)
    if match is None:
        raise RuntimeError(f"wrk said something unexpected: {said}")
    return match.groups()


def _middle(values: Sequence[float]) -> float:
    return statistics.median(values)
