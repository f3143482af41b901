"""`make pictures`: the sample editions as people see them, as contact sheets for docs/explanation/mail.md."""

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from inbox import thunderbird
from inbox.judge import Sample
from inbox.judges import browser
from inbox.samples import KINDS, read, sample

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SHOWN = {"daily": "daily", "report": "digest", "article": "letter"}
"""The theme in which each kind of issue is shown."""

_FORCED = "--enable-features=WebContentsForceDark"
_STYLE = re.compile(r"<style[\s>].*?</style>", re.DOTALL)
_HIGH = 900  # pixels of each mail: masthead, contents and the first stories
_GAP, _CAPTION = 16, 32
_GROUND, _INK = "#dfe2e6", "#1f2329"
_COLOURS = 128  # a picture of text has few; more would double the file


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a mail: `width` in CSS pixels, the reader's colour scheme, and what is done to the mail.

    `forced` darkens a mail as programs do that ask nobody, so the mail must not name colours for the dark itself;
    `stripped` takes the style blocks away, as some webmail does.
    """

    name: str
    width: int
    dark: bool = False
    forced: bool = False
    stripped: bool = False


VIEWS = (
    (View("light, 700 px", 700), View("dark, 700 px", 700, dark=True), View("light, 320 px", 320)),
    (
        View("forced dark, 700 px", 700, forced=True),
        View("without its style blocks, 700 px", 700, stripped=True),
        View("dark, 320 px", 320, dark=True),
    ),
)
_Shots = Mapping[tuple[str, View], Image.Image]


def main() -> int:
    """Take all pictures; the exit code."""
    if lacking := "; ".join(filter(None, [browser.lack(), thunderbird.lack()])):
        sys.stderr.write(f"{lacking}\n")
        return 1
    mails = {kind: sample(f"{kind} {theme}", read(KINDS[kind]), theme, "zh") for kind, theme in SHOWN.items()}
    shots = _in_chromium(mails)
    _save(shots["daily", VIEWS[0][0]], "mail.png")
    for kind in mails:
        _save(_sheet([[(view.name, shots[kind, view]) for view in row] for row in VIEWS]), f"mail-{kind}.png")
    _save(_sheet([[_in_thunderbird(mails["daily"], dark=dark) for dark in (False, True)]]), "mail-thunderbird.png")
    return 0


def _in_chromium(mails: Mapping[str, Sample]) -> _Shots:
    """The top of each mail in each view."""
    shots = {}
    for forced in (False, True):
        with browser.page(*([_FORCED] if forced else [])) as page:
            for view in (view for row in VIEWS for view in row if view.forced == forced):
                for kind, mail in mails.items():
                    html = _STYLE.sub("", mail.html) if view.stripped else mail.html
                    browser.show(page, html.replace("color-scheme", "none") if forced else html, view.width, view.dark)
                    shot = Image.open(BytesIO(page.screenshot(full_page=True))).convert("RGB")
                    shots[kind, view] = shot.crop((0, 0, shot.width, min(shot.height, _HIGH)))
    return shots


def _in_thunderbird(mail: Sample, *, dark: bool) -> tuple[str, Image.Image]:
    with tempfile.TemporaryDirectory() as folder:
        shot = thunderbird.picture(mail.data, Path(folder), dark=dark)
    return f"Thunderbird, {'dark' if dark else 'light'}", shot


def _sheet(rows: Sequence[Sequence[tuple[str, Image.Image]]]) -> Image.Image:
    """Pictures in rows, each below its caption."""
    high = max(shot.height for row in rows for _, shot in row)
    wide = max(sum(shot.width + _GAP for _, shot in row) for row in rows) + _GAP
    sheet = Image.new("RGB", (wide, (high + _CAPTION + _GAP) * len(rows)), _GROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=18)
    for number, row in enumerate(rows):
        left, top = _GAP, number * (high + _CAPTION + _GAP)
        for caption, shot in row:
            draw.text((left, top + 6), caption, fill=_INK, font=font)
            sheet.paste(shot, (left, top + _CAPTION))
            left += shot.width + _GAP
    return sheet


def _save(shot: Image.Image, name: str) -> None:
    path = PICTURES / name
    shot.quantize(_COLOURS, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"docs/pictures/{name}: {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    sys.exit(main())
