"""The audit log: who did what, and when."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from newsletter.staff import accounts
from newsletter.staff.audit import Action, entries
from newsletter.staff.models import AuditEntry
from newsletter.staff.rights import Right
from newsletter.web.archive_view import address
from newsletter.web.desk.audit_words import deed, details, subject
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import desk_page, needs
from newsletter.web.pages import newsletter_of, words_for

router = APIRouter(prefix="/desk/audit", dependencies=[needs(Right.MANAGE)])

_A_PAGE = 50
_COMMAND_LINE = "0"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One thing that was done, in words."""

    at: str
    who: str
    what: str
    subject: str
    details: tuple[tuple[str, str], ...]


@router.api_route("", methods=["GET", "HEAD"])
def page(request: Request, who: str = "", action: str = "", before: str = "") -> Response:
    """The newest first; `who` is the id of somebody or 0 for the command line, `before` the id of an entry."""
    newsletter = newsletter_of(request)
    action = action if action in {one.value for one in Action} else ""
    with newsletter.reading() as session:
        names = accounts.names(session)
        chosen = _number(who) if _number(who) in names or who == _COMMAND_LINE else None
        found = entries(
            session,
            action=action,
            staff_id=chosen or None,
            of_command_line=chosen == 0,
            before=_number(before),
            most=_A_PAGE + 1,
        )
    shown, more = found[:_A_PAGE], len(found) > _A_PAGE
    who = "" if chosen is None else str(chosen)
    return desk_page(
        request,
        "audit.html.j2",
        place="settings",
        lines=[_line(request, entry) for entry in shown],
        names=sorted(names.items(), key=lambda pair: pair[1]),
        actions=list(Action),
        newest=address("/desk/audit", who=who, action=action) if before else "",
        older=address("/desk/audit", who=who, action=action, before=shown[-1].id or 0) if more else "",
        who=who,
        action=action,
    )


def _line(request: Request, entry: AuditEntry) -> AuditLine:
    words = words_for(request)
    who = entry.who if entry.staff_id is not None else words["audit_command_line"]
    return AuditLine(moment(request, entry.at), who, deed(words, entry), subject(words, entry), details(request, entry))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None
