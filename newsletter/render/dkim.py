"""DKIM signatures (RFC 6376): the header lines that go before a message, made from keys that are loaded once.

The only file that knows `cryptography`. Always RSA with SHA-256, and Ed25519 beside it where there is a key for it:
not every receiver knows Ed25519 (RFC 8463) yet. Both kinds of signature depend on key and message alone, so
the same row gives the same bytes on every attempt.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from newsletter.render.headers import MessageRefused

_SEALED = ("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type")
"""Named once more than they occur, so that nobody can add another one on the way (RFC 6376 section 8.15)."""
_SIGNED = (
    "content-transfer-encoding",
    "list-id",
    "list-unsubscribe",  # this one and the next have to be covered (RFC 8058 section 4)
    "list-unsubscribe-post",
    "list-help",
    "list-archive",
    "list-owner",
    "feedback-id",
    "auto-submitted",
)
"""Signed where they occur; relays may add those that do not."""

_SHORTEST_BITS = 2048  # RFC 8301 section 3.2 asks signers for at least so much
_LONGEST_BITS = 4096  # beyond it, the same section lets verifiers give up
_LINE = 78
_BLANKS = re.compile(rb"[ \t]+")
_UNTIDY = re.compile(rb" [ \r]")  # bodies of our own rarely have it, and one look for both costs a third of two
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


class KeyRefused(ValueError):
    """A key, selector or domain that cannot be signed with; says which setting, why, and what to do."""


@dataclass(frozen=True, slots=True)
class _Key:
    """A private key and the selector that its public half is published under."""

    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        return "rsa" if isinstance(self.private, RSAPrivateKey) else "ed25519"

    def signature(self, signed: bytes) -> bytes:
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(signed, PKCS1v15(), SHA256())
        return self.private.sign(sha256(signed).digest())  # RFC 8463 section 3

    def record(self) -> str:
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            published = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            published = public.public_bytes(Encoding.Raw, PublicFormat.Raw)  # RFC 8463 section 4
        return f"v=DKIM1; k={self.algorithm}; p={b64encode(published).decode()}"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one domain with one key or two; make it once, loading a key takes some 40 ms."""

    domain: str
    keys: tuple[_Key, ...]

    @classmethod
    def load(cls, domain: str, selector: str, rsa_pem: str, ed25519_selector: str = "", ed25519_pem: str = "") -> Self:
        """A signer from the texts of the settings; Ed25519 is left out when both its selector and key are empty.

        Raises `KeyRefused` for a domain or selector that is no DNS name, a text that is not one unencrypted PEM private
        key, a key of another kind, and RSA of fewer than 2048 or more than 4096 bits.
        """
        _require_name("DKIM_DOMAIN", domain)
        _require_name("DKIM_SELECTOR", selector)
        keys = [_Key(selector, _rsa(_private("DKIM_KEY", rsa_pem)))]
        if ed25519_selector or ed25519_pem:
            _require_name("DKIM_ED25519_SELECTOR", ed25519_selector)
            if ed25519_selector.lower() == selector.lower():  # RFC 6376 section 3.6.2.2
                raise KeyRefused(
                    "DKIM_ED25519_SELECTOR is the same as DKIM_SELECTOR: each key needs a selector of its own"
                )
            keys.append(_Key(ed25519_selector, _ed25519(_private("DKIM_ED25519_KEY", ed25519_pem))))
        return cls(domain, tuple(keys))

    def sign(self, data: bytes, at: datetime) -> bytes:
        """The `DKIM-Signature` lines to put before `data`, each with its CRLF, RSA first.

        `data` is a whole message with CRLF line ends, exactly as it will travel; `at` becomes `t=`, in whole seconds.
        Canonicalisation is relaxed/relaxed, and the whole body is covered (no `l=`). Raises `MessageRefused` when
        `at` has no zone.
        """
        if at.utcoffset() is None:
            raise MessageRefused(f"the time of the signature has no zone: {at.isoformat()}")
        head, _, body = data.partition(b"\r\n\r\n")
        names, fields = _chosen(head)
        body_hash = b64encode(sha256(_relaxed_body(body)).digest()).decode()
        lines = []
        for key in self.keys:
            front = _front(key, self.domain, int(at.timestamp()), names, body_hash)
            # the field itself comes last, relaxed too, its b= empty and without CRLF (RFC 6376 section 3.7)
            itself = b"dkim-signature:" + front.partition(b": ")[2].replace(b"\r\n", b"")
            lines.append(front + _broken(b64encode(key.signature(fields + itself))))
        return b"".join(lines)

    def records(self) -> dict[str, str]:
        """What DNS has to answer for the signatures to hold: the TXT record's text by its name."""
        return {f"{key.selector}._domainkey.{self.domain}": key.record() for key in self.keys}


def _chosen(head: bytes) -> tuple[list[str], bytes]:
    """The names for `h=`, and their fields in relaxed form, of several with one name the lowest first."""
    found: dict[bytes, list[bytes]] = {}
    for line in _BLANKS.sub(b" ", head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")).split(b"\r\n"):
        field, _, value = line.partition(b":")
        found.setdefault(field.rstrip(b" ").lower(), []).append(value.strip(b" "))
    names: list[str] = []
    fields: list[bytes] = []
    for name in (*_SEALED, *_SIGNED):
        field = name.encode()
        values = found.get(field, [])
        names += [name] * (len(values) + (name in _SEALED))
        fields += [b"%b:%b\r\n" % (field, value) for value in reversed(values)]
    return names, b"".join(fields)


def _relaxed_body(body: bytes) -> bytes:
    """Runs of blanks are one, none at the end of a line, no empty lines at the end (RFC 6376 section 3.4.4)."""
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    if b"\t" in body or _UNTIDY.search(body):
        body = body.replace(b"\t", b" ")
        while b"  " in body:  # each pass halves every run
            body = body.replace(b"  ", b" ")
        body = body.replace(b" \r\n", b"\r\n")
    if body.endswith(b"\r\n\r\n") or body == b"\r\n":
        body = body.rstrip(b"\r\n")
        return body + b"\r\n" if body else b""
    return body


def _front(key: _Key, domain: str, time: int, names: Sequence[str], body_hash: str) -> bytes:
    """The field up to and with its `b=`, folded to 78 columns (RFC 5322 section 2.1.1); a fold is CRLF and a blank."""
    opening = f"DKIM-Signature: v=1; a={key.algorithm}-sha256; c=relaxed/relaxed;"
    listed = [f"{name}:" for name in names[:-1]] + [f"{names[-1]};"]
    lines = [opening]
    for piece in (f" d={domain};", f" s={key.selector};", f" t={time};", f" h={listed[0]}", *listed[1:]):
        if len(lines[-1]) + len(piece) > _LINE:
            lines.append(" " + piece.lstrip(" "))
        else:
            lines[-1] += piece
    return "\r\n".join([*lines, f" bh={body_hash};", " b="]).encode()


def _broken(signature: bytes) -> bytes:
    """The base64 of a signature behind ` b=`, in lines."""
    width = _LINE - len(" b=")
    return b"\r\n ".join([signature[at : at + width] for at in range(0, len(signature), width)]) + b"\r\n"


def _require_name(setting: str, value: str) -> None:
    if not _NAME.fullmatch(value):
        raise KeyRefused(
            f"{setting} is {value!r}: it has to be a DNS name in its ASCII form, such as example.org or s1"
        )


def _private(setting: str, pem: str) -> object:
    """The private key in a PEM text; no word of the text comes into the error."""
    try:
        return load_pem_private_key(pem.encode(errors="replace"), password=None)
    except TypeError:
        raise KeyRefused(
            f"{setting} is encrypted with a pass phrase: write it without one, openssl pkey -in KEY.pem -out PLAIN.pem"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        what = "holds a public key; the private one is needed" if "PUBLIC KEY" in pem else "is not a PEM private key"
        raise KeyRefused(
            f"{setting} {what}: a text of several lines that begins with -----BEGIN PRIVATE KEY-----; "
            f"{setting}_FILE can name the file instead"
        ) from None


def _rsa(key: object) -> RSAPrivateKey:
    if not isinstance(key, RSAPrivateKey):
        raise KeyRefused("DKIM_KEY is not an RSA key: openssl genrsa -out KEY.pem 2048 makes one")
    if not _SHORTEST_BITS <= key.key_size <= _LONGEST_BITS:
        raise KeyRefused(
            f"DKIM_KEY is an RSA key of {key.key_size} bits; it has to have {_SHORTEST_BITS} to {_LONGEST_BITS} "
            "(RFC 8301): openssl genrsa -out KEY.pem 2048 makes one"
        )
    return key


def _ed25519(key: object) -> Ed25519PrivateKey:
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(
            "DKIM_ED25519_KEY is not an Ed25519 key: openssl genpkey -algorithm ed25519 -out KEY.pem makes one"
        )
    return key
