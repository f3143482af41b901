"""A mailing of ten times the readers costs ten times the time, and no more memory."""

import json
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from benchmarks.measure import Result
from benchmarks.newsroom import Newsroom, Worker, open_newsroom, peak_bytes
from benchmarks.sending import url_of
from benchmarks.servers import missing, smtp_sink

MOST_BYTES = 150_000_000
SLACK_CPU, SLACK_MEMORY = 1.25, 1.2
MILLION = 1_000_000
_PAIRS, _PAIRS_LONG = 7, 3


def growth() -> list[Result]:
    """CPU per message and peak memory of the sender, 20,000 against 2,000 readers."""
    return [_cpu(2_000, 20_000, _PAIRS), _memory(2_000, 20_000)]


def growth_long() -> list[Result]:
    """The same, 200,000 against 20,000 and 10,000."""
    return [_cpu(20_000, 200_000, _PAIRS_LONG), _memory(10_000, 200_000)]


def _cpu(few: int, many: int, pairs: int) -> Result:
    name = f"CPU per message, {many:,} against {few:,} readers"
    bar = f"at most {SLACK_CPU} times"
    if lack := missing():
        return Result(name, None, bar, None, lack)
    with ExitStack() as stack:
        port = stack.enter_context(smtp_sink())
        rooms = [stack.enter_context(open_newsroom(readers, smtp_url=url_of(port))) for readers in (few, many)]
        workers = [stack.enter_context(newsroom.worker()) for newsroom in rooms]
        rooms[0].send_next(), rooms[1].send_next()
        runs = [[_cpu_each(*one) for one in zip(rooms, workers, strict=True)] for _ in range(pairs)]
    ratio = statistics.median(large / small for small, large in runs)
    small, large = (statistics.median(run[place] for run in runs) * 1e6 for place in (0, 1))
    detail = f"{large:.0f} µs against {small:.0f} µs, planning and engine included, SQLite; median of {pairs} pairs"
    return Result(name, ratio, bar, ratio <= SLACK_CPU, detail)


def _cpu_each(newsroom: Newsroom, worker: Worker) -> float:
    before = worker.cpu_seconds()
    newsroom.send_next()
    return (worker.cpu_seconds() - before) / newsroom.readers


def _memory(few: int, many: int) -> Result:
    name = f"peak memory of the sender, {many:,} against {few:,} readers"
    bar = f"at most {SLACK_MEMORY} times, and {MOST_BYTES / 1e6:.0f} MB"
    if lack := missing():
        return Result(name, None, bar, None, lack)
    small, large = (_peak(readers) for readers in (few, many))
    holds = large / small <= SLACK_MEMORY and large <= MOST_BYTES
    return Result(name, large / small, bar, holds, f"{large / 1e6:.0f} MB against {small / 1e6:.0f} MB, fresh workers")


def _peak(readers: int) -> int:
    with smtp_sink() as port, open_newsroom(readers, smtp_url=url_of(port)) as newsroom, newsroom.worker() as worker:
        newsroom.send_next()
        return worker.peak_bytes()


@dataclass(frozen=True, slots=True)
class _Run:
    """One `newsletter issue send`: times by its own progress lines, and how many of those there were."""

    planning_seconds: float
    sending_seconds: float
    accepted: int
    peak: int
    lines: int


def a_million() -> list[Result]:
    """Plan and send to a million readers by `newsletter issue send --json-lines`, beside a hundred thousand."""
    names = (
        "planning a million readers, beside 100,000",
        "sending to a million readers",
        "memory with a million readers",
    )
    bars = f"at most {SLACK_CPU} times the time per reader", "everybody once", f"at most {MOST_BYTES / 1e6:.0f} MB"
    if lack := missing():
        return [Result(name, None, bar, None, lack) for name, bar in zip(names, bars, strict=True)]
    small, large = _send_at_once(MILLION // 10), _send_at_once(MILLION)
    growth = (large.planning_seconds / MILLION) / (small.planning_seconds / (MILLION // 10))
    return [
        Result(names[0], growth, bars[0], growth <= SLACK_CPU, f"{large.planning_seconds:.0f} s, {large.lines} lines"),
        Result(
            names[1], large.accepted / MILLION, bars[1], large.accepted == MILLION, f"{large.sending_seconds:,.0f} s"
        ),
        Result(
            names[2], large.peak / small.peak, bars[2], large.peak <= MOST_BYTES,
            f"{large.peak / 1e6:.0f} MB against {small.peak / 1e6:.0f} MB",
        ),
    ]  # fmt: skip


def _send_at_once(readers: int) -> _Run:
    """Plan and send in one process without a worker, passing on its progress."""
    with smtp_sink() as port, open_newsroom(readers, smtp_url=url_of(port)) as newsroom:
        command = [sys.executable, "-m", "newsletter", "issue", "send", newsroom.approve_next(), "--json-lines"]
        began = time.monotonic()
        planned, peak, lines, said = 0.0, 0, 0, {}
        with subprocess.Popen(
            command, cwd=newsroom.folder, env=newsroom.environment(), stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", file=sys.stderr, flush=True)
                said, lines = json.loads(line), lines + 1
                if said["event"] == "planning":
                    planned = time.monotonic() - began
                with suppress(OSError, StopIteration):  # the process may have ended meanwhile
                    peak = max(peak, peak_bytes(process.pid))
        return _Run(planned, time.monotonic() - began - planned, said["accepted"], peak, lines)
