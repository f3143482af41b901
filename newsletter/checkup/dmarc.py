"""DMARC (RFC 9989): the policy of the From domain, found by the walk up the tree of names."""

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.checkup.dns_records import Names
from newsletter.checkup.findings import Finding, ok, warning, wrong
from newsletter.checkup.tag_list import tags

POLICIES = ("none", "quarantine", "reject")
_MOST_LABELS = 7
"""RFC 9989 §4.10: of a longer name the labels above the seventh are left out of the walk."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What the walk from a domain found: the records by domain, from the domain upwards, and how many were ignored."""

    start: str
    records: dict[str, dict[str, str]]
    ignored: int

    @property
    def organizational_domain(self) -> str:
        """RFC 9989 §4.10.2: the domain that says psd=n, the one below psd=y, or the highest with a record."""
        for domain, record in self.records.items():
            if record.get("psd") == "n":
                return domain
            if record.get("psd") == "y" and domain != self.start:
                labels = self.start.split(".")
                return ".".join(labels[-(domain.count(".") + 2) :])
        return list(self.records)[-1] if self.records else self.start

    @property
    def policy_domain(self) -> str:
        """The domain whose record applies (RFC 9989 §4.10.1), empty when there is none."""
        for domain in (self.start, self.organizational_domain):
            if domain in self.records:
                return domain
        return list(self.records)[-1] if self.records else ""

    def asks_strict(self, tag: str) -> bool:
        """Whether the record asks that domains be the same (`adkim` for DKIM, `aspf` for SPF), not just related."""
        return self.records.get(self.policy_domain, {}).get(tag, "r").lower() == "s"


def walk(names: Names, domain: str) -> Walk:
    """Walk up from a domain to the root, or to the first record that says where it ends."""
    records: dict[str, dict[str, str]] = {}
    ignored = 0
    for place in _upwards(domain.lower()):
        found = [text for text in names.texts(f"_dmarc.{place}") if tags(text).get("v") == "DMARC1"]
        if len(found) == 1:
            records[place] = tags(found[0])
            if records[place].get("psd") in ("y", "n"):
                break
        ignored += len(found) if len(found) > 1 else 0
    return Walk(domain.lower(), records, ignored)


def dmarc(found: Walk) -> Finding:
    """Judge what the walk found."""
    domain = found.policy_domain
    if found.ignored:
        what = f"there are several DMARC records at one name above {found.start}, and receivers heed none of them"
        return wrong("DMARC", what, "Leave one TXT record there.")
    if not domain:
        what = f"neither {found.start} nor a domain above it has a DMARC record; Gmail, Yahoo and Microsoft ask for one"
        advice = (
            f"Publish a TXT record at _dmarc.{found.start}: v=DMARC1; p=none; rua=mailto:<your mailbox for reports>"
        )
        return wrong("DMARC", what, advice)
    record = found.records[domain]
    tag = "sp" if domain != found.start and "sp" in record else "p"
    policy = record.get(tag, "").lower()
    whose = domain if domain == found.start else f"{domain}, which {found.start} belongs to"
    if policy not in POLICIES:
        what = f"the record of {whose} has {f'{tag}={policy}' if policy else 'no p='}, which receivers take for p=none"
        return warning("DMARC", what, f"Write one of p={', p='.join(POLICIES)}.")
    return ok("DMARC", f"{tag}={policy}, by the record of {whose}")


def _upwards(domain: str) -> Iterator[str]:
    labels = domain.split(".")
    yield domain
    for left in range(min(len(labels) - 1, _MOST_LABELS), 0, -1):
        yield ".".join(labels[-left:])
