"""The moment an issue goes out: whatever happened since somebody looked, only what is approved then is sent."""

import pytest
from desk_samples import add_staff
from sqlmodel import select
from web_samples import ISSUE, SLUG, add_issue, add_reader

from newsletter.app import Newsletter
from newsletter.delivery.models import Mailing
from newsletter.editorial.approval import NotReady, approve, approved
from newsletter.editorial.opening import open_in_public
from newsletter.editorial.writing import save

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize("again", [False, True], ids=["edited", "edited and approved anew"])
def test_an_edit_after_the_approval_was_looked_at_and_before_the_mailing_opens_blocks_it(
    newsletter: Newsletter, *, again: bool
) -> None:
    add_issue(newsletter)
    add_reader(newsletter, "wen@example.com")
    approve(newsletter, SLUG)
    ready = approved(newsletter, SLUG)
    save(newsletter, add_staff(newsletter), SLUG, ISSUE.format(title="改过的一条"), base=1)
    if again:
        approve(newsletter, SLUG)
    with pytest.raises(NotReady) as refusal, newsletter.session() as session:
        open_in_public(session, ready, newsletter.clock())
    assert refusal.value.code == "changed"
    with newsletter.reading() as session:
        assert session.exec(select(Mailing)).all() == []
