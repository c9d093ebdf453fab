"""How does a file become rows? One relation called ``rows`` in a duckdb connection.

CSV and JSON are read at once, which checks every row; Parquet and Arrow stay on disk and are
read when asked.
"""

from __future__ import annotations

import csv
import glob
from typing import TYPE_CHECKING

import duckdb

from seatrial.data.csv_form import header_of, mistakes_in
from seatrial.data.dataset import SUFFIXES
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seatrial.data.dataset import Dataset

_CSV_TYPES = ["BOOLEAN", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "VARCHAR"]
_LINE = 160
"""No more than this many characters of a library's own message are shown."""


def read_rows(dataset: Dataset, connection: duckdb.DuckDBPyConnection) -> None:
    """Make the relation ``rows`` in ``connection`` from the file of ``dataset``.

    Raises FormError for an unknown or damaged file and for names that are not unique.
    """
    name = dataset.path.name.lower()
    suffix = max((s for s in SUFFIXES if name.endswith(s)), key=len, default="")
    if not suffix:
        raise FormError(
            Mistake(
                f"dataset {dataset.name!r}: unknown kind of file {dataset.path.suffix!r}",
                where=str(dataset.path),
                nearest=nearest(dataset.path.suffix, SUFFIXES),
                fix=f"convert it to one of: {' '.join(SUFFIXES)}",
            )
        )
    try:
        _READERS[suffix](dataset, connection)
    except (duckdb.Error, OSError, EOFError) as fault:
        raise damaged(dataset, fault) from fault


def damaged(dataset: Dataset, fault: Exception) -> FormError:
    """The error for a file that a library could not read, in one line of its own words."""
    line = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
    for text in (f'file "{dataset.path}"', f"'{dataset.path}'", f": {dataset.path}"):
        line = line.replace(text, "")
    said = " ".join(line.split())[:_LINE]
    return FormError(
        Mistake(
            f"dataset {dataset.name!r} is damaged or not what its name says:\n  {said}",
            where=str(dataset.path),
            fix="write the file again from its source, or correct the ending of its name",
        )
    )


def unique_names(dataset: Dataset, names: Sequence[str]) -> None:
    """Refuse names that are empty or equal; SQL knows no upper case, so neither do we."""
    mistakes = []
    first: dict[str, str] = {}
    for position, name in enumerate(names, start=1):
        if not name.strip():
            what, fix = f"column {position} has no name", "give it a name, or drop the column"
        elif name.casefold() in first:
            rival = first[name.casefold()]
            also = "" if rival == name else f" (as {rival!r}: case does not tell columns apart)"
            what, fix = f"duplicate column name {name!r}{also}", "rename or drop one of the two"
        else:
            first[name.casefold()] = name
            continue
        where = f"{dataset.path}, column {position}"
        mistakes.append(Mistake(f"dataset {dataset.name!r}: {what}", where=where, fix=fix))
    if mistakes:
        raise FormError(*mistakes)


def _read_csv(dataset: Dataset, connection: duckdb.DuckDBPyConnection) -> None:
    """Types from all rows, in one explicit dialect; empty fields are missing."""
    delimiter = "\t" if dataset.path.name.lower().endswith(".tsv") else ","
    try:
        names = header_of(dataset.path, delimiter)
    except (UnicodeDecodeError, csv.Error) as fault:
        raise FormError(*mistakes_in(dataset, delimiter)) from fault
    unique_names(dataset, names)
    try:
        _load_csv(dataset, connection, delimiter, names, strict=True)
    except duckdb.Error as fault:
        mistakes = mistakes_in(dataset, delimiter)
        if mistakes:
            raise FormError(*mistakes) from fault
        # What is well formed to the csv module but not to strict duckdb: mixed line ends.
        _load_csv(dataset, connection, delimiter, names, strict=False)


def _load_csv(
    dataset: Dataset,
    connection: duckdb.DuckDBPyConnection,
    delimiter: str,
    names: list[str],
    *,
    strict: bool,
) -> None:
    connection.execute(
        """CREATE TABLE rows AS SELECT * FROM read_csv(
            $path, delim = $delimiter, names = $names, auto_type_candidates = $types,
            strict_mode = $strict, quote = '"', escape = '"', comment = '', nullstr = '',
            header = true, skip = 0, sample_size = -1, null_padding = false)""",
        {
            "path": _pattern(dataset),
            "delimiter": delimiter,
            "names": names,
            "types": _CSV_TYPES,
            "strict": strict,
        },
    )


def _read_json(dataset: Dataset, connection: duckdb.DuckDBPyConnection) -> None:
    lines = dataset.path.name.lower().endswith(".jsonl")
    connection.execute(
        "CREATE TABLE rows AS SELECT * FROM "
        "read_json($path, format = $format, records = true, sample_size = -1)",
        {"path": _pattern(dataset), "format": "newline_delimited" if lines else "auto"},
    )
    unique_names(dataset, _columns(connection))


def _read_parquet(dataset: Dataset, connection: duckdb.DuckDBPyConnection) -> None:
    path = _pattern(dataset).replace("'", "''")
    parts = connection.execute(
        "SELECT name, num_children FROM parquet_schema($path)", {"path": _pattern(dataset)}
    ).fetchall()
    unique_names(dataset, _top_names(parts))
    # A view takes no parameters: the path is quoted above.
    connection.execute(f"CREATE VIEW rows AS SELECT * FROM read_parquet('{path}')")  # noqa: S608


def _top_names(parts: list[tuple[str, int | None]]) -> list[str]:
    """The names below the root of a Parquet schema, which is listed depth first.

    >>> _top_names([("root", 2), ("a", None), ("b", 1), ("inside b", None)])
    ['a', 'b']
    """
    names: list[str] = []
    pending = 0
    for name, children in parts[1:]:
        if pending:
            pending -= 1
        else:
            names.append(name)
        pending += children or 0
    return names


def _read_arrow(dataset: Dataset, connection: duckdb.DuckDBPyConnection) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only for this kind of file
    from pyarrow import ipc  # noqa: PLC0415

    mapped = pa.memory_map(str(dataset.path))
    try:
        rows = ipc.open_file(mapped).read_all()
    except pa.ArrowInvalid:
        mapped.seek(0)
        try:
            rows = ipc.open_stream(mapped).read_all()
        except pa.ArrowException as fault:
            raise damaged(dataset, fault) from fault
    unique_names(dataset, rows.column_names)
    connection.register("rows", rows)


def _columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in connection.execute("DESCRIBE rows").fetchall()]


def _pattern(dataset: Dataset) -> str:
    """The path as a pattern that matches only itself."""
    return glob.escape(str(dataset.path.absolute()))


_READERS: dict[str, Callable[[Dataset, duckdb.DuckDBPyConnection], None]] = {
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".tsv": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_json,
    ".parquet": _read_parquet,
    ".arrow": _read_arrow,
}
