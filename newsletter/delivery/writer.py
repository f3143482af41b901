"""From a row to its message: the same row always gives the same bytes, for the send, the preview and the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from newsletter.compose.edition import Edition, Group
from newsletter.render.assemble import Assembled, Assembler
from newsletter.render.compiled import CompiledIssue
from newsletter.render.dkim import Signer
from newsletter.render.message import fill
from newsletter.render.recipient import Message, Recipient


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes the messages of one mailing from what was compiled of its issue, by language."""

    mailing_key: str
    assemblers: Mapping[str, Assembler]
    zone: tzinfo
    signer: Signer | None = None

    @classmethod
    def of(cls, mailing_key: str, compiled: Mapping[str, CompiledIssue], signer: Signer | None = None) -> "Writer":
        """A writer with an assembler for each compiled language; the zone is the one the issue was approved with."""
        zone = ZoneInfo(next(iter(compiled.values())).publication.zone)
        assemblers = {language: Assembler(one) for language, one in compiled.items()}
        return cls(mailing_key, assemblers, zone, signer)

    def assembled(self, language: str, edition: Edition) -> Assembled:
        """The mail of an edition before anything personal is filled in."""
        return self.assemblers[language](edition)

    def recipient(self, subscriber_id: int, address: str, due: datetime, slots: Mapping[str, object]) -> Recipient:
        """The reader of a row as their mail sees them."""
        topics = slots["topics"]
        return Recipient(
            key=message_key(self.mailing_key, subscriber_id),
            address=address,
            date=due.astimezone(self.zone),
            topics=tuple(topics) if isinstance(topics, list) else (),
            unsubscribe_token=str(slots["unsubscribe_token"]),
            preferences_token=str(slots["preferences_token"]),
            view_token=str(slots["view_token"]),
            name=str(slots["name"]),
            format=str(slots["format"]),
        )

    def message(
        self,
        subscriber_id: int,
        address: str,
        due: datetime,
        language: str,
        edition: Sequence[Sequence[object]],
        slots: Mapping[str, object],
    ) -> Message:
        """The message of a row, as RFC 5322 bytes with its envelope."""
        assembled = self.assembled(language, edition_from_json(edition))
        recipient = self.recipient(subscriber_id, address, due, slots)
        return signed(fill(assembled, recipient), self.signer, recipient.date)


def message_key(mailing_key: str, subscriber_id: int) -> str:
    """What makes a message one of its own; a mailing has one for each reader."""
    return f"{mailing_key}.{subscriber_id}"


def signed(message: Message, signer: Signer | None, at: datetime) -> Message:
    """A message with its DKIM signatures before it, where there is a key to sign with."""
    return message if signer is None else replace(message, data=signer.sign(message.data, at) + message.data)


def edition_from_json(groups: Sequence[Sequence[object]]) -> Edition:
    """The edition that a delivery row keeps."""
    return Edition(
        tuple(Group(str(topic), tuple(stories) if isinstance(stories, list) else ()) for topic, stories in groups)
    )
