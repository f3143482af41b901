"""The one door for addresses and names: what comes out can stand in an envelope and in a header.

Nothing here asks the network. RFC 5321 §4.1.2 says what an address is, RFC 5890 how a domain travels in ASCII.
"""

import hmac
import re
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from subscribers.characters import shown, unwritable

ADDRESS_CHARACTERS = 254
"""RFC 5321 §4.5.3.1.3: a path has at most 256 octets, two of them angle brackets."""

NAME_CHARACTERS = 200
"""Longer than any name people go by, shorter than what a header line can carry (RFC 5322 §2.1.1)."""

_BLANKS = " \t\u00a0\u3000"
_AT_SIGNS = str.maketrans({"\uff20": "@", "\ufe6b": "@"})
_NO_PART = r"\s，。；：！？、（）《》“”「」<>…"
_IN_TEXT = re.compile(rf"(?<![^{_NO_PART}])[^{_NO_PART}]+[@\uff20\ufe6b][^{_NO_PART}]+")
"""What may be an address among other words; each run of characters is looked at once, from its beginning."""


class AddressRefused(ValueError):
    """An address that cannot be written to; `address` is what was given, made safe to show, and `reason` says why."""

    code = "address"

    def __init__(self, address: str, reason: str) -> None:
        self.value = self.address = shown(address)
        self.reason = reason
        super().__init__(f"{self.address or 'an empty address'} cannot be written to: {reason}")


class NameRefused(ValueError):
    """A name that cannot stand in a header, and why."""

    code, value = "name", ""


@dataclass(frozen=True, slots=True)
class Address:
    """One address three ways: as people read it, as SMTP carries it, and the case-folded key that says who it is."""

    display: str
    ascii: str
    key: str

    @property
    def mailbox(self) -> str:
        """The key without a tag: at many services mail to `li+any@example.org` lands where that to `li@` does.

        Others may take the whole for a name, so it tells nobody apart.
        """
        local, _, domain = self.key.rpartition("@")
        name = local.partition("+")[0]
        return f"{name or local}@{domain}"


def parse_address(text: str) -> Address:
    """Read one bare address; blanks around it and a full-width ＠ are forgiven.

    Raises `AddressRefused` when it has a control character or line separator, is longer than `ADDRESS_CHARACTERS`,
    is no address in the sense of RFC 5321, or needs SMTPUTF8 (RFC 6531) because its local part is not ASCII.
    """
    bare = text.strip(_BLANKS).translate(_AT_SIGNS)
    if not bare:
        raise AddressRefused(text, "it is empty")
    if unwritable(bare):
        raise AddressRefused(text, "it has a line break or another control character in it")
    if len(bare) > ADDRESS_CHARACTERS:
        raise AddressRefused(text, f"it is longer than {ADDRESS_CHARACTERS} characters")
    local, _, domain = bare.rpartition("@")
    if not local.isascii():
        raise AddressRefused(text, "the part before the @ has other characters than ASCII, which needs SMTPUTF8")
    if domain.casefold() == "test":
        raise AddressRefused(text, "the part after the @ needs a period")
    return _validated(text, bare)


def _validated(text: str, bare: str) -> Address:
    try:
        # `test_environment` lets .test through (RFC 6761 §6.2): the demo and rehearsals live there.
        found = validate_email(bare, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise AddressRefused(text, f"{str(error).rstrip('.')}.") from error
    if found.ascii_email is None:
        raise AddressRefused(text, "it has no ASCII form, which needs SMTPUTF8")
    return Address(display=found.normalized, ascii=found.ascii_email, key=found.ascii_email.casefold())


def hash_address(address: Address, key: bytes) -> str:
    """Give the keyed hash that stands for an address after it was forgotten: 64 hexadecimal digits.

    The same `key` must be used for the life of a database, or forgotten and suppressed people are no longer known.
    """
    return hmac.digest(key, b"address\0" + address.key.encode("ascii"), "sha256").hex()


def hash_mailbox(address: Address, key: bytes) -> str:
    """Give the keyed hash by which letters to one mailbox are counted: 64 hexadecimal digits."""
    return hmac.digest(key, b"mailbox\0" + address.mailbox.encode("ascii"), "sha256").hex()


def without_addresses(text: str) -> str:
    """Give a text with `…` for whatever may be an address in it: it can outlive the address then."""
    return _IN_TEXT.sub("…", text)


def clean_name(text: str) -> str:
    """Take the blanks off both ends of a name.

    Raises `NameRefused` when it has a control character or line separator or is longer than `NAME_CHARACTERS`.
    """
    name = text.strip(_BLANKS)
    if unwritable(name):
        raise NameRefused(f"the name {shown(name)} has a line break or another control character in it")
    if len(name) > NAME_CHARACTERS:
        raise NameRefused(f"the name {shown(name)} is longer than {NAME_CHARACTERS} characters")
    return name
