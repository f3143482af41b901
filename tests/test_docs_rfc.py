"""The table of RFCs names every one that the code and the other pages cite, and the modules that follow it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "reference" / "rfc.md"
ROW = re.compile(
    r"^\| \[(\d+)\]\(https://www\.rfc-editor\.org/rfc/rfc(\d+)\) \| (\S.*) \| ((?:yes|partial|no)\b.*) \| (\S.*) \|$"
)
CITED = re.compile(r"\bRFC[ -]?(\d+)")


def cited() -> set[int]:
    code = [path for room in ("newsletter", "subscribers") for path in (ROOT / room).rglob("*.py")]
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path != TABLE]
    return {int(number) for path in (*code, *pages) for number in CITED.findall(path.read_text("utf-8"))}


def rows() -> list[tuple[str, ...]]:
    return [found.groups() for line in TABLE.read_text("utf-8").splitlines() if (found := ROW.match(line))]


def test_every_rfc_that_is_cited_is_in_the_table() -> None:
    assert cited() - {int(row[0]) for row in rows()} == set()


def test_every_row_is_whole_once_and_in_order() -> None:
    numbers = [int(row[0]) for row in rows()]
    assert numbers == sorted(set(numbers)) == [int(row[1]) for row in rows()]
    assert len(numbers) == sum(line.startswith("| [") for line in TABLE.read_text("utf-8").splitlines())


def test_the_modules_in_the_table_exist() -> None:
    places = [place for row in rows() for place in re.findall(r"`((?:newsletter|subscribers)/[\w/.]+)`", row[4])]
    assert len(places) >= len(rows())
    assert [place for place in places if not (ROOT / place).is_file()] == []
