"""Columns as a model reads them: float32 numbers, strings, all equally long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seatrial.errors import FormError, Mistake, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seatrial.inference.signature import Input, Signature


def columns(features: Mapping[str, np.ndarray], signature: Signature) -> dict[str, np.ndarray]:
    """The columns of the signature, in its order: float32 ``[n]`` or object strings ``[n]``.

    Other numeric types and booleans are cast; None, and NaN among strings, become "".
    Columns that the model does not read are ignored. Every missing or ill-typed column is
    named in one FormError.

    >>> from seatrial.inference.signature import Input, Signature
    >>> columns({"a": np.array([1, 2])}, Signature((Input("a", "FP32"),), "numbers"))["a"]
    array([1., 2.], dtype=float32)
    """
    read: dict[str, np.ndarray] = {}
    mistakes: list[Mistake] = []
    for each in signature.inputs:
        given = features.get(each.name)
        if given is None:
            fix = f"the model reads {len(signature.inputs)} columns; give this one too"
            what = f"the column {each.name!r} is missing"
            mistakes.append(Mistake(what, nearest=nearest(each.name, features), fix=fix))
            continue
        cast, mistake = _cast(np.asarray(given), each)
        read[each.name] = cast
        mistakes += [mistake] if mistake else []
    lengths = {name: len(column) for name, column in read.items()}
    if not mistakes and len(set(lengths.values())) > 1:
        short, long = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
        told = f"{short!r} has {lengths[short]} rows, {long!r} has {lengths[long]}"
        mistakes.append(Mistake(f"the columns differ in length: {told}"))
    if mistakes:
        raise FormError(*mistakes)
    return read


def _cast(given: np.ndarray, wanted: Input) -> tuple[np.ndarray, Mistake | None]:
    where = f"column {wanted.name!r}"
    if given.ndim != 1:
        what = f"the column {wanted.name!r} has the shape {list(given.shape)}"
        return given.reshape(-1), Mistake(what, fix="give one value a row")
    numeric = given.dtype.kind in "fiub"
    if wanted.datatype == "FP32":
        if numeric:
            # A float64 beyond float32 becomes infinite on purpose: that is what serving would see.
            with np.errstate(over="ignore"):
                return np.ascontiguousarray(given, dtype=np.float32), None
        return given, Mistake(f"{where} must hold numbers, got {_sample(given)}")
    if numeric or given.dtype.kind not in "OUST":
        return given, Mistake(f"{where} must hold strings, got {_sample(given)}")
    return _strings(given, where)


def _strings(given: np.ndarray, where: str) -> tuple[np.ndarray, Mistake | None]:
    read = given.astype(object)
    values = read.tolist()
    if all(type(value) is str for value in values):
        return read, None
    for row, value in enumerate(values):
        if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124 - NaN
            read[row] = ""
        elif isinstance(value, str):
            read[row] = str(value)
        else:
            return read, Mistake(f"{where} must hold strings, got {value!r} in row {row}")
    return read, None


def _sample(given: np.ndarray) -> str:
    return repr(given.tolist()[0]) if len(given) else "no rows"
