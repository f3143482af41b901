"""The sign-up page: what this is, which topics there are, what one would get of them, and the form that asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.archive.reading import TopicRate
from newsletter.web.archive_view import labels
from newsletter.web.pages import archive_of, back_to, newsletter_of, render, sampler_of, topics_of, words_for
from newsletter.web.posted import Posted
from newsletter.web.rhythm_view import clock_for, digest_words
from newsletter.web.sample import Shown, shown
from newsletter.web.sign_up_form import MOSTS, Mistake, Typed, answer_to, fresh_token, kept_token, send
from newsletter.web.visitor import language_of
from subscribers.preferences import LANGUAGES, MailFormat
from subscribers.topics import Topic

router = APIRouter()

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
    return back_to(request, "")


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
    topics, rates = topics_of(request), archive_of(request).rates()
    typed = typed.among(topics.by_slug, language)
    found = shown(sampler_of(request), typed, topics)
    return render(
        request,
        "sign_up.html.j2",
        **answer_to(mistakes),
        about=_about(newsletter, language) or words["sign_up_about"],
        cards=[_card(topic, rates.get(topic.slug), language, words) for topic in topics.topics],
        typed=typed,
        token=typed.token,
        mistakes=mistakes,
        mosts=MOSTS,
        languages=LANGUAGES,
        formats=list(MailFormat),
        clock=clock_for(request, typed.when),
        consent=words["sign_up_consent"].format(newsletter=newsletter.name),
        latest=bool(rates),
        shown=found,
        caption=_caption(request, found),
    )


def _about(newsletter: Newsletter, language: str) -> str:
    return newsletter.settings.about_en if language == "en" else newsletter.settings.about


def _card(topic: Topic, rate: TopicRate | None, language: str, words: Mapping[str, str]) -> Card:
    return Card(
        slug=topic.slug,
        name=topic.name(language),
        about=topic.about(language),
        often=often(rate.per_week, words) if rate else "",
        example=rate.example.title if rate else "",
        lang=rate.example.lang if rate else "",
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


def _caption(request: Request, found: Shown | None) -> str:
    words, language = words_for(request), language_of(request)
    if found is None:
        return words["sign_up_caption_none"]
    today = newsletter_of(request).today()
    dated, of_digest = labels(language).short_date(found.date, today), digest_words(request, found.preferences)
    stories = words["stories_one" if found.stories == 1 else "stories_n"].format(n=found.stories)
    if found.is_digest:
        return words["sign_up_caption_digest"].format(stories=stories, date=dated, **of_digest)
    word = "sign_up_caption" + ("_all" if found.everything else "") + ("_today" if found.date == today else "")
    rest = words["sign_up_caption_weekly"].format(**of_digest) if of_digest["topics"] else ""
    return words[word].format(stories=stories, date=dated) + rest
