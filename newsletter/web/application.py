"""The web application: the pages, joined with one newsletter."""

from collections.abc import Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from newsletter.app import Newsletter
from newsletter.web import (
    archive,
    confirm,
    embed,
    feeds,
    health,
    own_data,
    preferences,
    preferences_link,
    preview,
    sample,
    sign_up,
    sign_up_call,
    unsubscribe,
    view,
)
from newsletter.web.desk import routes as desk
from newsletter.web.desk.slow_checks import SlowChecks
from newsletter.web.desk.trial_results import TrialResults
from newsletter.web.errors import add_handlers, crowded, from_elsewhere
from newsletter.web.pages import Link, Pages
from newsletter.web.security import SameSiteWrites, SecurityHeaders
from newsletter.web.turns import WritesInTurn, few_threads

_STATIC = Path(__file__).parent / "static"
_ROUTERS = (
    sign_up.router,
    sample.router,
    confirm.router,
    embed.router,
    sign_up_call.router,
    health.router,
    archive.router,
    feeds.router,
    preview.router,
    unsubscribe.router,
    preferences.router,
    preferences_link.router,
    own_data.router,
    view.router,
)


def build(
    newsletter: Newsletter,
    *,
    extra_routers: Sequence[APIRouter] = (),
    extra_templates: Sequence[Path] = (),
    extra_links: Sequence[Link] = (),
) -> FastAPI:
    """The pages of a newsletter.

    `extra_routers` add pages, whose templates lie in the folders `extra_templates`; `extra_links`, pairs of address and
    label, stand in the navigation of people at this machine.
    """
    application = FastAPI(
        title="newsletter",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=few_threads,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(SameSiteWrites, refuse=from_elsewhere),
            Middleware(WritesInTurn, refuse=crowded),
        ],
    )
    application.state.pages = Pages(newsletter, extra_templates, extra_links)
    application.state.slow_checks = SlowChecks()
    application.state.trial_results = TrialResults()
    add_handlers(application)
    desk.add_handlers(application)
    for router in (*_ROUTERS, *desk.ROUTERS, *extra_routers):
        application.include_router(router)
    application.mount("/static", StaticFiles(directory=_STATIC), name="static")
    return application
