"""The house keeps its walls: who imports whom, one door per library, and importing does nothing."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = (ROOT / "docs" / "house.md").read_text("utf-8")
FILES = sorted(
    path
    for room in ("newsletter", "subscribers")
    for path in (ROOT / room).rglob("*.py")
    if "versions" not in path.parts
)


def rows(heading: str) -> list[list[str]]:
    """The backquoted words of each cell of the table under a heading."""
    part = HOUSE.split(heading)[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[*map(str.strip, line.strip("|").split("|"))] for line in lines]


ALLOWED = {
    re.findall(r"`([^`]+)`", room)[0]: set(re.findall(r"`([^`]+)`", may))
    for room, may in rows("## Who may import whom")
}
DOORS = {
    library: re.findall(r"`([^`]+)`", files)
    for libraries, files in rows("## One library, one door")
    for library in re.findall(r"`([^`]+)`", libraries)
}


def room_of(module: str) -> str:
    """The room of the table that a module lies in, or the module itself where the table does not know it."""
    matching = [room for room in ALLOWED if module == room or module.startswith(room + ".")]
    return max(matching, key=len, default=module)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are written in full"
            found.add(node.module)
    return found


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_a_room_imports_only_the_rooms_the_table_allows(path: Path) -> None:
    room = room_of(module_of(path))
    ours = {room_of(name) for name in imports(path) if name.split(".")[0] in ("newsletter", "subscribers")}
    if module_of(path) in ("newsletter", "newsletter.__main__"):
        return
    assert room in ALLOWED, f"{room} is missing from docs/house.md"
    assert ours - {room} <= ALLOWED[room]


@pytest.mark.parametrize("library", DOORS)
def test_a_library_comes_in_by_its_one_door(library: str) -> None:
    users = {
        str(path.relative_to(ROOT)) for path in FILES if any(name.split(".")[0] == library for name in imports(path))
    }
    assert users, f"nobody imports {library}"
    for user in users:
        assert any(user == door or (door.endswith("/") and user.startswith(door)) for door in DOORS[library]), user


def test_imports_are_not_circular_and_importing_writes_nothing(tmp_path: Path) -> None:
    names = [module_of(path) for path in FILES if path.name not in ("__main__.py", "env.py")]
    code = "import importlib, sys\n" + "\n".join(f"importlib.import_module({name!r})" for name in names)
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_every_module_and_public_name_says_what_it_is() -> None:
    silent = []
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        public = [node.name for node in nodes if not node.name.startswith("_") and not ast.get_docstring(node)]
        silent += [f"{path}: {name}" for name in public] + ([] if ast.get_docstring(tree) else [str(path)])
    assert not [one for one in silent if "migrations" not in one]


def test_packages_are_found_under_their_names() -> None:
    for package in ("newsletter", "subscribers"):
        module = importlib.import_module(package)
        assert {info.name for info in pkgutil.iter_modules(module.__path__)}
