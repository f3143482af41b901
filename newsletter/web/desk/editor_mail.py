"""The mail beside the text: how it is announced, what it looks like, and what to do where there is none."""

from dataclasses import dataclass
from html import escape

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse, Response

from newsletter.app import Newsletter
from newsletter.content.inline import plain
from newsletter.editorial.preview import Preview, glance_topics
from newsletter.render.glance import Glance
from newsletter.staff.rights import Right
from newsletter.storage.issues import Saved
from newsletter.web.desk.editor_pieces import choice_of, home_of, piece
from newsletter.web.desk.issue_bar import issue_bar
from newsletter.web.desk.seat import needs
from newsletter.web.pages import newsletter_of
from newsletter.web.preview_choice import Choice
from newsletter.web.preview_mail import as_looked_at, mail_part
from newsletter.web.preview_view import REFUSALS, make
from newsletter.web.security import PREVIEW_POLICY
from newsletter.web.visitor import language_of

router = APIRouter(prefix="/desk/issues/{slug}")

UNASKED_STORIES = 300
"""The mail of a longer issue takes seconds to make, so that it is made when somebody asks for it."""

_NO_IMAGES_POLICY = PREVIEW_POLICY.replace("img-src 'self'", "img-src 'none'")
_WHY = (("is no subscriber", "reader"), ("gets nothing", "match"), ("has no story", "topics"))


@dataclass(frozen=True, slots=True)
class Lack:
    """Why there is no mail to look at.

    `kind` is story (the issue has none), topic (its stories have none), heading (nor a section to stand in), topics
    (none of the chosen ones), match (the reader gets nothing), reader (there is no such one), many (it takes long and
    nobody asked yet), or other, which `detail` tells. `stories` are those it is about, `sections` their headings and
    how many stand there.
    """

    kind: str
    stories: int = 0
    sections: tuple[tuple[str, int], ...] = ()
    detail: str = ""


@dataclass(frozen=True, slots=True)
class InboxLine:
    """How the chosen mail stands in a list of mails, or why there is none."""

    sender: str = ""
    subject: str = ""
    preheader: str = ""
    left_out: str = ""
    lack: Lack | None = None


@router.api_route("/frame", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def frame(request: Request, slug: str) -> Response:
    """The mail for the frame of this page, which looks into it to keep the place one had scrolled to; nothing runs.

    Its HTML tells in a `meta` how it is announced, so that the mail is made once for both. Where there is none, it
    says so in a `meta` too, and what to do in its body.
    """
    newsletter, query = newsletter_of(request), request.query_params
    choice = choice_of(slug, query)
    try:
        if query.get("format") in ("text", "source"):
            response = mail_part(make(newsletter, choice), query)
            response.headers["content-security-policy"] = PREVIEW_POLICY
            return response
        made = _seen(newsletter, choice)
    except REFUSALS as refusal:
        return _nothing(request, slug, lack_of(issue_bar(request, slug).saved, choice, str(refusal)))
    line = piece(request, "editor_inbox", inbox=_line(newsletter, made), choice=choice)
    told = f'<head><meta name="inbox-line" content="{escape(line)}">'
    html = as_looked_at(made.html, query).replace("<head>", told, 1)
    policy = _NO_IMAGES_POLICY if query.get("images") == "off" else PREVIEW_POLICY
    return HTMLResponse(html, headers={"content-security-policy": policy, "x-robots-tag": "noindex"})


def inbox_line(newsletter: Newsletter, saved: Saved, query: QueryParams) -> InboxLine:
    """How the mail that a query asks for is announced; `mail=1` asks for it however long it takes."""
    choice = choice_of(saved.slug, query)
    if len(saved.issue.stories) > UNASKED_STORIES and not query.get("mail"):
        return InboxLine(lack=Lack("many", len(saved.issue.stories)))
    try:
        return _line(newsletter, make(newsletter, choice))
    except REFUSALS as refusal:
        return InboxLine(lack=lack_of(saved, choice, str(refusal)))


def lack_of(saved: Saved, choice: Choice, refusal: str) -> Lack:
    """What a refusal to make a mail means for whoever writes the issue."""
    stories = saved.issue.stories
    if not stories:
        return Lack("story")
    if not any(story.topics for story in stories):
        sections = tuple((plain(one.title), len(one.stories)) for one in saved.issue.sections if one.stories)
        return Lack("topic" if any(title for title, _ in sections) else "heading", len(stories), sections)
    return Lack(next((kind for said, kind in _WHY if said in refusal), "other"), detail=refusal)


def _seen(newsletter: Newsletter, choice: Choice) -> Glance | Preview:
    if choice.by == "topics":
        return glance_topics(newsletter, choice.slug, choice.topics, choice.language)
    return make(newsletter, choice)


def _line(newsletter: Newsletter, made: Glance | Preview) -> InboxLine:
    left_out = made.left_out if isinstance(made, Preview) else ""
    return InboxLine(newsletter.name, made.subject, made.preheader, left_out)


def _nothing(request: Request, slug: str, lack: Lack) -> Response:
    line = piece(request, "editor_inbox", inbox=InboxLine(lack=lack))
    what = piece(request, "editor_empty", lack=lack, home=home_of(slug))
    html = (
        f'<!doctype html><html lang="{language_of(request)}"><head><meta charset="utf-8"><title>{escape(slug)}</title>'
        f'<meta name="no-mail" content="{lack.kind}"><meta name="inbox-line" content="{escape(line)}"></head>'
        f"<body>{what}</body></html>"
    )
    return HTMLResponse(html, headers={"content-security-policy": PREVIEW_POLICY, "x-robots-tag": "noindex"})
