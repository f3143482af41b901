"""Where the themes lie, and one of them read into memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from jinja2 import Environment, FunctionLoader, StrictUndefined

from newsletter.render.labels import Labels, read_labels
from newsletter.render.spans import to_html, to_text

MAIL = "mail.mjml.j2"
TEXT = "mail.txt.j2"
STYLE = "mail.css"
LABELS = "labels.toml"


class ThemeError(ValueError):
    """A theme cannot be used; the message names its file, the line where that is known, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Theme:
    """A mail theme: `sources` by file name, labels by language, and `digest`, which changes with any of its files."""

    name: str
    sources: Mapping[str, str]
    labels: Mapping[str, Labels]
    digest: str
    environment: Environment = field(repr=False, compare=False)

    def language(self, language: str) -> Labels:
        """The labels of a language; raises ThemeError when the theme does not speak it."""
        if language not in self.labels:
            raise ThemeError(f"theme {self.name!r} has no labels for {language!r}; it has {', '.join(self.labels)}")
        return self.labels[language]


def templates_dir() -> Path:
    """The designers' folder: inside an installed wheel, or beside the packages in a checkout."""
    packaged = Path(str(files("newsletter") / "_templates"))
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[2] / "templates"


def load_theme(name: str = "daily") -> Theme:
    """Read `templates/email/NAME`; raises ThemeError when the folder, one of its files or a label is missing."""
    folder = templates_dir() / "email" / name
    try:
        sources = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.is_file()}
    except OSError as error:
        raise ThemeError(f"theme {name!r} cannot be read: {error}") from error
    if missing := [file for file in (MAIL, TEXT, STYLE, LABELS) if file not in sources]:
        raise ThemeError(f"theme {name!r} lacks {', '.join(missing)} in {folder}")
    try:
        labels = read_labels(sources[LABELS])
    except ValueError as error:
        raise ThemeError(f"theme {name!r}: {error}") from error
    digest = sha256(repr(sources).encode()).hexdigest()
    return Theme(name, MappingProxyType(sources), MappingProxyType(labels), digest, _environment(sources))


def _environment(sources: dict[str, str]) -> Environment:
    """A Jinja2 environment where every value is escaped (in text templates: never), and an unknown name is an error."""

    def source(name: str) -> tuple[str, str, None] | None:
        return (sources[name], name, None) if name in sources else None  # with the name, errors can say their file

    environment = Environment(
        loader=FunctionLoader(source),
        autoescape=lambda name: not (name or "").endswith(".txt.j2"),  # noqa: S701 (on for all but plain text)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(html=to_html, text=to_text)
    return environment
