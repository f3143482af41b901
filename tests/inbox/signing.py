"""The keys that the sample mails are signed with, RSA and Ed25519 beside it, and what DNS says of their domain."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from inbox.samples import DATE
from newsletter.render.dkim import Signer

DOMAIN = "example.org"
RSA_BITS = 2048

LETTER = b"""\
From: <daily@example.org>
To: <chen@example.com>
Subject: A plain letter
Date: Thu, 12 Mar 2026 08:00:00 +0800
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Nothing is wrong with this letter but what is done to it on its way.
""".replace(b"\n", b"\r\n")
"""What is spoiled for a verifier, to see whether it notices."""


@cache
def signer() -> Signer:
    """The signer of every sample; its keys are made anew with each run."""
    return _signer()


@cache
def other_records() -> dict[str, str]:
    """What DNS says when somebody has published wrong keys under the right names."""
    return _signer().records()


def signed(data: bytes) -> bytes:
    """A message with its two signatures."""
    return signer().sign(data, DATE) + data


def _signer() -> Signer:
    keys = (rsa.generate_private_key(65537, RSA_BITS), Ed25519PrivateKey.generate())
    pems = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode() for key in keys]
    return Signer.load(DOMAIN, "s1", pems[0], "e1", pems[1])
