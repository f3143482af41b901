"""`newsletter suppression …`."""

from typing import Annotated

import typer

from newsletter.cli.output import AsJson, console, open_newsletter, print_json, print_table

app = typer.Typer()
Address = Annotated[str, typer.Argument(help="The e-mail address.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show the addresses that are not written to, and why; those forgotten have no address any more."""
    newsletter = open_newsletter()
    with newsletter.reading() as session:
        rows = newsletter.suppression(session).list()
    if as_json:
        print_json([row.model_dump(include={"address", "reason", "note", "created_at"}) for row in rows])
        return
    zone = newsletter.settings.time_zone
    lines = [(row.address, row.reason, row.note, row.created_at.astimezone(zone)) for row in rows]
    print_table(("address", "reason", "note", "since"), lines, "Nobody is suppressed.")


@app.command()
def add(address: Address, note: Annotated[str, typer.Option(help="Why, for whoever looks later.")] = "") -> None:
    """Write to an address no more, also in a send that is running."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        newsletter.suppression(session).add(address, "command", note)
    console().print(f"{address}: suppressed.")


@app.command()
def remove(
    addresses: Annotated[list[str], typer.Argument(metavar="ADDRESS…", help="The e-mail addresses, all or none.")],
) -> None:
    """Take addresses off the list; they are written to again only if their readers are active."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        suppression = newsletter.suppression(session)
        removed = {address: suppression.remove(address) for address in addresses}
    for address, was_listed in removed.items():
        console().print(f"{address}: {'taken off the list' if was_listed else 'was not on the list'}.")
