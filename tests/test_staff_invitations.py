"""Invitations: a link that sets a password once, within three days, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from reader_samples import everything
from sending import Clock
from staff_samples import CHEN, HERE, LI, PASSWORD, actor, done, invited, join, row_of, sessions_of, turn_on_codes

from newsletter.app import Newsletter
from newsletter.staff import accounts, invitations, membership, sessions
from newsletter.staff.accounts import StaffRefused
from newsletter.staff.invitations import InvitationOver, InvitationUnknown, accept, look
from newsletter.staff.logins import LoginRefused, sign_in
from newsletter.staff.passwords import PasswordRefused
from newsletter.staff.rights import COMMAND_LINE, Role
from subscribers.addresses import AddressRefused, NameRefused
from subscribers.tokens import Purpose

pytestmark = pytest.mark.both_databases


@pytest.fixture
def house(newsletter: Newsletter) -> Newsletter:
    """Nobody works here yet; the clock stands."""
    newsletter.clock = Clock()
    return newsletter


def wait(newsletter: Newsletter, **time: float) -> None:
    clock = newsletter.clock
    assert isinstance(clock, Clock)
    clock.now += timedelta(**time)


def test_whoever_has_the_link_sets_a_password_and_is_signed_in(house: Newsletter) -> None:
    token = accept(house, invited(house), PASSWORD, PASSWORD, HERE)
    with house.reading() as session:
        assert sessions.who(session, token, house.clock()) == actor(house)
    assert sign_in(house, CHEN, PASSWORD, HERE).session_token
    assert PASSWORD not in everything(house)


def test_a_link_works_once(house: Newsletter) -> None:
    token = invited(house)
    accept(house, token, PASSWORD, PASSWORD, HERE)
    before = everything(house)
    for attempt in (lambda: look(house, token), lambda: accept(house, token, "x" * 12, "x" * 12, HERE)):
        with pytest.raises(InvitationOver):
            attempt()
    assert everything(house) == before


def test_of_two_who_use_a_link_at_once_one_sets_the_password(house: Newsletter) -> None:
    token = invited(house)

    def one(password: str) -> bool:
        try:
            return bool(accept(house, token, password, password, HERE))
        except InvitationOver:
            return False

    with ThreadPoolExecutor(2) as threads:
        assert sum(threads.map(one, ("the one password", "the other password"))) == 1


@pytest.mark.parametrize(("hours", "works"), [(72, True), (72.01, False)])
def test_a_link_works_for_three_days(house: Newsletter, hours: float, *, works: bool) -> None:
    token = invited(house)
    wait(house, hours=hours)
    if works:
        assert look(house, token).address == CHEN
    else:
        with pytest.raises(InvitationOver):
            look(house, token)


def test_a_newer_link_replaces_the_older_one(house: Newsletter) -> None:
    old = invited(house)
    wait(house, seconds=1)
    new = invitations.renew(house, COMMAND_LINE, row_of(house).public_id).link.rpartition("/")[2]
    with pytest.raises(InvitationOver):
        look(house, old)
    assert look(house, new).address == CHEN


def test_a_password_that_cannot_be_one_leaves_the_link_as_it_was(house: Newsletter) -> None:
    token = invited(house)
    with pytest.raises(PasswordRefused):
        accept(house, token, "short", "short", HERE)
    assert row_of(house).password_hash is None
    assert look(house, token)


def test_no_other_token_passes_for_an_invitation(house: Newsletter) -> None:
    subject = house.tokens.read(Purpose.INVITATION, invited(house))
    assert subject
    forged = [house.tokens.make(other, subject) for other in Purpose if other is not Purpose.INVITATION]
    for token in ("", "nonsense", house.tokens.make(Purpose.INVITATION, "nobody-0"), *forged):
        with pytest.raises(InvitationUnknown):
            look(house, token)


def test_a_new_link_ends_password_second_factor_and_sessions_at_once(house: Newsletter) -> None:
    join(house)
    turn_on_codes(house)
    invitations.renew(house, COMMAND_LINE, row_of(house).public_id)
    row = row_of(house)
    assert (row.password_hash, row.totp_secret, row.totp_step, sessions_of(house)) == (None, None, None, [])
    with pytest.raises(LoginRefused):
        sign_in(house, CHEN, PASSWORD, HERE)


def test_an_admin_cannot_lock_themselves_out_by_a_new_link_of_their_own(house: Newsletter) -> None:
    join(house)
    before = everything(house)
    with pytest.raises(StaffRefused):
        invitations.renew(house, actor(house), row_of(house).public_id)
    assert everything(house) == before


def test_an_address_is_on_the_staff_once_however_it_is_written(house: Newsletter) -> None:
    invited(house)
    with pytest.raises(StaffRefused) as refused:
        invitations.invite(house, COMMAND_LINE, "Chen@EXAMPLE.org", "", [Role.EDITOR])
    assert refused.value.why == "known"


@pytest.mark.parametrize(
    ("address", "name", "roles", "error"),
    [
        ("no address", "", [Role.EDITOR], AddressRefused),
        (CHEN, "a\nb", [Role.EDITOR], NameRefused),
        (CHEN, "x" * 201, [Role.EDITOR], NameRefused),
        (CHEN, "", [], StaffRefused),
    ],
)
def test_what_cannot_be_an_account_is_refused_and_nothing_is_kept(
    house: Newsletter, address: str, name: str, roles: list[Role], error: type[Exception]
) -> None:
    before = everything(house)
    with pytest.raises(error):
        invitations.invite(house, COMMAND_LINE, address, name, roles)
    assert everything(house) == before


def test_who_was_removed_can_come_back_with_nothing_of_before(house: Newsletter) -> None:
    join(house)
    public_id = row_of(house).public_id
    membership.remove(house, COMMAND_LINE, public_id)
    with pytest.raises(InvitationUnknown):
        look(house, house.tokens.make(Purpose.INVITATION, f"{public_id}-0"))
    invitations.invite(house, COMMAND_LINE, CHEN, "", [Role.EDITOR])
    row = row_of(house)
    assert (row.public_id, row.roles, row.password_hash, row.removed_at) == (public_id, ["editor"], None, None)


def test_without_a_name_somebody_is_called_by_their_address(house: Newsletter) -> None:
    invited(house, LI)
    assert row_of(house, LI).name == "li"


def test_inviting_and_coming_are_written_down(house: Newsletter) -> None:
    accept(house, invited(house), PASSWORD, PASSWORD, HERE)
    assert done(house) == [
        ("command line", "staff invited", CHEN),
        ("chen", "password set", CHEN),
        ("chen", "signed in", CHEN),
    ]


def test_the_names_of_those_who_left_are_still_known(house: Newsletter) -> None:
    join(house)
    membership.remove(house, COMMAND_LINE, row_of(house).public_id)
    with house.reading() as session:
        assert accounts.names(session) == {row_of(house).id: "chen"}
