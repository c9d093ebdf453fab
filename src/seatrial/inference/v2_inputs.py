"""The features that a request brings: one tensor a column, or all columns as one matrix."""

from __future__ import annotations

from math import nan
from struct import error as struct_error
from struct import pack
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seatrial.errors import nearest
from seatrial.inference.matrix import FEATURES
from seatrial.inference.v2_tensor import Raw, shown, values, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.inference.v2_form import Form

Features = NDArray[np.float32] | dict[str, NDArray[Any]]

_ONE_ROW = ([1], [1, 1])
_NEVER_CAME = object()
_TOLD = 5
_COMPARED = 200


def features(inputs: object, form: Form, raw: Raw) -> Features:
    """Float32 ``[n, k]`` when the version reads numbers only, else its columns ``[n]`` in order.

    A RequestError 400 for every mistake, with a sentence that names the input.
    """
    plain = _plain(inputs, form)
    if plain is not None:
        return plain
    tensors = _tensors(inputs, form)
    if form.takes_matrix and FEATURES in tensors:
        return _matrix(tensors, form, raw)
    _demand_all(tensors, form)
    columns = {
        name: values(
            tensor, f"the input {name!r}", raw, 1, strings=form.columns[name][1] == "BYTES"
        )
        for name, tensor in tensors.items()
    }
    rows = _common_rows(columns)
    if form.strings:
        return {name: columns[name] for name in form.columns}
    matrix = np.empty((rows, len(columns)), np.float32)
    for name, (place, _) in form.columns.items():
        matrix[:, place] = columns[name]
    return matrix


def _plain(inputs: Any, form: Form) -> Features | None:
    """The features of the commonest requests in a part of the time; None says: look closer.

    They are flat JSON of the model's own datatypes: a matrix, or one row by names. What this
    accepts the longer way accepts too, with the same values.
    """
    try:
        if form.takes_matrix and inputs[0]["name"] == FEATURES:
            (tensor,) = inputs
            return _plain_matrix(tensor, len(form.columns))
        row: list[Any] = [_NEVER_CAME] * len(form.columns)
        for tensor in inputs:
            place, datatype = form.columns[tensor["name"]]
            shape, data = tensor["shape"], tensor["data"]
            if (
                tensor["datatype"] != datatype
                or shape not in _ONE_ROW
                or type(shape[-1]) is not int
                or type(data) is not list
                or "parameters" in tensor
            ):
                return None
            (row[place],) = data
        return None if len(inputs) != len(row) else _plain_row(row, form)
    except (KeyError, TypeError, ValueError, IndexError, struct_error):
        return None


def _plain_matrix(tensor: dict[str, Any], columns: int) -> NDArray[np.float32] | None:
    rows, width = tensor["shape"]
    data = tensor["data"]
    if (
        tensor["datatype"] != "FP32"
        or type(rows) is not int
        or type(width) is not int
        or type(data) is not list
        or width != columns
        or len(data) != rows * width
        or "parameters" in tensor
    ):
        return None
    return np.ndarray((rows, width), np.float32, _packed(data))


def _plain_row(row: list[Any], form: Form) -> Features | None:
    """One row by names, unless one of them never came: then the struct error says so."""
    if not form.strings:
        return np.ndarray((1, len(row)), np.float32, _packed(row))
    read: dict[str, NDArray[Any]] = {}
    for name, (place, datatype) in form.columns.items():
        value = row[place]
        if datatype == "FP32":
            read[name] = np.ndarray((1,), np.float32, _packed([value]))
        elif type(value) is str:
            read[name] = np.array([value], dtype=object)
        else:
            return None
    return read


def _packed(numbers: list[Any]) -> bytes:
    """As float32, null as NaN; a struct error when one is no number."""
    try:
        return pack(f"{len(numbers)}f", *numbers)
    except struct_error:
        known = [nan if number is None else number for number in numbers]
        return pack(f"{len(known)}f", *known)


def _tensors(inputs: object, form: Form) -> dict[str, dict[str, Any]]:
    """The tensors by name, in the order of the request, every name known and given once."""
    if not isinstance(inputs, list):
        told = "is missing" if inputs is None else f"must be a list of tensors, got {shown(inputs)}"
        raise wrong(f"`inputs` {told}")
    if not inputs:
        raise wrong(f"`inputs` is empty: {_reads(form)}")
    tensors: dict[str, dict[str, Any]] = {}
    for at, tensor in enumerate(inputs):
        if not isinstance(tensor, dict):
            raise wrong(f"inputs[{at}] must be an object, got {shown(tensor)}")
        name = tensor.get("name")
        if not isinstance(name, str):
            raise wrong(f"inputs[{at}] needs a name, a string, got {shown(name)}")
        if name in tensors:
            raise wrong(f"the input {shown(name)} is given twice")
        if name not in form.columns and not (form.takes_matrix and name == FEATURES):
            close = nearest(name[:_COMPARED], form.columns)
            hint = f"nearest: {close}" if close else _reads(form)
            raise wrong(f"the model has no input {shown(name)} ({hint})")
        tensors[name] = tensor
    return tensors


def _matrix(tensors: dict[str, dict[str, Any]], form: Form, raw: Raw) -> NDArray[np.float32]:
    if len(tensors) > 1:
        other = next(name for name in tensors if name != FEATURES)
        told = f"the input {FEATURES!r} holds all columns, so {other!r} is given twice"
        raise wrong(f"{told}: send either the matrix or the columns")
    columns = len(form.columns)
    flat = values(tensors[FEATURES], f"the input {FEATURES!r}", raw, columns, strings=False)
    return flat.reshape(-1, columns)


def _demand_all(tensors: dict[str, dict[str, Any]], form: Form) -> None:
    absent = [name for name in form.columns if name not in tensors]
    if len(absent) == 1:
        raise wrong(f"the input {absent[0]!r} is missing")
    if absent:
        raise wrong(f"the inputs {_listed(absent)} are missing")


def _common_rows(columns: dict[str, NDArray[Any]]) -> int:
    lengths = {name: len(column) for name, column in columns.items()}
    short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    if lengths[short] != lengths[long]:
        told = f"{short!r} has {lengths[short]}, {long!r} has {lengths[long]}"
        raise wrong(f"the inputs differ in rows: {told}")
    return lengths[long]


def _reads(form: Form) -> str:
    matrix = f", or {FEATURES!r} with all columns" if form.takes_matrix else ""
    return f"it reads {_listed(form.columns)}{matrix}"


def _listed(names: Iterable[str]) -> str:
    quoted = [repr(name) for name in names]
    more = f" and {len(quoted) - _TOLD} more" if len(quoted) > _TOLD else ""
    return ", ".join(quoted[:_TOLD]) + more
