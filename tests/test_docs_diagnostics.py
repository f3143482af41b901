"""The table of diagnostics in the documentation names exactly what the code can say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "reference" / "diagnostics.md"
ROW = re.compile(r"^\| `([a-z-]+)` \| (error|warning|error or warning) \| (\S.*) \| (\S.*) \|$", re.M)
MODULES = {path.name: ast.parse(path.read_text("utf-8")) for path in (ROOT / "newsletter" / "content").glob("*.py")}


def functions() -> Iterator[ast.FunctionDef]:
    for tree in MODULES.values():
        yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    named = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return named or (call.args[place] if place < len(call.args) else None)


def calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name]


def makers() -> dict[str, tuple[int, str]]:
    """Every callable that makes a diagnostic from a code it is given, with the place and name of that argument."""
    found = {"Diagnostic": (2, "code")}
    while True:
        wider = dict(found)
        for function in functions():
            parameters = [parameter.arg for parameter in function.args.args]
            for maker, (place, name) in found.items():
                for call in calls(function, maker):
                    code = argument(call, place, name)
                    if isinstance(code, ast.Name) and code.id in parameters:
                        wider[function.name] = (parameters.index(code.id), code.id)
        if wider == found:
            return found
        found = wider


def codes_in_the_source() -> set[str]:
    codes = set()
    for maker, (place, name) in makers().items():
        for module, tree in MODULES.items():
            for call in calls(tree, maker):
                code = argument(call, place, name)
                if isinstance(code, ast.Constant):
                    codes.add(code.value)
                else:
                    assert isinstance(code, ast.Name), f"{module}:{call.lineno}: write the code as a literal"
                    assert code.id == name or maker == "Diagnostic", f"{module}:{call.lineno}: whose code is this?"
    return codes


def documented() -> list[str]:
    return [row[0] for row in ROW.findall(TABLE.read_text("utf-8"))]


def test_the_source_is_read_as_a_person_would_read_it():
    assert {"no-story", "missing-story", "unplaced", "front-matter"} <= codes_in_the_source()
    assert {"Diagnostic", "error", "warning"} <= set(makers())


def test_every_code_is_in_the_table():
    assert codes_in_the_source() - set(documented()) == set()


def test_the_table_has_no_code_that_is_never_said():
    assert set(documented()) - codes_in_the_source() == set()


def test_the_table_names_every_code_once_in_alphabetical_order():
    assert documented() == sorted(set(documented()))


def test_every_row_of_the_table_is_whole():
    rows = [line for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) == len(documented())


def test_codes_are_kebab_case():
    assert [code for code in codes_in_the_source() if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []
