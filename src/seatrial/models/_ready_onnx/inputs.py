"""From our columns to the inputs of a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from onnx import SparseTensorProto, TensorProto, helper

from seatrial.errors import nearest
from seatrial.models._ready_onnx.around import TYPES

if TYPE_CHECKING:
    from onnx import ValueInfoProto

    from seatrial.errors import FormError
    from seatrial.models._ready_onnx.around import Around

_FLOATS = frozenset(
    {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16}
)
_WHOLE: dict[int, type[np.generic]] = {
    TensorProto.INT8: np.int8,
    TensorProto.INT16: np.int16,
    TensorProto.INT32: np.int32,
    TensorProto.INT64: np.int64,
    TensorProto.UINT8: np.uint8,
    TensorProto.UINT16: np.uint16,
    TensorProto.UINT32: np.uint32,
    TensorProto.UINT64: np.uint64,
    TensorProto.BOOL: np.bool_,
}
_NUMBERS = _FLOATS | _WHOLE.keys()
_COLUMN, _MATRIX = 1, 2
_LISTED = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """An input of the file; ``shape`` is None when it is not told, a free size is None."""

    name: str
    kind: int
    shape: tuple[int | None, ...] | None

    def __str__(self) -> str:
        """As it is told to a user: ``FLOAT [n, 4]``."""
        sizes = ["n" if size is None else str(size) for size in self.shape or ()]
        shape = "" if self.shape is None else f" [{', '.join(sizes)}]"
        return f"{TensorProto.DataType.Name(self.kind)}{shape}"

    @property
    def rows(self) -> int | None:
        """The number of rows, when it is fixed."""
        return self.shape[0] if self.shape else None


def put_in_front(around: Around) -> None:
    """Make the signature's columns the inputs of the graph; FormError when they cannot be."""
    names = [each.name for each in around.signature.inputs]
    wanted = _wanted(around, names)
    matrix = len(wanted) == 1 and _is_matrix(wanted[0], names)
    if not matrix and sorted(each.name for each in wanted) != sorted(names):
        raise _other_names(around, wanted, names)
    if matrix:
        _join(around, wanted[0])
    else:
        _each(around, {each.name: each for each in wanted})
    around.fixed_rows = next((each.rows for each in wanted if each.rows is not None), None)
    del around.graph.input[:]
    around.graph.input.extend(
        helper.make_tensor_value_info(each.name, TYPES[each.datatype], ["n", 1])
        for each in around.signature.inputs
    )


def _wanted(around: Around, names: list[str]) -> list[Wanted]:
    """The inputs that must be fed. One with a default keeps it, unless it is one of our columns."""
    graph = around.graph
    held = {_name(each) for each in (*graph.initializer, *graph.sparse_initializer)}
    needed = {each.name for each in graph.input if each.name not in held}
    ours = {each.name for each in graph.input if each.name in held & {*names}}
    if ours and needed | ours == {*names}:
        for defaults in (graph.initializer, graph.sparse_initializer):
            kept = [each for each in defaults if _name(each) not in ours]
            del defaults[:]
            defaults.extend(kept)
        needed |= ours
    return [_read(around, each) for each in graph.input if each.name in needed]


def _name(held: TensorProto | SparseTensorProto) -> str:
    return str(held.values.name if isinstance(held, SparseTensorProto) else held.name)


def _read(around: Around, given: ValueInfoProto) -> Wanted:
    kind = given.type.WhichOneof("value")
    if kind != "tensor_type":
        told = (kind or "nothing").removesuffix("_type").replace("_", " ")
        what = f"the file's input {given.name!r} takes a {told}; only tensors can be fed"
        raise around.wrong(what, "export the model with tensors as its inputs")
    tensor = given.type.tensor_type
    if tensor.elem_type not in _NUMBERS | {TensorProto.STRING}:
        known = tensor.elem_type in TensorProto.DataType.values()
        told = TensorProto.DataType.Name(tensor.elem_type) if known else tensor.elem_type
        what = f"the file's input {given.name!r} is of the type {told}, which no column has"
        raise around.wrong(what, "export the model with FLOAT or STRING inputs")
    shape = None
    if tensor.HasField("shape"):
        sizes = tensor.shape.dim
        # 0 and -1 stand in older exports where the size is free
        shape = tuple(d.dim_value if d.dim_value > 0 else None for d in sizes)
    return Wanted(given.name, tensor.elem_type, shape)


def _is_matrix(wanted: Wanted, names: list[str]) -> bool:
    """Whether an only input takes all columns, which it does unless it is one of them."""
    if wanted.name not in names:
        return True
    wide = wanted.shape is not None and len(wanted.shape) == _MATRIX and wanted.shape[1] != 1
    return len(names) > 1 and wide


def _other_names(around: Around, wanted: list[Wanted], names: list[str]) -> FormError:
    theirs = [each.name for each in wanted]
    absent = [name for name in names if name not in theirs]
    unknown = [name for name in theirs if name not in names]
    what = "the inputs of the file are not the columns of the data"
    what += f"\n  columns that it does not read: {_listed(absent)}" if absent else ""
    what += f"\n  inputs that are no column: {_listed(unknown)}" if unknown else ""
    if not theirs:
        what = "the file has no inputs, so it reads no column"
    close = nearest(unknown[0], absent) if unknown else ""
    fix = "name the inputs as the columns, or export one matrix [n, k] of all of them; put columns"
    return around.wrong(what, f"{fix} that the model does not read under `exclude:`", close)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(repr, names[:_LISTED])) + more


def _each(around: Around, wanted: dict[str, Wanted]) -> None:
    """One input a column."""
    steps = {}
    for column in around.signature.inputs:
        each = wanted[column.name]
        if each.shape is not None and (
            len(each.shape) not in {_COLUMN, _MATRIX} or each.shape[1:] not in {(), (1,), (None,)}
        ):
            what = f"the file's input {each.name!r} is {each}; a column is [n] or [n, 1]"
            fix = "export one input a column, with one value a row"
            raise around.wrong(what, fix)
        _demand_kind(around, each, [column.name], strings=column.datatype == "BYTES")
        flat = each.shape is not None and len(each.shape) == _COLUMN
        if flat or each.kind not in {TensorProto.FLOAT, TensorProto.STRING}:
            steps[each] = flat
    # What needs no step keeps the column's name: so that all may still be joined to one matrix.
    around.rename({name: name for name, each in wanted.items() if each not in steps})
    for each, flat in steps.items():
        _cast(around, each.name, each.kind, around.theirs + each.name, flat=flat)
    around.whole = frozenset(name for name, each in wanted.items() if each.kind in _WHOLE)


def _join(around: Around, wanted: Wanted) -> None:
    """One input for all columns."""
    inputs = around.signature.inputs
    names = [each.name for each in inputs]
    shape = wanted.shape
    if shape is not None and (len(shape) != _MATRIX or shape[1] not in {None, len(names)}):
        if len(shape) == _COLUMN and len(names) > 1:
            what = f"the file's only input {wanted.name!r} is {wanted}: one row, not many"
            raise around.wrong(what, f"export it as [n, {len(names)}], with a dynamic batch")
        what = f"the file's only input {wanted.name!r} is {wanted}, but the data has"
        what += f" {len(names)} feature{'s' if len(names) > 1 else ''}: {_listed(names)}"
        fix = "train it on these columns, or put what it does not read under `exclude:`"
        raise around.wrong(what, fix)
    strings = wanted.kind == TensorProto.STRING
    odd = [each.name for each in inputs if (each.datatype == "BYTES") != strings]
    _demand_kind(around, wanted, odd, strings=not strings if odd else strings)
    around.rename({})
    inner = around.theirs + wanted.name
    plain = wanted.kind in {TensorProto.FLOAT, TensorProto.STRING}
    joined = around.put(around.front, "Concat", names, inner if plain else "", axis=1)
    if not plain:
        _cast(around, joined, wanted.kind, inner, flat=False)
    around.whole = frozenset(names if wanted.kind in _WHOLE else [])


def _demand_kind(around: Around, wanted: Wanted, columns: list[str], *, strings: bool) -> None:
    """That words are fed to words, and numbers to numbers; ``strings`` is what the data holds."""
    if strings == (wanted.kind == TensorProto.STRING):
        return
    holds, takes = ("words", "numbers") if strings else ("numbers", "words")
    what = f"the file's input {wanted.name!r} takes {takes} ({wanted}), but {_listed(columns)}"
    verb = "holds" if len(columns) == 1 else "hold"
    fix = "export one input a column, so that words are coded inside the graph"
    if not strings:
        fix = "export the input as FLOAT, or let the data hold words there"
    raise around.wrong(f"{what} {verb} {holds}", fix)


def _cast(around: Around, name: str, kind: int, output: str, *, flat: bool) -> None:
    """A column or matrix as the type that the file takes, under the file's name for it."""
    steps: list[tuple[str, list[str], dict[str, int]]] = []
    if kind in _WHOLE:
        # No whole number is missing, and what does not fit would differ from machine to machine.
        zero = around.constant("zero", np.zeros((), np.float32))
        missing = around.put(around.front, "IsNaN", [name])
        name = around.put(around.front, "Where", [missing, zero, name])
        if kind != TensorProto.BOOL:
            least, most = map(np.float32, _range(_WHOLE[kind]))
            steps.append(("Max", [around.constant(f"least/{kind}", least)], {}))
            steps.append(("Min", [around.constant(f"most/{kind}", most)], {}))
    if kind not in {TensorProto.FLOAT, TensorProto.STRING}:
        steps.append(("Cast", [], {"to": kind}))
    if flat:
        steps.append(("Reshape", [around.constant("flat", np.array([-1], np.int64))], {}))
    for at, (operator, more, attributes) in enumerate(steps):
        last = output if at == len(steps) - 1 else ""
        name = around.put(around.front, operator, [name, *more], last, **attributes)


def _range(kind: type[np.generic]) -> tuple[float, float]:
    """The least and the greatest float32 that the type holds."""
    info = np.iinfo(kind)  # type: ignore[type-var]
    most = np.float32(info.max)
    if float(most) > info.max:
        most = np.nextafter(most, np.float32(0))
    return float(info.min), float(most)
