"""What is in a dataset: its rows, the kinds of its columns, its fingerprint."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np

from seatrial.data.column import Column, kind_of, listed, quoted
from seatrial.data.profiles import counting, outlining
from seatrial.data.schema import violations
from seatrial.data.sources import Opened, Place, open_source
from seatrial.data.sources.connection import WIDE_MB, allow, connect, widen
from seatrial.data.sources.refusals import damaged, has_no_rows
from seatrial.data.sources.scratch import Scratch
from seatrial.data.sources.text_types import WIDE
from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from seatrial.data.dataset import Dataset
    from seatrial.data.schema.rules import Rule, Violation
    from seatrial.data.shape import ColumnProfile, Shape, Within

_ASKED_WRONG = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)
"""What duckdb says when it is the question. All else is the data, the disk or the memory."""


def open_table(dataset: Dataset) -> Table:
    """Open a dataset: find its rows, type its columns, take its fingerprint.

    Raises FormError when it cannot be opened, read or typed, or holds no rows; StoreError when a
    database, a store or the disk is in the way.
    """
    scratch = Scratch()
    try:
        connection = connect(scratch)
        opened = open_source(Place(dataset, connection, scratch))
        return Table(dataset, connection, scratch, opened)
    except BaseException:
        scratch.remove()
        raise


class Table:
    """An opened dataset. ``rows`` counts its rows, also visible to SQL as the relation ``rows``.

    Rows keep the order of their source. ``fingerprint`` is the SHA-256 of its content.
    """

    def __init__(
        self,
        dataset: Dataset,
        connection: duckdb.DuckDBPyConnection,
        scratch: Scratch,
        opened: Opened,
    ) -> None:
        self.dataset = dataset
        self.fingerprint = opened.fingerprint
        self._connection = connection
        self._scratch = scratch  # is removed when this table is forgotten
        self._files = opened.files
        self.columns = tuple(
            Column(name, kind_of(kind), kind) for name, kind, *_ in self.sql("DESCRIBE rows")
        )
        if len(self.columns) > WIDE:
            allow(connection, WIDE_MB)
        self._by_name = {column.name: column for column in self.columns}
        self.rows: int = opened.rows or self.sql("SELECT count(*) FROM rows")[0][0]
        if not self.rows:
            raise FormError(has_no_rows(dataset))

    def __repr__(self) -> str:
        return f"Table({self.dataset.name!r}, {self.rows} rows, {len(self.columns)} columns)"

    def sql(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query over the relation ``rows``; ``?`` takes the parameters."""
        with self._reading():
            found: list[tuple[Any, ...]] = self._connection.execute(query, [*parameters]).fetchall()
        return found

    def batches(self, query: str, *parameters: object, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of a query in their order, about so many at once, as Arrow."""
        with self._reading():
            asked = self._connection.sql(query, params=[*parameters])
            yield from asked.to_arrow_reader(rows)

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
        return outlining.outline(self, columns, self.rows)

    def tally(
        self, shapes: Sequence[Shape], within: Within | None = None
    ) -> tuple[ColumnProfile, ...]:
        """The columns of ``shapes`` counted on their edges and values, in their order."""
        return counting.tally(self, shapes, within)

    def unlisted(
        self, name: str, values: Sequence[str], most: int = 3
    ) -> tuple[tuple[str, int], ...]:
        """The most frequent texts of a column that are not among ``values``, with their counts."""
        return counting.unlisted(self, name, values, most)

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
                where=self.dataset.place,
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
        except FormError as fault:
            if not isinstance(fault.__cause__, duckdb.ConversionException):
                raise
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
        query = f"SELECT {selected} FROM rows"  # noqa: S608
        with self._reading():
            widen(self._connection)
            found = self._connection.execute(query).fetchnumpy()
        return [found[f"c{i}"] for i in range(len(expressions))]

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """What is asked within is of files that are still what they were when they were opened."""
        try:
            yield
        except _ASKED_WRONG:
            raise
        # A stream of Arrow tells whatever stops it as an OSError.
        except (duckdb.Error, OSError) as fault:
            # A file that is read lazily can be damaged beyond its header, or gone by now.
            if self._files:
                self._files.check()
            raise damaged(self.dataset, fault) from fault
        if self._files:
            self._files.check()

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
                        where=self.dataset.place,
                        fix="correct the values, or put the column under `exclude:`",
                    )
                )
        return FormError(*mistakes)


def _with_none(array: NDArray[Any]) -> NDArray[np.object_]:
    plain = np.array(np.ma.getdata(array), dtype=object)
    plain[np.ma.getmaskarray(array)] = None
    return plain
