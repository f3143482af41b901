"""The table of `make inbox`: who is asked, and what becomes of a judge that breaks down."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from inbox.hearing import called, heard
from inbox.judge import Ruling, Sample
from inbox.judges import ALL

MAILS = (Sample("one", b"", "", ""),)


class Broken:
    """A judge whose program ends in an error."""

    name = "Broken, somehow"
    bar = "none"

    def lack(self) -> str:
        return ""

    def version(self) -> str:
        return "1"

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        raise RuntimeError("its program\nended with 3")

    def judge_bad(self) -> list[Ruling]:
        return [Ruling("bad", False, "rejected")]


class Lenient(Broken):
    """A judge that rejects nothing."""

    def judge_bad(self) -> list[Ruling]:
        return [Ruling("bad", True, "0 errors")]


def test_a_judge_that_breaks_down_fails_with_its_words() -> None:
    row = heard(Broken(), MAILS)
    assert (row.state, row.details) == ("FAIL", ("RuntimeError: its program ended with 3",))


def test_a_judge_that_lets_a_bad_sample_pass_fails_before_it_is_asked() -> None:
    row = heard(Lenient(), MAILS)
    assert (row.state, row.details) == ("FAIL", ("lets bad pass (0 errors)",))


def test_every_judge_can_be_asked_for_by_letters_alone() -> None:
    assert [name for name in map(called, ALL) if not name.replace(":", "").replace("-", "").isalnum()] == []
    assert "postfix" in map(called, ALL)


def test_an_unknown_name_is_refused_with_all_that_there_are() -> None:
    command = [sys.executable, "-m", "inbox", "axe", "akse"]
    ended = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "no judge is called akse; there are caniemail, spamassassin, " in ended.stderr
