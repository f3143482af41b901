"""What a refusing reply means for its reader: a table of known replies, read from top to bottom.

A reply of five hundred and more is far from always the reader's fault: the big receivers refuse for their rate limits,
for spam and for our set-up with the very codes that RFC 5321 §4.2.3 gives to an unknown mailbox. So the texts come
first, then the enhanced codes (RFC 3463), and what nobody knows stays unclassified. `docs/reference/replies.md` shows
the table to people.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from newsletter.delivery.outcome import Stage


class Class(StrEnum):
    """What a refusal says.

    `HARD`: there is no such reader. `SOFT`: not now (full, too fast, greylisted). `BLOCK`: not from us or not this
    message (policy, spam, authentication, set-up); it never counts against the reader, and the operator has to know.
    `UNCLASSIFIED`: nobody can say.
    """

    HARD = "hard"
    SOFT = "soft"
    BLOCK = "block"
    UNCLASSIFIED = "unclassified"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of reply; it applies when each condition that is given is met.

    `codes` are reply codes. `statuses` are enhanced codes, or their first two numbers for the whole group. `texts` are
    phrases as `words` leaves them, of which the last word may go on: `greylist` knows "Greylisted" too. `passes` is
    true where a second try makes sense though the class is not `SOFT`, `after_message` where the receiver is known to
    say it only after the final dot.
    """

    meaning: Class
    source: str
    texts: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()
    statuses: tuple[str, ...] = ()
    passes: bool = False
    after_message: bool = False

    @property
    def is_retried(self) -> bool:
        """Whether a permanent refusal of this kind is tried again all the same."""
        return self.passes or self.meaning is Class.SOFT

    def fits(self, code: int, status: str, text: str) -> bool:
        """Whether a reply is of this kind; `text` as `words` leaves it, `status` empty when there was none."""
        return (
            (not self.codes or code in self.codes)
            and (not self.statuses or status in self.statuses or status.rpartition(".")[0] in self.statuses)
            and (not self.texts or any(f" {phrase}" in text for phrase in self.texts))
        )


# Ruff would give each phrase a line of its own, which makes the table unreadable.
# fmt: off
RULES = (
    Rule(Class.SOFT, "QQ Mail: rate", ("frequency limited",)),
    Rule(Class.SOFT, "QQ Mail: the reader gets too much at once", ("mailbox unavailable or access denied",)),
    Rule(Class.SOFT, "NetEase: rate", (
        "hl icc", "hl ifc", "mi sfq", "mi stc", "mi dmc", "mi cel", "mi ccl", "rp drc", "rp cel", "rp ccl",
    )),
    Rule(Class.BLOCK, "NetEase: reputation and content, passing", (
        "dt spm", "dt rbl", "hl rep", "hl mep", "hl ihu", "wm bli", "wm blu",
    ), passes=True),
    Rule(Class.BLOCK, "NetEase: reputation and content", ("dt sum", "hl ipb", "mi spb")),
    Rule(Class.BLOCK, "Yahoo: deferred for good", ("permanently deferred",)),
    Rule(Class.SOFT, "Yahoo: volume and complaints", ("tss0", "vs99 ip1 deferred")),
    Rule(Class.SOFT, "greylisting (RFC 6647)", ("greylist", "graylist", "grey list", "gray list")),
    Rule(Class.BLOCK, "out of step; the server is paused", codes=(503,), passes=True),
    Rule(Class.BLOCK, "our commands or our login", codes=(500, 502, 504, 523, 530, 534, 535, 538, 555)),
    Rule(Class.BLOCK, "spam and viruses", (
        "spam", "antispam", "unsolicited", "junk", "phish", "virus", "malware", "malicious", "reputation",
        "message content", "mail content", "content denied", "content reject",
    )),
    Rule(Class.BLOCK, "block lists", (
        "blacklist", "black list", "blocklist", "block list", "denylist", "deny list", "rbl", "dnsbl", "blocked",
        "banned",
    )),
    Rule(Class.BLOCK, "authentication and policy", (
        "spf", "dkim", "dmarc", "authenticat", "unauthenticat", "authoriz", "authoris", "unauthoriz", "unauthoris",
        "policy", "policies", "starttls", "tls required", "encryption required",
    )),
    Rule(Class.BLOCK, "relaying: our set-up", (
        "relay access denied", "relay denied", "relaying denied", "relaying to", "relaying is not", "relaying not",
        "relaying prohibited", "relay not permitted", "relay is not permitted", "unable to relay", "cannot relay",
        "not permitted to relay", "not allowed to relay", "denies relay", "open relay",
    )),
    Rule(Class.BLOCK, "our address, name or host", (
        "sender", "mail from", "envelope from", "from address", "from header", "return path", "helo", "ehlo",
        "client host", "your ip", "your host", "your server", "your domain", "reverse dns", "ptr record",
        "dns check", "domain may not exist",
    )),
    Rule(Class.BLOCK, "size of the message", (
        "message size", "mailsize limit", "size limit", "maximum size", "too large", "too big", "message is too long",
    )),
    Rule(Class.SOFT, "mailbox or disk full", (
        "quota", "overquota", "mailbox full", "mailbox is full", "inbox full", "inbox is full", "disk full",
        "out of storage", "storage allocation", "insufficient system", "insufficient storage", "insufficient disk",
        "not enough space", "no space left",
    )),
    Rule(Class.SOFT, "rate", (
        "rate limit", "ratelimit", "throttl", "too quickly", "too fast", "at a rate that prevents", "sending limit",
        "too many messages", "too many mails", "too many emails", "too many connections", "too many concurrent",
        "too many recipients", "too many sessions", "daily smtp relay limit",
    )),
    Rule(Class.SOFT, "said to pass", (
        "temporar", "try again later", "try later", "retry later", "come back later", "host not found try again",
        "unverified address",
    )),
    Rule(Class.UNCLASSIFIED, "iCloud: switched off by its owner, perhaps for a while", ("inactive email address",)),
    Rule(Class.HARD, "Yandex", ("no such user",), statuses=("5.7.1",)),
    Rule(Class.BLOCK, "RFC 3463: the sender's address, size, content, policy", statuses=(
        "5.1.7", "5.1.8", "5.2.3", "5.3.4", "5.6", "5.7",
    )),
    Rule(Class.SOFT, "RFC 3463: full, overloaded, too many", statuses=("5.2.2", "5.3.1", "5.3.2", "5.4.5", "5.5.3")),
    Rule(Class.HARD, "Yahoo: unknown or closed, said after the final dot", (
        "delivery error dd this user doesnt have a", "delivery error dd not a valid recipient",
        "requested mail action aborted mailbox not found", "this mailbox is disabled 554 30",
    ), after_message=True),
    Rule(Class.SOFT, "RFC 5321: exceeded storage", codes=(552,)),
    Rule(Class.HARD, "RFC 3463: no such mailbox or host, moved away; RFC 7505: takes no mail", statuses=(
        "5.1.1", "5.1.2", "5.1.6", "5.1.10",
    )),
    Rule(Class.HARD, "RFC 7504 and 7505: the domain takes no mail", (
        "does not accept mail", "does not accept email", "nullmx", "null mx",
    ), codes=(556,)),
    Rule(Class.HARD, "Outlook.com", ("requested action not taken mailbox unavailable",), statuses=("5.5.0",)),
    Rule(Class.HARD, "Gmail", (
        "account that you tried to reach does not exist", "you tried to reach is disabled",
        "you tried to reach is inactive",
    )),
    Rule(Class.HARD, "Exchange", ("recipnotfound", "exrecipnotfound", "recipientnotfound")),
    Rule(Class.HARD, "QQ Mail, NetEase, Alibaba, Sina", (
        "mailbox not found", "user not found", "invalid user", "rcpt dosnt exist", "rcpt doesnt exist",
    )),
    Rule(Class.HARD, "Postfix, Exim, Sendmail, qmail: no such user", (
        "user unknown", "unknown user", "no such user", "user not known", "user does not exist", "user doesnt exist",
        "user not exist", "no such mailbox", "no such recipient", "no such address", "unrouteable address",
        "unroutable address", "no mailbox here by that name", "mailbox does not exist", "mailbox doesnt exist",
        "mailbox unknown", "unknown mailbox", "unknown recipient", "recipient unknown", "recipient not found",
        "recipient does not exist", "address does not exist", "account does not exist",
    )),
    Rule(Class.HARD, "no such domain", (
        "recipient address rejected domain not found", "recipient domain not found",
        "recipient domain does not exist", "no such domain", "nonexistentdomain",
    )),
    Rule(Class.HARD, "closed for good", (
        "mailbox disabled", "mailbox is disabled", "account disabled", "account is disabled",
        "account has been disabled", "account has been closed", "account closed", "account is closed",
        "account has been deleted", "user disabled", "user is disabled",
    )),
)
# fmt: on

_CERTAIN = frozenset({"5.1.1", "5.1.2", "5.1.6", "5.1.10", "5.2.1"})
"""With one of these a hard refusal is believed even after the message: without, it may be about the content."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_NO_WORD = re.compile(r"[\W_]+")
_MARKS = "#()[]<>:;,.-"


def classify(code: int, text: str, stage: Stage) -> Class:
    """The class of a refusal from its reply `code`, its `text` (enhanced code included) and the command it answered.

    Strict on purpose, for a false `HARD` suppresses a real reader: a doubt makes it `UNCLASSIFIED`. A code that is no
    refusal (below 400, above 599) is `UNCLASSIFIED` too.
    """
    return _judge(code, text, stage)[0]


def is_worth_retrying(code: int, text: str, stage: Stage) -> bool:
    """Whether the same message may be taken later (RFC 5321 §4.2.1).

    So it is after every 4xx, and after a 5xx of which the receiver is known to mean "not now".
    """
    return _judge(code, text, stage)[1]


def words(text: str) -> str:
    """A text as the table's phrases are written: lower case, no apostrophes, a single space for all that is no word."""
    return _NO_WORD.sub(" ", text.lower().replace("'", "").replace("’", "")).strip()


def _judge(code: int, text: str, stage: Stage) -> tuple[Class, bool]:
    """The class of a reply, and whether it is worth another try."""
    if not 400 <= code <= 599:
        return Class.UNCLASSIFIED, False
    status, said = _read(text)
    rule = next((rule for rule in RULES if rule.fits(code, status, said)), None)
    if code < 500:
        return (Class.BLOCK if rule and rule.meaning is Class.BLOCK else Class.SOFT), True
    if rule is None:
        # What the server says to anything but RCPT is not about the reader: RFC 5321 §3.3 names the reader only there.
        return (Class.UNCLASSIFIED if stage is Stage.RCPT else Class.BLOCK), False
    if rule.meaning is Class.HARD and not _names_reader(rule, status, stage):
        return Class.UNCLASSIFIED, False
    return rule.meaning, rule.is_retried


def _names_reader(rule: Rule, status: str, stage: Stage) -> bool:
    """Whether a hard refusal can be meant for the reader, who is the only one of the transaction."""
    after_rcpt = stage in (Stage.DATA, Stage.DOT)
    return stage is Stage.RCPT or (after_rcpt and (rule.after_message or status in _CERTAIN))


def _read(text: str) -> tuple[str, str]:
    """The enhanced code of a reply (empty if it has none), and the words around it.

    Addresses and links are dropped: `<spam.lover@example.org>` says nothing about spam. The enhanced code stands at the
    beginning of every line (RFC 2034 §4), or as `(#5.1.1)` anywhere in qmail's replies.
    """
    status = ""
    kept: list[str] = []
    for token in text.replace(">", "> ").split():
        if "@" in token or "://" in token:
            continue
        plain = token.strip(_MARKS)
        if (not kept or "#" in token) and _STATUS.fullmatch(plain):
            status = status or plain
        elif plain and plain != status:
            kept.append(token)
    return status, f" {words(' '.join(kept))} "
