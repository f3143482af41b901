"""The addresses of pictures that were uploaded at the desk: they say by themselves how large the picture is."""

import re
from dataclasses import dataclass

_PATH = re.compile(r"/image/(?P<key>[0-9a-f]{32}-(?P<width>[1-9]\d{0,3})x[1-9]\d{0,3})\.(?P<kind>png|jpg)")
_SHOWN = re.compile(rf'(<img src=")https?://[^"/]+({_PATH.pattern}")')

MOST_SHOWN_PIXELS = 536
"""The width of a story in the narrowest of the themes that ship: 600 pixels without the space beside it."""

SHARP_FROM_PIXELS = 1_100
"""A picture wider than this was made for screens with two points to the pixel, and is shown at half its size."""


@dataclass(frozen=True, slots=True)
class PictureAddress:
    """What the address of a picture says: its key, of which its size is a part, and its kind, png or jpg."""

    key: str
    width: int
    kind: str

    @property
    def shown_width(self) -> int:
        """How wide it is shown where there is room, in the pixels of CSS."""
        whole = self.width // 2 if self.width > SHARP_FROM_PIXELS else self.width
        return min(whole, MOST_SHOWN_PIXELS)


def picture_at(url: str, base_url: str) -> PictureAddress | None:
    """What an address says that leads to a picture below `base_url`, which has no slash at its end; else None."""
    path = url.removeprefix(base_url)
    found = _PATH.fullmatch(path) if base_url and path != url else None
    return PictureAddress(found["key"], int(found["width"]), found["kind"]) if found else None


def on_this_host(html: str) -> str:
    """A mail whose pictures come from whoever shows it on a page, which may be reached by another name than ours."""
    return _SHOWN.sub(r"\1\2", html)
