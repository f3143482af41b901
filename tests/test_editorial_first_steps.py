"""The first steps of a new newsletter: each is open until it is done, and none is shown once an issue went out."""

import pytest
from desk_samples import add_staff, at_desk
from sending import SLUG, take_in_issue
from web_samples import add_reader

from newsletter.app import Newsletter
from newsletter.editorial.approval import approve
from newsletter.editorial.dispatch import begin
from newsletter.editorial.first_steps import first_steps
from newsletter.staff.audit import Action, record
from newsletter.staff.rights import Role

pytestmark = pytest.mark.both_databases


def done(newsletter: Newsletter) -> set[str]:
    """The names of the steps that are done."""
    return {step.name for step in first_steps(newsletter) if step.is_done}


def test_a_reader_an_issue_and_a_colleague_are_done_once_they_are_there(newsletter: Newsletter) -> None:
    assert not {"reader", "issue", "staff"} & done(newsletter)
    add_reader(newsletter, "an@example.org", "policy")
    take_in_issue(newsletter)
    add_staff(newsletter, "chen@example.org")
    add_staff(newsletter, "zhou@example.org", Role.SENDER)
    assert {"reader", "issue", "staff"} <= done(newsletter)


def test_a_test_that_no_server_accepted_is_not_done(newsletter: Newsletter) -> None:
    editor = add_staff(newsletter, "chen@example.org")
    for accepted in (0, 1):
        assert "test" not in done(newsletter)
        with newsletter.session() as session:
            record(session, editor, Action.TEST_SENT, SLUG, newsletter.clock(), addresses=1, accepted=accepted)
    assert "test" in done(newsletter)


def test_the_overview_shows_the_steps_until_an_issue_went_out(newsletter: Newsletter) -> None:
    desk = at_desk(newsletter)
    assert "开始使用" in desk.get("/desk").text
    add_reader(newsletter, "an@example.org", "policy")
    take_in_issue(newsletter)
    approve(newsletter, SLUG)
    begin(newsletter, SLUG)
    assert "开始使用" not in desk.get("/desk").text
