"""Timing in pairs: ours and the peer's in turn, so that a busy machine slows both alike."""

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """One figure. `bar` is what it is held to, in words; `holds` is None where the peer was missing."""

    name: str
    ratio: float | None
    bar: str
    holds: bool | None
    detail: str


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU time of this process while `work` runs."""
    began = time.process_time()
    work()
    return time.process_time() - began


def paired(ours: Callable[[], float], theirs: Callable[[], float], pairs: int = 7) -> tuple[float, float, float]:
    """The median of theirs / ours over interleaved pairs, and the median of each in seconds."""
    runs = [(ours(), theirs()) for _ in range(pairs)]
    return (
        statistics.median(their / our for our, their in runs),
        statistics.median(our for our, _ in runs),
        statistics.median(their for _, their in runs),
    )


def process_seconds(command: Sequence[str | Path]) -> float:
    """Wall time of a whole process, which must end well."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began
