"""Is it HTML: the Nu HTML checker, on every page in every language, without any filter."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from inbox.judge import Ruling
from inbox.judges import node

from pages.view import LANGUAGES, View

_JAR = node.HOME / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
_GOOD = (
    '<!doctype html><html lang="en"><head><title>News</title></head><body><h1>News</h1><p id="a">One</p></body></html>'
)
_BAD = {
    "no doctype": _GOOD.replace("<!doctype html>", ""),
    "stray end tag": _GOOD.replace("<h1>", "</div><h1>"),
    "same id twice": _GOOD.replace("</p>", '</p><p id="a">Two</p>'),
    "label for nothing": _GOOD.replace("<p", '<label for="b">B</label><p'),
    "input in a button": _GOOD.replace("<p", "<button><input></button><p"),
}


class Nu:
    """The Nu HTML checker of the W3C."""

    name = "Nu HTML checker"
    bar = "0 errors"

    def lack(self) -> str:
        """The package, or Java."""
        return node.lack("vnu-jar") if shutil.which("java") else "Java is missing; `make system` installs it"

    def version(self) -> str:
        """Of the checker."""
        return node.version("vnu-jar")

    def judge(self, samples: Sequence[View]) -> list[Ruling]:
        """One ruling for each page and language."""
        return _rulings({f"{view.name} ({lang})": view.html(lang) for view in samples for lang in LANGUAGES})

    def judge_bad(self) -> list[Ruling]:
        """Pages with one mistake each."""
        return _rulings(_BAD)


def _rulings(pages: Mapping[str, str]) -> list[Ruling]:
    return [
        Ruling(name, not errors, f"{len(errors)} errors{': ' if errors else ''}{'; '.join(errors)}", len(errors))
        for name, errors in _errors(pages).items()
    ]


def _errors(pages: Mapping[str, str]) -> dict[str, list[str]]:
    """What the checker finds on each page; raises RuntimeError when the checker itself fails."""
    with tempfile.TemporaryDirectory() as folder:
        files = {str(number): name for number, name in enumerate(pages)}
        for file, name in files.items():
            Path(folder, f"{file}.html").write_text(pages[name], encoding="utf-8")
        command = ["java", "-Xss4m", "-jar", str(_JAR), "--format", "json", "--stdout", "--errors-only"]
        done = subprocess.run(
            [*command, "--exit-zero-always", "--no-langdetect", folder], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"the Nu HTML checker failed: {done.stderr.strip() or done.stdout.strip()}")
    found: dict[str, list[str]] = {name: [] for name in pages}
    for message in json.loads(done.stdout)["messages"]:
        found[files[Path(message["url"]).stem]].append(f"line {message.get('lastLine', '?')}: {message['message']}")
    return found
