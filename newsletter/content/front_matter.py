"""The YAML block between two lines of `---` at the top of an issue."""

import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import yaml
from frontmatter.default_handlers import YAMLHandler

from newsletter.content.diagnostics import Diagnostic, Fact
from newsletter.content.escaping import tidy
from newsletter.content.findings import error, warning

KEYS = ("title", "date", "subject", "preheader", "topics", "canonical")
_KEY_LINE = re.compile(r"\s*(?:" + "|".join(KEYS) + r")\s*:", re.IGNORECASE)
_OPENING_LINE = re.compile(r"\s*[A-Za-z][A-Za-z0-9_-]*\s*:(?:\s|$)")
# More than an editor writes; it keeps hostile YAML from costing time.
_MOST_LINES = 100
_MOST_CHARACTERS = 20_000
_SEPARATORS = re.compile(r"[,，;；、]")


class _Loader(yaml.BaseLoader):
    """Refuses a key that stands twice, of which YAML's own loader silently keeps the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = _key_name(key.value)
            if name in seen:
                raise _WrittenTwice(None, None, name, key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep)


class _WrittenTwice(yaml.constructor.ConstructorError):
    """A key that stands twice; `problem` is its name."""


def _key_name(key: object) -> str:
    return key.strip().lower() if isinstance(key, str) else ""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What the front matter says, every value as text; `lines` is how many lines it takes, its fences included.

    `starts` holds the line number (first = 1) that each key stood on.
    """

    title: str = ""
    date: str = ""
    subject: str = ""
    preheader: str = ""
    topics: tuple[str, ...] = ()
    canonical: str = ""
    lines: int = 0
    starts: Mapping[str, int] | None = None
    diagnostics: tuple[Diagnostic, ...] = ()

    def line(self, key: str) -> int:
        """The line that a key stands on, 0 when it is not there."""
        return (self.starts or {}).get(key, 0)


def read_front_matter(lines: Sequence[str]) -> FrontMatter:
    """Read the block if the text begins with one; blank lines may stand above it.

    A line of `---` whose next text is no `key: value` is a thematic break, and what follows is text.

    Every scalar is taken as the text that was written (YAML's own reading makes `no` false and a date of 2026-02-31
    an exception). Broken YAML is an error diagnostic with its line, and the block is left out of the issue.
    """
    first = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    if first == len(lines) or lines[first].rstrip() != "---":
        return FrontMatter()
    last = next((i for i in range(first + 1, len(lines)) if lines[i].rstrip() in ("---", "...")), None)
    opening = next((line for line in lines[first + 1 : last] if line.strip()), "")
    begun = bool(_KEY_LINE.match(opening))
    if last is None:
        found = _error(first + 1, "the front matter has no closing line: add a line of --- below it", case="unclosed")
        return FrontMatter(diagnostics=(found,)) if begun else FrontMatter()
    if not (begun or _OPENING_LINE.match(opening)):
        return FrontMatter()
    return _parsed(lines[first + 1 : last], first + 1, last + 1)


def _error(line: int, message: str, **facts: Fact) -> Diagnostic:
    return error(line, "front-matter", message, **facts)


def _parsed(block: Sequence[str], offset: int, taken: int) -> FrontMatter:
    text = "\n".join(block)
    if len(block) > _MOST_LINES or len(text) > _MOST_CHARACTERS:
        message = f"the front matter is longer than {_MOST_LINES} lines or {_MOST_CHARACTERS} characters: shorten it"
        found = _error(offset, message, case="long", n=_MOST_LINES, most=_MOST_CHARACTERS)
        return FrontMatter(lines=taken, diagnostics=(found,))
    try:
        values = YAMLHandler().load(text, Loader=_Loader)
    except yaml.YAMLError as reason:
        return FrontMatter(lines=taken, diagnostics=(_broken(reason, offset),))
    except RecursionError:
        found = _error(offset + 1, "the front matter is nested too deep", case="deep")
        return FrontMatter(lines=taken, diagnostics=(found,))
    return _known(values, block, offset, taken) if isinstance(values, dict) else FrontMatter()


def _broken(reason: yaml.YAMLError, offset: int) -> Diagnostic:
    mark = getattr(reason, "problem_mark", None)
    problem = getattr(reason, "problem", None) or str(reason)
    line = offset + 1 + (mark.line if mark else 0)
    if isinstance(reason, _WrittenTwice):
        message = f"{problem!r} stands twice in the front matter: delete one of the two lines"
        return _error(line, message, case="twice", what=str(problem))
    message = f"the front matter is not YAML: {problem}; put quotes around a value that holds a colon"
    return _error(line, message, case="yaml", problem=str(problem))


def _known(values: Mapping[object, object], block: Sequence[str], offset: int, taken: int) -> FrontMatter:
    starts = {line.partition(":")[0].strip().lower(): offset + n for n, line in enumerate(block, 1) if ":" in line}
    texts: dict[str, str] = {}
    topics: tuple[str, ...] = ()
    findings: list[Diagnostic] = []
    for key, value in values.items():
        name = _key_name(key)
        line = starts.get(name, offset)
        scalars = value if isinstance(value, list) else [value]
        if name not in KEYS:
            findings.append(_unknown_key(name or "key", line, _shown(value)))
        elif not all(isinstance(scalar, str) for scalar in scalars) or (name != "topics" and value is scalars):
            message = f"the front matter's {name} must be plain text, not {_shown(value)}"
            findings.append(_error(line, message, case="plain", what=name))
        elif name == "topics":
            parts = value if isinstance(value, list) else _SEPARATORS.split(str(value))
            topics = tuple(dict.fromkeys(topic for part in parts if (topic := tidy(part).replace("\n", " "))))
        else:
            texts[name] = tidy(str(value)).replace("\n", " ")
    return FrontMatter(**texts, topics=topics, lines=taken, starts=starts, diagnostics=tuple(findings))


def _unknown_key(name: str, line: int, value: str) -> Diagnostic:
    known = ", ".join(KEYS[:-1])
    message = f"the front matter's {name!r} is not known; known are {known}: {value}"
    return warning(line, "unplaced", message, case="setting", what=name, known=known, value=value)


def _shown(value: object) -> str:
    """A value for a message; a nested one is only named, since aliases can make it endless."""
    return value if isinstance(value, str) else f"a {'list' if isinstance(value, list) else 'block'} of values"


def write_front_matter(values: Mapping[str, str]) -> str:
    """The block for these values, every one of them quoted so that YAML reads it back as the text it is."""
    # A JSON string is a double-quoted YAML string.
    written = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return f"---\n{written}---\n"
