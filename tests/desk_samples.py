"""What the tests of the desk share: members of the staff and their browsers."""

from starlette.testclient import TestClient
from web_samples import near

from newsletter.app import Newsletter
from newsletter.staff import accounts, sessions
from newsletter.staff.rights import Actor, Role
from newsletter.web.desk.seat import COOKIES

EVERYTHING = tuple(Role)


def add_staff(newsletter: Newsletter, address: str = "chen@example.org", *roles: Role, name: str = "陈编辑") -> Actor:
    """A member of the staff, with every role unless some are named."""
    with newsletter.session() as session:
        row = accounts.invite(session, address, name, roles or EVERYTHING, newsletter.clock())
        return accounts.actor_of(row)


def at_desk(newsletter: Newsletter, *roles: Role, address: str = "chen@example.org") -> TestClient:
    """A browser whose owner is signed in; they are added with these roles when they are not there yet."""
    with newsletter.session() as session:
        try:
            row = accounts.find(session, address)
        except accounts.StaffRefused:
            row = accounts.invite(session, address, address.partition("@")[0], roles or EVERYTHING, newsletter.clock())
        token = sessions.begin(session, row, newsletter.clock(), origin="127.0.0.1", browser="test")
    client = near(newsletter)
    client.cookies.set(COOKIES[1], token)
    return client
