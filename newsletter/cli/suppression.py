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
    lines = [(row.address, row.reason, row.note, row.created_at) for row in rows]
    print_table(("address", "reason", "note", "since"), lines, "Nobody is suppressed.")


@app.command()
def add(address: Address, note: Annotated[str, typer.Option(help="Why, for whoever looks later.")] = "") -> None:
    """Write to an address no more, also in a send that is running."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        newsletter.suppression(session).add(address, "command", note)
    console().print(f"{address}: suppressed.")


@app.command()
def remove(address: Address) -> None:
    """Take an address off the list; it is written to again only if its reader is active."""
    newsletter = open_newsletter()
    with newsletter.session() as session:
        removed = newsletter.suppression(session).remove(address)
    console().print(f"{address}: {'taken off the list' if removed else 'was not on the list'}.")
