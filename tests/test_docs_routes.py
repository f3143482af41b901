"""The table of routes in the documentation is complete and names nothing that is not there."""

import re
from pathlib import Path

import pytest

from newsletter.app import Newsletter
from newsletter.web.application import build

TABLE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "routes.md"


# GET and HEAD of a page are one function, which the schema gives one name.
@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")
def test_every_route_is_in_the_table_and_no_other(newsletter: Newsletter) -> None:
    rows = re.findall(r"^\| `([^`]+)` \|", TABLE.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(build(newsletter).openapi()["paths"])
