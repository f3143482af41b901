"""Where the themes lie, and one of them read into memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedEnvironment

from newsletter.render.blocks import to_picture
from newsletter.render.labels import Labels, load_labels
from newsletter.render.plain_text import to_lines, to_text
from newsletter.render.spans import to_html
from newsletter.render.text_table import text_table
from newsletter.render.theme_file import NAME, NAME_IN_WORDS, ThemeFile, ThemeFileError, read_theme_file

MAIL = "mail.mjml.j2"
TEXT = "mail.txt.j2"
STYLE = "mail.css"
ABOUT = "theme.toml"

FAULTS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError),
    *(RuntimeError, SyntaxError, TypeError, ValueError),
)
"""What a template or style sheet with a mistake in it can make the program raise that runs it."""

_KINDS = (".j2", ".css")  # whatever else lies in the folder is no part of the theme
_MOST_BELOW = 4  # themes that one builds on; more than a person can keep in mind


class ThemeError(ValueError):
    """A theme cannot be used; the message names its file, the line where that is known, and what is wrong.

    `file` is a path, or the bare name of one of the theme's files; `line` counts from 1. Either is empty (0) where it
    is not known. `what` is the message without the place.
    """

    def __init__(self, what: str, theme: str = "", file: str = "", line: int = 0) -> None:
        place = f"{file}:{line}" if line else file
        named = ", ".join(filter(None, (theme and f"theme {theme!r}", place)))
        super().__init__(f"{named}: {what}" if named else what)
        self.what = what
        self.file = file
        self.line = line


@dataclass(frozen=True, slots=True)
class Theme:
    """A mail theme: `about` is what its `theme.toml` says, with the colours of the themes it builds on.

    `folders` are its own and those of the themes it builds on; `sources` and `paths` go by file name, labels by
    language; `digest` changes with anything that shows in a mail.
    """

    name: str
    about: ThemeFile
    folders: tuple[Path, ...]
    sources: Mapping[str, str]
    paths: Mapping[str, Path]
    labels: Mapping[str, Labels]
    digest: str
    environment: SandboxedEnvironment = field(repr=False, compare=False)

    def language(self, language: str) -> Labels:
        """The labels of a language; raises ThemeError when the theme does not speak it."""
        if language not in self.labels:
            raise ThemeError(f"theme {self.name!r} has no labels for {language!r}; it has {', '.join(self.labels)}")
        return self.labels[language]


def templates_dir() -> Path:
    """The designers' folder: inside an installed wheel, or beside the packages in a checkout."""
    packaged = Path(str(files("newsletter") / "_templates"))
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "templates"


def load_theme(name: str = "daily", themes: Path | None = None) -> Theme:
    """Read a theme from the folder `themes`, else from those that ship.

    Raises ThemeError when the theme, one that it builds on, one of their files or a label is missing or wrong.
    """
    folders = _chain(name, themes)
    abouts = [_about(folder) for folder in folders]
    paths = {path.name: path for folder in reversed(folders) for path in _files(folder)}
    sources = {file: _text(path) for file, path in sorted(paths.items())}
    if missing := [file for file in (MAIL, TEXT, STYLE) if file not in sources]:
        raise ThemeError(
            f"it lacks {', '.join(missing)}; write them, or extend a theme that has them", name, str(folders[0])
        )
    try:
        labels = load_labels(templates_dir() / "locale")
    except ValueError as error:
        raise ThemeError(str(error)) from error
    about = replace(abouts[0], light=_colours(abouts, "light"), dark=_colours(abouts, "dark"))
    digest = sha256(repr((sources, labels, about.light, about.dark)).encode()).hexdigest()
    environment = _environment(sources, about)
    return Theme(
        name, about, tuple(folders), MappingProxyType(sources), paths, MappingProxyType(labels), digest, environment
    )


def theme_names(themes: Path | None = None) -> list[str]:
    """Every theme there is, in the folder `themes` and among those that ship; a folder with another name is none."""
    folders = {path.parent.name for root in _roots(themes) for path in root.glob(f"*/{ABOUT}")}
    return sorted(filter(NAME.fullmatch, folders))


def _roots(themes: Path | None) -> list[Path]:
    if themes and not themes.is_dir():
        raise ThemeError(f"there is no folder {themes} with themes in it; the setting THEMES says where they lie")
    return [*([themes] if themes else []), templates_dir() / "email"]


def _chain(name: str, themes: Path | None) -> list[Path]:
    """The folder of a theme, then those of the themes it builds on."""
    folders: list[Path] = []
    while name or not folders:
        folder = _folder(name, themes)
        if folder in folders:
            names = " → ".join(path.name for path in (*folders, folder))
            raise ThemeError(f"themes may not extend each other in a circle: {names}", file=str(folder / ABOUT))
        folders.append(folder)
        if len(folders) > _MOST_BELOW + 1:
            raise ThemeError(f"it builds on more than {_MOST_BELOW} themes", folders[0].name)
        name = _about(folder).extends
    return folders


def _folder(name: str, themes: Path | None) -> Path:
    if not NAME.fullmatch(name):
        raise ThemeError(f"{name!r} is no name for a theme: give its folder one of {NAME_IN_WORDS}")
    folders = [root / name for root in _roots(themes)]
    for folder in folders:
        if (folder / ABOUT).is_file():
            return folder
    known, where = ", ".join(theme_names(themes)), ", ".join(str(folder) for folder in folders)
    raise ThemeError(f"there is no theme {name!r} (no {ABOUT} in {where}); there are {known}")


def _about(folder: Path) -> ThemeFile:
    try:
        return read_theme_file(_text(folder / ABOUT))
    except ThemeFileError as error:
        raise ThemeError(str(error), file=str(folder / ABOUT), line=error.line) from error


def _files(folder: Path) -> list[Path]:
    """The files of a theme, but what it says about itself, which nobody inherits."""
    return [path for path in folder.iterdir() if path.suffix in _KINDS and path.is_file()]


def _text(path: Path) -> str:
    """The text of a theme's file; a link out of the folder would show readers what is none of theirs."""
    if not path.resolve().is_relative_to(path.parent.resolve()):
        raise ThemeError("it is a link out of the theme's folder; put the file itself there", file=str(path))
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ThemeError(f"it cannot be read: {error}", file=str(path)) from error


def _colours(abouts: Sequence[ThemeFile], shade: str) -> dict[str, str]:
    """The colours of all themes in a chain; one's own go before those of the theme that it builds on."""
    return {name: colour for about in reversed(abouts) for name, colour in getattr(about, shade).items()}


def _environment(sources: dict[str, str], about: ThemeFile) -> SandboxedEnvironment:
    """A Jinja2 environment where every value is escaped (in text templates: never), and an unknown name is an error.

    It is a sandbox, for a theme may come from elsewhere: what it may do is to make a page of what it is given, which it
    cannot change.
    """

    def source(name: str) -> tuple[str, str, None] | None:
        return (sources[name], name, None) if name in sources else None  # with the name, errors can say their file

    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(source),
        autoescape=lambda name: not (name or "").endswith(".txt.j2"),  # on for all but plain text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(html=to_html, text=to_text, lines=to_lines, table=text_table, picture=to_picture)
    environment.globals.update(light=about.light, dark=about.dark)
    return environment
