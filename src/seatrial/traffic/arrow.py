"""Records as columns: all records of one version at once, without taking each one apart.

Python touches a record only to cut it at a few places; numpy and Arrow read the pieces joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from seatrial.traffic import record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

TIME = pa.timestamp("us", "UTC")

_REQUEST = np.dtype([("time", "<u8"), ("service", "<u4"), ("rows", "<u4"), ("id", "<u2")])
_LENGTH_BYTES = 4
_LONGEST_SERVICE_US = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Form:
    """How the records of one version become rows; ``redacted`` columns never do."""

    version: int
    signature: Signature
    redacted: frozenset[str]
    gateway: str
    schema: Any

    @classmethod
    def of(
        cls, version: int, signature: Signature, redacted: Collection[str], gateway: str
    ) -> Form:
        """The form of a version's records, and its schema."""
        kinds = {"FP32": pa.float32(), "BYTES": pa.string()}
        kept = [
            pa.field(each.name, kinds[each.datatype])
            for each in signature.inputs
            if each.name not in redacted
        ]
        fields = [
            ("id", pa.string()),
            ("row", pa.int32()),
            ("time", TIME),
            ("version", pa.int32()),
            ("service_us", pa.int32()),
            ("prediction", prediction_type(signature)),
        ]
        if signature.problem == "classes":
            fields.append(("probabilities", pa.list_(pa.float32())))
        if kept:  # Parquet has no struct without fields
            fields.append(("features", pa.struct(kept)))
        fields.append(("gateway", pa.string()))
        return cls(version, signature, frozenset(redacted), gateway, pa.schema(fields))


def prediction_type(signature: Signature) -> Any:
    """The type of what a version predicts: int64, string, or float32."""
    if signature.problem == "numbers":
        return pa.float32()
    return pa.string() if _words(signature) else pa.int64()


def label_type(signature: Signature) -> Any:
    """The type of a label: as the classes; numbers as they were told, float64."""
    return pa.float64() if signature.problem == "numbers" else prediction_type(signature)


def _words(signature: Signature) -> bool:
    return any(isinstance(label, str) for label in signature.classes)


def batch_of(records: Sequence[bytes], form: Form) -> Any:
    """A record batch of prediction records that share their head, one row for each row asked.

    Raises ValueError, TypeError or IndexError when a record is not what its head says.
    """
    pieces = _cut(records, form.signature)
    rows = pieces.asked["rows"].astype(np.int64)
    total = int(rows.sum())
    repeated = None if total == len(rows) and (rows == 1).all() else np.repeat(_upto(rows), rows)
    each = pieces.asked if repeated is None else pieces.asked[repeated]
    ends = np.cumsum(rows)
    row = np.zeros(total, np.int32) if repeated is None else _upto(total) - (ends - rows)[repeated]
    columns = {
        "id": _ids(pieces, repeated),
        "row": pa.array(row, pa.int32()),
        "time": pa.array(each["time"].astype(np.int64), pa.int64()).cast(TIME),
        "version": pa.array(np.full(total, form.version, np.int32)),
        "service_us": pa.array(np.minimum(each["service"], _LONGEST_SERVICE_US).astype(np.int32)),
        "prediction": _predictions(pieces, form.signature),
        "probabilities": _probabilities(pieces, form.signature, total),
        "features": _features(pieces, form, rows),
        "gateway": pa.repeat(form.gateway, total),
    }
    arrays = [columns[name] for name in form.schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=form.schema)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Records cut at their joints: the same joint of all records stands side by side."""

    asked: NDArray[Any]
    ids: list[bytes]
    numbers: list[bytes]
    strings: list[bytes]
    probabilities: bytes
    labels: list[bytes]


def _cut(records: Sequence[bytes], signature: Signature) -> _Pieces:
    begin = record.head_length(records[0])
    end = begin + _REQUEST.itemsize
    asked = np.frombuffer(b"".join([each[begin:end] for each in records]), _REQUEST)
    rows = asked["rows"].astype(np.int64)
    at_features = asked["id"].astype(np.int64) + (end + _LENGTH_BYTES)
    begins = at_features.tolist()
    lengths = [each[b - _LENGTH_BYTES : b] for each, b in zip(records, begins, strict=True)]
    numbers = sum(each.datatype == "FP32" for each in signature.inputs)
    ends = (at_features + np.frombuffer(b"".join(lengths), "<u4")).tolist()
    middles = (at_features + 4 * numbers * rows).tolist()
    after = (np.array(ends, np.int64) + 4 * len(signature.classes) * rows).tolist()
    return _Pieces(
        asked=asked,
        ids=[each[end : b - _LENGTH_BYTES] for each, b in zip(records, begins, strict=True)],
        numbers=[each[b:m] for each, b, m in zip(records, begins, middles, strict=True)],
        strings=[each[m:e] for each, m, e in zip(records, middles, ends, strict=True)],
        probabilities=b"".join([each[e:a] for each, e, a in zip(records, ends, after, strict=True)])
        if signature.classes
        else b"",
        labels=[each[a:] for each, a in zip(records, after, strict=True)],
    )


def _upto(count: Any) -> NDArray[np.int64]:
    return np.arange(count if isinstance(count, int) else len(count))


def _ids(pieces: _Pieces, repeated: NDArray[np.int64] | None) -> Any:
    offsets = np.zeros(len(pieces.ids) + 1, np.int32)
    np.cumsum(pieces.asked["id"], out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(pieces.ids))]
    ids = pa.Array.from_buffers(pa.string(), len(pieces.ids), buffers)
    return ids if repeated is None else ids.take(pa.array(repeated))


def _predictions(pieces: _Pieces, signature: Signature) -> Any:
    if _words(signature):
        return pa.array([*chain.from_iterable(_lists(pieces.labels))], pa.string())
    kind = np.float32 if signature.problem == "numbers" else np.int64
    return pa.array(np.frombuffer(b"".join(pieces.labels), kind))


def _probabilities(pieces: _Pieces, signature: Signature, total: int) -> Any | None:
    if signature.problem == "numbers":
        return None
    classes = len(signature.classes)
    cells = np.frombuffer(pieces.probabilities, np.float32)
    offsets = np.arange(total + 1, dtype=np.int32) * classes
    if len(cells) != offsets[-1]:
        raise ValueError
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(cells))


def _features(pieces: _Pieces, form: Form, rows: NDArray[np.int64]) -> Any | None:
    if "features" not in form.schema.names:
        return None
    inputs = form.signature.inputs
    numbers = [each.name for each in inputs if each.datatype == "FP32"]
    strings = [each.name for each in inputs if each.datatype == "BYTES"]
    columns: dict[str, Any] = {}
    if numbers:
        columns |= zip(numbers, map(pa.array, _numbers(pieces, len(numbers), rows)), strict=True)
    if strings:
        told = _lists(pieces.strings)
        for index, name in enumerate(strings):
            values = [*chain.from_iterable([each[index] for each in told])]
            columns[name] = pa.array(values, pa.string())
    kept = form.schema.field("features").type
    return pa.StructArray.from_arrays([columns[each.name] for each in kept], fields=[*kept])


def _numbers(pieces: _Pieces, count: int, rows: NDArray[np.int64]) -> Iterator[NDArray[np.float32]]:
    """The number columns; a record holds them row by row, or, when strings follow, by column."""
    total = int(rows.sum())
    if (rows == 1).all() or not any(pieces.strings):
        matrix = np.frombuffer(b"".join(pieces.numbers), np.float32).reshape(total, count)
        return iter(np.ascontiguousarray(matrix.T))
    blocks = [
        np.frombuffer(cells, np.float32).reshape(count, n) if strings
        else np.frombuffer(cells, np.float32).reshape(n, count).T
        for cells, strings, n in zip(pieces.numbers, pieces.strings, rows.tolist(), strict=True)
    ]  # fmt: skip
    return iter(np.concatenate(blocks, axis=1))


def _lists(parts: list[bytes]) -> list[list[Any]]:
    """Many JSON lists, read at once."""
    read: list[list[Any]] = orjson.loads(b"[" + b",".join(parts) + b"]")
    return read
