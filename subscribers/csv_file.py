"""A CSV file as records with line numbers, after all of it was found readable: nothing is imported from a broken file.

RFC 4180, in UTF-8 or GB18030, told apart by the whole file: a single Chinese word may be valid in both.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import BinaryIO

LIMIT_BYTES = 100_000_000
"""Far above any list one would keep in a table, and small enough for a temporary file."""

RECORD_CHARACTERS = 200_000
"""Above the greatest cell the csv module takes (131,072); what is longer is no list of readers."""

_PIECE_BYTES = 1 << 20


class CsvRefused(ValueError):
    """A file that cannot be imported: what is wrong, in which line, and what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record and the number of the line it begins in, from 1."""

    line: int
    cells: list[str]


class CsvFile:
    """A readable CSV file: its header, how many records follow it, and those records one at a time."""

    def __init__(self, binary: BinaryIO) -> None:
        self._binary = binary
        self._encoding = _encoding_of(binary)
        header = None
        self.count = 0
        for record in self._all():
            self.count += 1
            header = header or record
        if header is None:
            raise CsvRefused("the file is empty: it needs a header line with at least the column address")
        self.count -= 1
        self.header = header

    def records(self) -> Iterator[Record]:
        """Read the records after the header."""
        records = self._all()
        next(records)
        return records

    def _all(self) -> Iterator[Record]:
        """Read every record that has anything in it."""
        self._binary.seek(0)
        text = io.TextIOWrapper(self._binary, encoding=self._encoding, newline="")
        lines = _Lines(text)
        reader = csv.reader(lines, strict=True)
        try:
            while True:
                lines.begin_record(reader.line_num + 1)
                cells = next(reader, None)
                if cells is None:
                    return
                if any(cell.strip() for cell in cells):
                    yield Record(lines.first, cells)
        except csv.Error as error:
            raise CsvRefused(
                f"line {lines.first}: not CSV from here on ({error}): a quote is missing or stands too much, "
                "or a cell is too long"
            ) from error
        finally:
            with suppress(ValueError):  # whoever stopped in the middle has closed the file already
                text.detach()


class _Lines:
    """The lines of one text, counted against `RECORD_CHARACTERS` so that no record fills the memory."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._characters = 0
        self.first = 1

    def begin_record(self, line: int) -> None:
        self.first = line
        self._characters = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(RECORD_CHARACTERS + 1)
        if not line:
            raise StopIteration
        self._characters += len(line)
        if self._characters > RECORD_CHARACTERS:
            raise CsvRefused(
                f"line {self.first}: the record is longer than {RECORD_CHARACTERS:,} characters: "
                "look for a quote that is not closed"
            )
        return line


@contextmanager
def readable_csv(stream: BinaryIO) -> Iterator[CsvFile]:
    """Read a stream from its beginning to its end, by way of a temporary file where it cannot rewind.

    Raises `CsvRefused` for a file that is empty, above `LIMIT_BYTES`, in an unknown encoding, with a NUL in it, or no
    CSV: an open quote, or a cell or record without end.
    """
    if stream.seekable():
        yield CsvFile(stream)
        return
    with TemporaryFile() as copy:
        for piece in _pieces(stream):
            copy.write(piece)
        yield CsvFile(copy)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    size = 0
    while piece := stream.read(_PIECE_BYTES):
        size += len(piece)
        if size > LIMIT_BYTES:
            raise CsvRefused(f"the file is larger than {LIMIT_BYTES // 1_000_000} MB: split it")
        yield piece


class _Trial:
    """An encoding that may be the file's: whether it still is, and whether it gave more than ASCII."""

    def __init__(self, name: str) -> None:
        self._decoder = codecs.getincrementaldecoder(name)()
        self.possible = True
        self.beyond_ascii = False

    def feed(self, piece: bytes, final: bool = False) -> None:
        if not self.possible:
            return
        try:
            self.beyond_ascii |= not self._decoder.decode(piece, final).isascii()
        except UnicodeDecodeError:
            self.possible = False


def _encoding_of(binary: BinaryIO) -> str:
    binary.seek(0)
    utf_8, gb18030 = _Trial("utf-8"), _Trial("gb18030")
    line = 1
    for piece in _pieces(binary):
        if line == 1 and piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise CsvRefused("the file is UTF-16: save it as “CSV UTF-8”")
        if b"\0" in piece:
            line += piece[: piece.index(b"\0")].count(b"\n")
            raise CsvRefused(f"line {line}: there is a NUL byte: this is not a CSV file, or it is damaged")
        utf_8.feed(piece)
        gb18030.feed(piece)
        if not utf_8.possible and not gb18030.possible:
            raise CsvRefused(f"after line {line}: neither UTF-8 nor GB18030: save the file as “CSV UTF-8”")
        line += piece.count(b"\n")
    was_utf_8 = utf_8.possible and utf_8.beyond_ascii
    utf_8.feed(b"", final=True)
    gb18030.feed(b"", final=True)
    if utf_8.possible:
        return "utf-8-sig"
    if was_utf_8 or not gb18030.possible:
        raise CsvRefused(f"line {line}: the file ends in the middle of a character: it was cut off")
    return "gb18030"
