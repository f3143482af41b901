"""The settings that show in a mail, as one value: what a mailing keeps a snapshot of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Publication:
    """Who sends, from where, and where readers can turn to.

    `sender` is a mailbox such as `AI 行业动态 <daily@example.org>`; `envelope_sender` the bare return path (RFC 5321
    section 4.1.1.2); `list_id` is bare, `<id.domain>` (RFC 2919); `base_url` has no slash at its end; `inbound_address`
    takes mailto unsubscribes (RFC 2369), `postal_address` stands in the footer, and `zone` (an IANA name) is that of
    the Date header.
    """

    sender: str
    envelope_sender: str
    list_id: str
    base_url: str
    reply_to: str = ""
    inbound_address: str = ""
    postal_address: str = ""
    zone: str = "UTC"
