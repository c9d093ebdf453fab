"""CSV and TSV: text in one dialect, its types told by every row.

A small file becomes a table in memory, a large one Parquet in the scratch folder: to write it
costs less than to read the text a second time. Very wide text, and text that there is no room for,
is read again for every question.
"""

from __future__ import annotations

import csv
import glob
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import duckdb

from seatrial.data.column import quoted
from seatrial.data.sources import SMALL
from seatrial.data.sources.connection import CONVERTING_MB, LEAST_MB, WIDE_MB, allow
from seatrial.data.sources.csv_form import first_nul, header_of, mistakes_in
from seatrial.data.sources.refusals import unique_names
from seatrial.data.sources.text_types import WIDE, as_guessed, types_in_one_scan, types_of
from seatrial.errors import FormError, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from seatrial.data.sources import Place


_GROUP = 30_720
"""Rows of a row group: what each thread holds until it is written."""


def read_commas(place: Place, path: Path) -> int | None:
    """Fields between commas."""
    return _read(place, path, ",")


def read_tabs(place: Place, path: Path) -> int | None:
    """Fields between tabs."""
    return _read(place, path, "\t")


def _read(place: Place, path: Path, delimiter: str) -> int | None:
    """In one explicit dialect; empty fields are missing."""
    try:
        names = header_of(path, delimiter)
    except (UnicodeDecodeError, csv.Error) as fault:
        raise FormError(*mistakes_in(place.dataset, path, delimiter)) from fault
    if not names:
        what = f"dataset {place.dataset.name!r} begins with an empty line"
        fix = "remove it: the first line must name the columns"
        raise FormError(Mistake(what, where=f"{place.dataset.place}:1", fix=fix))
    unique_names(place.dataset, names)
    if len(names) > WIDE:
        allow(place.connection, WIDE_MB)
    make = _way(place, path, names)
    with ThreadPoolExecutor(max_workers=1) as beside:
        nul = beside.submit(first_nul, place.dataset, path)
        try:
            rows = make(place, path, delimiter, names, strict=True)
        except (duckdb.InvalidInputException, duckdb.ConversionException) as fault:
            mistakes = mistakes_in(place.dataset, path, delimiter)
            if mistakes:
                raise FormError(*mistakes) from fault
            # What is well formed to the csv module but not to strict duckdb: mixed line ends.
            rows = make(place, path, delimiter, names, strict=False)
        if mistake := nul.result():
            raise FormError(mistake)
    return rows


def _way(place: Place, path: Path, names: list[str]) -> Callable[..., int | None]:
    size = path.stat().st_size
    if len(names) > WIDE:
        return _again
    if size <= SMALL:
        return _in_memory
    # As Parquet it takes less.
    return _converted if _free(place.scratch.path) > size else _again


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _in_memory(
    place: Place, path: Path, delimiter: str, names: list[str], *, strict: bool
) -> int | None:
    texts = _scan(path, delimiter, dict.fromkeys(names, "VARCHAR"), strict=strict)
    place.connection.execute(f"CREATE TABLE texts AS FROM {texts}")
    types = types_of(place.connection, "texts", names)
    columns = ", ".join(f"CAST({quoted(n)} AS {types[n]}) AS {quoted(n)}" for n in names)
    place.connection.execute(f"CREATE TABLE rows AS SELECT {columns} FROM texts")  # noqa: S608
    place.connection.execute("DROP TABLE texts")
    return None


def _converted(
    place: Place, path: Path, delimiter: str, names: list[str], *, strict: bool
) -> int | None:
    written = place.scratch.path / "text.parquet"
    allow(place.connection, LEAST_MB, CONVERTING_MB)
    rows = _convert(place, path, delimiter, names, written, strict=strict)
    allow(place.connection, LEAST_MB)
    place.connection.execute(f"CREATE VIEW rows AS FROM read_parquet('{written}')")
    return rows


def _convert(
    place: Place, path: Path, delimiter: str, names: list[str], written: Path, *, strict: bool
) -> int:
    texts = _scan(path, delimiter, dict.fromkeys(names, "VARCHAR"), strict=strict)
    read, typed = as_guessed(place.connection, texts, names)
    try:
        found = _scan(path, delimiter, read, strict=strict)
        return _written(place, f"SELECT {', '.join(typed)} FROM {found}", written)  # noqa: S608
    except (duckdb.InvalidInputException, duckdb.ConversionException):
        # The first rows told too little, or the file is not well formed: this look tells which.
        types, _ = types_in_one_scan(place.connection, texts, names)
        return _written(place, f"FROM {_scan(path, delimiter, types, strict=strict)}", written)


def _written(place: Place, query: str, path: Path) -> int:
    form = f"FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE {_GROUP}"
    answer = place.connection.execute(f"COPY ({query}) TO '{path}' ({form})").fetchone()
    return int(answer[0]) if answer else 0


def _again(
    place: Place, path: Path, delimiter: str, names: list[str], *, strict: bool
) -> int | None:
    texts = _scan(path, delimiter, dict.fromkeys(names, "VARCHAR"), strict=strict)
    types, rows = types_in_one_scan(place.connection, texts, names)
    typed = _scan(path, delimiter, types, strict=strict)
    place.connection.execute(f"CREATE VIEW rows AS FROM {typed}")
    return rows


def _scan(path: Path, delimiter: str, types: Mapping[str, str], *, strict: bool) -> str:
    """The call that reads the file; a view takes no parameters, so all is written into it."""
    columns = ", ".join(f"{quoted(name)}: '{kind}'" for name, kind in types.items())
    # The pattern matches only the file itself.
    literal = glob.escape(str(path.absolute())).replace("'", "''")
    return (
        f"read_csv('{literal}', columns = {{{columns}}}, auto_detect = false, header = true, "
        f"delim = '{delimiter}', quote = '\"', escape = '\"', comment = '', nullstr = '', "
        f"strict_mode = {strict}, null_padding = false)"
    )
