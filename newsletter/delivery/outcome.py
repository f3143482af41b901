"""What can become of one hand-over, as values."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a delivery stands. At every instant each candidate of a mailing is in exactly one of these."""

    QUEUED = "queued"
    IN_HAND = "in hand"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXCLUDED = "excluded"


class Reason(StrEnum):
    """Why a candidate is written to no more, or was not from the start."""

    NO_MATCH = "no match"
    PAUSED = "paused"
    WEEKLY = "weekly"
    NOT_IMPORTANT = "nothing important"
    TOO_LATE = "too late"
    SUPPRESSED = "suppressed"
    ALREADY_HAD = "already had"
    UNSUBSCRIBED = "unsubscribed"
    BAD_ADDRESS = "impossible address"
    NOT_MADE = "message could not be made"
    REFUSED = "refused"
    GAVE_UP = "gave up"
    LINE_BROKE = "line broke after the message"
    STOPPED = "stopped in hand"
    CANCELLED = "cancelled"
    SETTLED = "settled by hand"


class Stage(StrEnum):
    """How far a message came (RFC 5321 §3.3): `WRITE` when it was not even made; from `DOT` the server may have it."""

    WRITE = "write"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot sent"
    DONE = "done"


class Verdict(StrEnum):
    """What an attempt means for its reader; `FAULT` is ours: the message could not be made."""

    ACCEPTED = "accepted"
    LATER = "later"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One hand-over: how far it came, the server's reply code (0 when there was none) and text."""

    verdict: Verdict
    stage: Stage
    code: int = 0
    reply: str = ""

    @property
    def blames_server(self) -> bool:
        """Whether this says something about the server and nothing about the reader.

        Only replies to RCPT and later are charged to a reader, never a line that broke before the final dot, and never
        421 (closing) or 503 (out of step).
        """
        broke = self.verdict is Verdict.LATER and self.code == 0
        return self.stage is Stage.MAIL or self.code in (421, 503) or broke
