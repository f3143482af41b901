"""The settings: those that may be changed while everything runs, and how the others stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args, get_origin

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from newsletter.app import Newsletter
from newsletter.setting_values import in_pieces
from newsletter.settings import CHOOSABLE, Settings, SettingsRefused, ValueRefused
from newsletter.staff.choosing import as_text, choose, default_of
from newsletter.staff.rights import Actor, Right
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of
from newsletter.web.posted import read_posted

router = APIRouter(prefix="/desk/settings")

_LONG = ("about", "about_en")
_GROUPS = {
    "contact": ("about", "about_en", "postal_address", "reply_to"),
    "schedule": ("slot", "days_off", "too_late_minutes", "weekly_day"),
    "sending": ("approval", "staff", "canary", "unknown"),
    "sign_ups": ("sign_ups_per_hour",),
}
"""All of `CHOOSABLE`, in the order of the page, under the headings they stand under."""
_SHOWN = (
    "sender",
    "list_id",
    "base_url",
    "zone",
    "theme",
    "report_theme",
    "weekly_theme",
    "inbound_address",
    "connections",
    "error_share",
)
"""What is worth knowing of what is set elsewhere; nothing secret."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting as a field of the form: what stands in it, and whether environment or file have the last word.

    `options` are all the values there are, none when anything may be written.
    """

    name: str
    value: str
    default: str
    is_fixed: bool
    is_long: bool
    options: tuple[str, ...]


@router.api_route("", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def settings(request: Request, saved: str = "") -> Response:
    """The form, for those who may not change anything too."""
    return _page(request, {}, is_saved=bool(saved))


@router.post("", dependencies=[needs(Right.MANAGE)])
def change(request: Request, posted: QueryParams = Depends(read_posted)) -> Response:  # noqa: B008 - FastAPI's way
    """Keep what was changed, all or nothing."""
    newsletter, typed = newsletter_of(request), {name: posted[name] for name in CHOOSABLE if name in posted}
    try:
        _keep(newsletter, actor_of(request), typed)
    except SettingsRefused as refusal:
        return _page(request, typed, refusal=refusal, status=422)
    return RedirectResponse("/desk/settings?saved=1", 303)


def _keep(newsletter: Newsletter, actor: Actor, typed: Mapping[str, str]) -> None:
    before = {choice.name: choice for choice in _choices(newsletter)}
    values = {
        name: None if text.strip() in ("", before[name].default) else _value(name, text.strip())
        for name, text in typed.items()
        if text.strip() != before[name].value and not before[name].is_fixed
    }
    if not values:
        return
    choose(newsletter, actor, values)


def _value(name: str, text: str) -> object:
    """A text as the setting takes it: lists as lists."""
    return in_pieces(text) if isinstance(Settings.model_fields[name].default, tuple) else text


def _choices(newsletter: Newsletter) -> list[Choice]:
    fixed, fields = newsletter.fixed_settings(), Settings.model_fields
    return [
        Choice(
            name=name,
            value=as_text(getattr(newsletter.settings, name)),
            default=default_of(name),
            is_fixed=name in fixed,
            is_long=name in _LONG,
            options=_options(fields[name].annotation),
        )
        for name in CHOOSABLE
    ]


def _options(annotation: object) -> tuple[str, ...]:
    """What a setting may be, where that is one of a few words."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _page(
    request: Request,
    typed: Mapping[str, str],
    *,
    refusal: SettingsRefused | None = None,
    is_saved: bool = False,
    status: int = 200,
) -> Response:
    newsletter = newsletter_of(request)
    choices = {choice.name: choice for choice in _choices(newsletter)}
    known = refusal if isinstance(refusal, ValueRefused) else None
    return desk_page(
        request,
        "settings.html.j2",
        place="settings",
        status=status,
        groups=[(group, [choices[name] for name in names]) for group, names in _GROUPS.items()],
        typed=typed,
        is_refused=refusal is not None,
        wrong=known.name if known else "",
        piece=known.piece if known else "",
        is_saved=is_saved,
        others=[(name.upper(), as_text(getattr(newsletter.settings, name))) for name in _SHOWN],
    )
