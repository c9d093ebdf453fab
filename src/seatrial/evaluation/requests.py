"""A request as clients write it, in each form that a version takes; its answer as they read it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson

from seatrial.inference.answer import Answer
from seatrial.inference.columns import columns
from seatrial.inference.matrix import FEATURES
from seatrial.inference.v2_tensor import DATATYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.served import Served
    from seatrial.inference.signature import Signature

    Columns = Mapping[str, NDArray[Any]]

Form = Literal["columns", "matrix", "binary"]
"""How a request holds its rows: JSON by column name, JSON as one matrix, raw tensors by name."""

_U32 = struct.Struct("<I")
_TOO_LARGE = 1e300
_IDENTITY = "asked"


@dataclass(frozen=True, slots=True)
class Request:
    """A body, and the length of its JSON when raw tensors follow."""

    body: bytes
    json_length: int | None = None


def forms(served: Served) -> tuple[Form, ...]:
    """The forms of request that a version takes."""
    return ("columns", "matrix", "binary") if served.form.takes_matrix else ("columns", "binary")


def request(signature: Signature, features: Columns, form: Form = "columns") -> Request:
    """A request with these rows.

    Missing values are null in JSON; in raw tensors NaN and the empty string. JSON has no
    infinities: a number that is too large for float32 stands for one.
    """
    read = columns(features, signature)
    rows = len(next(iter(read.values())))
    if form == "binary":
        return _raw_request(read, rows)
    if form == "matrix":
        table = np.column_stack([*read.values()])
        inputs = [_tensor(FEATURES, "FP32", [rows, table.shape[1]], _numbers(table.ravel()))]
    else:
        inputs = [
            _tensor(name, "BYTES", [rows], [value or None for value in values.tolist()])
            if values.dtype == object
            else _tensor(name, "FP32", [rows], _numbers(values))
            for name, values in read.items()
        ]
    body = {"id": _IDENTITY, "inputs": inputs}
    return Request(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY))


def parsed(body: bytes, json_length: int | None = None) -> Answer:
    """An answer's body as a client reads it; null in numbers is NaN."""
    document = orjson.loads(body if json_length is None else body[:json_length])
    at = len(body) if json_length is None else json_length
    tables: dict[str, NDArray[Any]] = {}
    for output in document["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        datatype, shape = output["datatype"], output["shape"]
        if size is None:
            tables[output["name"]] = _of_json(output["data"], datatype).reshape(shape)
        else:
            tables[output["name"]] = _of_raw(body[at : at + size], datatype).reshape(shape)
            at += size
    return Answer(tables["label"], tables.get("probabilities"))


def _tensor(name: str, datatype: str, shape: list[int], data: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def _numbers(values: NDArray[Any]) -> Any:
    """As JSON holds them: NaN becomes null by itself, infinities would too."""
    if not np.isinf(values).any():
        return np.ascontiguousarray(values)
    wide = values.astype(np.float64)
    return np.where(np.isinf(wide), np.copysign(_TOO_LARGE, wide), wide)


def _raw_request(read: Columns, rows: int) -> Request:
    inputs, tail = [], []
    for name, values in read.items():
        strings = values.dtype == object
        content = _raw_strings(values) if strings else values.astype("<f4").tobytes()
        inputs.append(
            {
                "name": name,
                "shape": [rows],
                "datatype": "BYTES" if strings else "FP32",
                "parameters": {"binary_data_size": len(content)},
            }
        )
        tail.append(content)
    wanted = {"binary_data_output": True}
    head = orjson.dumps({"id": _IDENTITY, "parameters": wanted, "inputs": inputs})
    return Request(head + b"".join(tail), len(head))


def _raw_strings(values: NDArray[Any]) -> bytes:
    encoded = [value.encode() for value in values.tolist()]
    return b"".join(_U32.pack(len(each)) + each for each in encoded)


def _of_json(data: list[Any], datatype: str) -> NDArray[Any]:
    if datatype == "BYTES":
        return np.array(data, dtype=object)
    if DATATYPES[datatype].kind == "f":
        known = [np.nan if value is None else value for value in data]
        return np.array(known, dtype=np.float64).astype(np.float32)
    return np.array(data, dtype=DATATYPES[datatype])


def _of_raw(content: bytes, datatype: str) -> NDArray[Any]:
    if datatype != "BYTES":
        return np.frombuffer(content, DATATYPES[datatype])
    read: list[str] = []
    at = 0
    while at < len(content):
        begin = at + _U32.size
        at = begin + _U32.unpack_from(content, at)[0]
        read.append(content[begin:at].decode())
    return np.array(read, dtype=object)
