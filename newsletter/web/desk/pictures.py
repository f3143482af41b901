"""Pictures: brought in at the desk, and served to everybody who opens a mail."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from newsletter.editorial.pictures import (
    MOST_BYTES_IN,
    PAGE,
    Picture,
    PictureRefused,
    keep_picture,
    picture,
    picture_data,
    pictures,
)
from newsletter.staff.rights import Right
from newsletter.storage.pictures import MEDIA_TYPES
from newsletter.web.archive_view import address
from newsletter.web.desk.moments import moment
from newsletter.web.desk.seat import actor_of, desk_page, needs
from newsletter.web.pages import newsletter_of, words_for
from newsletter.web.uploads import Upload, upload_of

router = APIRouter(prefix="/desk/images")
public = APIRouter(prefix="/image")

_FORM_BYTES = MOST_BYTES_IN + 100_000
_SERVED = {
    "cache-control": "public, max-age=31536000, immutable",  # another picture has another address
    "cross-origin-resource-policy": "cross-origin",  # mail programs in browsers load it
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@router.api_route("", methods=["GET", "HEAD"], dependencies=[needs(Right.LOOK)])
def gallery(request: Request, page: str = "", added: str = "") -> Response:
    """The pictures, the newest first, and the form for another one."""
    new = picture(newsletter_of(request), added) if added else None
    return _page(request, int(page) if page.isdecimal() and 0 < len(page) < 6 else 1, new=new)


@router.post("", dependencies=[needs(Right.WRITE)])
def add(request: Request, upload: Annotated[Upload, Depends(upload_of(_FORM_BYTES))]) -> Response:
    """Take a picture in."""
    alt, name = upload.fields.get("alt", ""), upload.fields.get("name", "").strip() or upload.file_name
    try:
        kept = keep_picture(newsletter_of(request), actor_of(request), name, upload.data, alt)
    except PictureRefused as refusal:
        code = "none" if not upload.data and alt.strip() else refusal.code
        return _page(request, 1, mistake=words_for(request)[f"pictures_mistake_{code}"], code=code, alt=alt, name=name)
    return RedirectResponse(address("/desk/images", added=kept.kept.key) + "#added", 303)


@public.api_route("/{name}", methods=["GET", "HEAD"])
def serve(request: Request, name: str) -> Response:
    """A picture, as mails and the archive show it."""
    key, _, ending = name.rpartition(".")
    found = picture_data(newsletter_of(request), key)
    if found is None or MEDIA_TYPES[found[0]] != ending:
        raise HTTPException(404)
    return Response(found[1], media_type=found[0], headers=_SERVED)


def _page(
    request: Request,
    page: int,
    *,
    new: Picture | None = None,
    mistake: str = "",
    code: str = "",
    alt: str = "",
    name: str = "",
) -> Response:
    """The page; `mistake` says in words what is wrong with the form, and `code` with which part of it."""
    page = max(page, 1)
    found, total = pictures(newsletter_of(request), page)
    return desk_page(
        request,
        "pictures.html.j2",
        place="issues",
        status=400 if mistake else 200,
        pictures=found,
        total=total,
        new=new,
        mistake=mistake,
        code=code,
        alt=alt,
        typed_name=name,
        most=MOST_BYTES_IN // 1_000_000,
        earlier=address("/desk/images", page=page - 1) if page > 1 else "",
        further=address("/desk/images", page=page + 1) if page * PAGE < total else "",
        moment=lambda at: moment(request, at),
    )
