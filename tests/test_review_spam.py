"""The score of a SpamAssassin on this machine, a real one where there is one, and what is said where none answers."""

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mail_servers import HOST, free_port, running
from review_samples import Bench
from sqlalchemy import Engine

from newsletter.review import spam
from newsletter.review.spam import spam_score
from newsletter.review.verdicts import Verdict
from newsletter.settings import Settings

SPAMD = shutil.which("spamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
SPAMC = shutil.which("spamc")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is of the path, but for where the shell's own programs lie."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "cat").symlink_to("/bin/cat")
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def bench(settings: Settings, engine: Engine, tmp_path: Path) -> Bench:
    return Bench(settings, engine, tmp_path)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A spamd of our own on this machine."""
    if not SPAMD or not SPAMC:
        pytest.skip("spamd or spamc is missing: `make system` installs them")
    port = free_port()
    command = [SPAMD, "--local", "--nouser-config", "--syslog=stderr", f"--listen={HOST}:{port}"]
    command += ["--max-children=1", "--min-children=1", "--cf=use_bayes 0"]
    if os.geteuid() == 0:  # it refuses to judge as root
        command += [f"--username={pwd.getpwnam('nobody').pw_name}"]
    with running(command, port):
        yield port


def answering(folder: Path, script: str) -> None:
    """A program called spamc that does this."""
    (folder / "spamc").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "spamc").chmod(0o755)


def test_the_mail_that_ships_is_well_with_a_real_spamassassin(bench: Bench, programs: Path, port: int) -> None:
    answering(programs, f'exec {SPAMC} -d {HOST} -p {port} "$@"')
    check = spam_score(bench.specimen())
    assert check.verdict is Verdict.OK
    assert (check.values["limit"], float(check.values["score"]) <= 0.5) == (5.0, True)


def test_a_spamc_that_finds_no_spamd_is_not_checked(bench: Bench, programs: Path) -> None:
    if not SPAMC:
        pytest.skip("spamc is missing: `make system` installs it")
    answering(programs, f'exec {SPAMC} -d {HOST} -p {free_port()} "$@"')
    check = spam_score(bench.specimen())
    assert (check.verdict, check.case) == (Verdict.NOT_CHECKED, "no_daemon")


def test_without_spamc_it_is_said_what_to_install(bench: Bench, programs: Path) -> None:
    check = spam_score(bench.specimen())
    assert (check.verdict, check.case) == (Verdict.NOT_CHECKED, "no_program")


def test_an_answer_that_is_none_is_not_checked(bench: Bench, programs: Path) -> None:
    answering(programs, "cat >/dev/null; echo hello")
    check = spam_score(bench.specimen())
    assert (check.verdict, check.case) == (Verdict.NOT_CHECKED, "no_answer")


def test_a_spamc_that_hangs_is_given_up(bench: Bench, programs: Path) -> None:
    answering(programs, "exec /bin/sleep 30")
    check = spam_score(bench.specimen(), seconds=0.2)
    assert (check.verdict, check.case) == (Verdict.NOT_CHECKED, "no_answer")


def test_the_rules_that_counted_are_named_the_highest_first(bench: Bench, programs: Path) -> None:
    rules = " 0.5 LITTLE BODY: a\\n 2.0 MUCH HEADER: b\\n-1.0 GOOD c\\n 0.0 NOTHING d\\n"
    answering(programs, f'cat >/dev/null; printf "2.6/5.0\\n\\n{rules}"')
    check = spam_score(bench.specimen())
    assert check.verdict is Verdict.WARNING
    assert [place.what for place in check.places] == ["MUCH", "LITTLE"]


def test_a_mail_that_is_too_large_is_not_handed_over(
    bench: Bench, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spam, "MOST_BYTES", 1000)
    answering(programs, "exit 99")
    assert spam_score(bench.specimen()).case == "too_large"
