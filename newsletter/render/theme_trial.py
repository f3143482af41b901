"""Try a theme in a process of its own, so that one without an end takes neither all time nor all memory."""

import resource
import signal
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import NoReturn

from newsletter.content.diagnostics import Severity
from newsletter.render.theme import FAULTS
from newsletter.render.theme_check import Verdict, check_theme
from newsletter.render.theme_sources import Fault

SECONDS = 60.0
"""How long a trial may take; those of the themes that ship take two seconds."""

MEMORY_BYTES = 1_000_000_000
"""How much memory a trial may take, the program itself with it: several times what it needs."""

_GRACE_SECONDS = 5.0  # for starting, and for what cannot be interrupted


def try_theme(name: str, themes: Path | None = None, seconds: float = SECONDS) -> Verdict:
    """What `check_theme` says, within `seconds` and `MEMORY_BYTES`; that it takes more is one of its faults."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_try, args=(theirs, name, themes, seconds), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds + _GRACE_SECONDS):
            return _failed(name, _endless(seconds))
        verdict: Verdict = ours.recv()
        return verdict
    except EOFError:
        child.join()
        return _failed(name, f"its trial broke off (exit code {child.exitcode}): make its templates simpler")
    finally:
        child.kill()
        child.join()


def _try(answer: Connection, name: str, themes: Path | None, seconds: float) -> None:
    """Try a theme in this process and answer with the verdict; out of time, the line that was at work is to blame."""

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise TimeoutError(_endless(seconds))

    with suppress(ValueError, OSError):  # not every system can limit memory so
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        verdict = check_theme(name, themes)
    except FAULTS as error:
        verdict = _failed(name, f"its mail cannot be tried: {type(error).__name__}: {error}")
    signal.setitimer(signal.ITIMER_REAL, 0)
    answer.send(verdict)


def _endless(seconds: float) -> str:
    return f"its mails are not made after {seconds:g} seconds: look for loops in loops"


def _failed(name: str, message: str) -> Verdict:
    return Verdict(name, (Fault(Severity.ERROR, "", 0, message),))
