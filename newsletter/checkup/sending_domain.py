"""What the name server says of the domains that mail comes from, and whether they belong together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from email.utils import parseaddr
from functools import partial

from newsletter.checkup.dkim import Signing, dkim, signings_of
from newsletter.checkup.dmarc import Walk, dmarc, walk
from newsletter.checkup.dns_records import Names, Unanswered
from newsletter.checkup.findings import Finding, not_checked, ok, warning, wrong
from newsletter.checkup.spf import spf
from newsletter.render.dkim import KeyRefused
from newsletter.settings import Settings


def sending_domains(settings: Settings, names: Names) -> Iterator[Finding]:
    """Check every record that receivers look at, as far as a name server answers."""
    signings: tuple[Signing, ...] = ()
    try:
        signings = signings_of(settings)
    except KeyRefused as refused:
        yield wrong("DKIM key", str(refused), "docs/how-to/dkim.md says how to make keys and settings.")
    if "sender" not in settings.model_fields_set:
        yield not_checked("records", "SENDER is not set, so there is no domain to ask for")
        return
    if silence := _silence(names):
        elsewhere = "Look at /etc/resolv.conf, or run this on a machine that can look up names."
        yield not_checked("records", silence, elsewhere)
        return
    publication = settings.publication
    sender, envelope = _domain(publication.sender), _domain(publication.envelope_sender)
    yield from domain_records(names, sender, envelope, signings)


def _silence(names: Names) -> str:
    """Why the name server is of no use, empty when it is."""
    try:
        return "" if names.knows_the_world() else "this machine's name server does not know the Internet"
    except Unanswered:
        return "no name server answers on this machine"


def domain_records(names: Names, sender: str, envelope: str, signings: Sequence[Signing]) -> Iterator[Finding]:
    """The records of the From domain, the return path's domain and the signatures; one not answered is not checked."""
    yield _answered("SPF", partial(spf, names, envelope))
    for signing in signings:
        yield _answered(f"DKIM {signing.selector}", partial(dkim, names, signing))
    if not signings:
        yield not_checked("DKIM", "mail is not signed here: the mail server has to, and its operator knows the record")
    yield not_checked("PTR", "it belongs to the address that speaks to receivers, which is the mail server's")
    try:
        found = walk(names, sender)
        yield dmarc(found)
        yield alignment(names, found, envelope, signings)
    except Unanswered as reason:
        yield not_checked("DMARC", str(reason))
    for domain in dict.fromkeys((sender, envelope)):
        yield _answered("replies" if domain == sender else "bounces", partial(answers, names, domain))


def alignment(names: Names, found: Walk, envelope: str, signings: Sequence[Signing]) -> Finding:
    """Whether SPF or DKIM speaks for the From domain (RFC 9989 §4.4), without which DMARC fails."""
    by_spf = _aligned(names, found, envelope, "aspf")
    by_dkim = any(_aligned(names, found, signing.domain, "adkim") for signing in signings)
    sender = found.start
    if by_spf or by_dkim:
        ways = ((f"the return path ({envelope})", by_spf), ("the DKIM signature", by_dkim))
        return ok("alignment", f"belongs to {sender}: {', '.join(way for way, aligned in ways if aligned)}")
    advice = f"Set ENVELOPE_SENDER to an address of {sender}, or have the mail signed with d={sender}."
    if signings:
        what = f"neither the return path ({envelope}) nor a signature belongs to {sender}, so DMARC fails"
        return wrong("alignment", what, advice)
    what = f"the return path ({envelope}) does not belong to {sender}: DMARC hangs on the mail server's signature alone"
    return warning("alignment", what, advice)


def _aligned(names: Names, found: Walk, domain: str, tag: str) -> bool:
    domain = domain.lower()
    if domain == found.start or found.asks_strict(tag):
        return domain == found.start
    return walk(names, domain).organizational_domain == found.organizational_domain


def answers(names: Names, domain: str) -> Finding:
    """Whether mail to a domain can be delivered: an MX record, else an address (RFC 5321 §5.1)."""
    advice = f"Publish an MX record at {domain}: many receivers refuse mail whose sender cannot be answered."
    hosts = names.mail_hosts(domain)
    if hosts == (".",):
        return wrong("", f"{domain} says that it takes no mail (RFC 7505)", advice)
    if hosts:
        return ok("", f"{domain} takes mail through {', '.join(hosts[:3])}")
    if names.addresses(domain):
        return ok("", f"{domain} has no MX record, but an address to deliver to")
    return wrong("", f"{domain} has neither an MX record nor an address", advice)


def _answered(name: str, ask: Callable[[], Finding]) -> Finding:
    try:
        return replace(ask(), name=name)
    except Unanswered as reason:
        return not_checked(name, str(reason))


def _domain(mailbox: str) -> str:
    return parseaddr(mailbox)[1].rpartition("@")[2].lower()
