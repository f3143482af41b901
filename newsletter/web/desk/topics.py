"""Topics: what readers may choose, the headings that mean each, and how much of each there is."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.readers import topic_changes
from newsletter.readers.topic_changes import Names
from newsletter.staff.rights import Actor, Right
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import archive_of, newsletter_of, topics_of, words_for
from newsletter.web.posted import Posted
from subscribers import growth
from subscribers.topic_store import ABOUT_CHARACTERS, NAME_CHARACTERS, TopicRefused
from subscribers.topics import Topic, heading_key

router = APIRouter(prefix="/desk/topics", dependencies=[needs(Right.LOOK)])

_DONE = ("added", "saved", "alias", "dropped", "removed")
_NONE: Mapping[str, str] = MappingProxyType({})


@router.api_route("", methods=["GET", "HEAD"])
def show(request: Request, done: str = "") -> Response:
    """All topics in the order in which readers are offered them, and recent headings that mean none.

    `heading` is one of those, to be given a topic now: it stands first.
    """
    newsletter = newsletter_of(request)
    wanted = heading_key(request.query_params.get("heading", ""))
    loose = topic_changes.loose_headings(newsletter)
    with newsletter.reading() as session:
        readers = growth.readers_by_topic(session)
    return desk_page(
        request,
        "topics.html.j2",
        place="topics",
        topics=topics_of(request).topics,
        readers=readers,
        rates=archive_of(request).rates(),
        loose=sorted(loose, key=lambda one: heading_key(one.heading) != wanted),
        wanted=wanted if any(heading_key(one.heading) == wanted for one in loose) else "",
        done=done if done in _DONE else "",
    )


@router.post("", dependencies=[needs(Right.MANAGE)])
def give(request: Request, posted: Posted) -> Response:
    """Let a heading that meant nothing mean a topic."""
    topic = _topic(request, posted.get("topic", ""))
    try:
        topic_changes.add_alias(newsletter_of(request), actor_of(request), topic.slug, posted.get("heading", ""))
    except TopicRefused as error:
        return _refused(request, topic, "alias", posted, error)
    return RedirectResponse("/desk/topics?done=alias", 303)


@router.api_route("/add", methods=["GET", "HEAD"], dependencies=[needs(Right.MANAGE)])
def ask(request: Request) -> Response:
    """The form for a new topic; `heading` fills in its Chinese name."""
    heading = request.query_params.get("heading", "")[:NAME_CHARACTERS]
    return _adding(request, "", Names(heading, "", "", ""))


@router.post("/add", dependencies=[needs(Right.MANAGE)])
def add(request: Request, posted: Posted) -> Response:
    """Add a topic at the end."""
    slug, names = posted.get("slug", "").strip(), _names(posted)
    try:
        topic_changes.add(newsletter_of(request), actor_of(request), slug, names)
    except TopicRefused as error:
        return _adding(request, slug, names, _mistakes(request, slug, names, error, new=True))
    return RedirectResponse(f"/desk/topics/{slug}?done=added", 303)


@router.api_route("/{slug}", methods=["GET", "HEAD"])
def one(request: Request, slug: str, done: str = "") -> Response:
    """A topic: its names, the headings that mean it, and what holds it."""
    return _one(request, _topic(request, slug), done=done if done in _DONE else "")


@router.post("/{slug}", dependencies=[needs(Right.MANAGE)])
def act(request: Request, slug: str, posted: Posted) -> Response:
    """Do what the pressed button says (`deed`), or else keep the names."""
    topic = _topic(request, slug)
    deed = posted.get("deed", "save")
    try:
        done = _DEEDS.get(deed, _save)(newsletter_of(request), actor_of(request), slug, posted)
    except TopicRefused as error:
        return _refused(request, topic, deed, posted, error)
    if deed in ("up", "down", "remove"):
        return RedirectResponse(f"/desk/topics?done={done}" + f"#{quote(slug)}", 303)
    return RedirectResponse(f"/desk/topics/{slug}?done={done}", 303)


def _refused(request: Request, topic: Topic, deed: str, posted: QueryParams, error: TopicRefused) -> Response:
    """The page again, with what is wrong where it is wrong."""
    if deed in ("alias", "drop"):
        heading = posted.get("heading", "")
        return _one(request, topic, typed=heading, mistakes={"heading": _heading_wrong(request, topic.slug, heading)})
    if deed == "remove":
        return _one(request, topic, mistakes={"remove": words_for(request)["topicdesk_held"]})
    names = _names(posted)
    return _one(request, topic, names=names, mistakes=_mistakes(request, topic.slug, names, error))


def _save(newsletter: Newsletter, actor: Actor, slug: str, posted: QueryParams) -> str:
    topic_changes.change(newsletter, actor, slug, _names(posted))
    return "saved"


def _alias(newsletter: Newsletter, actor: Actor, slug: str, posted: QueryParams) -> str:
    topic_changes.add_alias(newsletter, actor, slug, posted.get("heading", ""))
    return "alias"


def _drop(newsletter: Newsletter, actor: Actor, slug: str, posted: QueryParams) -> str:
    topic_changes.drop_alias(newsletter, actor, slug, posted.get("heading", ""))
    return "dropped"


def _up(newsletter: Newsletter, actor: Actor, slug: str, _posted: QueryParams) -> str:
    topic_changes.move(newsletter, actor, slug, -1)
    return "moved"


def _down(newsletter: Newsletter, actor: Actor, slug: str, _posted: QueryParams) -> str:
    topic_changes.move(newsletter, actor, slug, 1)
    return "moved"


def _remove(newsletter: Newsletter, actor: Actor, slug: str, _posted: QueryParams) -> str:
    topic_changes.remove(newsletter, actor, slug)
    return "removed"


_DEEDS: Mapping[str, Callable[[Newsletter, Actor, str, QueryParams], str]] = {
    "alias": _alias,
    "drop": _drop,
    "up": _up,
    "down": _down,
    "remove": _remove,
}


def _names(posted: QueryParams) -> Names:
    return Names(*(posted.get(field, "").strip() for field in ("zh", "en", "about_zh", "about_en")))


def _mistakes(request: Request, slug: str, names: Names, error: TopicRefused, *, new: bool = False) -> dict[str, str]:
    """What is wrong, by field, in the page's words; where none of them fits, what the store said."""
    words, catalogue = words_for(request), topics_of(request)
    found = {}
    if new and catalogue.get(slug):
        found["slug"] = words["topicdesk_wrong_taken"].format(topic=slug)
    for field in ("zh", "en"):
        owner = catalogue.resolve(getattr(names, field))
        if owner not in (None, slug):
            found[field] = words["topicdesk_wrong_meant"].format(topic=owner)
        elif not getattr(names, field) or len(getattr(names, field)) > NAME_CHARACTERS:
            found[field] = words["topicdesk_wrong_name"].format(n=NAME_CHARACTERS)
    for field in ("about_zh", "about_en"):
        if len(getattr(names, field)) > ABOUT_CHARACTERS:
            found[field] = words["topicdesk_wrong_about"].format(n=ABOUT_CHARACTERS)
    return found or {"slug" if new else "zh": words["topicdesk_wrong_slug"] if new else str(error)}


def _heading_wrong(request: Request, slug: str, heading: str) -> str:
    words, owner = words_for(request), topics_of(request).resolve(heading)
    if owner not in (None, slug):
        return words["topicdesk_wrong_meant"].format(topic=owner)
    return words["topicdesk_wrong_name"].format(n=NAME_CHARACTERS)


def _topic(request: Request, slug: str) -> Topic:
    found = topics_of(request).get(slug)
    if found is None:
        raise HTTPException(404, words_for(request)["topicdesk_gone"])
    return found


def _adding(request: Request, slug: str, names: Names, mistakes: Mapping[str, str] = _NONE) -> Response:
    return desk_page(
        request,
        "topic_add.html.j2",
        status=422 if mistakes else 200,
        place="topics",
        slug=slug,
        names=names,
        mistakes=mistakes,
    )


def _one(
    request: Request,
    topic: Topic,
    *,
    names: Names | None = None,
    typed: str = "",
    mistakes: Mapping[str, str] = _NONE,
    done: str = "",
) -> Response:
    newsletter = newsletter_of(request)
    return desk_page(
        request,
        "topic.html.j2",
        status=422 if mistakes else 200,
        place="topics",
        topic=topic,
        names=names or Names(topic.zh, topic.en, topic.about_zh, topic.about_en),
        typed=typed,
        mistakes=mistakes,
        done=done,
        uses=topic_changes.uses(newsletter, topic.slug),
        rate=archive_of(request).rates().get(topic.slug),
        loose=topic_changes.loose_headings(newsletter),
    )
