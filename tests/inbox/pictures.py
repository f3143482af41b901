"""`make pictures`: the sample editions as people see them, as contact sheets for docs/explanation/mail.md."""

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from inbox import thunderbird
from inbox.judge import Sample
from inbox.judges import browser, pixels
from inbox.samples import KINDS, edition, weekly

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
SHOWN = ("daily", "report", "article", "English report")
"""The kinds of issues that are shown, each in the theme that suits it."""
IN_THUNDERBIRD = SHOWN[:3]

_FORCED = "--enable-features=WebContentsForceDark"
_STYLE = re.compile(r"<style[\s>].*?</style>", re.DOTALL)
_HIGH = 900  # pixels of each mail in its six views: masthead, contents and the first stories
_WEEK_HIGH = 1_200  # pixels of a digest: its contents and the first stories
_LONGEST, _OVERLAP = 1_400, 20  # pixels of a column in the sheets of whole mails; a line that is cut stands in both
_GAP, _CAPTION = 16, 32
_GROUND, _INK = "#dfe2e6", "#1f2329"
_COLOURS = 64  # a picture of text has few; more would double the file


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a mail: `width` in CSS pixels, the reader's colour scheme, and what is done to the mail.

    `forced` darkens a mail as programs do that ask nobody; `stripped` takes the style blocks away, as webmail may.
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
    mails = {kind: edition(kind, KINDS[kind].theme, KINDS[kind].language) for kind in SHOWN}
    _take_week()
    with ThreadPoolExecutor(2) as windows:
        light, dark = (
            windows.map(partial(_in_thunderbird, dark=dark), (mails[kind] for kind in IN_THUNDERBIRD))
            for dark in (False, True)
        )
        shots = _in_chromium(mails)
        save(_top(shots["daily", VIEWS[0][0]]), "mail.png")
        for kind in mails:
            views = [[(view.name, _top(shots[kind, view])) for view in row] for row in VIEWS]
            save(_sheet(views), f"mail-{kind.replace(' ', '-').lower()}.png")
        for view in VIEWS[0][:2]:
            columns = [column for kind in mails for column in _columns(kind, shots[kind, view])]
            save(_sheet([columns]), f"mail-whole-{'dark' if view.dark else 'light'}.png")
        save(_sheet([list(light), list(dark)]), "mail-thunderbird.png")
    return 0


def _take_week() -> None:
    """The weekly digest, for the README: on a large screen and, in the dark, on a telephone."""
    views = (View("a week's digest", 700), View("in the dark, on a telephone", 375, dark=True))
    with browser.page() as page:
        shown = []
        for view in views:
            browser.show(page, weekly("zh", topics=2).html, view.width, view.dark)
            shot = pixels.shot(page)
            shown.append((view.name, shot.crop((0, 0, shot.width, min(shot.height, _WEEK_HIGH)))))
    save(_sheet([shown]), "mail-week.png")


def _in_chromium(mails: Mapping[str, Sample]) -> _Shots:
    """Each mail from its top to its end, in each view."""
    shots = {}
    for forced in (False, True):
        with browser.page(*([_FORCED] if forced else [])) as page:
            for view in (view for row in VIEWS for view in row if view.forced == forced):
                for kind, mail in mails.items():
                    html = _STYLE.sub("", mail.html) if view.stripped else mail.html
                    browser.show(page, html, view.width, view.dark)
                    shots[kind, view] = pixels.shot(page)
    return shots


def _in_thunderbird(mail: Sample, *, dark: bool) -> tuple[str, Image.Image]:
    with tempfile.TemporaryDirectory() as folder:
        shot = thunderbird.picture(mail.data, Path(folder), dark=dark)
    size = (shot.width * 2 // 3, shot.height * 2 // 3)
    return f"{mail.name}, {'dark' if dark else 'light'}", shot.resize(size, Image.Resampling.LANCZOS)


def _top(shot: Image.Image) -> Image.Image:
    return shot.crop((0, 0, shot.width, min(shot.height, _HIGH)))


def _columns(kind: str, shot: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """A whole mail at half its size, in as many columns as it needs."""
    half = shot.resize((shot.width // 2, shot.height // 2), Image.Resampling.LANCZOS)
    for top in range(0, max(1, half.height - _OVERLAP), _LONGEST - _OVERLAP):
        yield (f"{kind}, its rest" if top else kind), half.crop((0, top, half.width, min(half.height, top + _LONGEST)))


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


def save(shot: Image.Image, name: str, colours: int = _COLOURS) -> None:
    """Keep a picture in docs/pictures, small, and say so."""
    path = PICTURES / name
    shot.quantize(colours, kmeans=2, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"docs/pictures/{name}: {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    sys.exit(main())
