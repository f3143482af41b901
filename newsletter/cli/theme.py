"""`newsletter theme …`: which themes there are, and whether one can be used."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from newsletter.cli.output import AsJson, console, error_console, print_json, print_table, printable
from newsletter.content.diagnostics import Severity
from newsletter.render.theme import ThemeError, load_theme, theme_names
from newsletter.render.theme_check import Verdict
from newsletter.render.theme_sources import Fault
from newsletter.render.theme_trial import try_theme
from newsletter.settings import load_themes_folder

app = typer.Typer()


@app.command("list")
def list_themes(as_json: AsJson = False) -> None:
    """The themes that ship and those in the folder of the setting THEMES."""
    folder = load_themes_folder()
    themes = [_shown(name, folder) for name in theme_names(folder)]
    if as_json:
        print_json(themes)
        return
    rows = [(theme["theme"], theme["extends"], theme["description"]["en"]) for theme in themes]
    print_table(("theme", "extends", "what it is"), rows, empty="There are no themes.")


def _shown(name: str, folder: Path | None) -> dict[str, Any]:
    """What is told of a theme; one that cannot be used is in the list too, with the reason."""
    try:
        theme = load_theme(name, folder)
    except ThemeError as error:
        return {
            "theme": name,
            "name": {},
            "description": {"en": f"cannot be used: {error}"},
            "extends": "",
            "folder": "",
        }
    told = {field: getattr(theme.about, field) for field in ("name", "description", "extends")}
    return {"theme": name, **told, "folder": theme.folders[0]}


@app.command("check")
def check(theme: Annotated[str, typer.Argument(help="Its name, or its folder.")], as_json: AsJson = False) -> None:
    """Try a theme on sample mails and say, with file and line, what is wrong; needs no database."""
    verdict = _checked(theme)
    if as_json:
        print_json(asdict(verdict))
    else:
        _print(verdict)
    if not verdict.is_usable:
        raise SystemExit(1)


def _checked(theme: str) -> Verdict:
    """Try a theme; what has a slash in it, or is a folder with a `theme.toml`, is a folder."""
    path = Path(theme)
    if os.sep in theme or (path / "theme.toml").is_file():
        return try_theme(path.resolve().name, path.resolve().parent)
    return try_theme(theme, load_themes_folder())


def _print(verdict: Verdict) -> None:
    for fault in verdict.faults:
        error_console().print(_line(fault))
    errors = sum(fault.severity is Severity.ERROR for fault in verdict.faults)
    sizes = ", ".join(f"{stories} stories {size / 1000:.1f} kB" for stories, size in verdict.html_bytes.items())
    counted = f"{errors} error(s), {len(verdict.faults) - errors} warning(s)"
    console().print(f"{printable(verdict.name)}: {counted}{f'; HTML of {sizes}' if sizes else ''}")


def _line(fault: Fault) -> Text:
    place = f"{fault.file}:{fault.line}: " if fault.line else f"{fault.file}: " if fault.file else ""
    style = "red" if fault.severity is Severity.ERROR else "yellow"
    return Text.assemble(printable(place), (f"{fault.severity}: ", style), printable(fault.message))
