"""The second factor: codes of six digits from an app, which change every half minute (RFC 6238)."""

import hmac
import re
from datetime import datetime

import pyotp
import segno

_STEP_SECONDS = 30
_AROUND = (-1, 0, 1)
"""A clock may be one step off, and typing takes time (RFC 6238 §5.2)."""
_SECRET = re.compile(r"[A-Z2-7]{32}", re.ASCII)
_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def new_secret() -> str:
    """A secret of 160 bits (RFC 4226 §4), in base32."""
    return pyotp.random_base32(32)


def is_secret(text: str) -> bool:
    """Whether a text could be a secret of ours."""
    return bool(_SECRET.fullmatch(text))


def square(secret: str, address: str, newsletter: str) -> str:
    """The QR code by which an app takes a secret over, as a `data:` address of an SVG picture."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=address, issuer_name=newsletter.replace(":", " "))
    return segno.make(uri, micro=False).svg_data_uri(scale=4, border=2, dark="#1f2329", light="#ffffff")


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is, the one of now or one beside it; None when it is none of them.

    Blanks in the code are forgiven: apps show it in two groups.
    """
    digits = "".join(code.split())
    if not _CODE.fullmatch(digits):
        return None
    present = int(now.timestamp()) // _STEP_SECONDS
    totp = pyotp.TOTP(secret)
    found = [present + off for off in _AROUND if hmac.compare_digest(totp.generate_otp(present + off), digits)]
    return max(found, default=None)
