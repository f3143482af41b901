"""The mail of a preview as a response of its own, shown as different screens and mail programs show it."""

import re

from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from newsletter.content.picture_address import on_this_host
from newsletter.editorial.preview import Preview
from newsletter.web.security import FRAMED_MAIL_POLICY

_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)")
_STYLE = re.compile(r"<style\b[^>]*>.*?</style>", re.DOTALL | re.IGNORECASE)
_NO_IMAGES_POLICY = FRAMED_MAIL_POLICY.replace("img-src 'self'", "img-src 'none'")


def mail_part(made: Preview, looks: QueryParams) -> Response:
    """One part of a mail, as a query asks for it; nothing in it ever runs.

    `format=text` is the text part and `format=source` the whole message. Otherwise it is the HTML part for a frame of
    ours: on a light screen or, with `scheme=dark`, on a dark one; with `images=off` as a mail program shows it that
    loads none, with `style=off` as one that takes the style block away. `alone=1` gives the HTML exactly as it is sent.
    """
    headers = {"content-security-policy": FRAMED_MAIL_POLICY, "x-robots-tag": "noindex"}
    if looks.get("format") in ("text", "source"):
        text = made.text if looks["format"] == "text" else source(made)
        return PlainTextResponse(text, headers=headers)
    if looks.get("alone"):
        return HTMLResponse(made.html, headers=headers)
    if looks.get("images") == "off":
        headers["content-security-policy"] = _NO_IMAGES_POLICY
    return HTMLResponse(as_looked_at(made.html, looks), headers=headers)


def as_looked_at(html: str, looks: QueryParams) -> str:
    """A mail for a frame of ours, on the screen and in the mail program that a query asks for."""
    return in_frame(html, dark=looks.get("scheme") == "dark", bare=looks.get("style") == "off")


def message_file(made: Preview, name: str) -> Response:
    """A whole message, byte for byte, to be kept as a file; `name` is made of letters that a header holds."""
    disposition = f'attachment; filename="{name}.eml"'
    return Response(made.message.data, media_type="message/rfc822", headers={"content-disposition": disposition})


def in_frame(html: str, *, dark: bool = False, bare: bool = False) -> str:
    """A mail for a frame: links open in tabs of their own, and it is light or dark whatever the screen is.

    Browsers would show it as the system is; which of both is wanted is chosen on the page. `bare` leaves out the
    style block, as the mail programs do that know inline styles alone.
    """
    html = _STYLE.sub("", html) if bare else _DARK.sub("@media all" if dark else "@media not all", html)
    return on_this_host(html).replace("<head>", '<head><base target="_blank">', 1)


def source(made: Preview) -> str:
    """A message as it travels, in the lines it has there."""
    return made.message.data.decode("ascii", "replace").replace("\r\n", "\n")
