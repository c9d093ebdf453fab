"""What a foreign ONNX file answers as it is, where its form leaves no doubt what it means.

This is a second reading of the file, apart from the surgery that puts it into our form: so a
fault of the surgery shows as a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from seatrial.inference.answer import Answer, class_labels, most_probable
from seatrial.inference.batches import CANNOT_ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from seatrial.inference.signature import Signature

_KINDS = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(string)": object,
}
_MATRIX_RANK = 2
_ERRORS_ONLY = 3


def answer_as_given(
    content: bytes, rows: Mapping[str, NDArray[Any]], signature: Signature
) -> Answer | None:
    """Its answers to columns ``[n]``; None where its inputs or outputs can be read in two ways.

    None too where it takes another number of rows at once, or fails on these.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    session = onnxruntime.InferenceSession(
        content, options, providers=["CPUExecutionProvider"], enable_fallback=0
    )
    fed = _fed(session, rows, signature)
    if fed is None:
        return None
    outputs = [each.name for each in session.get_outputs()]
    try:
        said = session.run(None, fed)
    except CANNOT_ANSWER:
        return None  # whether it can answer such rows at all, our form of it tells
    return _read(dict(zip(outputs, said, strict=True)), signature)


def _fed(
    session: Any, rows: Mapping[str, NDArray[Any]], signature: Signature
) -> dict[str, NDArray[Any]] | None:
    """Its inputs: a column each by name, or all in one matrix."""
    inputs = session.get_inputs()
    names = [each.name for each in signature.inputs]
    if any(each.type not in _KINDS for each in inputs):
        return None  # whole numbers have no missing value: what it does with one is our surgery's
    if any(each.shape and isinstance(each.shape[0], int) for each in inputs):
        return None  # exported for so many rows, which our surgery sets free
    if {each.name for each in inputs} <= set(names):
        return {
            each.name: rows[each.name]
            .astype(_KINDS[each.type])
            .reshape((-1, 1) if len(each.shape) == _MATRIX_RANK else -1)
            for each in inputs
        }
    (only, *more) = inputs
    if more or any(column.dtype == object for column in rows.values()):
        return None
    joined = np.column_stack([rows[name] for name in names])
    return {only.name: joined.astype(_KINDS[only.type])}


def _read(outputs: Mapping[str, Any], signature: Signature) -> Answer | None:
    if signature.problem == "numbers":
        if len(outputs) != 1:
            return None
        (values,) = outputs.values()
        return Answer(np.asarray(values, np.float32).reshape(-1))
    tables = [table for table in map(_table, outputs.values()) if table is not None]
    count = len(signature.classes)
    if len(tables) != 1 or tables[0].shape[1] != count:
        return None
    labels = [np.asarray(each) for each in outputs.values() if _is_label(each)]
    if not labels:
        return most_probable(tables[0], signature.classes)
    known = class_labels(signature.classes)
    label = labels[0].reshape(-1)
    if set(label.tolist()) <= set(known.tolist()):
        return Answer(label.astype(known.dtype), tables[0].astype(np.float32))
    return most_probable(tables[0], signature.classes)


def _table(output: Any) -> NDArray[Any] | None:
    """Probabilities ``[n, classes]``; a list of mappings is what a ZipMap makes of them."""
    if isinstance(output, list):
        if not output or not isinstance(output[0], dict):
            return None
        order = sorted(output[0])
        return np.array([[row[each] for each in order] for row in output])
    found = np.asarray(output)
    return found if found.ndim == _MATRIX_RANK and found.dtype.kind == "f" else None


def _is_label(output: Any) -> bool:
    return not isinstance(output, list) and np.asarray(output).dtype.kind in "iuOU"
