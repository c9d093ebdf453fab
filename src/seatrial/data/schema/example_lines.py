"""On which lines of a CSV file do rows begin?

People look for a line in their editor, engines count rows. They differ where a quoted field holds
a line break or a line is blank; then the file is read once more, if it is not too large for that.
"""

from __future__ import annotations

import csv
import gzip
import sys
from typing import IO, TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from seatrial.data import Rows

COUNTED_AT_MOST = 2**30
"""The line breaks of a file with more bytes are not counted."""

READ_AT_MOST = 2**26
"""A file with more bytes is not read once more record by record."""

_PACKED = 8
"""A packed file counts this many times its size."""

_ENDINGS = {".csv": ",", ".csv.gz": ",", ".tsv": "\t", ".tsv.gz": "\t"}


def lines_of(table: Rows, rows: Iterable[int]) -> dict[int, int] | None:
    """The line, from 1, on which each of ``rows`` begins; ``None`` where lines mean nothing.

    The header is line 1, so the first row is on line 2 where every row is one line.
    """
    path = table.dataset.path
    delimiter = _delimiter(path)
    wanted = sorted(set(rows))
    if path is None or delimiter is None or not wanted:
        return None
    try:
        size = path.stat().st_size * (_PACKED if _is_packed(path) else 1)
        if size <= COUNTED_AT_MOST and _one_line_each(path, table.rows):
            return {row: row + 1 for row in wanted}
        return _begins(path, delimiter, wanted, table.rows) if size <= READ_AT_MOST else None
    except (OSError, EOFError, UnicodeDecodeError, csv.Error):
        return None  # the rows are known; only where they stand in the file is not


def _delimiter(path: Path | None) -> str | None:
    if path is None or not path.is_file():
        return None
    name = path.name.lower()
    return next((sign for ending, sign in _ENDINGS.items() if name.endswith(ending)), None)


def _one_line_each(path: Path, rows: int) -> bool:
    """Whether there are as many lines as rows and a header: then no row has more than one."""
    breaks, last = 0, b"\n"
    with _opened(path) as file:
        while part := file.read(1 << 20):
            breaks += part.count(b"\n")
            last = part[-1:]
    return breaks + (last != b"\n") == rows + 1


def _begins(path: Path, delimiter: str, wanted: list[int], rows: int) -> dict[int, int] | None:
    """Found with the csv module; ``None`` when it counts other rows than the engine did."""
    found: dict[int, int] = {}
    row = 0
    csv.field_size_limit(sys.maxsize)
    with _opened(path) as file:
        records = csv.reader(_decoded(file), delimiter=delimiter, strict=True)
        next(records, None)
        begin = records.line_num + 1
        for record in records:
            row += bool(record)
            if record and row in wanted:
                found[row] = begin
            begin = records.line_num + 1
    return found if row == rows else None


def _decoded(file: IO[bytes]) -> Iterator[str]:
    for line in file:
        yield line.decode("utf-8")


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path) if _is_packed(path) else path.open("rb"))


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")
