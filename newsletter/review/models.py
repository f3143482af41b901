"""The table of links that were checked, so that one is not fetched again at every look."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class CheckedLink(SQLModel, table=True):
    """What fetching a link came to; `url_hash` is the SHA-256 of the address, which may be long."""

    __tablename__ = "checked_link"

    url_hash: str = Field(primary_key=True, max_length=64)
    url: str
    checked_at: datetime
    verdict: str = Field(max_length=16)
    detail: str
