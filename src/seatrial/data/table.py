"""What is in a dataset: its rows, the kinds of its columns, its fingerprint."""

from __future__ import annotations

import hashlib
import stat
import tempfile
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from seatrial.data import counting, violations
from seatrial.data.column import Column, kind_of, listed, quoted
from seatrial.data.reading import damaged, read_rows
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.data.dataset import Dataset
    from seatrial.data.rules import Rule, Violation
    from seatrial.data.shape import ColumnProfile, Shape, Within


def open_table(dataset: Dataset) -> Table:
    """Open a dataset: read or map its file, type its columns, take its fingerprint.

    Raises FormError when the file cannot be opened, read or typed, or holds no rows.
    """
    fingerprint = _fingerprint(dataset)
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": tempfile.gettempdir(),
        },
    )
    connection.execute("SET enable_progress_bar = false")
    read_rows(dataset, connection)
    return Table(dataset, connection, fingerprint)


class Table:
    """An opened dataset. ``rows`` counts its rows, also visible to SQL as the relation ``rows``.

    Rows keep the order of the file. ``fingerprint`` is the SHA-256 of the file's bytes.
    """

    def __init__(
        self, dataset: Dataset, connection: duckdb.DuckDBPyConnection, fingerprint: str
    ) -> None:
        self.dataset = dataset
        self.fingerprint = fingerprint
        self._connection = connection
        self.columns = tuple(
            Column(name, kind_of(kind), kind) for name, kind, *_ in self.sql("DESCRIBE rows")
        )
        self._by_name = {column.name: column for column in self.columns}
        self.rows: int = self.sql("SELECT count(*) FROM rows")[0][0]
        if not self.rows:
            raise FormError(
                Mistake(
                    f"dataset {dataset.name!r} has a header but no rows",
                    where=str(dataset.path),
                    fix="write at least one row",
                )
            )

    def __repr__(self) -> str:
        return f"Table({self.dataset.name!r}, {self.rows} rows, {len(self.columns)} columns)"

    def sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query over the relation ``rows``; ``?`` takes the parameters."""
        return self._execute(query, parameters).fetchall()

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column as float64 ``[n]``: NaN where missing, 0 and 1 for booleans.

        Raises FormError when it holds text that is no number.
        """
        return self._numbers([name])[0]

    def strings(self, name: str) -> NDArray[np.object_]:
        """A column as text, an object array ``[n]``: None where missing."""
        return self._strings([name])[0]

    def column(self, name: str) -> NDArray[Any]:
        """A column ``[n]``: numbers and booleans as in ``numbers``, all else as in ``strings``."""
        known = self[name]
        return self.numbers(name) if known.kind in {"number", "boolean"} else self.strings(name)

    def many(self, numbers: Sequence[str], strings: Sequence[str]) -> Mapping[str, NDArray[Any]]:
        """Several columns by name, each ``[n]``: one scan for the numbers, one for the text."""
        found: dict[str, NDArray[Any]] = dict(zip(numbers, self._numbers(numbers), strict=True))
        found.update(zip(strings, self._strings(strings), strict=True))
        return found

    def hashes(self, expression: str) -> NDArray[np.uint64]:
        """An SQL expression of type UBIGINT over each row ``[n]``."""
        return np.asarray(self._arrays([expression])[0], np.uint64)

    def outline(self, columns: Sequence[Column]) -> tuple[Shape, ...]:
        """Edges and values to count each column on; the same rows give the same ones."""
        return counting.outline(self.sql, columns, self.rows)

    def tally(
        self, shapes: Sequence[Shape], within: Within | None = None
    ) -> tuple[ColumnProfile, ...]:
        """The columns of ``shapes`` counted on their edges and values, in their order."""
        return counting.tally(self.sql, shapes, within)

    def unlisted(
        self, name: str, values: Sequence[str], most: int = 3
    ) -> tuple[tuple[str, int], ...]:
        """The most frequent texts of a column that are not among ``values``, with their counts."""
        return counting.unlisted(self.sql, name, values, most)

    def violations(self, rules: Sequence[Rule]) -> tuple[Violation, ...]:
        """What breaks the rules, in their order; a rule that holds gives none."""
        return violations.found(self.sql, rules)

    def __getitem__(self, name: str) -> Column:
        """The column of that name. Raises FormError, with the nearest, when there is none."""
        if name in self._by_name:
            return self._by_name[name]
        raise FormError(
            Mistake(
                f"dataset {self.dataset.name!r} has no column {name!r}",
                where=str(self.dataset.path),
                nearest=nearest(name, self._by_name),
                fix=f"use one of: {listed(self._by_name)}",
            )
        )

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def _numbers(self, names: Sequence[str]) -> list[NDArray[np.float64]]:
        parts = [f"coalesce(CAST({quoted(self[n].name)} AS DOUBLE), 'nan')" for n in names]
        try:
            arrays = self._arrays(parts)
        except duckdb.ConversionException as fault:
            raise self._not_numbers(names) from fault
        return [np.asarray(array, np.float64) for array in arrays]

    def _strings(self, names: Sequence[str]) -> list[NDArray[np.object_]]:
        arrays = self._arrays([f"CAST({quoted(self[name].name)} AS VARCHAR)" for name in names])
        return [_with_none(array) for array in arrays]

    def _arrays(self, expressions: Sequence[str]) -> list[NDArray[Any]]:
        """One array ``[n]`` an expression, all in one scan."""
        if not expressions:
            return []
        selected = ", ".join(f"{text} AS c{i}" for i, text in enumerate(expressions))
        found = self._execute(f"SELECT {selected} FROM rows", ()).fetchnumpy()  # noqa: S608
        return [found[f"c{i}"] for i in range(len(expressions))]

    def _execute(self, query: str, parameters: tuple[object, ...]) -> duckdb.DuckDBPyConnection:
        try:
            return self._connection.execute(query, list(parameters))
        except (duckdb.IOException, duckdb.InvalidInputException) as fault:
            # A file that is read lazily can be damaged beyond its header, or gone by now.
            raise damaged(self.dataset, fault) from fault

    def _not_numbers(self, names: Sequence[str]) -> FormError:
        mistakes = []
        for name in names:
            text = quoted(name)
            bad = self.sql(
                f"SELECT {text} FROM rows WHERE {text} IS NOT NULL "  # noqa: S608
                f"AND TRY_CAST({text} AS DOUBLE) IS NULL LIMIT 1"
            )
            if bad:
                mistakes.append(
                    Mistake(
                        f"dataset {self.dataset.name!r}: column {name!r} holds {bad[0][0]!r} "
                        "where a number is expected",
                        where=str(self.dataset.path),
                        fix="correct the values, or put the column under `exclude:`",
                    )
                )
        return FormError(*mistakes)


def _with_none(array: NDArray[Any]) -> NDArray[np.object_]:
    plain = np.array(np.ma.getdata(array), dtype=object)
    plain[np.ma.getmaskarray(array)] = None
    return plain


def _fingerprint(dataset: Dataset) -> str:
    """The SHA-256 of the file's bytes, streamed: the order of the rows counts."""
    path = dataset.path
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size:
            with path.open("rb") as file:
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as fault:
        raise FormError(_unreadable(dataset, fault)) from fault
    if stat.S_ISREG(status.st_mode):
        what, fix = "is an empty file", "write a header and rows"
    else:
        what, fix = "is a folder or no ordinary file", "name one file"
    raise FormError(Mistake(f"dataset {dataset.name!r} {what}", where=str(path), fix=fix))


def _unreadable(dataset: Dataset, fault: OSError) -> Mistake:
    where = str(dataset.path)
    if isinstance(fault, PermissionError):
        what = f"dataset {dataset.name!r}: the file may not be read by this user"
        return Mistake(what, where=where, fix=f"allow it: `chmod +r {dataset.path.name}`")
    if isinstance(fault, FileNotFoundError):
        place = dataset.path.parent
        files = [file.name for file in place.iterdir()] if place.is_dir() else []
        what = f"dataset {dataset.name!r}: the file does not exist"
        near = nearest(dataset.path.name, files)
        return Mistake(what, where=where, nearest=near, fix="correct the path under `datasets:`")
    what = f"dataset {dataset.name!r} cannot be read: {fault.strerror or fault}"
    return Mistake(what, where=where, fix="check the path and the disk")
