"""One answered request, or the labels of one call, as bytes: what goes through the ring.

A record is written on the way of a request, so it holds raw values and is taken apart by whoever
reads it. Layout, little-endian::

    u8 kind, u32 version, 32 bytes digest, u8 length, model    the head: made once a version
    u64 at_us, u32 service_us, u32 rows, u16 length, id        one request
    u32 length, features, answer                               its values

``features`` are the number columns as float32: ``[rows, k]`` row by row from a matrix, else column
by column, followed by a JSON list of the string columns (``[]`` when there are none). ``answer`` is
the probabilities as float32 ``[rows, classes]`` (for classes only), followed by the labels: int64,
float32, or a JSON list of strings.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from seatrial.inference.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

PREDICTION = 1
LABELS = 2

_HEAD = struct.Struct("<BI32sB")
_REQUEST = struct.Struct("<QIIH")
_LENGTH = struct.Struct("<I")
_DIGEST = "sha256:"


def head(model: str, version: int, digest: str, kind: int = PREDICTION) -> bytes:
    """The part of a record that is the same for every request that a version answers."""
    name = model.encode()
    raw = bytes.fromhex(digest.removeprefix(_DIGEST))
    return _HEAD.pack(kind, version, raw, len(name)) + name


def head_of(record: bytes) -> bytes:
    """The head of a record: equal for all records of one kind and version."""
    return record[: head_length(record)]


kind_of = itemgetter(0)
"""Of a record, :data:`PREDICTION` or :data:`LABELS`."""


def head_length(record: bytes) -> int:
    """Where the head of a record ends."""
    return _HEAD.size + record[_HEAD.size - 1]


def read_head(head: bytes) -> tuple[int, str, int, str]:
    """Kind, model, version and digest.

    >>> read_head(head("m", 3, "sha256:" + 32 * "0a")) == (1, "m", 3, "sha256:" + 32 * "0a")
    True
    """
    kind, version, raw, length = _HEAD.unpack_from(head)
    return kind, head[_HEAD.size : _HEAD.size + length].decode(), version, _DIGEST + raw.hex()


def of_matrix(
    head: bytes,
    at_us: int,
    service_us: int,
    identity: bytes,
    features: NDArray[np.float32],
    answer: Answer,
) -> bytes:
    """A record of a version that reads numbers only; ``features`` is float32 ``[rows, k]``."""
    raw = features.tobytes()
    return b"".join(
        (
            head,
            _REQUEST.pack(at_us, service_us, len(features), len(identity)),
            identity,
            _LENGTH.pack(len(raw)),
            raw,
            _answered(answer),
        )
    )


def of_columns(
    head: bytes,
    at_us: int,
    service_us: int,
    identity: bytes,
    features: Mapping[str, NDArray[Any]],
    answer: Answer,
) -> bytes:
    """A record of a version that reads strings too; ``features`` are columns ``[rows]``.

    They come in the order of the signature: float32, or object strings.
    """
    values = [*features.values()]
    raw = b"".join(column.tobytes() for column in values if column.dtype != object)
    raw += orjson.dumps([column.tolist() for column in values if column.dtype == object])
    return b"".join(
        (
            head,
            _REQUEST.pack(at_us, service_us, len(values[0]), len(identity)),
            identity,
            _LENGTH.pack(len(raw)),
            raw,
            _answered(answer),
        )
    )


def of_labels(
    model: str,
    at_us: int,
    labels: Sequence[tuple[str, Sequence[object]]],
    digest: str,
    version: int,
) -> bytes:
    """The labels of one call: request id and one label a row; classes of that version's."""
    return head(model, version, digest, LABELS) + _LENGTH.pack(0) + orjson.dumps([at_us, labels])


def _answered(answer: Answer) -> bytes:
    label = answer.label
    raw = orjson.dumps(label.tolist()) if label.dtype == object else label.tobytes()
    return raw if answer.probabilities is None else answer.probabilities.tobytes() + raw


@dataclass(frozen=True, slots=True)
class Prediction:
    """A record taken apart as far as that goes without the version's signature."""

    model: str
    version: int
    digest: str
    at_us: int
    service_us: int
    id: str
    rows: int
    features: memoryview
    answer: memoryview


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of one call: ``(request id, one label a row)``; ``at_us`` is when they came."""

    model: str
    version: int
    digest: str
    at_us: int
    labels: tuple[tuple[str, tuple[Any, ...]], ...]


def read(record: bytes) -> Prediction | Labels:
    """Take a record apart."""
    kind, model, version, digest = read_head(record)
    at = head_length(record)
    if kind == LABELS:
        at_us, labels = orjson.loads(record[at + _LENGTH.size :])
        told = tuple((identity, tuple(values)) for identity, values in labels)
        return Labels(model, version, digest, at_us, told)
    at_us, service_us, rows, length = _REQUEST.unpack_from(record, at)
    at += _REQUEST.size
    identity = record[at : at + length].decode()
    at += length
    (size,) = _LENGTH.unpack_from(record, at)
    at += _LENGTH.size
    view = memoryview(record)
    features, answer = view[at : at + size], view[at + size :]
    return Prediction(model, version, digest, at_us, service_us, identity, rows, features, answer)


def features_of(record: Prediction, signature: Signature) -> dict[str, NDArray[Any]]:
    """The columns ``[rows]`` of a record, in the signature's order: float32 or object strings."""
    inputs, rows = signature.inputs, record.rows
    numbers = [each.name for each in inputs if each.datatype == "FP32"]
    cells = np.frombuffer(record.features, np.float32, rows * len(numbers))
    # Columns always bring their JSON list, be it empty: a version without a matrix input has
    # columns even when all of them are numbers.
    if cells.nbytes == len(record.features):
        matrix = cells.reshape(rows, len(inputs))
        return {name: matrix[:, index] for index, name in enumerate(numbers)}
    by_column = dict(zip(numbers, cells.reshape(len(numbers), rows), strict=True))
    strings = iter(orjson.loads(record.features[cells.nbytes :]))
    return {
        each.name: by_column[each.name]
        if each.datatype == "FP32"
        else np.array(next(strings), dtype=object)
        for each in inputs
    }


def answer_of(record: Prediction, signature: Signature) -> Answer:
    """The answer in a record, as the version gave it."""
    rows, classes = record.rows, signature.classes
    cells = np.frombuffer(record.answer, np.float32, rows * len(classes))
    rest = record.answer[cells.nbytes :]
    if signature.problem == "numbers":
        return Answer(np.frombuffer(rest, np.float32))
    words = isinstance(classes[0], str)
    label = np.array(orjson.loads(rest), object) if words else np.frombuffer(rest, np.int64)
    return Answer(label, cells.reshape(rows, len(classes)))
