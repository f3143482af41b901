"""Pictures for issues: taken in from anybody's file, drawn anew so that nothing of the file is left, and kept."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore

from PIL import Image, ImageOps, UnidentifiedImageError

from newsletter.app import Newsletter
from newsletter.content.export import write_body
from newsletter.content.inline import escape
from newsletter.content.issue import Image as ImageBlock
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import Actor
from newsletter.storage.pictures import Kept, Made, PictureStore

MOST_BYTES_IN = 10_000_000
"""Larger than what a phone's camera makes."""

MOST_BYTES_OUT = 300_000
"""What a picture may cost everybody who opens the mail."""

WIDEST_PIXELS = 1_200
"""Twice the width of a mail, for screens with two points to the pixel."""

TALLEST_PIXELS = 3_000
"""Five screens of a phone; taller ones are made smaller as a whole."""

MOST_PIXELS = 50_000_000
"""The largest picture of a camera, which is decoded in a smaller size at once."""

MOST_DECODED_PIXELS = 20_000_000
"""What is decoded as it is: four bytes each, and a copy, for a moment."""

PAGE = 24
"""Pictures on a page."""

_DRAWING = BoundedSemaphore(2)
"""So many are drawn at a time: the largest take some 300 MB each for a moment."""

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_QUALITIES = (88, 80, 70, 60, 50, 40)
_SMALLER = 0.75
_FAULTS = (SyntaxError, IndexError, KeyError, TypeError, OverflowError, ZeroDivisionError, EOFError, MemoryError)
"""What the decoders raise beside their own errors when a file is made to break them."""

_NAME_CHARACTERS, _ALT_CHARACTERS = 200, 500


class PictureRefused(ValueError):
    """A file cannot be taken, and what can be done; `code` says why: no-alt, large, no-picture or pixels."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is kept: what is known of it, its address, and the issues it stands in."""

    kept: Kept
    url: str
    used_in: tuple[str, ...] = ()

    @property
    def markdown(self) -> str:
        """What an editor pastes into a story."""
        return "".join(write_body([ImageBlock(self.url, escape(self.kept.alt))]))


def keep_picture(newsletter: Newsletter, actor: Actor, name: str, data: bytes, alt: str) -> Picture:
    """Take a picture in: `data` is a PNG, JPEG, GIF (of which the first frame counts) or WebP file, whatever its name.

    `alt` is the text that stands for it. Raises `PictureRefused`.
    """
    alt = " ".join(_printable(alt).split())[:_ALT_CHARACTERS]
    if not alt:
        raise PictureRefused("no-alt", "say what the picture shows, for those who do not see it.")
    made = drawn_anew(data)
    with newsletter.session() as session:
        now = newsletter.clock()
        short = _printable(name).strip()[-_NAME_CHARACTERS:] or made.key
        kept, is_new = PictureStore(session).keep(made, short, alt, actor.id, now)
        if is_new:
            record(session, actor, Action.IMAGE_ADDED, kept.key, now, name=kept.name, bytes=kept.size_bytes)
    return Picture(kept, newsletter.settings.base_url + kept.path)


def picture(newsletter: Newsletter, key: str) -> Picture | None:
    """The picture with that key, or None."""
    with newsletter.reading() as session:
        kept = PictureStore(session).find(key) if key.isprintable() else None
    return Picture(kept, newsletter.settings.base_url + kept.path) if kept else None


def picture_data(newsletter: Newsletter, key: str) -> tuple[str, bytes] | None:
    """The media type and the bytes of the picture with that key, or None."""
    with newsletter.reading() as session:
        return PictureStore(session).data(key) if key.isprintable() else None


def pictures(newsletter: Newsletter, page: int = 1) -> tuple[list[Picture], int]:
    """A page of pictures, the newest first, with the issues they stand in; and how many there are in all."""
    with newsletter.reading() as session:
        store = PictureStore(session)
        found, total = store.page((page - 1) * PAGE, PAGE)
        uses = store.uses([kept.key for kept in found])
    home = newsletter.settings.base_url
    return [Picture(kept, home + kept.path, tuple(uses[kept.key])) for kept in found], total


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def drawn_anew(data: bytes) -> Made:
    """A file drawn anew, as small as it has to be; its key is made of what came out, so that the same is the same."""
    with _DRAWING:
        drawn, is_photograph = _drawn(data)
        media_type, encoded, size = _encoded(drawn, is_photograph)
    key = f"{hashlib.sha256(encoded).hexdigest()[:32]}-{size[0]}x{size[1]}"
    return Made(key, media_type, size[0], size[1], encoded)


def _drawn(data: bytes) -> tuple[Image.Image, bool]:
    """The pixels of a file, upright and not too large, without profile, comments, position or further frames.

    And whether they are a photograph's, as far as the kind of the file says.
    """
    if len(data) > MOST_BYTES_IN:
        raise PictureRefused("large", f"the file has more than {MOST_BYTES_IN:,} bytes; make it smaller.")
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as opened:
            is_photograph = opened.format == "JPEG"
            _require_size(opened, MOST_PIXELS)
            beyond = max(opened.width / WIDEST_PIXELS, opened.height / TALLEST_PIXELS, 1) / 2
            opened.draft("RGB", (round(opened.width / beyond), round(opened.height / beyond)))
            _require_size(opened, MOST_DECODED_PIXELS)
            upright = ImageOps.exif_transpose(opened)
            drawn = upright.convert("RGBA" if _is_see_through(upright) else "RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, *_FAULTS) as reason:
        if isinstance(reason, PictureRefused):
            raise
        advice = "this is no whole PNG, JPEG, GIF or WebP file; save the picture anew as one of them."
        raise PictureRefused("no-picture", advice) from reason
    drawn.info.clear()
    drawn.thumbnail((WIDEST_PIXELS, TALLEST_PIXELS), Image.Resampling.LANCZOS)
    return drawn, is_photograph


def _require_size(opened: Image.Image, most: int) -> None:
    """Refuse a file that claims more pixels than are decoded, before it is."""
    if opened.width * opened.height > most:
        size = f"{opened.width:,} × {opened.height:,} pixels"
        raise PictureRefused("pixels", f"the picture has {size}, which is too large; make it smaller.")


def _is_see_through(image: Image.Image) -> bool:
    """Whether some of it shows what lies behind."""
    if not image.has_transparency_data:
        return False
    lowest = image.convert("RGBA").getchannel("A").getextrema()[0]
    return isinstance(lowest, int | float) and lowest < 255


def _encoded(drawn: Image.Image, is_photograph: bool) -> tuple[str, bytes, tuple[int, int]]:
    """PNG where that is small enough, which keeps screenshots sharp; else JPEG, on white, smaller until it fits."""
    png = b"" if is_photograph else _saved(drawn, "PNG", optimize=True)
    if 0 < len(png) <= MOST_BYTES_OUT:
        return "image/png", png, drawn.size
    for smaller in _smaller(_on_white(drawn)):
        for quality in _QUALITIES:
            jpeg = _saved(smaller, "JPEG", quality=quality, optimize=True, progressive=True)
            if len(jpeg) <= MOST_BYTES_OUT:
                return "image/jpeg", jpeg, smaller.size
    raise PictureRefused("large", "the picture cannot be made small enough for a mail.")


def _on_white(drawn: Image.Image) -> Image.Image:
    if drawn.mode == "RGB":
        return drawn
    paper = Image.new("RGB", drawn.size, "white")
    paper.paste(drawn, mask=drawn.getchannel("A"))
    return paper


def _smaller(image: Image.Image) -> Iterator[Image.Image]:
    """The picture, then smaller and smaller ones."""
    yield image
    while min(image.size) > 1:
        image = image.resize((max(1, round(image.width * _SMALLER)), max(1, round(image.height * _SMALLER))))
        yield image


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
