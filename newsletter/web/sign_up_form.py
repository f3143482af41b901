"""What somebody typed into a sign-up form, wherever it stands: read, judged, and turned into a request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request

from newsletter.app import Newsletter
from newsletter.readers.limits import TooMany
from newsletter.readers.sign_up import Asked, ask
from newsletter.web.pages import newsletter_of, topics_of, words_for
from newsletter.web.rhythm_form import When
from newsletter.web.visitor import client_of, language_of
from subscribers.addresses import AddressRefused, parse_address
from subscribers.preferences import LANGUAGES, MailFormat, Preferences, PreferencesRefused
from subscribers.tokens import Purpose

MOSTS = (3, 5, 10, 20)
"""What is offered as the most stories per mail, beside all."""

LEAST_AGE = timedelta(seconds=2)
"""Nobody reads the form, types an address and sends it in less; programs do."""
GREATEST_AGE = timedelta(days=1)
"""A form that was saved and is sent again and again stops working."""

RETRY_SECONDS = "3600"
"""Limits count what was asked for within an hour."""

TRAP = "website"
"""A field that people do not see: whoever fills it is a program."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of a form, or of a query, as far as they make sense.

    `most` is None for all stories; `language` is that of the mails, empty when nobody said; `token` tells when the form
    was shown; `robot` that somebody filled the field that nobody sees; `update` that only the preview was asked for;
    `when` is how often and when mail is to come.
    """

    address: str = ""
    topics: tuple[str, ...] = ()
    most: int | None = None
    language: str = ""
    format: MailFormat = MailFormat.HTML
    token: str = ""
    robot: bool = False
    update: bool = False
    when: When = field(default_factory=When)

    @classmethod
    def of(cls, fields: Sequence[tuple[str, str]]) -> "Typed":
        """Read names and values; what makes no sense counts as not said. Topics may also be parted by commas."""
        said = dict(reversed(fields))  # the first of a name counts
        topics = [slug for name, value in fields if name == "topics" for slug in value.split(",") if slug]
        most, language, wish = said.get("most", ""), said.get("mails", ""), said.get("format", "")
        return cls(
            address=said.get("address", ""),
            topics=tuple(dict.fromkeys(topics)),
            most=next((number for number in MOSTS if str(number) == most), None),
            language=language if language in LANGUAGES else "",
            format=MailFormat(wish) if wish in list(MailFormat) else MailFormat.HTML,
            token=said.get("form", ""),
            robot=bool(said.get(TRAP, "")),
            update="update" in said,
            when=When.of(fields),
        )

    def among(self, known: Iterable[str], language: str) -> "Typed":
        """The same with known topics alone, in their order, and a language for the mails."""
        topics = tuple(slug for slug in known if slug in self.topics)
        return replace(self, topics=topics, language=self.language or language)

    def preferences(self, home: str) -> Preferences:
        """What was chosen, as preferences, not checked yet; who names an hour and no zone means that of `home`."""
        chosen = Preferences(topics=self.topics, language=self.language, most=self.most, format=self.format)
        return self.when.applied(chosen, home)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong: the field (`address`, `topics`, `hour`, `zone`, `form`), the key of its words, and the status.

    Where `mends_itself`, there is nothing wrong with what was typed, and sending it once more is enough.
    """

    field: str
    word: str
    status: int = 422
    mends_itself: bool = False


def answer_to(mistakes: Sequence[Mistake]) -> dict[str, Any]:
    """Status and headers of a page that shows these mistakes."""
    status = max((mistake.status for mistake in mistakes), default=200)
    return {"status": status, "headers": {"retry-after": RETRY_SECONDS} if status == 429 else {}}


def fresh_token(newsletter: Newsletter) -> str:
    """Tells a form when it was shown."""
    return newsletter.tokens.make(Purpose.FORM, str(int(newsletter.clock().timestamp())))


def kept_token(newsletter: Newsletter, token: str) -> str:
    """A form's token for showing it again: its own while that is good, so that nobody has to wait anew."""
    age = _age(newsletter, token)
    return token if age is not None and age < GREATEST_AGE else fresh_token(newsletter)


def send(request: Request, typed: Typed, source: str) -> tuple[Mistake, ...]:
    """Ask for a confirmation mail; the mistakes, or nothing when the answer is that a letter is on its way.

    A robot gets that answer too.
    """
    newsletter, words = newsletter_of(request), words_for(request)
    if typed.robot:
        return ()
    typed = typed.among(topics_of(request).by_slug, language_of(request))
    if mistakes := _mistakes(typed) or _untimely(newsletter, typed.token):
        return mistakes
    asked = Asked(
        address=typed.address,
        preferences=typed.preferences(newsletter.settings.zone),
        source=source,
        wording=words["sign_up_consent"].format(newsletter=newsletter.name),
        origin=client_of(request, newsletter.settings.trusted_proxies),
    )
    try:
        ask(newsletter, asked)
    except AddressRefused:
        return (Mistake("address", "sign_up_address_wrong"),)
    except PreferencesRefused:
        return (Mistake("topics", "sign_up_topics_none"),)
    except TooMany:
        return (Mistake("form", "sign_up_too_many", 429),)
    return ()


def _mistakes(typed: Typed) -> tuple[Mistake, ...]:
    """All that its owner can mend, at once."""
    found = [] if typed.topics else [Mistake("topics", "sign_up_topics_none")]
    try:
        parse_address(typed.address)
    except AddressRefused:
        word = "sign_up_address_wrong" if typed.address.strip() else "sign_up_address_none"
        found.append(Mistake("address", word))
    return (*found, *(Mistake(name, word) for name, word in typed.when.mistakes().items()))


def untimely(newsletter: Newsletter, token: str) -> str:
    """The key of the words for a form sent sooner than a person fills it, or later than anybody; empty in between."""
    age = _age(newsletter, token)
    if age is not None and timedelta() <= age < LEAST_AGE:
        return "form_too_soon"
    return "" if age is not None and LEAST_AGE <= age < GREATEST_AGE else "form_too_late"


def _untimely(newsletter: Newsletter, token: str) -> tuple[Mistake, ...]:
    word = untimely(newsletter, token)
    return (Mistake("form", word, mends_itself=True),) if word else ()


def _age(newsletter: Newsletter, token: str) -> timedelta | None:
    """How long ago a form was shown, or None for a token that we never made."""
    subject = newsletter.tokens.read(Purpose.FORM, token)
    if subject is None:
        return None
    now = newsletter.clock()
    return now - datetime.fromtimestamp(int(subject), now.tzinfo)
