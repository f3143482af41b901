"""The file of a witness: where it lies, what it says, and how it is written so that it is never half there."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

_MOST_SEQUENCE = 1 << 62


class WitnessTrouble(Exception):
    """The witness cannot be read or written, so nothing is handed over; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a database has come, by its own row or by its witness: a random name, and a number that only grows."""

    name: str
    sequence: int


_DAMAGED = Mark("", 1)


def witness_file(database: Path) -> Path:
    """The witness of an SQLite file; a link to the file has the same one."""
    real = database.resolve()
    return real.with_name(f"{real.name}.witness")


def read_mark(file: Path) -> Mark | None:
    """What a witness says, None where there is none; one that cannot be understood belongs to no database."""
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError as reason:
        raise WitnessTrouble(f"the witness {file} is a folder: move it away.") from reason
    except OSError as reason:
        raise WitnessTrouble(
            f"the witness {file} cannot be read ({reason.strerror}): let the user who runs the newsletter own it."
        ) from reason
    try:
        found = json.loads(text)
        mark = Mark(found["name"], found["sequence"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return _DAMAGED
    is_sound = isinstance(mark.name, str) and type(mark.sequence) is int and 0 <= mark.sequence < _MOST_SEQUENCE
    return mark if is_sound else _DAMAGED


def write_mark(file: Path, mark: Mark) -> None:
    """Put a witness in the place of the one before, whole or not at all, so that a power cut does not undo it.

    Raises `WitnessTrouble` when the disk is full or may not be written.
    """
    text = json.dumps({"name": mark.name, "sequence": mark.sequence}).encode()
    try:
        handle, name = mkstemp(prefix=f"{file.name}.", dir=file.parent)  # for its owner alone
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as new:
                new.write(text)
                new.flush()
                os.fsync(new.fileno())
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)  # it is there only where it could not take the other's place
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as reason:
        raise WitnessTrouble(
            f"the witness {file} cannot be written ({reason.strerror}): what it has not seen cannot be sent. Make room "
            "on the disk, or let the user who runs the newsletter write the folder."
        ) from reason
