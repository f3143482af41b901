"""Running `newsletter` in this process, as a person would call it."""

import sys
from dataclasses import dataclass

import pytest

from newsletter.cli.main import run


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


class Command:
    """Calls the command line with words, in the current folder and environment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: object) -> Said:
        self._monkeypatch.setattr(sys, "argv", ["newsletter", *map(str, words)])
        self._capsys.readouterr()
        code = 0
        try:
            run()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        printed = self._capsys.readouterr()
        return Said(code, printed.out, printed.err)
