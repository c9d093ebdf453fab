"""What is wrong with a CSV file, and on which line?

The slow and exact look, taken only after the fast reader gave up.
"""

from __future__ import annotations

import codecs
import csv
from typing import TYPE_CHECKING

from seatrial.errors import SHOWN, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from seatrial.data.dataset import Dataset

_CHUNK = 1 << 20

_LONGEST = 64 << 20
"""No line or field has so many bytes (duckdb takes far fewer): the rest may be the whole file."""


def mistakes_in(dataset: Dataset, path: Path, delimiter: str) -> list[Mistake]:
    """Every ragged row, unclosed quote or undecodable line, in the order of the lines.

    The first few are told in full and the search ends there. Empty when the file is well formed.
    """
    mistakes: list[Mistake] = []
    lines = _Lines(path)
    try:
        for mistake in _ragged(dataset, delimiter, lines):
            mistakes.append(mistake)
            if len(mistakes) == SHOWN:
                break
    except UnicodeDecodeError:
        mistakes.append(_not_utf8(dataset, path, lines.count))
    except _EndlessError:
        what = f"dataset {dataset.name!r}: a line of more than {_LONGEST >> 20} MiB"
        fix = "end each line with a line feed; if this is no text, correct the ending of its name"
        mistakes.append(Mistake(what, where=f"{dataset.place}:{lines.count + 1}", fix=fix))
    except csv.Error as fault:
        mistakes.append(
            Mistake(
                f"dataset {dataset.name!r}: a quoted field is not closed properly ({fault})",
                where=f"{dataset.place}:{lines.record}",
                fix='write a quote inside a quoted field twice: ""',
            )
        )
    finally:
        lines.close()
    return mistakes


def first_nul(dataset: Dataset, path: Path) -> Mistake | None:
    """The mistake of the first NUL byte of a text, which is never meant; none without one."""
    start = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            place = chunk.find(b"\0")
            if place >= 0:
                return _nul(dataset, path, start + place)
            start += len(chunk)
    return None


def _nul(dataset: Dataset, path: Path, offset: int) -> Mistake:
    if _wide(path):
        return _not_utf8(dataset, path, 1)
    line = 1
    with path.open("rb") as file:
        while offset > 0:
            chunk = file.read(min(offset, _CHUNK))
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return Mistake(
        f"dataset {dataset.name!r} holds a NUL byte, which is no text",
        where=f"{dataset.place}:{line}",
        fix="write the file again, or drop them: `tr -d '\\000' < FILE > CLEAN`",
    )


def _wide(path: Path) -> bool:
    """Whether a text says at its begin that it is UTF-16."""
    with path.open("rb") as file:
        return file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}


def _not_utf8(dataset: Dataset, path: Path, line: int) -> Mistake:
    actual = "UTF-16" if _wide(path) else "LATIN1"
    return Mistake(
        f"dataset {dataset.name!r} is not UTF-8" + (" but UTF-16" if _wide(path) else ""),
        where=f"{dataset.place}:{line}",
        fix=f"convert it: `iconv -f {actual} -t UTF-8 {dataset.brief} > CLEAN`",
    )


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
    lines.record = lines.count + 1
    for record in records:
        if record and len(record) != expected:
            yield Mistake(
                f"dataset {dataset.name!r}: ragged row, expected {_fields(expected)}, "
                f"got {len(record)}",
                where=f"{dataset.place}:{lines.record}",
                fix="give every row as many fields as the header; quote fields that hold a "
                f"{'tab' if delimiter == chr(9) else 'comma'} or a line break",
            )
        lines.record = lines.count + 1


def _fields(count: int) -> str:
    return f"{count} field{'' if count == 1 else 's'}"


def _records(lines: _Lines, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST)
    return csv.reader(lines, delimiter=delimiter, strict=True)


class _EndlessError(csv.Error):
    """A line that does not end."""


class _Lines:
    """The decoded lines of a file: ``count`` so far; the current record began in ``record``."""

    def __init__(self, path: Path) -> None:
        self.count = 0
        self.record = 1
        self._bytes = path.open("rb")

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._bytes.readline(_LONGEST)
        if not line:
            raise StopIteration
        if len(line) == _LONGEST:
            raise _EndlessError
        self.count += 1
        return line.decode("utf-8-sig" if self.count == 1 else "utf-8")

    def close(self) -> None:
        self._bytes.close()
