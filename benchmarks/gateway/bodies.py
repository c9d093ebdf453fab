"""What the servers are asked: the same rows, in each one's own form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from gateway.project import MODEL, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.project import Columns

JSON = {"Content-Type": "application/json"}
SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, sent again and again."""

    path: str
    body: bytes
    headers: Mapping[str, str]


def matrix(count: int, path: str = f"/v2/models/{MODEL}/infer") -> Request:
    """V2 JSON with one matrix input."""
    asked = {"inputs": [{**_tensor(count), "data": _rows(count).numbers.ravel()}]}
    return Request(path=path, body=_json(asked), headers=JSON)


def binary(count: int) -> Request:
    """V2 with the binary tensor extension, in and out."""
    raw = _rows(count).numbers.tobytes()
    tensor = {**_tensor(count), "parameters": {"binary_data_size": len(raw)}}
    head = orjson.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}})
    return Request(
        path=f"/v2/models/{MODEL}/infer",
        body=head + raw,
        headers={
            "Content-Type": "application/octet-stream",
            "Inference-Header-Content-Length": str(len(head)),
        },
    )


def named(model: str) -> Request:
    """V2 JSON of one row with an input for each column."""
    asked = rows(model, 1, SEED)
    values = [*asked.numbers[0], *asked.strings[0].tolist()]
    inputs = [
        {
            "name": name,
            "shape": [1, 1],
            "datatype": "BYTES" if isinstance(value, str) else "FP32",
            "data": [value],
        }
        for name, value in zip(asked.names, values, strict=True)
    ]
    path = f"/v2/models/{model}/infer"
    return Request(path=path, body=_json({"inputs": inputs}), headers=JSON)


def nested(path: str, key: str) -> Request:
    """JSON of one row as a list of rows under a key: what mlflow and BentoML are asked."""
    asked: dict[str, object] = {"features": _rows(1).numbers}
    return Request(path=path, body=_json({key: asked} if key else asked), headers=JSON)


def _json(asked: object) -> bytes:
    # Arrays as they are: a float32 is then written with the digits it has, as clients do.
    return orjson.dumps(asked, option=orjson.OPT_SERIALIZE_NUMPY)


def _rows(count: int) -> Columns:
    return rows(MODEL, count, SEED)


def _tensor(count: int) -> dict[str, object]:
    return {"name": "features", "shape": [count, 20], "datatype": "FP32"}
