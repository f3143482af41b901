"""Is it HTML: the Nu HTML checker of the W3C and html-validate, with rules for mails."""

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from inbox.judge import Ruling, Sample
from inbox.judges import node

_JAR = node.HOME / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
_FILTER = Path(__file__).with_name("nu-filter.txt")
_STACK = "-Xss4m"  # with Java's own, the regular expressions of the CSS checker overflow
_GOOD = (
    '<!DOCTYPE html><html lang="en"><head><title>News</title></head><body><h1>News</h1><p id="a">One</p></body></html>'
)
_BAD_FOR_NU = {
    "no doctype": _GOOD.replace("<!DOCTYPE html>", ""),
    "stray end tag": _GOOD.replace("<h1>", "</div><h1>"),
    "open element": _GOOD.replace("<p", "<div><p"),
    "same id twice": _GOOD.replace("</p>", '</p><p id="a">Two</p>'),
    "no title": _GOOD.replace("<title>News</title>", ""),
    "unknown property": _GOOD.replace('<p id="a"', '<p style="colour:red"'),
    "width in words": _GOOD.replace("</p>", '</p><img src="https://example.org/a.png" alt="a" width="wide">'),
}
_BAD_FOR_HTML_VALIDATE = {
    "no doctype": _GOOD.replace("<!DOCTYPE html>", ""),
    "stray end tag": _GOOD.replace("<h1>", "</div><h1>"),
    "picture without alt": _GOOD.replace("</p>", '</p><img src="https://example.org/a.png">'),
    "heading skipped": _GOOD.replace("</h1>", "</h1><h4>Far below</h4>"),
    "link without text": _GOOD.replace("</p>", '</p><a href="https://example.org/"></a>'),
    "no language": _GOOD.replace(' lang="en"', ""),
}


class Nu:
    """The Nu HTML checker, with a filter for MJML's and Outlook's idioms."""

    name = "Nu HTML checker"
    bar = "0 errors"

    def lack(self) -> str:
        """The package, or Java."""
        if not shutil.which("java"):
            return "Java is missing; `make system` installs it"
        return node.lack("vnu-jar")

    def version(self) -> str:
        """Of the package, which is the checker's."""
        return node.version("vnu-jar")

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each mail that has HTML; Java starts once."""
        return _rulings(_nu({sample.name: sample.html for sample in samples if sample.html}))

    def judge_bad(self) -> list[Ruling]:
        """Pages with one mistake each."""
        return _rulings(_nu(_BAD_FOR_NU))


class HtmlValidate:
    """html-validate: its rules for documents, for markup and for those who listen."""

    name = "html-validate"
    bar = "0 errors"

    def lack(self) -> str:
        """The package, or Node."""
        return node.lack("html-validate")

    def version(self) -> str:
        """Of the package."""
        return node.version("html-validate")

    def judge(self, samples: Sequence[Sample]) -> list[Ruling]:
        """One ruling for each mail that has HTML."""
        found = node.ask("html-validate.mjs", {sample.name: sample.html for sample in samples if sample.html})
        return _rulings(found)

    def judge_bad(self) -> list[Ruling]:
        """Pages with one mistake each."""
        return _rulings(node.ask("html-validate.mjs", _BAD_FOR_HTML_VALIDATE))


def _nu(pages: Mapping[str, str]) -> dict[str, list[str]]:
    """The errors of each page. Raises RuntimeError when the checker itself fails."""
    with tempfile.TemporaryDirectory() as folder:
        files = {str(number): name for number, name in enumerate(pages)}
        for file, name in files.items():
            Path(folder, f"{file}.html").write_text(pages[name], encoding="utf-8")
        command = ["java", _STACK, "-jar", str(_JAR), "--format", "json", "--stdout", "--errors-only"]
        command += ["--exit-zero-always", "--no-langdetect", "--filterfile", str(_FILTER), folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the Nu HTML checker failed: {done.stderr.strip() or done.stdout.strip()}")
    found: dict[str, list[str]] = {name: [] for name in pages}
    for message in json.loads(done.stdout)["messages"]:
        found[files[Path(message["url"]).stem]].append(message["message"])
    return found


def _rulings(found: Mapping[str, Iterable[str]]) -> list[Ruling]:
    return [_ruling(name, Counter(errors)) for name, errors in found.items()]


def _ruling(name: str, errors: Counter[str]) -> Ruling:
    said = "; ".join(f"{error} ×{times}" if times > 1 else error for error, times in errors.items())
    return Ruling(name, not errors, f"{errors.total()} errors{': ' if said else ''}{said}", errors.total())
