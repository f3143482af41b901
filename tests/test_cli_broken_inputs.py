"""Whatever is handed to the command line: a clear error, exit code 1, and a database as it was."""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command

from newsletter.settings import PREFIX

GOOD = """# 示例日报 (2026-03-09)

**政策与监管**

- **示例市公布数据细则**
  说明：细则写明哪些数据可以授权。
  来源出处：[示例市数据局](https://data.example.org/rules)
"""

BROKEN = {
    "empty": (b"", "empty"),
    "binary": (bytes(range(256)) * 40, "encoding"),
    "too-large": (b"# " + b"x" * 50_000_000, "too-large"),
    "too-deep": ((GOOD + "\n" + "> " * 1000 + "deep\n").encode(), "too-deep"),
    "script-link": (GOOD.replace("https://data.example.org/rules", "javascript:alert(1)").encode(), "link-scheme"),
    "no-known-encoding": (b"\x80\xff\n" * 999, "encoding"),
    "only-a-heading": ("# 示例日报 (2026-03-09)\n".encode(), "no-story"),
    "year-20260": (GOOD.replace("2026-03-09", "20260-03-09").encode(), "date-"),
    "no-such-day": (GOOD.replace("2026-03-09", "2026-02-31").encode(), "date-impossible"),
    "unclosed-span": (GOOD.replace("细则写明", '<span style="color:#1677ff">细则写明').encode(), "span-unclosed"),
    "unclosed-span-heading": (GOOD.replace("# 示例", "<span># 示例").encode(), "span-unclosed"),
    "unknown-topic": (GOOD.replace("政策与监管", "天气").encode(), "topic-unknown"),
    "broken-front-matter": (f"---\ntitle: a: b\n---\n{GOOD}".encode(), "front-matter"),
}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    return Command(monkeypatch, capsys)


@pytest.fixture
def ready(command: Command) -> Command:
    assert command("init").code == 0
    return command


def dump() -> list[str]:
    """Everything in the database, as SQL."""
    with sqlite3.connect("newsletter.db") as connection:
        return list(connection.iterdump())


@pytest.fixture
def unchanged(ready: Command) -> Iterator[Command]:
    """A command line whose database must be afterwards what it was before."""
    before = dump()
    yield ready
    assert dump() == before


@pytest.mark.parametrize("name", BROKEN)
def test_check_says_what_is_wrong_with_a_broken_file(name: str, command: Command, tmp_path: Path) -> None:
    data, code = BROKEN[name]
    (tmp_path / "issue.md").write_bytes(data)
    said = command("issue", "check", "issue.md")
    assert said.code == 1
    assert f"[{code}" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("name", BROKEN)
def test_import_refuses_a_broken_file(name: str, unchanged: Command, tmp_path: Path) -> None:
    (tmp_path / "issue.md").write_bytes(BROKEN[name][0])
    said = unchanged("issue", "import", "issue.md")
    assert said.code == 1
    assert "not imported" in said.err


def test_a_pipe_is_not_waited_for(command: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    said = command("issue", "check", "pipe.md")
    assert (said.code, "pipe.md" in said.err) == (1, True)


@pytest.mark.parametrize("verb", ["check", "import"])
def test_a_directory_is_named_as_one(verb: str, unchanged: Command, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    said = unchanged("issue", verb, "folder")
    assert (said.code, "directory" in said.err) == (1, True)


@pytest.mark.parametrize("words", [("issue", "check"), ("issue", "import"), ("subscriber", "import")])
def test_a_missing_file_is_named(words: tuple[str, ...], unchanged: Command) -> None:
    said = unchanged(*words, "nowhere.md")
    assert (said.code, "nowhere.md" in said.err) == (1, True)


@pytest.fixture
def nobody() -> Iterator[None]:
    """Somebody who may not read everything, as the superuser may."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_file_that_may_not_be_read_is_named(command: Command, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "secret.md").write_text(GOOD, "utf-8")
    (tmp_path / "secret.md").chmod(0)
    request.getfixturevalue("nobody")
    said = command("issue", "check", "secret.md")
    assert (said.code, "secret.md" in said.err, "ermission" in said.err) == (1, True, True)


@pytest.mark.parametrize(
    "words",
    [
        ("issue", "import", "big.md"),
        ("subscriber", "import", "big.csv"),
    ],
)
def test_a_full_disk_is_said_and_changes_nothing(words: tuple[str, ...], unchanged: Command, tmp_path: Path) -> None:
    filler = "  要点：\n" + "".join(f"    - 第 {n} 点，说来话长。\n" for n in range(4000))
    (tmp_path / "big.md").write_text(GOOD.replace("  来源", filler + "  来源"), "utf-8")
    lines = "".join(f"reader{n}@example.org,policy\n" for n in range(900))
    (tmp_path / "big.csv").write_text("address,topics\n" + lines, "utf-8")

    def no_room() -> None:
        limit = Path("newsletter.db").stat().st_size + 40_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    run = subprocess.run(
        [sys.executable, "-m", "newsletter", *words], preexec_fn=no_room, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert "disk" in run.stderr


def test_a_script_in_a_title_or_a_name_is_text_everywhere(ready: Command, tmp_path: Path) -> None:
    script = "<script>alert(1)</script>{{ 7*7 }}{% raw %}"
    (tmp_path / "issue.md").write_text(GOOD.replace("示例市公布数据细则", script), "utf-8")
    ready("subscriber", "add", "a@example.org", "--topics", "policy", "--name", script)
    ready("topic", "add", "odd", "--zh", script, "--en", script + "x")
    assert ready("issue", "import", "issue.md").code == 0
    html = ready("issue", "preview", "2026-03-09", "--as", "a@example.org").out
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*7 }}{% raw %}" in html
    assert script in ready("issue", "preview", "2026-03-09", "--as", "a@example.org", "--format", "text").out


@pytest.mark.parametrize(
    "words",
    [
        ("subscriber", "add", "a@example.org\r\nBcc: b@example.org", "--topics", "policy"),
        ("subscriber", "add", "a@example.org", "--topics", "policy", "--name", "a\r\nBcc: b@example.org"),
        ("subscriber", "add", "nonsense", "--topics", "policy"),
        ("subscriber", "add", "a@example.org", "--topics", "weather"),
        ("subscriber", "add", "a@example.org", "--topics", "policy", "--language", "tlh"),
        ("subscriber", "show", "nobody@example.org"),
        ("subscriber", "forget", "nobody@example.org", "--yes"),
        ("topic", "add", "Bad Slug", "--zh", "一", "--en", "One"),
        ("topic", "alias", "policy", "投融资与并购"),
        ("issue", "show", "2026-01-01"),
        ("issue", "send", "2026-01-01"),
        ("issue", "approve", "2026-01-01"),
        ("issue", "preview", "2026-01-01", "--topics", "policy"),
        ("log", "--issue", "2026-01-01"),
        ("log", "--address", "nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(words: tuple[str, ...], unchanged: Command) -> None:
    said = unchanged(*words)
    assert said.code == 1
    assert said.err.startswith("newsletter: ")
    assert "Traceback" not in said.err


@pytest.mark.parametrize("words", [("topic", "list"), ("issue", "list"), ("issue", "send", "x"), ("log",), ("serve",)])
def test_without_a_database_every_command_says_how_to_make_one(words: tuple[str, ...], command: Command) -> None:
    said = command(*words)
    assert (said.code, "newsletter init" in said.err) == (1, True)
    assert not Path("newsletter.db").exists()


def test_another_key_is_refused_before_it_forgets_who_is_suppressed(
    ready: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}SECRET_KEY", "another key of more than thirty-two letters")
    said = ready("suppression", "list")
    assert (said.code, "FORMER_SECRET_KEYS" in said.err) == (1, True)


@pytest.mark.parametrize("words", [("nonsense",), ("issue", "nonsense"), ("issue", "send"), ("log", "--limit", "0")])
def test_wrong_usage_ends_with_code_2(words: tuple[str, ...], command: Command) -> None:
    assert command(*words).code == 2
