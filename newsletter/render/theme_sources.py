"""What can be seen wrong in the files of a theme before anything is made of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError

from newsletter.content.diagnostics import Severity
from newsletter.render.theme import ABOUT, MAIL, Theme

_MJML = {
    *("mjml", "mj-head", "mj-title", "mj-attributes", "mj-all", "mj-class", "mj-raw", "mj-style", "mj-preview"),
    *("mj-breakpoint", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-text", "mj-button"),
    *("mj-divider", "mj-spacer", "mj-table"),
}
"""Those tags of MJML that make up a page without fetching anything, scripts or tricks of one mail program."""

_COMMENTS = re.compile(r"\{#.*?#\}|/\*.*?\*/", re.DOTALL)
_FETCHED = re.compile(
    r"@import|\burl\(|<(?:link|img|picture|video|audio|script|iframe|object|embed|form|input)\b"
    r"|<mj-(?:font|include|image|hero|carousel|carousel-image|social|navbar|accordion)\b|\b(?:src|srcset|background-url)\s*=",
    re.IGNORECASE,
)
_ANY_TAG = re.compile(r"<(/?)([a-z][a-z0-9-]*)\b(?:[^<>\"]|\"[^\"]*\")*?(/?)>")
_MJ_TAG = re.compile(r"<(/?)(mj[a-z-]*)\b[^<>]*?(/?)>")
_WORDS = re.compile(r"\b_\(\s*(?:\"([^\"]+)\"|'([^']+)')")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in a theme; `file` is empty and `line` 0 where no place is to blame."""

    severity: Severity
    file: str
    line: int
    message: str


def source_faults(theme: Theme) -> Iterator[Fault]:
    """Look over every file of a theme, those that it takes from another one too."""
    for name, source in theme.sources.items():
        path = str(theme.paths[name])
        bare = _COMMENTS.sub(lambda found: "\n" * found[0].count("\n"), source)
        yield from _syntax(theme, name, source, path)
        yield from _fetched(bare, path)
        yield from _untranslated(theme, bare, path)
        if name.endswith(".j2") and not name.endswith(".txt.j2"):
            yield from _tags(bare, path)
        if name == MAIL:
            yield from _unbalanced(bare, path)


def likely_malformed(theme: Theme) -> Fault | None:
    """Where the tags of a theme do not fit each other, as far as that can be seen before its pages are made."""
    for name, source in theme.sources.items():
        if name.endswith((".mjml.j2", ".html.j2")):
            bare = _COMMENTS.sub(lambda found: "\n" * found[0].count("\n"), source)
            for fault in _unbalanced(bare, str(theme.paths[name]), _ANY_TAG):
                return fault
    return None


def places(theme: Theme, words: str) -> list[str]:
    """Where a theme writes a colour or other words, blanks and capitals aside: `file:line` of each place."""
    found, wanted = [], "".join(words.lower().split())
    for path in (*(folder / ABOUT for folder in theme.folders), *theme.paths.values()):
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if wanted in "".join(line.lower().split()):
                found.append(f"{path}:{number}")
    return found


def _error(path: str, line: int, message: str) -> Fault:
    return Fault(Severity.ERROR, path, line, message)


def _lines(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, re.Match[str]]]:
    for found in pattern.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found


def _syntax(theme: Theme, name: str, source: str, path: str) -> Iterator[Fault]:
    try:
        theme.environment.parse(source, name)
    except TemplateSyntaxError as error:
        yield _error(path, error.lineno, f"the template cannot be read: {error.message}")
    except (RecursionError, MemoryError, ValueError) as error:
        yield _error(path, 0, f"the template cannot be read: {error}; look for brackets in brackets")


def _fetched(text: str, path: str) -> Iterator[Fault]:
    for line, found in _lines(_FETCHED, text):
        what = found[0].strip("=( ")
        yield _error(path, line, f"{what} would fetch or run something; a mail brings all that it shows: take it out")


def _tags(text: str, path: str) -> Iterator[Fault]:
    for line, found in _lines(_MJ_TAG, text):
        if found[2] not in _MJML and not found[1] and not _FETCHED.match(found[0]):
            yield _error(path, line, f"<{found[2]}> is no tag of MJML that can be used here: correct or replace it")


def _unbalanced(text: str, path: str, tags: re.Pattern[str] = _MJ_TAG) -> Iterator[Fault]:
    """The first tag that is closed without having been opened, or the other way round."""
    opened: list[tuple[str, int]] = []
    for line, found in _lines(tags, text):
        closes, tag, at_once = found.groups()
        if at_once:
            continue
        if not closes:
            opened.append((tag, line))
        elif not opened or opened.pop()[0] != tag:
            yield _error(path, line, f"</{tag}> closes nothing that is open here: mend the order of the tags")
            return
    if opened:
        yield _error(path, opened[-1][1], f"<{opened[-1][0]}> is never closed: add </{opened[-1][0]}>")


def _untranslated(theme: Theme, text: str, path: str) -> Iterator[Fault]:
    for line, found in _lines(_WORDS, text):
        original = found[1] or found[2]
        if lacking := _languages_without(theme, original):
            message = f"{original!r} is not translated for {', '.join(lacking)}; it would be said in English"
            yield Fault(Severity.WARNING, path, line, message)


def _languages_without(theme: Theme, original: str) -> Sequence[str]:
    """The languages that lack a text; English need not have its own."""
    return [language for language, labels in theme.labels.items() if language != "en" and original not in labels.forms]
