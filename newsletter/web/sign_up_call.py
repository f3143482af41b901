"""The call that programs and other sites' own forms sign somebody up by: JSON in, JSON out."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from newsletter.app import Newsletter
from newsletter.readers.limits import TooMany
from newsletter.readers.sign_up import Asked, ask
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.posted import Body, body_of
from newsletter.web.security import CORS
from newsletter.web.sign_up_form import RETRY_SECONDS
from newsletter.web.visitor import client_of
from subscribers.addresses import AddressRefused
from subscribers.characters import unwritable
from subscribers.preferences import (
    DAYS,
    LANGUAGES,
    Frequency,
    MailFormat,
    Preferences,
    PreferencesRefused,
    check_preferences,
    is_zone,
    of_topics,
)

router = APIRouter()

_BODY_BYTES = 10_000
"""Every field at its longest comes to less than half of it."""

_PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "86400",
}


def _writable(text: str) -> str:
    if unwritable(text.replace("\n", " ")):
        raise ValueError("it has a control character in it")
    return text


def _keywords(keywords: list[str]) -> list[str]:
    check_preferences(Preferences(topics=(), follow=tuple(keywords)))
    return keywords


def _zone(name: str) -> str:
    if not is_zone(name):
        raise ValueError("it must be the name of a time zone, such as Asia/Shanghai")
    return name


_Often = Annotated[str, Field(pattern=f"^({'|'.join(Frequency)})$")]
_Keywords = Annotated[list[str], Field(max_length=50), AfterValidator(_keywords)]


class Wish(BaseModel):
    """The body: `language` is that of the mails, `most` the greatest number of stories in one.

    `wording` is the text that somebody agreed to where they signed up; it goes into the consent record, and where it
    is missing our own page's does.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    address: Annotated[str, Field(max_length=1000)]
    topics: Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=100)]
    language: Annotated[str, Field(pattern=f"^({'|'.join(LANGUAGES)})$")] = LANGUAGES[0]
    most: Annotated[int | None, Field(ge=1, le=1000)] = None
    follow: _Keywords = []
    mute: _Keywords = []
    format: Annotated[str, Field(pattern=f"^({'|'.join(MailFormat)})$")] = MailFormat.HTML
    frequency: _Often = Frequency.DAILY
    frequencies: Annotated[dict[Annotated[str, Field(max_length=40)], _Often], Field(max_length=100)] = {}
    day: Annotated[str | None, Field(pattern=f"^({'|'.join(DAYS)})$")] = None
    hour: Annotated[int | None, Field(ge=0, le=23)] = None
    zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] | None = None
    wording: Annotated[str, Field(max_length=1000), AfterValidator(_writable)] = ""

    def preferences(self, home: str) -> Preferences:
        """The preferences in it; whether there are such topics is not known yet. An hour alone is one of `home`."""
        own = {topic: Frequency(word) for topic, word in self.frequencies.items()}
        return Preferences(
            topics=tuple(self.topics),
            language=self.language,
            most=self.most,
            follow=tuple(self.follow),
            mute=tuple(self.mute),
            format=MailFormat(self.format),
            frequency=Frequency(self.frequency),
            # those of topics that are not chosen stay, so that they are refused
            frequencies=of_topics(own.items(), tuple(dict.fromkeys((*self.topics, *own)))),
            day=None if self.day is None else DAYS.index(self.day),
            hour=self.hour,
            zone=self.zone if self.hour is None else self.zone or home,
        )


_TAKES = {
    "address": "an e-mail address, a text of at most 1,000 characters",
    "topics": "a list of 1 to 100 topics, each by its short name",
    "language": f"one of {', '.join(LANGUAGES)}",
    "most": "a whole number from 1 to 1000, or null for all stories",
    "follow": "a list of at most 50 keywords",
    "mute": "a list of at most 50 keywords",
    "format": f"one of {', '.join(MailFormat)}",
    "frequency": f"one of {', '.join(Frequency)}",
    "frequencies": f"an object of topics, each with one of {', '.join(Frequency)}",
    "day": f"one of {', '.join(DAYS)}, or null for the newsletter's day",
    "hour": "a whole number from 0 to 23, or null for as soon as an issue is out",
    "zone": "the name of a time zone such as Asia/Shanghai, or null for the newsletter's",
    "wording": "a text of at most 1,000 characters",
}
"""What each field takes, in words."""


@router.options("/api/subscribe")
def preflight() -> Response:
    """Any site may call; nobody's cookie is wanted."""
    return Response(status_code=204, headers={**CORS, **_PREFLIGHT})


@router.post("/api/subscribe")
def subscribe(request: Request, body: Annotated[Body, Depends(body_of(_BODY_BYTES))]) -> Response:
    """Ask for a confirmation mail: 202, the same for every address; 422 names the field that is wrong."""
    if not body.whole:
        return _refusal(413, "", f"the body is longer than {_BODY_BYTES:,} bytes")
    try:
        wish = Wish.model_validate(json.loads(body.data))
    except ValidationError as error:
        return _refusal(422, *_explained(error))
    except (ValueError, RecursionError):
        return _refusal(400, "", "the body is no JSON")
    return _ask(newsletter_of(request), request, wish)


def _ask(newsletter: Newsletter, request: Request, wish: Wish) -> Response:
    origin = client_of(request, newsletter.settings.trusted_proxies)
    consent = words_for(request, wish.language)["sign_up_consent"].format(newsletter=newsletter.name)
    try:
        preferences = wish.preferences(newsletter.settings.zone)
        ask(newsletter, Asked(wish.address, preferences, "api", wish.wording.strip() or consent, origin))
    except AddressRefused as refusal:
        return _refusal(422, "address", refusal.reason)
    except PreferencesRefused as refusal:
        return _refusal(422, refusal.code if refusal.code in _TAKES else "topics", str(refusal))
    except TooMany:
        return _refusal(
            429,
            "",
            "too many sign-ups within this hour, from your network or altogether; try again in an hour",
            {"retry-after": RETRY_SECONDS},
        )
    return _answer(202, {"status": "a confirmation mail is on its way if this address can have one"})


def _explained(error: ValidationError) -> tuple[str, str]:
    """The field of the first mistake, with the places in a list (`topics.0`), and what it takes."""
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    if not first["loc"]:
        return "", f"the body is no JSON object; its fields are {', '.join(_TAKES)}"
    if first["type"] == "extra_forbidden":
        return field, f"there is no such field; there are {', '.join(_TAKES)}"
    if first["type"] == "missing":
        return field, f"it is missing: {_TAKES[field]}"
    if first["type"] == "value_error":  # a rule of ours, which says itself what is wrong
        return field, str(first["ctx"]["error"])
    return field, f"it must be {_TAKES[str(first['loc'][0])]}"


def _refusal(status: int, field: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return _answer(status, {"error": {"field": field, "message": message}}, headers or {})


def _answer(status: int, values: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    body = json.dumps(values)  # in ASCII: half a surrogate pair in a name of a field has no UTF-8
    return Response(body, status, {**CORS, **(headers or {})}, "application/json")
