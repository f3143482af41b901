"""The page that monitors ask."""

import logging

from fastapi import APIRouter, Request
from sqlalchemy.exc import DBAPIError
from starlette.responses import JSONResponse, Response

from newsletter.storage.engine import DatabaseRefused, require_file
from newsletter.storage.schema import require_present_schema
from newsletter.web.pages import newsletter_of

router = APIRouter()
_LOG = logging.getLogger(__name__)


@router.api_route("/healthz", methods=["GET", "HEAD"])
def health(request: Request) -> Response:
    """Whether the database answers and has the present schema: 200, or 503 with the reason."""
    newsletter = newsletter_of(request)
    try:
        require_file(newsletter.database_file)
        require_present_schema(newsletter.engine)
    except (DatabaseRefused, DBAPIError) as trouble:
        _LOG.error("healthz: %s", trouble)  # the public answer does not say where the database is
        reason = "the database is not usable; the log says why"
        return JSONResponse({"status": "unavailable", "reason": reason}, status_code=503)
    return JSONResponse({"status": "ok"})
