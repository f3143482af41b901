"""People as a CSV file that a spreadsheet may open without harm, and `import_csv` reads again."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from io import StringIO
from typing import TextIO

from sqlmodel import Session, col, select

from subscribers.csv_cells import COLUMNS, defused
from subscribers.models import Subscriber
from subscribers.preferences import DAYS

_PAGE_ROWS = 1000


def export_csv(session: Session, stream: TextIO) -> int:
    """Write everybody who is not forgotten, in the order they came, and give their number.

    RFC 4180; memory stays constant. `stream` is opened with `newline=""`; with the encoding utf-8-sig, Excel shows
    Chinese as it should.
    """
    csv.writer(stream, lineterminator="\r\n").writerow(COLUMNS)
    count, last = 0, 0
    while people := _people(session, last):
        _write(stream, people)
        count, last = count + len(people), people[-1].id or 0
    return count


def csv_pages(reading: Callable[[], AbstractContextManager[Session]]) -> Iterator[str]:
    """The same text in pages, each read in a session of its own: whoever takes them may be slow and hold up nobody."""
    yield ",".join(COLUMNS) + "\r\n"
    last = 0
    while True:
        with reading() as session:
            people = _people(session, last)
        if not people:
            return
        text = StringIO(newline="")
        _write(text, people)
        yield text.getvalue()
        last = people[-1].id or 0


def _people(session: Session, after: int) -> Sequence[Subscriber]:
    known = select(Subscriber).where(col(Subscriber.id) > after, col(Subscriber.address_key).is_not(None))
    return session.exec(known.order_by(col(Subscriber.id)).limit(_PAGE_ROWS)).all()


def _write(stream: TextIO, people: Sequence[Subscriber]) -> None:
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerows([defused(cell) for cell in _cells(person)] for person in people)


def _cells(person: Subscriber) -> list[str]:
    values = {
        **person.model_dump(include=set(COLUMNS)),
        "topics": ";".join(person.topics),
        "follow": ";".join(person.follow),
        "mute": ";".join(person.mute),
        "day": None if person.day is None else DAYS[person.day],
        "frequencies": ";".join(f"{topic}={own}" for topic, own in person.frequencies.items()),
    }
    return ["" if values[column] is None else str(values[column]) for column in COLUMNS]
