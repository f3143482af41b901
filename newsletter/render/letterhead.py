"""What every message of a publication has in its header, whoever it goes to."""

import re
from dataclasses import dataclass
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import quote

from newsletter.render.headers import MessageRefused, header, mailbox_header, safe
from newsletter.render.publication import Publication

# Atoms of RFC 5322 section 3.2.3 with dots between them; what is quoted or literal is not sent to.
ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_DOMAIN = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
ADDRESS = re.compile(rf"{ATOMS}@{_DOMAIN}")
_LIST_ID = re.compile(rf"<?({ATOMS})>?")
_BASE_URL = re.compile(r"https?://[!#-;=?-~]+")
_URI_SAFE = "!$'*+"  # what RFC 6068 section 2 leaves as it is; letters, digits and -._~ never need escaping
_LIST_NAME = 60  # a longer name does not fit on the line of List-Id


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The header lines before the reader's own, those behind them, and the domain for message ids.

    `leave` is the mailto URI that unsubscribes once a reader's token stands behind it; empty without inbound address.
    """

    before: str
    behind: str
    domain: str
    leave: str


@lru_cache(maxsize=16)
def letterhead(publication: Publication) -> Letterhead:
    """The letterhead; raises `MessageRefused` naming what makes every message of this publication impossible."""
    display, address = parseaddr(safe("From", publication.sender))
    require(ADDRESS, address, "the sender's address")
    require(ADDRESS, publication.envelope_sender, "the envelope sender")
    require(_BASE_URL, publication.base_url, "the base URL")
    list_id = require(_LIST_ID, publication.list_id, "the list id")[1]
    leave = ""
    if publication.inbound_address:  # RFC 2369 section 3.2; some receivers use the mailto form alone
        require(ADDRESS, publication.inbound_address, "the inbound address")
        leave = f"{_mailto(publication.inbound_address)}?subject=unsubscribe%20"
    behind = ""
    if publication.reply_to:
        reply_name, reply_address = parseaddr(safe("Reply-To", publication.reply_to))
        require(ADDRESS, reply_address, "the reply address")
        behind = mailbox_header("Reply-To", reply_name, reply_address)
        # RFC 2369 sections 3.1 and 3.5: whoever answers replies is whom to ask
        behind += header("List-Help", f"<{_mailto(reply_address)}?subject=help>")
        behind += header("List-Owner", f"<{_mailto(reply_address)}>")
    # RFC 2919 section 3 allows a name before the id; List-* headers take no encoded words, so only an ASCII one.
    named = display.isascii() and "=?" not in display and len(display) < _LIST_NAME
    behind += mailbox_header("List-Id", display if named else "", list_id)
    behind += header("List-Archive", f"<{publication.base_url}/archive>")  # RFC 2369 section 3.6
    behind += header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")  # RFC 8058 section 3.1
    behind += header("MIME-Version", "1.0")
    return Letterhead(mailbox_header("From", display, address), behind, address.rpartition("@")[2], leave)


def _mailto(address: str) -> str:
    """The URI that writes to an address (RFC 6068 section 2), with what has a meaning in URIs escaped."""
    local, _, domain = address.rpartition("@")
    return f"mailto:{quote(local, safe=_URI_SAFE)}@{domain}"


def require(pattern: re.Pattern[str], value: str, what: str) -> re.Match[str]:
    """The match of a whole value; raises `MessageRefused` saying what cannot be used."""
    found = pattern.fullmatch(value)
    if found is None:
        raise MessageRefused(f"{what} is not usable in a mail: {value!r}")
    return found
