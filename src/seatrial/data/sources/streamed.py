"""Rows that arrive once, as Python values: typed by what they are, written as Parquet."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from seatrial.data.column import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from seatrial.data.sources import Place

_KINDS: dict[type, pa.DataType] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    decimal.Decimal: pa.float64(),
    dt.date: pa.date32(),
    dt.datetime: pa.timestamp("us"),
    dt.time: pa.time64("us"),
    bytes: pa.binary(),
}
"""What each kind of value becomes; all others become text."""

_WIDER = {
    frozenset({pa.int64(), pa.float64()}): pa.float64(),
    frozenset({pa.date32(), pa.timestamp("us")}): pa.timestamp("us"),
}
"""What can hold two kinds; any other two become text."""

_LARGEST = 2**63 - 1


class Stream:
    """Write batches of rows, then ``finish``: the relation ``rows`` of the place."""

    rows = 0

    def __init__(self, place: Place, names: Sequence[str]) -> None:
        self._place = place
        self._names = tuple(names)
        self._types = [pa.null()] * len(names)
        self._digest = hashlib.sha256(repr(self._names).encode())
        self._parts: list[Path] = []
        self._writer: parquet.ParquetWriter | None = None

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Append rows, each as long as there are names."""
        columns = [[*map(_plain, column)] for column in zip(*rows, strict=True)]
        wider = [
            _common(known, _type(values))
            for known, values in zip(self._types, columns, strict=True)
        ]
        if self._writer is None or wider != self._types:
            self._close()
            self._types = wider
            path = self._place.scratch.path / f"part-{len(self._parts)}.parquet"
            self._parts.append(path)
            self._writer = parquet.ParquetWriter(path, self._schema, compression="zstd")
        arrays = [_array(values, t) for values, t in zip(columns, self._types, strict=True)]
        batch = pa.record_batch(arrays, schema=self._schema)
        self._digest.update(batch.serialize())
        self._writer.write_batch(batch)
        self.rows += len(rows)

    def finish(self) -> str:
        """Make the relation; the fingerprint of all that was written, in its order."""
        self._close()
        connection = self._place.connection
        if not self._parts:
            empty = ", ".join(f"NULL AS {quoted(name)}" for name in self._names)
            connection.execute(f"CREATE TABLE rows AS SELECT {empty} WHERE false")
        else:
            whole = self._parts[0] if len(self._parts) == 1 else self._joined()
            connection.execute(f"CREATE VIEW rows AS FROM read_parquet('{whole}')")
        return f"sha256:{self._digest.hexdigest()}"

    @property
    def _schema(self) -> pa.Schema:
        return pa.schema([*zip(self._names, self._types, strict=True)])

    def _joined(self) -> Path:
        """The parts in one file: a column's type was wider in a later one."""
        whole = self._place.scratch.path / "whole.parquet"
        with parquet.ParquetWriter(whole, self._schema, compression="zstd") as writer:
            for part in self._parts:
                with parquet.ParquetFile(part) as file:
                    for batch in file.iter_batches():
                        writer.write_batch(batch.cast(self._schema))
                part.unlink()
        return whole

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _plain(value: Any) -> Any:
    """A value without what a column has no place for: times are in UTC, decimals are numbers."""
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, memoryview):
        return bytes(value)
    return value


def _type(values: Sequence[Any]) -> pa.DataType:
    """The type that holds all values of a batch.

    >>> _type([1, None, 2.5]), _type([None]), _type([1, "x"])
    (DataType(double), DataType(null), DataType(string))
    """
    found = pa.null()
    for kind in {type(value) for value in values} - {type(None)}:
        found = _common(found, _KINDS.get(kind, pa.string()))
    if found == pa.int64() and any(abs(v) > _LARGEST for v in values if v is not None):
        return pa.float64()
    return found


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    if one == other or other == pa.null():
        return one
    if one == pa.null():
        return other
    return _WIDER.get(frozenset({one, other}), pa.string())


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        return pa.array([None if v is None else _text(v) for v in values], kind)
    if kind == pa.float64():
        return pa.array([None if v is None else float(v) for v in values], kind, from_pandas=False)
    return pa.array(values, kind)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.hex() if isinstance(value, bytes) else str(value)
