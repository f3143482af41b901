"""A text as lines whose index is their number, and what editors type by hand made into the Markdown they meant."""

import re
from collections.abc import Iterator, Sequence

_CONTROLS = dict.fromkeys([*range(0x09), *range(0x0E, 0x20), *range(0x7F, 0xA0), 0xFEFF, *range(0xD800, 0xE000)])
_BLANKS = dict.fromkeys((0x0B, 0x0C, 0x85, 0x2028, 0x2029), " ")
_CLEAN = str.maketrans({**_CONTROLS, **_BLANKS})
_FENCE = re.compile(r"[ >]*(?:[-*+] +)?(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}([#＃]{1,6})[ \t\u3000]*(?=[^#＃\s])")
_HASHTAG = re.compile(r"\s*#[^\s#]+(?:\s+#|\s*$)")
_ORDERED = re.compile(r"(\s*)(\d{1,9})[、．](?=\S)\s*")
_BULLET = re.compile(r"(\s*)[•●▪‣·](?=\s|[^\x00-\x7f])\s*")
_WIDE_INDENT = re.compile(r"^[ \t\u3000\u00a0]+")


def split_lines(text: str) -> list[str]:
    """The lines of a text without their ends (CRLF, LF or CR), control characters dropped; tabs stay."""
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CLEAN).split("\n")


def in_fences(lines: Sequence[str]) -> Iterator[bool]:
    """Say for each line whether it belongs to a fenced code block (its fences included)."""
    fence = ""
    for line in lines:
        found = _FENCE.match(line)
        mark = found.group(1) if found else ""
        if fence:
            closes = mark[:1] == fence[0] and len(mark) >= len(fence) and not line.strip().strip("> `~")
            yield True
            fence = "" if closes else fence
        else:
            opens = found and not (mark.startswith("`") and "`" in line[found.end() :])
            fence = mark if opens else ""
            yield bool(fence)


def _loosened(line: str) -> str:
    line = _WIDE_INDENT.sub(lambda blanks: blanks.group().replace("\u3000", " ").replace("\u00a0", " "), line)
    if (found := _HEADING.match(line)) and not (found.group(1) == "#" and _HASHTAG.match(line)):
        return f"{'#' * len(found.group(1))} {line[found.end() :]}"
    if found := _ORDERED.match(line):
        return f"{found.group(1)}{found.group(2)}. {line[found.end() :]}"
    if found := _BULLET.match(line):
        return f"{found.group(1)}- {line[found.end() :]}"
    return line


def loosened(lines: Sequence[str]) -> list[str]:
    """Lines with `##标题`, `＃ 标题`, `1、` and `•` in the form that Markdown knows; code stays as it is."""
    return [line if fenced else _loosened(line) for line, fenced in zip(lines, in_fences(lines), strict=True)]
