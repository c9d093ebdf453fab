"""What a version tells clients about itself, as the protocol and as Triton want it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from seatrial.inference.matrix import FEATURES

if TYPE_CHECKING:
    from seatrial.inference.served import Served
    from seatrial.inference.v2_form import Form

_PLATFORM = "onnx_onnxv1"
_TRITON = {"BYTES": "TYPE_STRING"}


def metadata(served: Served, versions: list[int]) -> dict[str, Any]:
    """The answer to ``GET v2/models/MODEL``; every input is a column, of the shape [-1, 1].

    The protocol knows no alternatives among inputs, so ``properties`` says in words that a matrix
    is taken too, and in JSON which class each probability belongs to.
    """
    form = served.form
    properties = {}
    if form.takes_matrix:
        instead = "instead of all other inputs, whose columns it holds in their order"
        properties[FEATURES] = f"FP32 [-1, {len(form.columns)}], {instead}"
    if served.signature.classes:
        properties["classes"] = orjson.dumps(served.signature.classes).decode()
    return {
        "name": served.model,
        "versions": [str(version) for version in versions],
        "platform": _PLATFORM,
        "inputs": [
            {"name": name, "datatype": datatype, "shape": [-1, 1]}
            for name, (_, datatype) in form.columns.items()
        ],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": shape}
            for name, datatype, shape in _outputs(form)
        ],
        "properties": properties,
    }


def config(served: Served) -> dict[str, Any]:
    """The answer to Triton's ``GET v2/models/MODEL/config``; its shapes are those of metadata."""
    form = served.form
    return {
        "name": served.model,
        "platform": _PLATFORM,
        "max_batch_size": 0,
        "input": [
            {"name": name, "data_type": _TRITON.get(datatype, f"TYPE_{datatype}"), "dims": [-1, 1]}
            for name, (_, datatype) in form.columns.items()
        ],
        "output": [
            {"name": name, "data_type": _TRITON.get(datatype, f"TYPE_{datatype}"), "dims": shape}
            for name, datatype, shape in _outputs(form)
        ],
    }


def _outputs(form: Form) -> list[tuple[str, str, list[int]]]:
    return [(name, each.datatype, [-1, *each.row_shape]) for name, each in form.outputs.items()]
