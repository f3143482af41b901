"""The witness beside an SQLite file: whether the database is the one that mail was last sent from."""

from pathlib import Path

from sqlalchemy import Engine

from newsletter.checkup.findings import Finding, ok, wrong
from newsletter.storage.witness import Held, look
from newsletter.storage.witness_file import WitnessTrouble, witness_file


def witness_check(engine: Engine, database: Path) -> Finding:
    """What the database and its witness say of each other; changes nothing."""
    file = witness_file(database)
    try:
        row, _, why = look(engine, database)
    except WitnessTrouble as trouble:
        return wrong("witness", f"{file} cannot be read", str(trouble))
    if why:
        what, _, advice = str(Held(why, file)).partition(". ")
        return wrong("witness", what, advice)
    if row is None or not row.sequence:
        return ok("witness", "nothing was sent yet")
    return ok("witness", "it has seen all that this database sent")
