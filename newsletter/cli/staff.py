"""`newsletter staff …`."""

from typing import Annotated

import typer

from newsletter.app import Newsletter
from newsletter.cli.output import AsJson, console, error_console, open_newsletter, print_json, print_table, printable
from newsletter.staff import accounts, invitations, membership
from newsletter.staff.invitations import LASTS, Invited
from newsletter.staff.models import Staff
from newsletter.staff.rights import COMMAND_LINE, Role

app = typer.Typer()

Address = Annotated[str, typer.Argument(help="The e-mail address that they sign in with.")]
Roles = Annotated[list[Role] | None, typer.Option("--role", help="What they are; repeat it for several.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show who is on the staff, with their roles."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        found = accounts.everybody(session)
    if as_json:
        print_json([_plain(row) for row in found])
        return
    rows = [
        (row.address, row.name, ", ".join(row.roles), _state(row), "on" if row.totp_secret else "") for row in found
    ]
    columns = ("address", "name", "roles", "state", "second factor")
    print_table(columns, rows, "Nobody yet; `newsletter staff add ADDRESS` makes the first account.")


@app.command()
def add(
    address: Address,
    name: Annotated[str, typer.Option(help="Their name, for revisions and the audit log.")] = "",
    role: Roles = None,
) -> None:
    """Make an account and print the link by which they set a password; the first one has every role."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        first = not accounts.everybody(session)
    if not role and not first:
        raise typer.BadParameter("say what they are: --role editor, --role sender, --role admin; repeat it for several")
    _print_link(invitations.invite(newsletter, COMMAND_LINE, address, name, role or list(Role)))


@app.command("role")
def role_(address: Address, role: Roles = None) -> None:
    """Give somebody these roles and no others."""
    if not role:
        raise typer.BadParameter("say which: --role editor, --role sender, --role admin; repeat it for several")
    newsletter = open_newsletter()
    found = _find(newsletter, address)
    membership.change_roles(newsletter, COMMAND_LINE, found.public_id, role)
    console().print(f"{printable(found.address)}: {', '.join(sorted(role))} from now on.")
    _warn_without_admin(newsletter)


@app.command()
def link(address: Address) -> None:
    """Print a new link for a forgotten password; the old one, the second factor and all sessions end."""
    newsletter = open_newsletter()
    _print_link(invitations.renew(newsletter, COMMAND_LINE, _find(newsletter, address).public_id))


@app.command()
def remove(address: Address) -> None:
    """Take somebody off the staff and sign them out."""
    newsletter = open_newsletter()
    found = _find(newsletter, address)
    membership.remove(newsletter, COMMAND_LINE, found.public_id)
    console().print(f"{printable(found.address)}: removed, and signed out everywhere.")
    _warn_without_admin(newsletter)


def _plain(row: Staff) -> dict[str, object]:
    return {
        "address": row.address,
        "name": row.name,
        "roles": row.roles,
        "state": _state(row),
        "second_factor": row.totp_secret is not None,
        "created_at": row.created_at,
    }


def _state(row: Staff) -> str:
    return "active" if row.password_hash else "invited"


def _find(newsletter: Newsletter, address: str) -> Staff:
    with newsletter.reading() as session:
        return accounts.find(session, address)


def _print_link(made: Invited) -> None:
    """The link alone on standard output, so that a script can hand it on."""
    error_console().print(
        f"{printable(made.name)} sets a password by this link, once, within {LASTS.days} days; hand it to them alone:"
    )
    console().print(made.link)


def _warn_without_admin(newsletter: Newsletter) -> None:
    with newsletter.reading() as session:
        left = any(Role.ADMIN in row.roles and row.password_hash for row in accounts.everybody(session))
    if not left:
        error_console().print(
            "newsletter: no admin who can sign in is left; `newsletter staff add ADDRESS --role admin` makes one."
        )
