"""DKIM (RFC 6376): the public key in the name server is that of the key that mail is signed with."""

from dataclasses import dataclass

from newsletter.checkup.dns_records import Names
from newsletter.checkup.findings import Finding, ok, warning, wrong
from newsletter.checkup.tag_list import tags
from newsletter.render.dkim import Signer
from newsletter.settings import Settings


@dataclass(frozen=True, slots=True)
class Signing:
    """A signature that mail carries: its domain and selector, and the record that the key belongs to."""

    domain: str
    selector: str
    record: str

    @property
    def place(self) -> str:
        """The name at which the record stands (RFC 6376 §3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"


def signings_of(settings: Settings) -> tuple[Signing, ...]:
    """The signatures that the settings ask for; none where they say nothing of DKIM. Raises `KeyRefused`."""
    rsa, ed25519 = settings.dkim_key.get_secret_value(), settings.dkim_ed25519_key.get_secret_value()
    words = (settings.dkim_domain, settings.dkim_selector, rsa, settings.dkim_ed25519_selector, ed25519)
    if not any(words):
        return ()
    signer = Signer.load(*words)
    places = signer.records().items()
    return tuple(Signing(signer.domain, place.partition("._domainkey.")[0], record) for place, record in places)


def dkim(names: Names, signing: Signing) -> Finding:
    """Compare the published key with the one in use."""
    name = f"DKIM {signing.selector}"
    publish = f"Publish this TXT record at {signing.place}: {signing.record}"
    records = names.texts(signing.place)
    if not records:
        return wrong(name, f"there is no record at {signing.place}, so every signature fails", publish)
    if len(records) > 1:
        what = f"{len(records)} records stand at {signing.place}; which one counts is undefined (RFC 6376 §3.6.2.2)"
        return wrong(name, what, "Leave one.")
    there, ours = tags(records[0]), tags(signing.record)
    if not _key(there):
        return wrong(name, f"the key at {signing.place} is empty, which means revoked", publish)
    if _key(there) != _key(ours) or there.get("k", "rsa") != ours.get("k", "rsa"):
        return wrong(name, f"the key at {signing.place} is not that of the private key in the settings", publish)
    if "y" in there.get("t", "").split(":"):
        what = f"the record at {signing.place} says t=y (testing): receivers may treat mail as unsigned"
        return warning(name, what, "Take t=y out of the record.")
    return ok(name, f"{signing.place} holds the public key of the settings' private key")


def _key(record: dict[str, str]) -> str:
    return "".join(record.get("p", "").split())
