"""What is wrong with a CSV file, and on which line?

The slow and exact look, taken only after the fast reader gave up.
"""

from __future__ import annotations

import csv
import gzip
import sys
from typing import IO, TYPE_CHECKING, cast

from seatrial.errors import SHOWN, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.data.dataset import Dataset


def mistakes_in(dataset: Dataset, delimiter: str) -> list[Mistake]:
    """Every ragged row, unclosed quote or undecodable line, in the order of the lines.

    The first few are told in full and the search ends there. Empty when the file is well formed.
    """
    mistakes: list[Mistake] = []
    lines = _Lines(dataset.path)
    try:
        for mistake in _ragged(dataset, delimiter, lines):
            mistakes.append(mistake)
            if len(mistakes) == SHOWN:
                break
    except UnicodeDecodeError:
        mistakes.append(
            Mistake(
                f"dataset {dataset.name!r} is not UTF-8",
                where=f"{dataset.path}:{lines.count}",
                fix=f"convert it: `iconv -f LATIN1 -t UTF-8 {dataset.path.name}`",
            )
        )
    except csv.Error as fault:
        mistakes.append(
            Mistake(
                f"dataset {dataset.name!r}: a quoted field is not closed properly ({fault})",
                where=f"{dataset.path}:{lines.count}",
                fix='write a quote inside a quoted field twice: ""',
            )
        )
    finally:
        lines.close()
    return mistakes


def header_of(path: Path, delimiter: str) -> list[str]:
    """The names in the first record, as written."""
    lines = _Lines(path)
    try:
        return next(_records(lines, delimiter), [])
    finally:
        lines.close()


def _ragged(dataset: Dataset, delimiter: str, lines: _Lines) -> Iterator[Mistake]:
    records = _records(lines, delimiter)
    expected = len(next(records, []))
    start = lines.count + 1
    for record in records:
        if record and len(record) != expected:
            yield Mistake(
                f"dataset {dataset.name!r}: ragged row, expected {_fields(expected)}, "
                f"got {len(record)}",
                where=f"{dataset.path}:{start}",
                fix="give every row as many fields as the header; quote fields that hold a "
                f"{'tab' if delimiter == chr(9) else 'comma'} or a line break",
            )
        start = lines.count + 1


def _fields(count: int) -> str:
    return f"{count} field{'' if count == 1 else 's'}"


def _records(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    return csv.reader(lines, delimiter=delimiter, strict=True)


class _Lines:
    """The decoded lines of a file, gzip or plain; ``count`` is the number of the last one."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        packed = path.name.lower().endswith(".gz")
        opened = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115 - close() below
        self._bytes = cast("IO[bytes]", opened)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._bytes.readline()
        if not line:
            raise StopIteration
        self.count += 1
        return line.decode("utf-8-sig" if self.count == 1 else "utf-8")

    def close(self) -> None:
        self._bytes.close()
