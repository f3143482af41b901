"""The table of lists that tests are sent to."""

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel


class TestList(SQLModel, table=True):
    """Addresses under a name, which a test of an issue is sent to."""

    __tablename__ = "test_list"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=100)
    addresses: list[str] = Field(sa_column=Column(JSON, nullable=False))
