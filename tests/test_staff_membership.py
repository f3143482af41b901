"""Roles and removal: an admin can do everything but leave the desk without an admin."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from reader_samples import everything
from staff_samples import CHEN, HERE, LI, PASSWORD, actor, done, invited, join, row_of, sessions_of

from newsletter.app import Newsletter
from newsletter.staff import membership
from newsletter.staff.accounts import StaffRefused
from newsletter.staff.logins import sign_in
from newsletter.staff.rights import COMMAND_LINE, Right, Role

pytestmark = pytest.mark.both_databases


def test_new_roles_hold_at_once(newsletter: Newsletter) -> None:
    join(newsletter)
    join(newsletter, LI, Role.EDITOR)
    membership.change_roles(newsletter, actor(newsletter), row_of(newsletter, LI).public_id, [Role.SENDER])
    assert not actor(newsletter, LI).may(Right.WRITE)
    assert actor(newsletter, LI).may(Right.SEND)
    assert done(newsletter)[-1] == ("chen", "staff changed", LI)


def test_the_same_roles_again_are_not_written_down(newsletter: Newsletter) -> None:
    join(newsletter)
    before = everything(newsletter)
    membership.change_roles(newsletter, actor(newsletter), row_of(newsletter).public_id, list(Role))
    assert everything(newsletter) == before


def test_nobody_is_left_without_a_role(newsletter: Newsletter) -> None:
    join(newsletter)
    for by in (actor(newsletter), COMMAND_LINE):
        with pytest.raises(StaffRefused):
            membership.change_roles(newsletter, by, row_of(newsletter).public_id, [])
    assert row_of(newsletter).roles == ["admin", "editor", "sender"]


def test_the_last_admin_who_can_sign_in_stays_admin(newsletter: Newsletter) -> None:
    join(newsletter)
    invited(newsletter, LI, Role.ADMIN)  # who has not come yet, and may never
    me, before = actor(newsletter), everything(newsletter)
    for attempt in (
        lambda: membership.change_roles(newsletter, me, row_of(newsletter).public_id, [Role.EDITOR, Role.SENDER]),
        lambda: membership.remove(newsletter, me, row_of(newsletter).public_id),
    ):
        with pytest.raises(StaffRefused) as refused:
            attempt()
        assert refused.value.why == "last_admin"
    assert everything(newsletter) == before


def test_with_another_admin_one_may_go(newsletter: Newsletter) -> None:
    join(newsletter)
    join(newsletter, LI, Role.ADMIN)
    membership.remove(newsletter, actor(newsletter), row_of(newsletter).public_id)
    assert row_of(newsletter).removed_at


def test_two_admins_who_remove_each_other_at_once_leave_one(newsletter: Newsletter) -> None:
    join(newsletter)
    join(newsletter, LI, Role.ADMIN)
    pairs = [(actor(newsletter, CHEN), row_of(newsletter, LI)), (actor(newsletter, LI), row_of(newsletter, CHEN))]

    def one(number: int) -> bool:
        try:
            membership.remove(newsletter, pairs[number][0], pairs[number][1].public_id)
        except StaffRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(one, range(2))) == 1


def test_the_command_line_may_remove_the_last_admin(newsletter: Newsletter) -> None:
    join(newsletter)
    membership.remove(newsletter, COMMAND_LINE, row_of(newsletter).public_id)
    assert row_of(newsletter).removed_at


def test_removal_ends_every_session_and_the_password(newsletter: Newsletter) -> None:
    join(newsletter)
    join(newsletter, LI, Role.EDITOR)
    sign_in(newsletter, LI, PASSWORD, HERE)
    membership.remove(newsletter, actor(newsletter), row_of(newsletter, LI).public_id)
    assert sessions_of(newsletter, LI) == []
    assert row_of(newsletter, LI).password_hash is None
    assert len(sessions_of(newsletter)) == 1


def test_an_admin_ends_the_sessions_of_anybody_and_nothing_else(newsletter: Newsletter) -> None:
    join(newsletter)
    join(newsletter, LI, Role.EDITOR)
    membership.sign_out(newsletter, actor(newsletter), row_of(newsletter, LI).public_id)
    assert sessions_of(newsletter, LI) == []
    assert sign_in(newsletter, LI, PASSWORD, HERE).session_token
    assert ("chen", "session ended", LI) in done(newsletter)


@pytest.mark.parametrize("public_id", ["", "nobody", "\0", "../..", "令牌"])
def test_an_account_that_is_not_there_is_refused(newsletter: Newsletter, public_id: str) -> None:
    join(newsletter)
    before = everything(newsletter)
    for attempt in (
        lambda: membership.change_roles(newsletter, COMMAND_LINE, public_id, [Role.EDITOR]),
        lambda: membership.remove(newsletter, COMMAND_LINE, public_id),
        lambda: membership.sign_out(newsletter, COMMAND_LINE, public_id),
    ):
        with pytest.raises(StaffRefused):
            attempt()
    assert everything(newsletter) == before
