"""The sign-up page: what this is, which topics there are, what one would get of them, and the form that asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.archive.lines import StoryLine
from newsletter.archive.reading import Archive, TopicRate
from newsletter.web.archive_view import labels
from newsletter.web.pages import newsletter_of, render, words_for
from newsletter.web.posted import Posted
from newsletter.web.sample import Shown, shown
from newsletter.web.sign_up_form import MOSTS, Mistake, Typed, answer_to, fresh_token, kept_token, send
from newsletter.web.visitor import language_of
from subscribers.preferences import LANGUAGES, MailFormat
from subscribers.topics import Topic

router = APIRouter()

RATES_SECONDS = 60
"""So long a topic's rate and example stand before they are counted anew."""

_DAYS_A_WEEK, _WEEKS_A_MONTH = 7, 52 / 12


@dataclass(frozen=True, slots=True)
class Card:
    """A topic to choose: what it is about, how often its stories come and one of them, in the language `lang`."""

    slug: str
    name: str
    about: str
    often: str
    example: str
    lang: str


@router.api_route("/", methods=["GET", "HEAD"])
def page(request: Request) -> Response:
    """The page, with what the query says ticked."""
    typed = Typed.of(request.query_params.multi_items())
    return _page(request, replace(typed, token=fresh_token(newsletter_of(request))))


@router.api_route("/subscribe", methods=["GET", "HEAD"])
def elsewhere(request: Request) -> Response:
    """Whoever comes here without a form is shown it."""
    return RedirectResponse("/", status_code=303)


@router.post("/subscribe")
def subscribe(request: Request, posted: Posted) -> Response:
    """Ask for a confirmation mail; or, by the button beside the preview, show that anew."""
    newsletter = newsletter_of(request)
    typed = Typed.of(posted.multi_items())
    kept = replace(typed, token=kept_token(newsletter, typed.token))
    if typed.update:
        return _page(request, kept)
    if mistakes := send(request, typed, "page"):
        return _page(request, kept, mistakes)
    return RedirectResponse("/subscribe/sent", status_code=303)


@router.api_route("/subscribe/sent", methods=["GET", "HEAD"])
def sent(request: Request) -> Response:
    """The same for everybody: look into your mailbox."""
    return render(request, "sign_up_sent.html.j2")


def _page(request: Request, typed: Typed, mistakes: tuple[Mistake, ...] = ()) -> Response:
    newsletter, words, language = newsletter_of(request), words_for(request), language_of(request)
    with newsletter.reading() as session:
        topics = newsletter.topics(session).all()
    rates, examples = _counted(newsletter, int(newsletter.clock().timestamp()) // RATES_SECONDS)
    slugs = tuple(topic.slug for topic in topics)
    typed = typed.among(slugs, language)
    found = shown(newsletter, typed, slugs)
    return render(
        request,
        "sign_up.html.j2",
        **answer_to(mistakes),
        about=_about(newsletter, language) or words["sign_up_about"],
        cards=[_card(topic, rates.get(topic.slug), examples.get(topic.slug), language, words) for topic in topics],
        typed=typed,
        token=typed.token,
        mistakes=mistakes,
        mosts=MOSTS,
        languages=LANGUAGES,
        formats=list(MailFormat),
        consent=words["sign_up_consent"].format(newsletter=newsletter.name),
        latest=bool(rates),
        shown=found,
        caption=_caption(newsletter, found, language, words),
    )


@lru_cache(maxsize=8)
def _counted(newsletter: Newsletter, _minute: int) -> tuple[Mapping[str, TopicRate], Mapping[str, StoryLine]]:
    """The rates of all topics and a story of each, found once in a minute.

    The story is the first in the newest issue that has this topic before others, so that no two topics show the same;
    else the newest that has it at all.
    """
    archive = Archive(newsletter)
    rates, latest = archive.rates(), archive.latest()
    lines = reversed(latest.lines) if latest else ()
    first = {line.topics[0]: line for line in lines if line.topics}
    return rates, {slug: rate.newest for slug, rate in rates.items()} | first


def _about(newsletter: Newsletter, language: str) -> str:
    return newsletter.settings.about_en if language == "en" else newsletter.settings.about


def _card(
    topic: Topic, rate: TopicRate | None, example: StoryLine | None, language: str, words: Mapping[str, str]
) -> Card:
    return Card(
        slug=topic.slug,
        name=topic.name(language),
        about=topic.about(language),
        often=often(rate.per_week, words) if rate else "",
        example=example.title if example else "",
        lang=example.lang if example else "",
    )


def often(per_week: float, words: Mapping[str, str]) -> str:
    """How often stories come, in words: by the day, the week or the month, whichever has at least one in it."""
    if per_week >= _DAYS_A_WEEK:
        unit, number = "day", per_week / _DAYS_A_WEEK
    elif per_week >= 1:
        unit, number = "week", per_week
    else:
        unit, number = "month", max(per_week * _WEEKS_A_MONTH, 1)
    rounded = round(number)
    return words[f"sign_up_per_{unit}{'_one' if rounded == 1 else ''}"].format(n=rounded)


def _caption(newsletter: Newsletter, found: Shown | None, language: str, words: Mapping[str, str]) -> str:
    if found is None:
        return words["sign_up_caption_none"]
    today = newsletter.today()
    word = "sign_up_caption" + ("_all" if found.everything else "") + ("_today" if found.date == today else "")
    return words[word].format(n=found.stories, date=labels(language).short_date(found.date, today))
